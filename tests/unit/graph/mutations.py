"""Ways in which a document of Graph may come out wrong.

A ``Mutation`` changes one place of a record (``on_value``), one object of it (``on_object``) or the
bytes of the page (``on_bytes``); ``choose(n)`` gives a number below n, so that hypothesis decides.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass

MARK = "\u2021"  # stands in JSON text for what json.dumps would not write


@dataclass(frozen=True)
class Mutation:
    name: str
    on_value: Callable | None = None
    on_object: Callable | None = None
    on_bytes: Callable | None = None

    def __repr__(self):
        return self.name


def places(value, parent=None, key=None):
    """Every (parent, key) below a value; parents are dicts or lists."""
    if parent is not None:
        yield parent, key
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in list(items):
            yield from places(item, value, key)


def objects(value):
    """Every dict in a value, itself first."""
    if isinstance(value, dict):
        yield value
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for child in children:
        yield from objects(child)


def mutate(record, mutation, choose):
    """Changes ``record`` in place; byte mutations leave it alone."""
    if mutation.on_value:
        found = list(places(record))
        if mutation.name.startswith("text"):
            found = [
                (parent, key) for parent, key in found if isinstance(parent[key], str)
            ] or found
        if mutation.name.startswith("number"):
            numbers = [(p, k) for p, k in found if isinstance(p[k], int | float)]
            found = numbers or found
        if mutation.name.startswith("time"):
            times = [(p, k) for p, k in found if k in ("dateTime", "timeZone", "createdDateTime")]
            found = times or found
        if found:
            parent, key = found[choose(len(found))]
            parent[key] = mutation.on_value(parent[key])
    elif mutation.on_object:
        found = list(objects(record))
        mutation.on_object(found[choose(len(found))], choose)


def page_bytes(rows, mutations=()):
    """The page as bytes, with raw pieces of JSON in place of their stand-ins."""
    text = json.dumps({"value": rows}, ensure_ascii=False)
    for piece, raw in RAW.items():
        text = text.replace(f'"{MARK}{piece}{MARK}"', raw)
    data = text.encode("utf-8", "surrogatepass")
    for mutation in mutations:
        if mutation.on_bytes:
            data = mutation.on_bytes(data)
    return data


RAW = {
    "nan": "NaN",
    "infinity": "-Infinity",
    "huge exponent": "1e400",
    "huger exponent": "1E999999999",
    "tiny": "1e-400",
    "minus zero": "-0.0",
    "long integer": "7" * 5000,
    "long fraction": "0." + "3" * 5000,
    "deep": "[" * 5000 + "]" * 5000,
    "deeper": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "doubled keys": '{"name": "a", "name": 5, "id": "x", "id": "y"}',
    "escaped": '"\\u0000\\ud800\\u202e"',
}


def raw(piece):
    return Mutation(f"raw {piece}", on_value=lambda _value: f"{MARK}{piece}{MARK}")


def put(name, value):
    return Mutation(name, on_value=lambda _value: copy.deepcopy(value))


def text(name, change):
    def apply(value):
        return change(value) if isinstance(value, str) else change("text")

    return Mutation(f"text {name}", on_value=apply)


def drop(found, choose):
    if found:
        del found[list(found)[choose(len(found))]]


def rename(found, choose):
    if found:
        key = list(found)[choose(len(found))]
        found[key.swapcase()] = found.pop(key)


def swap(found, choose):
    keys = list(found)
    if len(keys) > 1:
        one, other = keys[choose(len(keys))], keys[choose(len(keys))]
        found[one], found[other] = found[other], found[one]


def empty(found, _choose):
    found.clear()


def extra(found, _choose):
    found["newIn2031"] = {"a": [1, {"b": None}]}
    found["@odata.type"] = "#microsoft.graph.somethingElse"


def many(found, _choose):
    found |= {f"k{number}": number for number in range(2000)}


def repeat(found, choose):
    lists = [value for value in found.values() if isinstance(value, list)]
    if lists:
        chosen = lists[choose(len(lists))]
        chosen += chosen * 3 + [None, "x"]


MUTATIONS = [
    Mutation("missing property", on_object=drop),
    Mutation("renamed property", on_object=rename),
    Mutation("swapped properties", on_object=swap),
    Mutation("emptied object", on_object=empty),
    Mutation("unknown properties", on_object=extra),
    Mutation("thousands of properties", on_object=many),
    Mutation("repeated list", on_object=repeat),
    put("null", None),
    put("true", True),
    put("false", False),
    put("zero", 0),
    put("negative", -5),
    put("absurd number", 10**12),
    put("fraction", 0.30000000000000004),
    put("number as text", "60.0"),
    put("empty text", ""),
    put("spaces", "  \t "),
    put("empty list", []),
    put("empty object", {}),
    put("list of lists", [[[]], [None]]),
    put("object instead", {"dateTime": {"x": 1}, "id": 5, "name": []}),
    put("list of one", ["x"]),
    *(raw(piece) for piece in RAW),
    text("NUL", lambda value: value[:1] + "\x00" + value[1:]),
    text("controls", lambda value: "\x01\x1f\x7f\x85\x9f" + value),
    text("surrogate", lambda value: value + "\ud800"),
    text("overrides", lambda value: "\u202e" + value + "\u2066\u200f\ufeff"),
    text("decomposed", lambda value: value + "A\u030ao\u0308"),
    text("joiners", lambda value: value + "\u200d\u200c\U0001f468\u200d\U0001f469"),
    text("lines", lambda value: value + "\r\nX-Injected: 1\r\u2028y"),
    text("a megabyte", lambda value: (value or "x") * (1_000_000 // (len(value) or 1))),
    text("combining marks", lambda value: value + "\u0301\u0316" * 20_000),
    text("256 characters", lambda value: "i" * 256),
    text("markup", lambda value: f"<script>{value}</script>{{{{7*7}}}}=HYPERLINK()"),
    text("case", lambda value: value.swapcase()),
    text("not characters", lambda value: value + "\ufffe\uffff\U0010ffff\ue000"),
    put("time unknown zone", "Mars/Olympus"),
    put("time Windows zone", "Tokyo Standard Time"),
    put("time without zone", "2026-03-02T09:00:00"),
    put("time nine digits", "2026-03-02T09:00:00.123456789Z"),
    put("time year 1", "0001-01-01T00:00:00Z"),
    put("time year 9999", "9999-12-31T23:59:59.9999999Z"),
    put("time long ago", "1999-12-31T23:59:59Z"),
    put("time offset", "2026-03-02T09:00:00+14:00"),
    put("time no such day", "2026-02-30T09:00:00Z"),
    put("time as number", 1772442000),
    put("number new member", "unknownFutureValue"),
    Mutation("byte order mark", on_bytes=lambda data: b"\xef\xbb\xbf" + data),
    Mutation("cut", on_bytes=lambda data: data[: len(data) // 2]),
    Mutation(
        "not UTF-8", on_bytes=lambda data: data.replace(b"Consultation", b"Consultati\xff\xfe")
    ),
    Mutation(
        "other encoding", on_bytes=lambda data: data.decode("utf-8", "replace").encode("utf-16")
    ),
    Mutation("bytes after the end", on_bytes=lambda data: data + b"}"),
]
