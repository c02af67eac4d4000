"""Faults by script: what goes wrong at the n-th request to an endpoint.

A fault is a dict:

``match``       shell pattern (fnmatch) for the path, without host and query, percent-decoded; a
                part of the path is enough ("calendarView" means "*calendarView*")
``method``      GET, POST ...; left out = any
``occurrence``  1 = the first matching request (default), a list such as [2, 3], or "all"
``status``      status of a scripted answer (default 200 when body is given)
``headers``     dict, added to the answer
``body``        text, bytes or JSON-able value
``disconnect``  true = the connection breaks without an answer
``truncate``    number of body bytes that are sent before the connection breaks; the full length
                is announced. Cuts the real answer when there is no ``body``
``in_batch``    true = count items inside a $batch instead of whole requests

A fault that only has ``headers`` or ``truncate`` changes the real answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from urllib.parse import unquote

from .wire import Disconnected, Reply, Request, json_reply

_KEYS = {
    "match",
    "method",
    "occurrence",
    "status",
    "headers",
    "body",
    "disconnect",
    "truncate",
    "in_batch",
}


class Faults:
    """A script and the journal of what was asked. Safe for use by several threads.

    ``journal`` holds (method, path with query) of every request, without headers and bodies.
    ``unused()`` lists faults that never struck, so that a test can insist that all did.
    """

    def __init__(self, script: Iterable[Mapping] = ()):
        self._lock = threading.Lock()
        self._script: list[dict] = []
        self.journal: list[tuple[str, str]] = []
        for fault in script:
            self.add(fault)

    def add(self, fault: Mapping) -> None:
        """Raises ValueError for a key that a fault does not have, or without ``match``."""
        unknown = set(fault) - _KEYS
        if unknown or "match" not in fault:
            raise ValueError(f"not a fault: {dict(fault)!r} (unknown: {sorted(unknown)})")
        pattern = fault["match"]
        if not set("*?[") & set(pattern):
            pattern = f"*{pattern}*"
        with self._lock:
            self._script.append({**fault, "match": pattern, "seen": 0, "struck": 0})

    def unused(self) -> list[dict]:
        return [dict(fault) for fault in self._script if not fault["struck"]]

    def record(self, request: Request) -> None:
        with self._lock:
            self.journal.append((request.method, request.target))

    def strike(self, request: Request, in_batch: bool = False) -> dict | None:
        """The fault that this request meets, if any; every call counts as one request."""
        path = unquote(request.path)
        hit = None
        with self._lock:
            for fault in self._script:
                wrong_place = bool(fault.get("in_batch")) is not in_batch
                wrong_method = fault.get("method", request.method) != request.method
                if wrong_place or wrong_method or not fnmatchcase(path, fault["match"]):
                    continue
                fault["seen"] += 1
                if hit is None and _strikes(fault):
                    fault["struck"] += 1
                    hit = fault
        return hit


def _strikes(fault: dict) -> bool:
    wanted = fault.get("occurrence", 1)
    if wanted == "all":
        return True
    return fault["seen"] in (wanted if isinstance(wanted, (list, tuple)) else [wanted])


def scripted(fault: dict) -> Reply | None:
    """The answer that a fault prescribes; None when it only alters the real one."""
    if fault.get("disconnect"):
        raise Disconnected("scripted: the connection breaks")
    if "status" not in fault and "body" not in fault:
        return None
    status, body = fault.get("status", 200), fault.get("body", b"")
    headers = {"Content-Type": "application/json", **fault.get("headers", {})}
    if isinstance(body, str):
        return Reply(status, headers, body.encode("utf-8", "surrogatepass"))
    if isinstance(body, (bytes, bytearray)):
        return Reply(status, headers, bytes(body))
    return json_reply(status, body, headers)
