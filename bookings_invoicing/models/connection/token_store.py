"""The sign-in of a connection's synchronizing user, kept over restarts and shared by all workers.

What: a source of access tokens for a connection in delegated mode.

How to use: ``StoredTokens(connection, cloud, transport, credential).token()``.

How it works: a token is fetched while the row that keeps the sign-in is locked, in a cursor of its own. Who waited for the
lock reads the row again and finds the token that the other one fetched, so that a refresh token is used by one worker
at a time and its successor is stored before anybody else can want it; what the caller's transaction does later, commit or
roll back, changes nothing of that.
"""

import json
import logging
import time

from psycopg2.errors import SerializationFailure

from odoo.tools import SQL

from ... import graph, server_settings

_logger = logging.getLogger(__name__)

ATTEMPTS = 100
EARLY = 300.0  # seconds before its end that a token counts as ended


class StoredTokens(graph.DelegatedTokens):
    def __init__(self, connection, cloud, transport, credential):
        super().__init__(
            cloud,
            transport,
            graph.Delegated(credential.tenant_id, credential.client_id, credential),
        )
        self._registry, self._connection_id = connection.env.registry, connection.id
        self._given = None

    def _acquire(self, force):
        with self._registry.cursor() as cursor:
            row_id, sealed = self._locked_row(cursor)
            kept = _unpacked(sealed)
            left = kept["until"] - time.time()
            # asked for another one than the token that was refused: what another worker fetched since is another one
            if left > EARLY and kept["access"] and not (force and kept["access"] == self._given):
                self._given = kept["access"]
                return {"access_token": self._given, "expires_in": int(left)}
            self.cache_text = kept["cache"]
            result = super()._acquire(force)
            if "error" not in result:
                self._given = result.get("access_token")
                text = packed(
                    self.cache_text, self._given, time.time() + result.get("expires_in", 0)
                )
                cursor.execute(
                    SQL(
                        "UPDATE bookings_connection_secret SET sealed = %s WHERE id = %s",
                        server_settings.seal(text),
                        row_id,
                    )
                )
                _logger.info(
                    "A token of Microsoft 365 connection %s was fetched", self._connection_id
                )
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
                row = cursor.fetchone()
            except SerializationFailure:
                # somebody else has stored a new sign-in while we waited: look at that one
                cursor.rollback()
            else:
                if row is None:
                    raise graph.AuthError(kind="sign_in_again")
                return row
        raise graph.TransientError()


def packed(cache_text, access=None, until=0):
    """What is kept of a sign-in: msal's cache (refresh token, account) and the token in use.

    The token is kept apart because msal finds it again only where Microsoft repeats the scopes as they were asked for.
    """
    return json.dumps({"cache": cache_text, "access": access, "until": until})


def _unpacked(sealed):
    try:
        return json.loads(server_settings.unseal(sealed))
    except (server_settings.SecretUnreadable, ValueError):
        raise graph.AuthError(kind="sign_in_again") from None
