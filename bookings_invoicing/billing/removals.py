"""How many appointments may be missing from Bookings before a user must confirm that they were removed."""

NUMBER, PERCENT = 20, 10


def are_few(missing: int, known: int) -> bool:
    """Return whether the missing appointments are at most 20, or at most 10 percent of the known ones.

    :param missing: appointments that Bookings no longer lists
    :param known: appointments that it should have listed

    >>> are_few(20, 20), are_few(21, 21), are_few(100, 1000)
    (True, False, True)
    """
    return missing <= NUMBER or 100 * missing <= PERCENT * known
