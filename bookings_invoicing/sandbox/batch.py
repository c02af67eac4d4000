"""JSON $batch: several GET in one POST, each with its own status.

Source: https://learn.microsoft.com/graph/json-batching (at most 20 requests; ids are unique in any
case; answers come in any order) and the limit of four concurrent requests per mailbox, which items
of one batch share: what is beyond it answers 429 with its own Retry-After.
"""

from __future__ import annotations

import json
import uuid

from .wire import GraphError, Reply, Request, json_reply, too_many

BATCH_LIMIT = 20


def answer(graph, request: Request, caller: dict, before) -> Reply:
    """The outer reply; raises GraphError when the batch itself is malformed."""
    answers, taken = [], {}
    for item in _items(request):
        part = _request(item, request)
        mailbox = part.segments[3].lower() if len(part.segments) > 3 else ""
        taken[mailbox] = taken.get(mailbox, 0) + 1
        crowded = mailbox and graph.mailbox_limit and taken[mailbox] > graph.mailbox_limit
        reply = before(part) if before else None
        if reply is None:
            reply = _answer(graph, part, caller, crowded)
        answers.append(_response(item["id"], reply))
    # Graph promises no order.
    return json_reply(200, {"responses": answers[::-1]}, content_type="application/json")


def _answer(graph, part: Request, caller: dict, crowded) -> Reply:
    own = {"request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
    try:
        if crowded:
            raise too_many()
        return graph.read(part, caller)
    except GraphError as error:
        return graph.error_reply(error, own)


def _bad(text: str, code: str = "BadRequest") -> GraphError:
    return GraphError(400, code, text)


def _items(request: Request) -> list[dict]:
    if request.method != "POST":
        raise GraphError(405, "BadRequest", "$batch is a POST.")
    try:
        items = json.loads(request.body)["requests"]
    except (ValueError, KeyError, TypeError):
        raise _bad("Invalid batch payload format.") from None
    if not isinstance(items, list) or not items:
        raise _bad("Invalid batch payload format.")
    if len(items) > BATCH_LIMIT:
        raise _bad(
            f"Number of batch request steps exceeds the maximum value of {BATCH_LIMIT}.",
            "MaximumValueExceeded",
        )
    for item in items:
        if not isinstance(item, dict) or not {"id", "method", "url"} <= set(item):
            raise _bad("Every request of a batch needs id, method and url.")
    if len({str(item["id"]).lower() for item in items}) < len(items):
        raise _bad("Request id has to be unique in a batch.")
    return items


def _request(item: dict, outer: Request) -> Request:
    headers = {str(key).lower(): str(value) for key, value in (item.get("headers") or {}).items()}
    target = "/v1.0/" + str(item["url"]).lstrip("/")
    body = json.dumps(item.get("body")).encode() if "body" in item else b""
    return Request(str(item["method"]).upper(), target, headers, body, outer.base)


def _response(key, reply: Reply) -> dict:
    answer = {"id": str(key), "status": reply.status, "headers": dict(reply.headers)}
    if reply.body:
        text = reply.body.decode("utf-8", "replace")
        try:
            answer["body"] = json.loads(text)
        except ValueError:
            answer["body"] = text
    return answer
