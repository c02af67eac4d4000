"""Match email addresses, attendees of an appointment over time, partners, and phone numbers.

Partners are matched by stored link, then by email address among those of the company and shared ones, then by a user,
but never by name. An empty email address matches nothing. Attendees of an appointment are matched one to one, the most
specific match first. A booking keeps its key.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from typing import NamedTuple

NO_ATTENDEE = "-"
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*@[A-Za-z0-9][A-Za-z0-9.-]*")
_NOT_IN_ADDRESS = re.compile(r"[@\s\x00-\x1f\x7f\"()<>\[\]\\,;:]")


def normalize_email(text: str | None) -> str:
    """Return the address in ``text`` in the form of Odoo's ``email_normalized``, or "" unless there is exactly one.

    All kinds of blanks are treated as spaces and are not part of an address. Odoo keeps no-break and wide spaces around an
    address, so its addresses must also pass through this function before a comparison. The domain is converted to
    lowercase, and so is the local part if it is ASCII (RFC 5322 3.4.1 leaves case to the host).

    >>> normalize_email(" Ann Lee <Ann.Lee@Example.COM> "), normalize_email("ann@x.org\u00a0")
    ('ann.lee@example.com', 'ann@x.org')
    >>> normalize_email("a@x.org, b@x.org"), normalize_email("nobody"), normalize_email(None)
    ('', '', '')
    """
    text = " ".join((text or "").split())
    if _PLAIN_ADDRESS.fullmatch(text):
        return text.lower()
    found = _addresses(text)
    if any(address.startswith("@") for _name, address in found):
        return ""
    if len(found) == 1 and " " in found[0][1] and not found[0][0]:
        found = _addresses(found[0][1].replace(" ", ","))
    if len(found) != 1:
        return ""
    local, _at, domain = found[0][1].rpartition("@")
    if not local or not domain or _NOT_IN_ADDRESS.search(local + domain):
        return ""
    return f"{local.lower() if local.isascii() else local}@{domain.lower()}"


def _addresses(text: str) -> list[tuple[str, str]]:
    """Return ``[(name, address)]`` of all parts with an @, as Odoo's ``email_split_tuples`` does."""
    return [(name, address) for name, address in getaddresses([text]) if "@" in address]


def name_key(name: str | None) -> str:
    """Return a name in a form for comparison: NFC, case-folded, and without extra spaces.

    >>> name_key("  Zoe\\u0308  STRASSE ") == name_key("Zo\\u00eb Stra\\u00dfe")
    True
    """
    folded = unicodedata.normalize("NFC", name or "").casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


class Identity(NamedTuple):
    """The identification of an attendee: Graph's customer ID, email address, and name, each "" if unknown."""

    customer_id: str = ""
    email: str = ""
    name: str = ""

    def normal(self) -> "Identity":
        return Identity(
            (self.customer_id or "").strip(), normalize_email(self.email), name_key(self.name)
        )


@dataclass(frozen=True)
class Known:
    """The attendee of an existing booking: its permanent key, the last known identity, and whether it was removed."""

    key: str
    identity: Identity
    gone: bool = False


class Plan(NamedTuple):
    """The result of matching the attendees of an appointment with its bookings.

    ``keys``: one per attendee, in their order (``("-",)`` if there are none). ``new``: keys without a booking. ``left``:
    keys of bookings whose attendee was removed now.
    """

    keys: tuple[str, ...]
    new: tuple[str, ...]
    left: tuple[str, ...]


def attendee_key(customer_id: str, email: str, name: str) -> str:
    """Return the most specific key of an attendee.

    >>> attendee_key("42", "a@x.org", "Ann"), attendee_key("", "A@X.org", "Ann")
    ('c:42', 'e:a@x.org')
    >>> attendee_key("", "", " Ann  Lee")
    'n:ann lee'
    """
    return _key_of(Identity(customer_id, email, name).normal())


def _key_of(normal: Identity) -> str:
    if normal.customer_id:
        return f"c:{normal.customer_id}"
    return f"e:{normal.email}" if normal.email else f"n:{normal.name}"


def _level(known: Identity, seen: Identity) -> int | None:
    """Return how specifically two normalized identities match, from 0 (best), or None for two different people.

    Two customer IDs are two people unless both email address and name are equal, because Bookings sometimes creates a
    customer again. One email address with two names is two people unless one name is part of the other.
    """
    same_id = bool(known.customer_id) and known.customer_id == seen.customer_id
    same_email = bool(known.email) and known.email == seen.email
    same_name = bool(known.name) and known.name == seen.name
    if same_id:
        return 3 - 2 * same_name - same_email
    if known.customer_id and seen.customer_id:
        return 8 if same_email and same_name else None
    if same_email and same_name:
        return 4
    if same_email and _fuller(known.name, seen.name):
        return 5
    if same_name and not (known.email and seen.email):
        return 6
    if same_name:
        return 7
    return 9 if not any(known) and not any(seen) else None


def _fuller(one: str, other: str) -> bool:
    """Return whether one name contains the other: "ann" and "ann lee", but not "ann lee" and "bob lee"."""
    words, others = set(one.split()), set(other.split())
    return words <= others or others <= words


