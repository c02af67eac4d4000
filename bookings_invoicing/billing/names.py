"""What staff are told of an attendee's name: the first name, or initials.

Names come from the internet. Only plain words are repeated, so that neither an email address nor a link in place of a
name gets into a message.
"""

import unicodedata

LONGEST = 40  # characters


def first_name(name: str) -> str:
    """Return the first name, or its initial if it is not a plain word.

    >>> first_name("Anna Berg"), first_name("Berg, Anna"), first_name("Dr. Anna Berg"), first_name("Anna Berg, MD")
    ('Anna', 'Anna', 'Anna', 'Anna')
    >>> first_name("anna.berg@example.com"), first_name("J. Smith"), first_name("www.example.com/pay"), first_name("  ")
    ('A.', 'J.', 'W.', '')
    """
    for word in _words(name)[:1]:
        return word if _is_plain(word) else _initial(word)
    return ""


def initials(name: str) -> str:
    """Return the initials of the first name and the last name.

    >>> initials("Anna Berg"), initials("Berg, Anna"), initials("anna.berg@example.com"), initials("")
    ('A. B.', 'A. B.', 'A.', '')
    """
    words = [letter for word in _words(name) if (letter := _initial(word))]
    return " ".join([*words[:1], *words[1:][-1:]])


def _words(name):
    """Return the words of a name without titles, first name first."""
    last, _comma, first = name.partition(",")
    if first.strip() and len(last.split()) == 1:
        name = f"{first} {last}"
    return [word for word in name.replace(",", " ").split() if not _is_title(word)]


def _is_title(word):
    return word.endswith(".") and len(word) > 2


def _is_plain(word):
    return len(word) <= LONGEST and all(
        unicodedata.category(one)[0] in "LM" or one in "'’-" for one in word
    )


def _initial(word):
    return next((f"{one.upper()}." for one in word if one.isalpha()), "")
