from functools import cached_property


class PlanFacts:
    """What the hints for planned invoices need from the database, read once for all invoices of a plan.

    :param bookings: the bookings of these invoices, whose payers are looked up
    """

    def __init__(self, bookings):
        self.env = bookings.env
        self._planned = bookings
        self._companies = bookings.company_id
        self._payers = bookings.payer_id.commercial_partner_id

    @cached_property
    def invoiced(self):
        """Pairs of a company and a commercial partner that has a posted invoice of it."""
        moves = self.env["account.move"].sudo()
        domain = [
            ("company_id", "in", self._companies.ids),
            ("commercial_partner_id", "in", self._payers.ids),
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
        ]
        return set(moves._read_group(domain, ["company_id", "commercial_partner_id"]))

    @cached_property
    def credits(self):
        """Journal items of outstanding credits that Odoo shows on invoices, by company and commercial partner."""
        lines = self.env["account.move.line"].sudo()
        domain = [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("company_id", "in", self._companies.ids),
            ("partner_id", "in", self._payers.ids),
            ("reconciled", "=", False),
            ("balance", "<", 0),
        ]
        return lines.search(domain).grouped(lambda line: (line.company_id, line.partner_id))

    @cached_property
    def down_payments(self):
        """Pairs of a company and a commercial partner with an open down payment."""
        return self._planned._payers_with_down_payment()

    @cached_property
    def by_country(self):
        """Companies for which Odoo chooses the tax by the payer's country, using fiscal positions."""
        positions = self.env["account.fiscal.position"].sudo()
        return self._companies.filtered(
            lambda company: positions.search_count(
                [*positions._check_company_domain(company), ("auto_apply", "=", True)], limit=1
            )
        )

    @cached_property
    def _rates(self):
        """Pairs of a currency and a company, or no company, with an exchange rate."""
        domain = [
            ("currency_id", "in", self._planned.currency_id.ids),
            ("company_id", "in", (False, *self._companies.root_id.ids)),
        ]
        rates = self.env["res.currency.rate"].sudo()
        groups = rates._read_group(domain, ["currency_id", "company_id"])
        return {(currency.id, company.id) for currency, company in groups}

    def has_rate(self, currency, company):
        """Return whether Odoo can convert this currency to that of the company."""
        root = company.root_id
        return currency == root.currency_id or not self._rates.isdisjoint(
            {(currency.id, root.id), (currency.id, False)}
        )

    @cached_property
    def _drafts(self):
        return self._planned._drafts_by_split()

    def draft(self, split):
        """Return a draft that could take the lines of an invoice with this split, or an empty recordset."""
        return self._drafts.get(split.normal(), self.env["account.move"])[:1]
