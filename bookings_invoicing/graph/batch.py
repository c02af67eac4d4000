"""Read records by ID, four at a time, with Graph's JSON batching.

Graph accepts 20 requests per batch, but serves only four at once for one booking mailbox. A fifth would be throttled,
and 20 in sequence (``dependsOn``) would take four times as long. The response to a batch is 200 even if its items
failed, so each item is evaluated separately: throttled and failing items are requested again.

Source: Graph "JSON batching", "Throttling and batching", "Service-specific limits" (Bookings).
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from .answers import error_object, error_of
from .errors import GraphError, ProtocolError, TransientError
from .transport import RETRIED, Transport, clean_header, retry_after

ITEMS = 4
ROUNDS = 5
_NO_BATCHING = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one item: 200 with its ``body``, a 404 or 410 from Graph itself, or an ``error`` of this item."""

    status: int
    body: dict | None = None
    error: GraphError | None = None


class BatchReader:
    """Reads paths below the Graph root.

    ``ask(method, url, body=..., renew=...)`` returns the JSON of a successful response; ``renew`` uses a new token.
    """

    def __init__(self, ask: Callable[..., dict], root: str, transport: Transport):
        self._ask, self._root, self._transport = ask, root, transport
        self._batching = True

    def read(self, paths: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Answer]]:
        """Yield ``(key, Answer)`` for each ``(key, path)``, in order.

        Raises errors that concern more than one item: no access, an unknown mailbox, throttling that exceeds the inline
        wait, or a failure of all items.
        """
        paths, answered = iter(paths), False
        while chunk := list(islice(paths, ITEMS)):
            answers = self._chunk(chunk) if self._batching else self._one_by_one(chunk)
            failed = [
                answer.error
                for answer in answers.values()
                if answer.error and answer.error.transient
            ]
            answered = answered or len(failed) < len(answers)
            if failed and not answered:
                raise failed[0]
            for key, _path in chunk:
                yield key, answers[key]

    def _chunk(self, chunk) -> dict[str, Answer]:
        answers, waiting = {}, dict(chunk)
        for attempt in range(1, ROUNDS + 1):
            try:
                replies = self._replies(list(waiting.values()))
            except GraphError as problem:
                if problem.status not in _NO_BATCHING or answers:
                    raise
                self._batching = False
                return self._one_by_one(chunk)
            wait = 0.0
            for (key, _path), (status, headers, body) in zip(
                list(waiting.items()), replies, strict=True
            ):
                answers[key] = answer = _judged(status, headers, body)
                if status not in RETRIED:
                    del waiting[key]
                elif answer.error.retry_after:
                    wait = max(wait, answer.error.retry_after)
            if not waiting:
                break
            worst = max(
                (answers[key].error for key in waiting), key=lambda error: error.retry_after or 0
            )
            if attempt == ROUNDS:
                if any(answers[key].status == 429 for key in waiting):
                    raise worst
                break
            self._transport.pause(attempt, worst)
        return answers

    def _replies(self, paths: list[str]) -> list[tuple[int, dict, object]]:
        """Send a batch. If the token expired during it, send it once more with a new one."""
        replies = self._post(paths)
        if any(status == 401 for status, _headers, _body in replies):
            replies = self._post(paths, renew=True)
        return replies

    def _post(self, paths: list[str], renew=False) -> list[tuple[int, dict, object]]:
        items = [
            {
                "id": str(number),
                "method": "GET",
                "url": path,
                "headers": {"Prefer": "include-unknown-enum-members"},
            }
            for number, path in enumerate(paths)
        ]
        body = json.dumps({"requests": items}).encode()
        document = self._ask("POST", f"{self._root}/$batch", body=body, renew=renew)
        responses = document.get("responses")
        by_id = {}
        for item in responses if isinstance(responses, list) else ():
            if isinstance(item, dict) and type(item.get("status")) is int:
                by_id[str(item.get("id"))] = item
        missing = {}
        return [
            (item.get("status", 500), _headers(item), item.get("body"))
            for item in (by_id.get(str(number), missing) for number in range(len(paths)))
        ]

    def _one_by_one(self, chunk) -> dict[str, Answer]:
        answers = {}
        for key, path in chunk:
            try:
                answers[key] = Answer(200, self._ask("GET", self._root + path))
            except GraphError as problem:
                answers[key] = _settled(problem)
        return answers


def _headers(item: dict) -> dict[str, str]:
    headers = item.get("headers")
    if not isinstance(headers, dict):
        return {}
    names = {"retry-after": "Retry-After", "request-id": "request-id", "date": "Date"}
    return {
        names[str(key).lower()]: str(value)
        for key, value in headers.items()
        if str(key).lower() in names
    }


def _judged(status: int, headers: dict, body) -> Answer:
    if status == 200:
        if isinstance(body, dict):
            return Answer(200, body)
        return Answer(200, None, ProtocolError())
    graph, code = error_object(body)
    wait = retry_after(headers, 0) if status in RETRIED else None
    request_id = clean_header(headers.get("request-id"))
    return _settled(error_of(status, code, request_id, graph=graph, retry_after=wait))


def _settled(problem: GraphError) -> Answer:
    """Return the Answer for the error of an item, or raise the error if it concerns all items."""
    if problem.kind == "not_found":
        return Answer(problem.status)
    if isinstance(problem, TransientError) or problem.kind in (
        "bad_request",
        "graph_error",
        "too_large",
    ):
        return Answer(problem.status or 500, None, problem)
    raise problem
