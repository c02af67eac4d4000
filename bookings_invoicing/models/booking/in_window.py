"""What is stored of a period that a synchronization reads.

A synchronization compares it with what Bookings lists there: an appointment with the same digest need not be parsed, and
one that is not listed may have been removed.
"""

from typing import NamedTuple

from odoo.tools import SQL

from . import row_digest


class InWindow(NamedTuple):
    """Stored appointments of a period, without removed bookings.

    :param dict hashes: the digest that the bookings of an appointment keep, by appointment ID; None if they differ
    :param str salt: the result of :func:`row_digest.salt`; a digest with another one does not count
    :param set expected: IDs of those that Bookings should list, because they are neither removed nor canceled
    """

    hashes: dict[str, str | None]
    salt: str
    expected: set[str]

    def unchanged(self, digests):
        """Return the IDs of appointments that are as they were stored, under the same import options.

        :param dict digests: digests of the appointments as sent now, by appointment ID
        """
        kept, salt = self.hashes, self.salt
        return [
            key
            for key, sent in digests.items()
            if (kept.get(key) or "").endswith(row_digest.seal(salt, sent))
        ]


def look_up(env, setup, start, end):
    """Return the :class:`InWindow` of the appointments that overlap this period, in one query.

    :param start, end: datetimes in UTC
    """
    env["bookings.booking"].flush_model(
        ["setup_id", "start", "stop", "appointment_id", "remote_hash", "removed_on", "status"]
    )
    rows = env.execute_query(
        SQL(
            """SELECT appointment_id, bool_or(status != 'cancelled'),
                      CASE WHEN min(remote_hash) = max(remote_hash) THEN min(remote_hash) END
                 FROM bookings_booking
                WHERE setup_id = %s AND stop > %s AND start < %s AND removed_on IS NULL
             GROUP BY appointment_id""",
            setup.id,
            start.replace(tzinfo=None),
            end.replace(tzinfo=None),
        )
    )
    hashes = {key: one for key, _expected, one in rows}
    return InWindow(
        hashes, row_digest.salt(setup), {key for key, expected, _one in rows if expected}
    )
