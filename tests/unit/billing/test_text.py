"""Line texts: tokens, what goes with an empty one, what a payer may not see, spreadsheet cells."""

import string
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.text import (
    DEFAULT_TEMPLATE,
    PRIVATE_TOKENS,
    TOKENS,
    LineFacts,
    TemplateError,
    check_template,
    discreet,
    render_line,
    safe_cell,
)

START = datetime(2026, 2, 3, 9, 0)
FULL = LineFacts(
    "Massage",
    START,
    START + timedelta(minutes=20),
    staff=("Ida", "Jo"),
    attendee="Ann Lee",
    label="VIP",
    reference="PO 7",
)
BARE = LineFacts("Massage", START, START + timedelta(minutes=20))

RENDERED = [
    # template, with everything, with what is always there
    ("{service} - {date}", "Massage - 2026-02-03", "Massage - 2026-02-03"),
    ("{service} ({staff}) {date}", "Massage (Ida, Jo) 2026-02-03", "Massage 2026-02-03"),
    (
        "{service}, {start}-{end} ({staff})",
        "Massage, 09:00-09:20 (Ida, Jo)",
        "Massage, 09:00-09:20",
    ),
    ("{service} for {attendee}", "Massage for Ann Lee", "Massage"),
    ("{attendee}: {service}", "Ann Lee: Massage", "Massage"),
    ("{service} ({duration}, {staff})", "Massage (0:20 h, Ida, Jo)", "Massage (0:20 h)"),
    ("{service} ({staff}, {duration})", "Massage (Ida, Jo, 0:20 h)", "Massage (0:20 h)"),
    ("{service}\nFor {attendee}, {reference}", "Massage\nFor Ann Lee, PO 7", "Massage"),
    (
        "{service}\nRef. {reference}\n{date}",
        "Massage\nRef. PO 7\n2026-02-03",
        "Massage\n2026-02-03",
    ),
    ("Thank you!\n{service}", "Thank you!\nMassage", "Thank you!\nMassage"),
    ('{service} "{label}" {date}', 'Massage "VIP" 2026-02-03', "Massage 2026-02-03"),
    (
        "{service} [{label} ({staff})] {date}",
        "Massage [VIP (Ida, Jo)] 2026-02-03",
        "Massage 2026-02-03",
    ),
    ("{{{service}}}", "{Massage}", "{Massage}"),
    ("  {service}   -   {date}  ", "Massage - 2026-02-03", "Massage - 2026-02-03"),
    ("{ service }", "Massage", "Massage"),
    ("{staff} {attendee}", "Ida, Jo Ann Lee", "Massage - 2026-02-03"),
    ("", "Massage - 2026-02-03", "Massage - 2026-02-03"),
    (
        "{service}, {label}, {date}, {reference}",
        "Massage, VIP, 2026-02-03, PO 7",
        "Massage, 2026-02-03",
    ),
]


@pytest.mark.parametrize(("template", "full", "bare"), RENDERED)
def test_rendered(template, full, bare):
    assert render_line(template, FULL) == full
    assert render_line(template, BARE) == bare


def test_formats_are_the_callers():
    line = render_line(
        "{date} {start} {end} {duration}",
        FULL,
        format_date="{:%d.%m.%Y}".format,
        format_time="{:%H.%M}".format,
        format_duration=lambda duration: f"{duration.seconds // 60} min",
    )
    assert line == "03.02.2026 09.00 09.20 20 min"


def test_duration_over_a_clock_change_is_what_passed():
    zone = ZoneInfo("Europe/Copenhagen")
    start = datetime(2026, 3, 29, 1, 30, tzinfo=zone)
    facts = LineFacts("Night watch", start, datetime(2026, 3, 29, 3, 30, tzinfo=zone))
    assert render_line("{start}-{end} {duration}", facts) == "01:30-03:30 1:00 h"


def test_hours_and_rate_are_added_to_the_last_line():
    facts = LineFacts("Massage", START, START, calculation="0:20 h at 100.00 per hour")
    assert render_line("{service}\n{date}", facts).endswith(
        "2026-02-03 (0:20 h at 100.00 per hour)"
    )


