"""Write customers and services of one Bookings business, with values in our own words.

A customer is ``{"name", "email", "phone", "address": {"street", "city", "state", "postal_code", "country"}}``, a service
``{"name", "price", "duration", "description"}`` with the price as Decimal in the business's currency and the duration in
minutes. Reading gives all of them, cleaned as in the lists of customers and services (:mod:`.records`), so that both can
be compared. Writing sends only those that are given.

Phones and addresses of a customer are lists in Bookings, which a PATCH replaces as a whole. Ours are the first ones that
are not empty, as in :class:`.records.Customer`; the others, and what else Microsoft keeps with each, stay as they are.
When ours is removed and there is another one, the other one is the first from then on.

Source: Graph v1.0 "Create bookingCustomer", "Update bookingCustomer", "Create bookingService", "Update
bookingService", resource pages bookingCustomer, bookingService, phone, physicalAddress.
"""

from collections.abc import Mapping
from datetime import timedelta

from .answers import json_of
from .errors import ProtocolError
from .fields import usable_id
from .records import Customer, Service
from .writing import TYPE, item_url, send_once

_ADDRESS = {
    "street": "street",
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "country": "countryOrRegion",
}


class DirectoryWriter:
    """The customers and services of one business, for one run of writing.

    The lists are read once, at the first search, and kept up to date with what is written here.

    :param client: a ``BookingsClient`` whose transport may write
    """

    def __init__(self, client, business_id: str):
        self._client, self._business_id = client, business_id
        self._known: dict[str, dict[str, dict]] = {}

    # -- customers -----------------------------------------------------------------------------------

    def customer(self, customer_id: str) -> Customer:
        """Read a customer. Raises NotFound if it does not exist."""
        return Customer.parse(self._raw("customers", customer_id))

    def read_customer(self, customer_id: str) -> dict:
        """Return the values of a customer. Raises NotFound if it does not exist."""
        return values_of(self.customer(customer_id))

    def find_customers(self, email: str) -> list[tuple[str, dict]]:
        """Return ``(id, values)`` of each customer with this email address, in any case. Bookings may have several."""
        return self._find("customers", "email", email)

    def create_customer(self, values: Mapping) -> str:
        """Create a customer and return its ID. Raises what :func:`.writing.send_once` raises."""
        return self._create("customers", values, _customer_content(values, {}))

    def write_customer(self, customer_id: str, values: Mapping) -> None:
        """Change the given values of a customer. Raises what :func:`.writing.send_once` raises, and NotFound."""
        lists = {"phone", "address"} & values.keys()
        current = self._raw("customers", customer_id) if lists else {}
        self._write("customers", customer_id, values, _customer_content(values, current))

    # -- services ------------------------------------------------------------------------------------

    def service(self, service_id: str) -> Service:
        """Read a service. Raises NotFound if it does not exist."""
        return Service.parse(self._raw("services", service_id))

    def read_service(self, service_id: str) -> dict:
        """Return the values of a service. Raises NotFound if it does not exist."""
        return values_of(self.service(service_id))

    def find_services(self, name: str) -> list[tuple[str, dict]]:
        """Return ``(id, values)`` of each service with this name, in any case."""
        return self._find("services", "name", name)

    def create_service(self, values: Mapping) -> str:
        """Create a service and return its ID. With a price, this is a fixed price.

        Raises what :func:`.writing.send_once` raises, with the kind ``services_write_denied``.
        """
        content = _service_content(values)
        content["defaultPriceType"] = "fixedPrice" if values.get("price") else "notSet"
        return self._create("services", values, content)

    def write_service(self, service_id: str, values: Mapping) -> None:
        """Change the given values of a service, but never what its price means. Raises what :func:`.writing.send_once`
        raises, with the kind ``services_write_denied``, and NotFound.
        """
        self._write("services", service_id, values, _service_content(values))

    # -- both ----------------------------------------------------------------------------------------

    def _path(self, collection: str) -> str:
        return self._client._path(self._business_id, collection)

    def _raw(self, collection: str, remote_id: str) -> dict:
        document = self._client._json("GET", item_url(self._path(collection), remote_id))
        if document.get("id") != remote_id:
            raise ProtocolError()
        return document

    def _find(self, collection: str, key: str, text: str) -> list[tuple[str, dict]]:
        wanted = _alike(text)
        known = self._list(collection) if wanted else {}
        return [
            (one, dict(values)) for one, values in known.items() if _alike(values[key]) == wanted
        ]

    def _list(self, collection: str) -> dict[str, dict]:
        if collection not in self._known:
            pages = {"customers": self._client.customers, "services": self._client.services}[
                collection
            ]
            self._known[collection] = {
                record.id: values_of(record)
                for page in pages(self._business_id)
                for record in page.records
            }
        return self._known[collection]

    def _create(self, collection: str, values: Mapping, content: dict) -> str:
        known = self._known.pop(collection, None)  # without an answer, nobody knows what is there
        answer = json_of(self._send("POST", collection, self._path(collection), content))
        remote_id = usable_id(answer.get("id"))
        if not remote_id:
            raise ProtocolError()
        if known is not None:
            self._known[collection] = known | {remote_id: _EMPTY[collection] | values}
        return remote_id

    def _write(self, collection: str, remote_id: str, values: Mapping, content: dict) -> None:
        known = self._known.pop(collection, None)
        self._send("PATCH", collection, item_url(self._path(collection), remote_id), content)
        if known is not None:
            before = known.get(remote_id, _EMPTY[collection])
            self._known[collection] = known | {remote_id: before | values}

    def _send(self, method: str, collection: str, url: str, content: dict):
        denied = "services_write_denied" if collection == "services" else "write_denied"
        return send_once(self._client, method, url, content, denied)


