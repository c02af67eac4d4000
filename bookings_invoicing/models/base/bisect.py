"""Process many items at once and isolate the ones that fail by bisection."""

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY


def by_halves(env, items, attempt, failed):
    """Call ``attempt`` for all items at once; if it fails, call it for each half, down to single items.

    Each attempt runs in a savepoint, so a failed one leaves nothing behind. Serialization failures are raised, because
    they are not caused by an item: Odoo then retries the whole transaction.

    :param items: a list or a recordset
    :param attempt: ``attempt(items)`` does the work
    :param failed: ``failed(item, error)`` is called for each item that fails alone; ``item`` is a list or recordset of one
    :returns: list of the results of the successful attempts, in order
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
