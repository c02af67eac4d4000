"""What customers on both sides must be after random edits: an account that uses none of the addon's code.

How it works: at a *checkpoint*, after a synchronization that came to its end, both sides agree. The account notes which side
changed which field since then. Only one side: the other follows. Both sides: the setup's choice decides. If a
synchronization was cut off between two changes of a field, nobody can know what it had passed on; then the last value of
either side is right, but still the same on both.
"""

HERE, THERE = "odoo", "bookings"
FIELDS = ("name", "email", "phone", "address")
NOWHERE = ("", "", "", "")  # street, postal code, city, country
DENMARK = ("denmark", "danmark", "dk")  # as people in the sandbox spell it


class Person:
    """One customer. ``meets``: it was created on both sides since the last checkpoint."""

    def __init__(self):
        self.meets = False
        self.agreed = {}
        self.edits = {HERE: {}, THERE: {}}
        self._cut, self.doubtful = set(), set()

    def edit(self, side, field, value):
        if field in self._cut:
            self.doubtful.add(field)
        self.edits[side][field] = value

    def cut_off(self):
        """A synchronization ended somewhere: what was changed before may be on the other side, or not."""
        self._cut |= self.edits[HERE].keys() | self.edits[THERE].keys()

    def last(self, side, field):
        return self.edits[side].get(field, self.agreed.get(field, _empty(field)))

    def allowed(self, field, prefer):
        """Return the values of which both sides must have one; ``None`` stands for a conflict to be asked about."""
        here, there = self.last(HERE, field), self.last(THERE, field)
        agreed = self.agreed.get(field, _empty(field))
        changed = [side for side in (HERE, THERE) if self.last(side, field) != agreed]
        edited = [side for side in (HERE, THERE) if field in self.edits[side]]
        if here == there:
            return {here}
        if field in self.doubtful and len(edited) == 2:
            return {here, there} | ({None} if prefer == "ask" else set())
        if len(changed) == 1:
            return {self.last(changed[0], field)}
        return {{HERE: here, THERE: there, "ask": None}[prefer]}

    def checkpoint(self, values):
        """Both sides have these values now."""
        self.agreed, self.meets = values, False
        self.edits = {HERE: {}, THERE: {}}
        self._cut, self.doubtful = set(), set()


def _empty(field):
    return NOWHERE if field == "address" else ""


def values_there(record):
    """Return the values of a customer as Graph writes it."""
    numbers = [one["number"] for one in record["phones"] if one["number"]]
    places = [
        (
            *(one[name] or "" for name in ("street", "postalCode", "city")),
            _country(one["countryOrRegion"] or ""),
        )
        for one in record["addresses"]
    ]
    return {
        "name": record["displayName"],
        "email": record["emailAddress"] or "",
        "phone": numbers[0] if numbers else "",
        "address": next(filter(any, places), NOWHERE),
    }


def _country(text):
    return "Denmark" if text.strip().lower() in DENMARK else text


def written_there(field, value):
    """Return a value as properties of a customer, as Graph writes them."""
    if field == "address":
        names = ("street", "postalCode", "city", "countryOrRegion")
        return {"addresses": [dict(zip(names, value, strict=True))] if any(value) else []}
    if field == "phone":
        return {"phones": [{"number": value, "type": "mobile"}] if value else []}
    return {{"name": "displayName", "email": "emailAddress"}[field]: value}
