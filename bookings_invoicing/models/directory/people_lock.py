"""Keep two processes of one company from creating a contact of the same person.

How it works: people who have no contact yet are locked by their email address until the batch is committed. A job that
commits its batches waits for the locks, and begins the transaction of its batch afterwards. A single transaction (a
button) would not see what others commit while it waits. It only takes locks that are free, and checks that no such
contact was committed since it began. Otherwise, it creates none: a synchronization is left to the scheduled action, and
Odoo repeats another request.
"""

import zlib
from contextlib import contextmanager

from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

PEOPLE_SPACE = 0x626B6E68  # separates the locks of people from others
PEOPLE_LOCKS = 1024  # at most; people share them, so that PostgreSQL's memory for locks suffices


class HandOver(ConcurrencyError):
    """Raised when a transaction cannot go on: a synchronization is left to the scheduled action, and Odoo repeats any
    other request.
    """


@contextmanager
def waited_for(env, keys):
    """Wait until no other process creates contacts of these people, and hold the locks in a cursor of their own.

    The caller must not have a transaction open, not even one that only read: it would not see what is committed meanwhile.

    :param list keys: as :func:`keys_of` returns them
    """
    with env.registry.cursor() as cursor:
        # In order, so that no two processes wait for each other.
        cursor.execute(
            SQL("SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s) AS key", PEOPLE_SPACE, keys)
        )
        yield


def take(env, company, emails):
    """Lock these people until the end of this transaction.

    :raises HandOver: if another process creates contacts of them, or did so since this transaction began
    """
    locks = SQL(
        "SELECT bool_and(pg_try_advisory_xact_lock(%s, key)) FROM unnest(%s) AS key",
        *(PEOPLE_SPACE, keys_of(company, emails)),
    )
    contacts = SQL("SELECT id FROM res_partner WHERE email_normalized = ANY(%s)", list(emails))
    [[free]] = env.execute_query(locks)
    if not free:
        raise HandOver
    env["res.partner"].flush_model(["email_normalized"])
    seen = {row[0] for row in env.execute_query(contacts)}
    with env.registry.cursor() as now:
        now.execute(contacts)
        if any(row[0] not in seen for row in now.fetchall()):
            raise HandOver


def keys_of(company, emails):
    """Return the keys of the locks of these people in order."""
    root = company.root_id.id
    return sorted({zlib.crc32(f"{root} {email}".encode()) % PEOPLE_LOCKS for email in emails})
