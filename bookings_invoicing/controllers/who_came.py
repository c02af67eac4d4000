import ipaddress

from odoo import http
from odoo.http import request

from ..models.booking import staff_link
from ..models.booking.staff_link import PATH, LinkRefused

MOST_OF_ADDRESS = 300  # requests in ten minutes; a practice shares one address
MOST_OF_LINK = 30
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class WhoCame(http.Controller):
    """The page on which a staff member says who came to an appointment. Only its button changes something."""

    @http.route(f"{PATH}/<string:token>", type="http", auth="public", methods=["GET"])
    def show(self, token, answer="", **_query):
        """Show the appointment and the answers. Email scanners follow links, so nothing is recorded."""
        if request.session.should_rotate:
            # an expired session was ended just now; the form needs the token of the one that replaces it
            http.root.session_store.rotate(request.session, request.env)
        return self._respond(
            token,
            lambda booking, _staff: self._page(staff_link.page_of(booking) | {"chosen": answer}),
        )

    @http.route(f"{PATH}/<string:token>", type="http", auth="public", methods=["POST"])
    def record(self, token, answer="", **_form):
        """Record the answer, then show it."""

        def work(booking, staff):
            staff_link.record_answer(booking, staff, answer)
            return request.redirect(f"{PATH}/{token}", code=303)

        return self._respond(token, work)

    def _respond(self, token, work):
        """Return the response of ``work(booking, staff)``, or a page that says why not and what to do."""
        try:
            self._check_limit("who_came.address", _network(), MOST_OF_ADDRESS)
            booking, staff = staff_link.open_link(request.env, token)
            request.update_context(lang=booking.env.context["lang"])
            self._check_limit("who_came.link", (staff.id, booking.id), MOST_OF_LINK)
            return work(booking, staff)
        except LinkRefused as refused:
            title, sentence = staff_link.refusal(request.env, refused.reason)
            return self._page({"title": title, "sentence": sentence}, refused.status)

    def _check_limit(self, what, who, most):
        if not request.env["bookings.rate.limit"]._allows(what, str(who), most):
            raise LinkRefused(429, "too_many")

    def _page(self, values, status=200):
        response = request.render("bookings_invoicing.who_came", values, status=status)
        response.headers.update(HEADERS)
        return response


def _network():
    """Return the sender's address; for IPv6 its network, because a sender has many addresses there."""
    sender = request.httprequest.remote_addr or ""
    try:
        address = ipaddress.ip_address(sender.partition("%")[0])
    except ValueError:
        return sender
    if address.version == 4 or address.ipv4_mapped:
        return str(getattr(address, "ipv4_mapped", None) or address)
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
