"""Texts, ids, prices, moments and zones as Graph may send them."""

import datetime
import unicodedata
from decimal import Decimal

import pytest

from bookings_invoicing.graph import RecordError, fields, times
from bookings_invoicing.graph.answers import loads

UTC = datetime.timezone.utc


def at(text, zone="UTC"):
    return times.moment({"start": {"dateTime": text, "timeZone": zone}}, "startDateTime", "start")


def utc(*parts):
    return datetime.datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-02T09:00:00.0000000Z", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00.0000000", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00Z", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02t09:00:00z", "UTC", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00.1234567Z", "UTC", utc(2026, 3, 2, 9, 0, 0, 123456)),
        ("2026-03-02T09:00:00.5Z", "UTC", utc(2026, 3, 2, 9, 0, 0, 500000)),
        ("2026-03-02T09:00:00Z", None, utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00Z", "", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00+01:00", None, utc(2026, 3, 2, 8)),
        ("2026-03-02T09:00:00-0530", "UTC", utc(2026, 3, 2, 14, 30)),
        # the offset that is written wins over the zone beside it
        ("2026-03-02T09:00:00.0000000Z", "W. Europe Standard Time", utc(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00.0000000", "W. Europe Standard Time", utc(2026, 3, 2, 8)),
        ("2026-07-02T09:00:00.0000000", "W. Europe Standard Time", utc(2026, 7, 2, 7)),
        ("2026-07-02T09:00:00", "Europe/Berlin", utc(2026, 7, 2, 7)),
        ("2026-03-02T09:00:00", "E. South America Standard Time", utc(2026, 3, 2, 12)),
        ("2026-03-02T09:00:00", "Pacific/Chatham", utc(2026, 3, 1, 19, 15)),
        ("2026-03-02T09:00:00", "tzone://Microsoft/Utc", utc(2026, 3, 2, 9)),
        # 02:30 is skipped on 29 March in Berlin and occurs twice on 25 October
        ("2026-03-29T02:30:00", "Europe/Berlin", utc(2026, 3, 29, 1, 30)),
        ("2026-10-25T02:30:00", "Europe/Berlin", utc(2026, 10, 25, 0, 30)),
        ("2026-04-05T01:45:00", "Australia/Lord_Howe", utc(2026, 4, 4, 14, 45)),
        ("2026-12-31T23:30:00", "Pacific/Kiritimati", utc(2026, 12, 31, 9, 30)),
        ("2026-01-01T00:30:00", "UTC-11", utc(2026, 1, 1, 11, 30)),
        ("2024-02-29T23:59:59.9999999Z", "UTC", utc(2024, 2, 29, 23, 59, 59, 999999)),
    ],
)
def test_moments(text, zone, expected):
    found = at(text, zone)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-02T09:00:00", None),
        ("2026-03-02T09:00:00", ""),
        ("2026-03-02T09:00:00", "Mars/Olympus"),
        ("2026-03-02T09:00:00Z", "Mars/Olympus"),
        ("2026-03-02T09:00:00", "Europe"),
        ("2026-03-02T09:00:00", "../../etc/passwd"),
        ("2026-03-02T09:00:00", "tzone://Microsoft/Custom"),
        ("2026-03-02T09:00:00", 7),
        ("2026-02-30T09:00:00Z", "UTC"),
        ("2026-03-02T25:00:00Z", "UTC"),
        ("2026-03-02T09:61:00Z", "UTC"),
        ("2026-03-02T09:00:00+99:00", "UTC"),
        ("2026-03-02", "UTC"),
        ("0001-01-01T00:00:00Z", "UTC"),
        ("9999-12-31T23:59:59.9999999Z", "UTC"),
        ("2026-W10-1T09:00:00", "UTC"),
        ("2026-03-02T09:00+01.0000000Z", "UTC"),
        ("\u0662\u0660\u0662\u0666-03-02T09:00:00Z", "UTC"),
        ("tomorrow at nine", "UTC"),
        ("", "UTC"),
        ("2026-03-02T09:00:00" + "0" * 10_000, "UTC"),
        (None, "UTC"),
        (1772442000, "UTC"),
        (["2026-03-02T09:00:00Z"], "UTC"),
    ],
)
def test_moments_refused(text, zone):
    with pytest.raises(RecordError) as caught:
        at(text, zone)
    assert caught.value.field == "start"
    assert caught.value.skip_record


