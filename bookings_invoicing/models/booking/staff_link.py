"""Links with which a staff member says who came, without a login.

How to use: ``link_of(booking, staff)`` makes the address; ``open_link(env, token)`` returns booking and staff member, or
raises :class:`LinkRefused`; ``page_of(booking)`` is what they see, and ``record_answer`` stores what they say.

How it works: a link is signed with Odoo's own key for one staff member, one booking, and seven days. Each use checks
again whether that staff member may still answer for that booking.
"""

from datetime import timedelta

from odoo import SUPERUSER_ID, fields
from odoo.tools import plaintext2html
from odoo.tools.misc import hash_sign, verify_hash_signed

from ...billing import names
from ...billing.status import BILLED
from ..directory.forgotten import PSEUDONYM

SCOPE = "bookings_invoicing.who_came"
PATH = "/bookings_invoicing/who_came"
LIFETIME = timedelta(days=7)
ANSWERS = ("came", "no_show", "late_cancel")


class LinkRefused(Exception):
    """A link that does nothing (any more), with the HTTP status and the reason, a key of :func:`refusal`."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason


def link_of(booking, staff):
    """Return the address of the page on which this staff member says who came."""
    expires = fields.Datetime.to_string(fields.Datetime.now() + LIFETIME)
    token = hash_sign(booking.env(su=True), SCOPE, [staff.id, booking.id, expires])
    return f"{staff.get_base_url()}{PATH}/{token}"


def open_link(env, token):
    """Return ``(booking, staff member)`` of a link, in superuser mode and in the language of the business.

    :raises LinkRefused: if it is not valid, or not valid any more
    """
    try:
        signed = verify_hash_signed(env(su=True), SCOPE, token)
    except ValueError:
        signed = None
    if not signed:
        raise LinkRefused(404, "unknown")
    staff_id, booking_id, expires = signed
    if fields.Datetime.to_datetime(expires) <= fields.Datetime.now():
        raise LinkRefused(410, "expired")
    env = env(user=SUPERUSER_ID, context=dict(env.context, active_test=False))
    booking = env["bookings.booking"].browse(booking_id).exists()
    staff = env["bookings.staff"].browse(staff_id).exists()
    if not booking or not staff or booking.setup_id != staff.setup_id:
        raise LinkRefused(404, "unknown")
    booking = for_staff(booking)
    check_may_tell(booking, staff)
    return booking, staff.with_env(booking.env)


def language_of(setup):
    return setup.language_id.code or setup.company_id.partner_id.lang


def for_staff(booking):
    """Return the booking in its company and in the language of its business."""
    setup = booking.setup_id
    return booking.with_company(setup.company_id).with_context(
        allowed_company_ids=setup.company_id.ids, lang=language_of(setup)
    )


def check_may_tell(booking, staff):
    """:raises LinkRefused: if this staff member cannot answer for the booking now"""
    setup = booking.setup_id
    gone = booking.removed_on or is_of_forgotten_person(booking)
    if not (setup.active and booking.active) or gone:
        raise LinkRefused(410, "gone")
    if not setup.ask_staff:
        raise LinkRefused(403, "off")
    if staff.removed or staff not in booking.staff_ids:
        raise LinkRefused(403, "not_theirs")
    if booking.stop > fields.Datetime.now():
        raise LinkRefused(403, "moved")


def is_of_forgotten_person(booking):
    return booking.customer_id.is_forgotten or booking.attendee_key.startswith(f"c:{PSEUDONYM}")


def refusal(env, reason):
    """Return what is wrong with a link and what to do, as ``(title, sentence)``.

    :param str reason: of a :class:`LinkRefused`, or ``too_many``
    """
    return {
        "unknown": (
            env._("This link is not valid"),
            env._(
                "Open the link in the email again. If that does not help, tell your office who came."
            ),
        ),
        "expired": (
            env._("This link has expired"),
            env._("Links are valid for 7 days. Tell your office who came."),
        ),
        "gone": (
            env._("This appointment is no longer here"),
            env._("Nothing needs to be done. If this is a mistake, tell your office."),
        ),
        "off": (
            env._("Your office no longer asks by email"),
            env._("Tell your office who came."),
        ),
        "not_theirs": (
            env._("This appointment is not yours any more"),
            env._(
                "Somebody else has it now in Microsoft Bookings. If this is a mistake, tell your office."
            ),
        ),
        "moved": (
            env._("This appointment has not ended yet"),
            env._("It was moved in Microsoft Bookings. You will be asked again when it is over."),
        ),
        "office": (
            env._("Your office has already decided"),
            env._("If this is not what happened, tell your office."),
        ),
        "too_many": (
            env._("Too many requests"),
            env._("Wait ten minutes, then open the link again."),
        ),
    }[reason]


# -- what staff see and say ------------------------------------------------------------------------


def question_of(booking):
    """Return what a staff member learns about the booking: time, service, and first name or initials."""
    shorten = names.initials if booking.setup_id.ask_staff_initials else names.first_name
    name = "" if booking.unnamed else shorten(booking.name or "")
    return {
        "when": booking._local_text(),
        "service": booking.service_id.name or "",
        "name": name or booking.env._("No Name"),
    }


def answers_of(env):
    """Return the possible answers as ``[(key, label)]``."""
    labels = dict(env["bookings.booking"]._fields["attendance"]._description_selection(env))
    return [(key, labels[key]) for key in ANSWERS]


def page_of(booking):
    """Return the values of the page on which a staff member says who came."""
    labels = dict(answers_of(booking.env))
    return {
        "question": question_of(booking),
        "answers": answers_of(booking.env),
        "current": booking.attendance,
        "recorded": labels.get(booking.attendance),
        "decided": _is_decided_by_user(booking),
        "billed": booking.status in BILLED,
    }


def _is_decided_by_user(booking):
    return booking.attendance_source == "hand" and booking.attendance != "unknown"


def record_answer(booking, staff, attendance):
    """Record what a staff member said. A document does not change; a difference is flagged as for any user.

    :raises LinkRefused: if this is no answer, or a user of Odoo has decided already
    """
    labels = dict(answers_of(booking.env))
    if attendance not in labels:
        raise LinkRefused(404, "unknown")
    if _is_decided_by_user(booking):
        raise LinkRefused(403, "office")
    if (booking.attendance, booking.attendance_source) == (attendance, "staff"):
        return
    said = booking.env._(
        "%(name)s (staff member): %(answer)s", name=staff.name, answer=labels[attendance]
    )
    if booking.attendance == attendance:
        booking._message_log(body=plaintext2html(said))
    else:
        booking._track_set_log_message(plaintext2html(said))
    booking.write({"attendance": attendance, "attendance_source": "staff"})
    booking.flush_recordset()  # otherwise, what follows would be computed as the visitor, who would be its author
