import logging

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import request

from .. import graph
from ..models.base.graph_errors import sentence_of
from ..models.connection.sign_in import CALLBACK

_logger = logging.getLogger(__name__)


class OAuthCallback(http.Controller):
    """The endpoint to which Microsoft returns the browser after a sign-in."""

    @http.route(CALLBACK, type="http", auth="user", methods=["GET"], save_session=False)
    def callback(self, **_query):
        """Store the sign-in and redirect to the connection. Errors show a page that repeats nothing from the request.

        The state (usable once, bound to user and connection) protects against forged callbacks.
        """
        params = {}
        for name, values in request.httprequest.args.lists():
            if len(values) > 1:
                return self._refused(graph.AuthError(kind="sign_in_state"))
            params[name] = values[0]
        try:
            connection = request.env["bookings.connection"]._finish_sign_in(params)
        except AccessError:
            return self._page(403, request.env._("You may not change this connection."))
        except graph.GraphError as error:
            return self._refused(error)
        return request.redirect(f"/odoo/bookings-connections/{connection.id}", local=True)

    def _refused(self, error):
        _logger.info("A sign-in with Microsoft was refused: %s", error.kind)
        return self._page(400, sentence_of(request.env, error))

    def _page(self, status, sentence):
        response = request.render(
            "bookings_invoicing.oauth_refused",
            {"title": request.env._("Sign in with Microsoft"), "sentence": sentence},
        )
        response.status_code = status
        return response
