def sales_journal(setup):
    """Return the sales journal of a setup's invoices: the selected one, or the company's first one.

    Among the company's journals, one in the setup's currency is preferred.
    """
    setup.ensure_one()
    if setup.journal_id:
        return setup.journal_id
    journals = setup.env["account.journal"]
    domain = [*journals._check_company_domain(setup.company_id), ("type", "=", "sale")]
    own_currency = [("currency_id", "=", setup.currency_id.id)]
    return journals.search(domain + own_currency, limit=1) or journals.search(domain, limit=1)
