"""Texts of the errors of :mod:`..graph` in the user's language. In logs they remain English."""

from ...graph import say, say_problem


def tell(env, error):
    """Return the error as a translated sentence with a remedy, followed by Microsoft's code and request ID.

    :param graph.GraphError error:
    """
    sentence = sentence_of(env, error)
    return str(error).replace(error.sentence, sentence, 1)


def sentence_of(env, error):
    """Return only the translated sentence of an error; an error with a text of its own keeps that text."""
    if error.has_own_words:
        return error.sentence
    return say(error.kind, error.host, lambda text: env._(text))


def problem_of(env, reason):
    """Return the reason why a record is unreadable in the user's language."""
    return say_problem(reason or "", lambda text: env._(text))