@pytest.mark.parametrize("value", [None, "2026-03-02T09:00:00Z", [], 5, True])
def test_moment_that_is_no_object(value):
    with pytest.raises(RecordError):
        times.moment({"startDateTime": value}, "startDateTime", "start")


def test_both_spellings():
    """v1.0 says startDateTime, its documentation's sample and beta say start."""
    new, old = ({"dateTime": f"2026-03-0{day}T09:00:00Z", "timeZone": "UTC"} for day in (2, 3))
    assert times.moment({"startDateTime": new, "start": old}, "startDateTime", "start").day == 2
    assert times.moment({"startDateTime": None, "start": old}, "startDateTime", "start").day == 3


def test_every_windows_zone_is_known():
    """The table is the CLDR's, as Babel carries it: all of it must lead to a zone we have."""
    from babel.core import get_global

    names = get_global("windows_zone_mapping")
    assert len(names) > 100
    assert [name for name in names if times.iana_zone(name) is None] == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (60, "60"),
        (0, "0"),
        ("60.0", "60.0"),
        ("0.1", "0.1"),
        ("19.995", "19.995"),
        ("30.000000000000004", "30.000000"),
        ("1e-400", "0.000000"),
        ("1E2", "100"),
        ("-0.0", "0.0"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_money(value, expected):
    """Decimal from the digits on the wire, never through a float."""
    raw = {"price": value if isinstance(value, int) else Decimal(value)}
    found = fields.money(raw, "price")
    assert isinstance(found, Decimal)
    assert str(found) == expected


def test_money_from_json():
    assert fields.money(loads(b'{"price": 0.30000000000000004}'), "price") == Decimal("0.3")
    assert str(fields.money({"price": 0.1}, "price")) == "0.1"


@pytest.mark.parametrize(
    "written",
    ["NaN", "Infinity", "-Infinity", "1e400", "1e12", "1e999999999", "-0.01", "-5", '"60"', "true",
     "[]", "{}", "null", "9" * 31, "9" * 5000],
)  # fmt: skip
def test_money_refused(written):
    """Not a number, not finite, negative, absurd, or not there."""
    raw = loads(f'{{"price": {written}}}'.encode())
    with pytest.raises(RecordError) as caught:
        fields.money(raw, "price")
    assert caught.value.field == "price"


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("Ada", "Ada"),
        ("  Ada \t", "Ada"),
        ("A\x00d\x07a\x9f", "Ada"),
        ("Ada\ud800", "Ada"),
        ("\u202eadA\u202c \u2066x\u2069", "adA x"),
        ("\ufeffAda\u200b", "Ada"),
        ("A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"),
        ("Ada\r\nLovelace", "Ada Lovelace"),
        ("Ada\u2028Lovelace", "Ada Lovelace"),
        (" \u00a0\u2003 ", ""),
        ("x" * 1_000_000, "x" * 255),
        ("\u0301" * 1_000_000, "\u0301" * 255),
        ("=1+1", "=1+1"),
        ("<b>Ada</b>", "<b>Ada</b>"),
    ],
)  # fmt: skip
def test_lines(dirty, expected):
    """One line, without what a page, a log or a database cannot bear; nothing else is changed."""
    assert fields.text({"name": dirty}, "name") == expected
    assert unicodedata.is_normalized("NFC", expected)
    fields.forget()


@pytest.mark.parametrize(
    "kept", ["\U0001f468\u200d\U0001f469", "\u0645\u06cc\u200c\u062e", "\u0e01\u0e33"]
)
def test_joiners_stay(kept):
    """Emoji and scripts that need them are not taken apart."""
    assert fields.text({"name": kept}, "name") == kept


