"""Texts of the errors of :mod:`..graph` in the user's language. In logs they remain English."""

from odoo import fields

from ...graph import say, say_again, say_problem


def tell(env, error):
    """Return the error as a translated sentence with a remedy, followed by Microsoft's code and request ID.

    :param graph.GraphError error:
    """
    sentence = sentence_of(env, error)
    return str(error).replace(error.sentence, sentence, 1)


def told(env, text):
    """Return a text that was stored in English, such as ``str(error)``, in the user's language."""
    return text and say_again(text, lambda sentence: env._(sentence))


class Told(fields.Char):
    """A stored text about Microsoft Graph: English in Python and in the log, in the reader's language on screens.

    A scheduled action does not know who will read. In other texts for users, use :func:`told`.
    """

    def convert_to_read(self, value, record, use_display_name=True):
        return told(record.env, super().convert_to_read(value, record, use_display_name))

    def convert_to_export(self, value, record):
        return told(record.env, super().convert_to_export(value, record))


def sentence_of(env, error):
    """Return only the translated sentence of an error; an error with a text of its own keeps that text."""
    if error.has_own_words:
        return error.sentence
    return say(error.kind, error.host, lambda text: env._(text))


def problem_of(env, reason):
    """Return the reason why a record is unreadable in the user's language."""
    return say_problem(reason or "", lambda text: env._(text))
