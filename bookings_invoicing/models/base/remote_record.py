from odoo import api, fields, models
from odoo.tools import SQL

from ...billing.digest import content_hash

UNREAD = "-"  # the fingerprint of a row that the next synchronization stores again


class BookingsMirror(models.AbstractModel):
    """Mixin of services, staff members, and customers: one row per remote record, written only if that changed."""

    _name = "bookings.mirror"
    _inherit = ["bookings.own.links", "bookings.imported"]
    _description = "Mirror of a Bookings Record"
    _check_company_auto = True

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    remote_id = fields.Char(string="Bookings ID", required=True, readonly=True, copy=False)
    remote_hash = fields.Char(string="Fingerprint in Bookings", readonly=True, copy=False)
    removed = fields.Boolean(
        string="Removed from Bookings",
        readonly=True,
        copy=False,
        help="Bookings no longer lists this record.",
    )

    _remote_uniq = models.UniqueIndex("(setup_id, remote_id)", "Bookings IDs must be unique.")

    @api.model
    def _of(self, setup, remote_ids):
        return self.search([("setup_id", "=", setup.id), ("remote_id", "in", remote_ids)])

    @api.model
    def _import_page(self, job, records):
        """Create and update the rows for a page of remote records. Unchanged rows are not written.

        :param SyncJob job:
        :param list records: records of :mod:`graph`, of the type that this model stores
        :returns: counts by name: ``seen``, ``created``, ``updated``, ``unchanged``, and those of :meth:`_after_import`
        """
        setup, self = job.setup, self.sudo()  # noqa: PLW0642
        known = self._kept(setup, [record.id for record in records])
        to_create, counts = {}, {"seen": len(records), "created": 0, "updated": 0, "unchanged": 0}
        touched = self.browse()
        for record in records:
            values = self._remote_values(setup, record)
            digest = content_hash(values)
            row_id, kept_digest, removed = known.get(record.id, (None, None, None))
            if row_id is None:
                to_create[record.id] = values | {
                    "setup_id": setup.id,
                    "company_id": setup.company_id.id,
                    "remote_id": record.id,
                    "remote_hash": digest,
                }
            elif kept_digest != digest or removed:
                row = self.browse(row_id)
                row.write(values | {"remote_hash": digest, "removed": False})
                touched |= row
                counts["updated"] += 1
            else:
                counts["unchanged"] += 1
        created = self._importing().create(list(to_create.values())).with_env(self.env)
        counts["created"] = len(created)
        touched |= self._unfinished(setup, list(known))
        for name, number in ((created | touched)._after_import(job) or {}).items():
            counts[name] = counts.get(name, 0) + number
        return counts

    @api.model
    def _kept(self, setup, remote_ids):
        """Return ``{remote id: [row id, fingerprint, removed]}``, in one query because most rows have not changed."""
        self.flush_model(["setup_id", "remote_id", "remote_hash", "removed"])
        rows = self.env.execute_query(
            SQL(
                "SELECT remote_id, id, remote_hash, removed FROM %s WHERE setup_id = %s AND remote_id = ANY(%s)",
                SQL.identifier(self._table),
                setup.id,
                remote_ids,
            )
        )
        return {remote_id: facts for remote_id, *facts in rows}

    @api.model
    def _mark_gone(self, setup, seen):
        """Set *removed* on the rows that Bookings no longer lists, after a list was read completely.

        :param set seen: remote ids of the list
        """
        self.flush_model(["setup_id", "remote_id", "remote_hash", "removed"])
        rows = self.env.execute_query(
            SQL(
                """SELECT id, remote_id FROM %s
                    WHERE setup_id = %s AND removed IS NOT TRUE AND remote_hash IS NOT NULL""",
                SQL.identifier(self._table),
                setup.id,
            )
        )
        if gone := [row_id for row_id, remote_id in rows if remote_id not in seen]:
            self.browse(gone).write({"removed": True})

    def _remote_values(self, setup, record):
        """Return the field values for a remote record."""
        raise NotImplementedError

    @api.model
    def _unfinished(self, setup, remote_ids):
        """Hook: return unchanged rows that need :meth:`_after_import` all the same."""
        return self.browse()

    def _after_import(self, job):
        """Hook for new and changed rows.

        :returns: more counts for :meth:`_import_page`
        """
        return {}