def test_notes_keep_their_lines():
    assert fields.note({"notes": "one\r\ntwo\tthree\x00\rfour"}, "notes") == "one\ntwo\tthree\nfour"
    assert len(fields.note({"notes": "y" * 100_000}, "notes")) == 10_000


def test_a_long_text_is_cut_for_each_use():
    """The same text under two limits."""
    raw = {"question": "q" * 400}
    assert len(fields.text(raw, "question", fields.LONGEST_LINE)) == 400
    assert len(fields.text(raw, "question")) == 255


@pytest.mark.parametrize("value", [5, 5.0, True, [], {}, ["a"], 0, False])
def test_text_of_another_type(value):
    for reader in (fields.text, fields.note):
        with pytest.raises(RecordError):
            reader({"name": value}, "name")


@pytest.mark.parametrize(
    "value", ["AAMk=", "aamk=", "a b", "Bookings@Example.com", "\u00e5", "x" * 255]
)
def test_ids_are_kept_to_the_letter(value):
    assert fields.identifier({"id": value}) == value
    fields.forget()


@pytest.mark.parametrize(
    "value",
    [None, "", " ", " a", "a\n", "a\x00b", "a\ud800", "x" * 256, "\u202ea", 5, True, [], {}],
)
def test_ids_refused(value):
    """A mended id would be another record's."""
    for _ in range(2):
        with pytest.raises(RecordError) as caught:
            fields.identifier({"id": value})
        assert caught.value.field == "id"


def test_lists_of_ids():
    assert fields.identifiers({"staff": ["b", "a", "b"]}, "staff") == ("b", "a")
    assert fields.identifiers({"staff": None}, "staff") == fields.identifiers({}, "staff") == ()
    for wrong in ("a", {"a": 1}, [None], [1], [""], False):
        with pytest.raises(RecordError):
            fields.identifiers({"staff": wrong}, "staff")


@pytest.mark.parametrize(
    ("value", "minutes"),
    [("PT30M", 30), ("PT1H30M", 90), ("P1D", 1440), ("P365D", 525600), ("PT0S", 0),
     ("P1DT2H3M4.123456789012S", 1563 + 4 / 60)],
)  # fmt: skip
def test_durations(value, minutes):
    found = times.duration({"d": value}, "d")
    assert found == datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "value",
    ["", "P", "PT", "-PT30M", "P1W", "P1M", "PT1H30", "30", "pt30m", 30, [], "PT" + "9" * 99],
)
def test_durations_refused(value):
    with pytest.raises(RecordError):
        times.duration({"d": value}, "d")


def test_stamps():
    """.NET's "never" is none; a zone that is missing is UTC."""
    assert times.stamp({"at": "0001-01-01T00:00:00Z"}, "at") is None
    assert times.stamp({"at": None}, "at") is times.stamp({}, "at") is None
    assert times.stamp({"at": "2026-03-02T09:00:00"}, "at") == utc(2026, 3, 2, 9)
    assert times.stamp({"at": "2026-03-02T09:00:00+01:00"}, "at") == utc(2026, 3, 2, 8)
    for wrong in ("", "never", 5, {}, "2026-13-01T00:00:00Z"):
        with pytest.raises(RecordError):
            times.stamp({"at": wrong}, "at")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://teams.example/join?x=1", "https://teams.example/join?x=1"),
        ("http://teams.example/join", ""),
        ("javascript:alert(1)", ""),
        ("https://a b", ""),
        ("https://a\n", "https://a"),
        ("https://a\x00b", ""),
        ("https://" + "a" * 3000, ""),
        (None, ""),
    ],
)
def test_links(value, expected):
    """Only what may be clicked."""
    assert fields.link({"url": value}, "url") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("EUR", "EUR"), ("dkk", "DKK"), ("\u20ac", None), ("EURO", None), (None, None)],
)
def test_currency(value, expected):
    assert fields.currency({"c": value}, "c") == expected
