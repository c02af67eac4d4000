"""Finding what fails among many by halves: what is left as it is costs one try, each bad one a few more."""

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY


def by_halves(env, items, attempt, failed):
    """Do a piece of work for all of these items at once; on failure for each half, until the bad ones stand alone.

    Each try is a savepoint: nothing is kept of one that failed. Serialization failures are not the item's fault: they are
    raised, for the whole transaction to be tried again.

    :param items: a list or a recordset
    :param attempt: ``attempt(items)`` does the work
    :param failed: ``failed(item, error)`` for each item that fails alone, ``item`` being a list or recordset of one
    :returns: what the attempts that succeeded returned, in order
    """
    if not items:
        return []
    try:
        with env.cr.savepoint():
            result = attempt(items)
            env.flush_all()
            return [result]
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception as error:
        env.invalidate_all(flush=False)
        if len(items) == 1:
            failed(items, error)
            return []
    middle = len(items) // 2
    return [
        *by_halves(env, items[:middle], attempt, failed),
        *by_halves(env, items[middle:], attempt, failed),
    ]
