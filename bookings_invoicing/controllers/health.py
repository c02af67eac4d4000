from odoo import SUPERUSER_ID, http
from odoo.http import request

from .. import server_settings

BEARER = "Bearer "


class Health(http.Controller):
    """The endpoint for monitors: it reports whether all setups of this database are synchronized."""

    @http.route(
        "/bookings_invoicing/health",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def health(self):
        """Return the health report as JSON.

        Status 503 if a setup is late, 403 for a missing or wrong token, 404 if the server has no token configured.
        """
        if not server_settings.read_setting(server_settings.HEALTH_TOKEN) or not request.db:
            return request.make_json_response({"error": "not configured"}, status=404)
        given = request.httprequest.headers.get("Authorization", "")
        token = given[len(BEARER) :] if given.startswith(BEARER) else ""
        if not server_settings.is_health_token(token):
            return request.make_json_response({"error": "forbidden"}, status=403)
        setups = request.env["bookings.sync.setup"].with_user(SUPERUSER_ID)
        report = setups._health_report()
        headers = [("Cache-Control", "no-store")]
        return request.make_json_response(
            report, headers=headers, status=503 if report["late"] else 200
        )