def test_values_are_text_and_never_template():
    facts = LineFacts("{staff}\n %s {0}", START, START, staff=("Bob",))
    assert render_line("{service}", facts) == "{staff} %s {0}"


@pytest.mark.parametrize(
    ("template", "token"),
    [
        ("{servise}", "servise"),
        ("{}", ""),
        ("{service", ""),
        ("service}", ""),
        ("{Service}", "Service"),
    ],
)
def test_a_wrong_template_is_named(template, token):
    with pytest.raises(TemplateError) as caught:
        check_template(template)
    assert caught.value.token == token
    if token:
        assert all(f"{{{known}}}" in str(caught.value) for known in TOKENS)


DISCREET = [
    (DEFAULT_TEMPLATE, DEFAULT_TEMPLATE),
    ("{service} - {date} ({staff})", "{service} - {date}"),
    ("{service} for {attendee} - {date}", "{service} - {date}"),
    ("{attendee}\n{service}", "{service}"),
    ("Patient: {attendee}, {date}", "{date}"),
    ("{service} [{label}], ref. {reference}", "{service}, ref. {reference}"),
    ("{{x}} {service} {attendee}", "{{x}} {service}"),
    ("{attendee}", ""),
]


@pytest.mark.parametrize(("template", "shown"), DISCREET)
def test_discreet(template, shown):
    assert discreet(template) == shown


LITERALS = st.text(alphabet=" ,-()[]:for\n«»é", max_size=6)
TEMPLATES = st.lists(st.tuples(LITERALS, st.sampled_from(TOKENS)), max_size=6).map(
    lambda pairs: "".join(f"{literal}{{{token}}}" for literal, token in pairs)
)


@given(TEMPLATES, LITERALS)
def test_discreet_shows_nothing_private(template, tail):
    template += tail
    shown = discreet(template)
    assert discreet(shown) == shown
    assert not PRIVATE_TOKENS & set(check_template(shown))
    assert set(check_template(shown)) == set(check_template(template)) - PRIVATE_TOKENS
    line = render_line(shown, FULL)
    assert not any(secret in line for secret in ("Ida", "Jo", "Ann", "VIP"))


@given(TEMPLATES, LITERALS)
def test_every_value_given_is_shown(template, tail):
    template += tail
    line = render_line(template, FULL)
    values = {"service": "Massage", "staff": "Ida, Jo", "attendee": "Ann Lee", "label": "VIP"}
    for token in check_template(template):
        assert values.get(token, "") in line


@given(TEMPLATES, LITERALS)
def test_lines_are_tidy_and_never_empty(template, tail):
    for facts in (FULL, BARE):
        lines = render_line(template + tail, facts).split("\n")
        assert all(line and line == " ".join(line.split()) for line in lines)


@given(st.text(alphabet=string.printable + "{}", max_size=30))
def test_any_text_renders_or_is_refused(template):
    try:
        line = render_line(template, BARE)
    except TemplateError as error:
        assert str(error)
    else:
        assert line


@pytest.mark.parametrize("sign", ["(", '"', "([", ")", '("'])
def test_many_brackets_cost_little(sign):
    """A template is a person's input: nothing in it may take time that grows faster than it."""
    assert render_line(sign * 3000 + "{service}", BARE).endswith("Massage")
    closing = {"(": ")", "[": "]"}
    nested = sign * 3000 + "{staff}" + "".join(closing.get(one, one) for one in sign * 3000)
    assert render_line(nested + "{service}", BARE).endswith("Massage")
    assert render_line(nested.replace("{staff}", ""), BARE)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_made_text(sign):
    for text in (f"{sign}1+1", f"  {sign}cmd|' /C calc'!A0"):
        assert safe_cell(text) == "'" + text
        assert safe_cell(safe_cell(text)) == safe_cell(text)


@given(st.text())
def test_safe_cells_begin_safely(text):
    assert not safe_cell(text).lstrip().startswith(("=", "+", "-", "@"))
    assert safe_cell(text).endswith(text)
