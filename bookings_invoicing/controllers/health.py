from odoo import SUPERUSER_ID, http
from odoo.http import request

from .. import server_settings

BEARER = "Bearer "


class Health(http.Controller):
    """What a monitor asks: whether appointments are read, in every company of this database."""

    @http.route(
        "/bookings_invoicing/health",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def health(self):
        """JSON of ``_health_report``; 503 where a setup is late, 403 without the server's token, 404 where it has none."""
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
