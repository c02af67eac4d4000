from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import hmac

WINDOW = timedelta(minutes=10)
SCOPE = "bookings_invoicing.rate_limit"


class BookingsRateLimit(models.Model):
    """Counts the requests for public pages by sender and by what they ask for, so that nobody can ask endlessly.

    It stores keyed hashes only, for at most a day.
    """

    _name = "bookings.rate.limit"
    _inherit = ["bookings.own.links"]
    _description = "Requests of a Public Page"

    key = fields.Char(required=True)
    since = fields.Datetime(required=True, default=fields.Datetime.now)
    count = fields.Integer()

    _key_uniq = models.UniqueIndex("(key)")

    @api.model
    def _allows(self, what, who, most):
        """Count a request and return whether it is within the limit.

        :param str what, who: what is counted, and for whom
        :param int most: requests in ten minutes
        """
        now = fields.Datetime.now()
        [(count,)] = self.env.execute_query(
            SQL(
                """INSERT INTO bookings_rate_limit (key, since, count) VALUES (%(key)s, %(now)s, 1)
                   ON CONFLICT (key) DO UPDATE SET
                      count = CASE WHEN bookings_rate_limit.since > %(start)s THEN bookings_rate_limit.count + 1 ELSE 1 END,
                      since = CASE WHEN bookings_rate_limit.since > %(start)s THEN bookings_rate_limit.since ELSE %(now)s END
                   RETURNING count""",
                key=hmac(self.env(su=True), SCOPE, (what, who)),
                now=now,
                start=now - WINDOW,
            )
        )
        return count <= most

    @api.autovacuum
    def _gc(self):
        before = fields.Datetime.now() - timedelta(days=1)
        self.sudo().search([("since", "<", before)], limit=10_000).unlink()
