"""Access tokens of a connection's synchronizing user, stored across restarts and shared by all workers.

How to use: ``StoredTokens(connection, cloud, transport, credential).token()``.

How it works: a worker fetches a token while it locks the row with the sign-in, in a separate cursor. A worker that had
to wait re-reads the row and reuses the token fetched by the first one. So only one worker at a time uses a refresh
token, and its successor is stored before the next worker needs it, whether the caller's transaction is committed or
rolled back.
"""

import json
import logging
import time

from psycopg2.errors import SerializationFailure

from odoo.tools import SQL

from ... import graph, server_settings

_logger = logging.getLogger(__name__)

ATTEMPTS = 100
EARLY = 300.0  # seconds before its expiry from which a token counts as expired


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
            # after Microsoft refused our token, a token that another worker fetched since then is still worth a try
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
                # another worker stored a new sign-in while this one waited: read that one
                cursor.rollback()
            else:
                if row is None:
                    raise graph.AuthError(kind="sign_in_again")
                return row
        raise graph.TransientError()


def packed(cache_text, access=None, until=0):
    """Return the text to store for a sign-in: msal's cache (refresh token, account) and the current access token.

    The access token is stored separately because msal finds it in its cache only if Microsoft repeats the requested
    scopes exactly.

    :param float until: expiry of the access token, in seconds since the epoch
    """
    return json.dumps({"cache": cache_text, "access": access, "until": until})


def _unpacked(sealed):
    try:
        return json.loads(server_settings.unseal(sealed))
    except (server_settings.SecretUnreadable, ValueError):
        raise graph.AuthError(kind="sign_in_again") from None
