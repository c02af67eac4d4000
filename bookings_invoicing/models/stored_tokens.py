"""The sign-in of a connection's synchronising user, kept over restarts and shared by all workers.

What: a source of access tokens for a connection in delegated mode.

How to use: ``StoredTokens(connection, cloud, transport, credential).token()``.

How it works: a token is fetched while the row that keeps the sign-in is locked, in a cursor of its own. Who waited for the
lock reads the row again and finds the token that the other one fetched, so that a refresh token is used by one worker
at a time and its successor is stored before anybody else can want it; what the caller's transaction does later, commit or
roll back, changes nothing of that.
"""

import logging

from psycopg2.errors import SerializationFailure

from odoo.tools import SQL

from .. import graph, server_settings

_logger = logging.getLogger(__name__)

ATTEMPTS = 100


class StoredTokens(graph.DelegatedTokens):
    def __init__(self, connection, cloud, transport, credential):
        super().__init__(
            cloud, transport, graph.Delegated(credential.tenant_id, credential.client_id, credential)
        )
        self._registry, self._connection_id = connection.env.registry, connection.id

    def _acquire(self, force):
        with self._registry.cursor() as cursor:
            row = self._locked_row(cursor)
            stored = _clear(row)
            # a token that another worker has fetched since ours was refused is new enough
            force = force and stored == self.cache_text
            self.cache_text = stored
            result = super()._acquire(force)
            if self.cache_text != stored:
                cursor.execute(
                    SQL(
                        "UPDATE bookings_connection_secret SET sealed = %s WHERE id = %s",
                        server_settings.seal(self.cache_text),
                        row[0],
                    )
                )
                _logger.info("A token of Microsoft 365 connection %s was fetched", self._connection_id)
            return result

    def _locked_row(self, cursor):
        query = SQL(
            "SELECT id, sealed FROM bookings_connection_secret "
            "WHERE connection_id = %s AND kind = 'tokens' FOR UPDATE",
            self._connection_id,
        )
        for _attempt in range(ATTEMPTS):
            try:
                cursor.execute(query, log_exceptions=False)
                return cursor.fetchone()
            except SerializationFailure:
                # somebody else has stored a new sign-in while we waited: look at that one
                cursor.rollback()
        raise graph.TransientError()


def _clear(row):
    if row is None:
        raise graph.AuthError(kind="sign_in_again")
    try:
        return server_settings.unseal(row[1])
    except server_settings.SecretUnreadable:
        raise graph.AuthError(kind="sign_in_again") from None
