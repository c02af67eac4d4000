from .journal import sales_journal


def lock_date_blockers(setup, day):
    """Return the blockers of an invoice with this date in a locked period: ``{key: params}``."""
    locks = setup.company_id._get_violated_lock_dates(day, True, sales_journal(setup))
    if not locks:
        return {}
    return {"lock_date": {"date": str(day), "lock": str(max(lock[0] for lock in locks))}}