def plan_attendees(attendees: Sequence[Identity], existing: Iterable[Known] = ()) -> Plan:
    """Match the current attendees in Bookings with the existing bookings, one to one.

    The booking of an appointment without attendees (key ``-``) goes to the first attendee who matches no other booking,
    because it may already be billed. Removed attendees get their booking back when they return.

    >>> ann, bob = Identity("", "home@x.org", "Ann Lee"), Identity("", "home@x.org", "Bob Lee")
    >>> plan_attendees([ann, bob])
    Plan(keys=('e:home@x.org', 'e:home@x.org#2'), new=('e:home@x.org', 'e:home@x.org#2'), left=())
    >>> plan_attendees([bob], [Known("e:home@x.org", ann), Known("e:home@x.org#2", bob)])
    Plan(keys=('e:home@x.org#2',), new=(), left=('e:home@x.org',))
    """
    existing = list(existing)
    if not attendees:
        keys = (NO_ATTENDEE,)
        new = () if any(known.key == NO_ATTENDEE for known in existing) else keys
        return Plan(keys, new, _left(existing, keys))
    seen = [attendee.normal() for attendee in attendees]
    matched = _match(existing, seen)
    used = {known.key for known in existing}
    keys, new = [], []
    for position, identity in enumerate(seen):
        key = matched.get(position)
        if key is None:
            key = _free_key(_key_of(identity), used)
            used.add(key)
            new.append(key)
        keys.append(key)
    return Plan(tuple(keys), tuple(new), _left(existing, keys))


def _match(existing: Sequence[Known], seen: Sequence[Identity]) -> dict[int, str]:
    """Return ``{position of the attendee: key}``, with the best matches first and removed attendees last."""
    pairs = []
    for rank, known in enumerate(existing):
        identity = known.identity.normal()
        for position, attendee in enumerate(seen):
            level = _level(identity, attendee)
            if known.key == NO_ATTENDEE and not any(identity):
                level = 10
            if level is not None:
                changed = identity != attendee
                pairs.append((level, changed, known.gone, rank, position))
    matched: dict[int, str] = {}
    taken = set()
    for *_preference, rank, position in sorted(pairs):
        if rank not in taken and position not in matched:
            taken.add(rank)
            matched[position] = existing[rank].key
    return matched


def _left(existing: Sequence[Known], keys: Collection[str]) -> tuple[str, ...]:
    return tuple(known.key for known in existing if known.key not in keys and not known.gone)


def _free_key(base: str, used: Collection[str]) -> str:
    key, number = base, 1
    while key in used:
        number += 1
        key = f"{base}#{number}"
    return key


def assign_keys(attendees: Sequence[Identity], existing: Iterable[Known] = ()) -> tuple[str, ...]:
    """Return only the keys of :func:`plan_attendees`.

    >>> assign_keys([Identity("7"), Identity("7")])
    ('c:7', 'c:7#2')
    """
    return plan_attendees(attendees, existing).keys


@dataclass(frozen=True)
class Candidate:
    """A partner with an email address.

    Without ``company_id`` it is shared. ``address``: whether it is only an address of its parent.
    """

    id: int
    email: str
    company_id: int | None = None
    name: str = ""
    parent_id: int | None = None
    address: bool = False


class Match(NamedTuple):
    """The result of matching. ``kind``: linked (stored link), one, many (best first), none (create one), unknown (ask)."""

    kind: str
    ids: tuple[int, ...] = ()


def match_partner(
    linked_id: int | None,
    emails: str | Iterable[str],
    candidates: Iterable[Candidate],
    company_ids: Collection[int] = (),
    *,
    remote_id: str = "",
    name: str = "",
) -> Match:
    """Find the partner of a Bookings customer by its link, or else by email address.

    ``company_ids`` are the company and its parents, whose partners it may use.

    An address of a partner that also matches is not a second person. Without an email address, there is one new partner
    per remote ID. Without both, a user must decide.

    >>> people = [Candidate(5, "ann@x.org"), Candidate(6, "bob@x.org", company_id=2)]
    >>> match_partner(None, "Ann@x.org", people, {1})
    Match(kind='one', ids=(5,))
    >>> match_partner(None, "bob@x.org", people, {1}, remote_id="r")
    Match(kind='none', ids=())
    """
    if linked_id:
        return Match("linked", (linked_id,))
    wanted = {
        normalize_email(email) for email in ([emails] if isinstance(emails, str) else emails)
    } - {""}
    if not wanted:
        return Match("none" if remote_id else "unknown")
    found = {
        candidate.id: candidate
        for candidate in candidates
        if normalize_email(candidate.email) in wanted
        and (not candidate.company_id or candidate.company_id in company_ids)
    }
    people = [one for one in found.values() if not (one.address and one.parent_id in found)]
    people.sort(key=lambda one: (name_key(one.name) != name_key(name), one.id))
    ids = tuple(one.id for one in people)
    return Match("none" if not ids else "one" if len(ids) == 1 else "many", ids)


def clean_phone(text: str | None) -> str:
    """Return a phone number as written, without control characters, or "" if it contains no digit.

    >>> clean_phone(" +45\\u00a012 34\\t56 78 "), clean_phone("n/a")
    ('+45 12 34 56 78', '')
    """
    kept = "".join(
        " " if sign.isspace() else sign
        for sign in text or ""
        if sign.isprintable() or sign.isspace()
    )
    return " ".join(kept.split()) if any(sign.isdigit() for sign in kept) else ""
