"""The digest of an appointment that a booking keeps, to recognize an unchanged one.

It consists of the hash of the appointment's relevant content and a seal: a fingerprint of the raw appointment and of the
setup's import options.
"""

from ...billing.digest import content_hash
from ...billing.questions import mapped_answers

HASH_LENGTH, SALT_LENGTH, DIGEST_LENGTH = 32, 8, 24  # hexadecimal digits


def digest(appointment, setup, questions, salted):
    """Return the digest that the bookings of an appointment keep.

    :param graph.Appointment appointment:
    :param questions: list of :class:`..billing.questions.QuestionRule` of the setup
    :param str salted: result of :func:`salt`
    """
    return content_hash(content(appointment, setup, questions)) + seal(salted, appointment.digest)


def salt(setup):
    """Return a hash of the setup's import options."""
    return content_hash(
        {
            "notes": setup.keep_notes,
            "questions": setup._question_rules(),
            "services": setup.service_filter,
        }
    )


def seal(salted, raw):
    """Return a fingerprint of the raw appointment and of the setup's import options.

    The remote hash of a booking consists of the hash of its content and this seal. If the seal is unchanged, the
    appointment need not be parsed. If only the seal differs, nothing relevant has changed.
    """
    return salted[:SALT_LENGTH] + raw[:DIGEST_LENGTH]


def same(one, other):
    """Return whether two digests have the same content."""
    return (one or "")[:HASH_LENGTH] == other[:HASH_LENGTH]


def content(appointment, setup, questions):
    """Return the relevant content of an appointment. Changes of anything else are ignored.

    :param graph.Appointment appointment:
    :param setup: the sync setup, with its options for notes and services
    :param questions: list of :class:`..billing.questions.QuestionRule` of the setup
    """
    content = {
        "service": (appointment.service_id, appointment.service_name),
        "when": (appointment.start, appointment.end),
        "price": (appointment.price_type, appointment.price),
        "people": [
            (a.customer_id, a.name, a.email, a.phone, *((str(a.address),) if a.address else ()))
            for a in appointment.attendees
        ],
        "staff": appointment.staff_ids,
        "more": (appointment.label, appointment.online, appointment.place),
    }
    if setup.service_filter:
        content["filter"] = setup.service_filter
    if setup.keep_notes:
        content["notes"] = [a.notes for a in appointment.attendees]
    if questions:
        content["answers"] = [mapped_answers(a.answers, questions) for a in appointment.attendees]
    return content