_EMPTY = {
    "customers": {"name": "", "email": "", "phone": "", "address": dict.fromkeys(_ADDRESS, "")},
    "services": {"name": "", "price": 0, "duration": None, "description": ""},
}


def _alike(text: str) -> str:
    return " ".join((text or "").split()).casefold()


def values_of(record: Customer | Service) -> dict:
    """Return the values of a customer or service that was read."""
    if isinstance(record, Service):
        minutes = record.duration and record.duration // timedelta(minutes=1)
        texts = {"name": record.name, "description": record.description}
        return texts | {"price": record.price, "duration": minutes}
    address = {name: getattr(record.address, name, "") for name in _ADDRESS}
    return {"name": record.name, "email": record.email, "phone": record.phone, "address": address}


def _customer_content(values: Mapping, current: Mapping) -> dict:
    content = {TYPE: "#microsoft.graph.bookingCustomer"}
    if "name" in values:
        content["displayName"] = values["name"]
    if "email" in values:
        content["emailAddress"] = values["email"] or None
    if "phone" in values:
        number = {"number": values["phone"] or ""}
        content["phones"] = _with_first(current.get("phones"), number, ("number",))
    if "address" in values:
        given = values["address"] or dict.fromkeys(_ADDRESS, "")
        address = {_ADDRESS[name]: text or "" for name, text in given.items()}
        content["addresses"] = _with_first(
            current.get("addresses"), address, tuple(_ADDRESS.values())
        )
    return content


def _with_first(items, given: dict, names: tuple[str, ...]) -> list[dict]:
    """Return a list of objects with the given properties in the first one that is not empty, or in a new one.

    An object without any of ``names`` is empty. If ours becomes empty, it is left out.

    >>> phones = [{"number": ""}, {"number": "1", "type": "home"}, {"number": "2"}]
    >>> _with_first(phones, {"number": "3"}, ("number",))
    [{'number': ''}, {'number': '3', 'type': 'home'}, {'number': '2'}]
    >>> _with_first(phones, {"number": ""}, ("number",))
    [{'number': ''}, {'number': '2'}]
    >>> _with_first(None, {"number": "3"}, ("number",)), _with_first(None, {"number": ""}, ("number",))
    ([{'number': '3'}], [])
    """
    items = list(items or ())
    filled = [place for place, item in enumerate(items) if _is_filled(item, names)]
    place = filled[0] if filled else len(items)
    ours = (items[place] if filled else {}) | given
    return items[:place] + [ours] * _is_filled(ours, names) + items[place + 1 :]


def _is_filled(item: Mapping, names: tuple[str, ...]) -> bool:
    return any((item.get(name) or "").strip() for name in names)


def _service_content(values: Mapping) -> dict:
    content = {TYPE: "#microsoft.graph.bookingService"}
    if "name" in values:
        content["displayName"] = values["name"]
    if "price" in values:
        content["defaultPrice"] = float(values["price"])
    if "duration" in values:
        content["defaultDuration"] = f"PT{values['duration']}M"
    if "description" in values:
        content["description"] = values["description"] or ""
    return content
