"""What the errors of :mod:`..graph` say, in the reader's language; in logs their own texts stay English."""

from ...graph import say


def tell(env, error):
    """The error as a sentence that a person can act on, followed by Microsoft's code and request ID.

    :param graph.GraphError error:
    """
    sentence = sentence_of(env, error)
    return str(error).replace(error.sentence, sentence, 1)


def sentence_of(env, error):
    """Only the sentence; an error with words of its own (a setting's name, a field) keeps those."""
    if error.has_own_words:
        return error.sentence
    return say(error.kind, error.host, lambda text: env._(text))
