"""Who is who: e-mails, keys that stay, partners that a blank never finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.matching import (
    NO_ATTENDEE,
    Candidate,
    Identity,
    Known,
    Match,
    assign_keys,
    attendee_key,
    clean_phone,
    match_partner,
    name_key,
    normalize_email,
    plan_attendees,
)

EMAILS = [
    ("ann@x.org", "ann@x.org"),
    ("  ANN@X.ORG\n", "ann@x.org"),
    ("Ann Lee <Ann.Lee@X.org>", "ann.lee@x.org"),
    ('"Lee, Ann" <ann@x.org>', "ann@x.org"),
    ("Ann ann@x.org", "ann@x.org"),
    ("\u00a0Ann@x.org\u3000", "ann@x.org"),
    ("Ann\u3000Lee\tann@x.org", "ann@x.org"),
    ('"ann@x.org" <ann@x.org>', "ann@x.org"),
    ("ann@x.org @", ""),
    ("ann@x.org@x.org", ""),
    ("ann@localhost", "ann@localhost"),
    ("Jürgen@Bücher.DE", "Jürgen@bücher.de"),
    ("ann@x.org, bob@x.org", ""),
    ("ann@x.org;bob@x.org", ""),
    ("ann@x.org bob@x.org", ""),
    ("@x.org", ""),
    ("ann@", ""),
    ("ann", ""),
    ("a\x00nn@x.org", ""),
    ("", ""),
    (None, ""),
]


@pytest.mark.parametrize(("text", "address"), EMAILS)
def test_normalize_email(text, address):
    assert normalize_email(text) == address


@given(st.text(max_size=40))
def test_normalizing_twice_changes_nothing(text):
    assert normalize_email(normalize_email(text)) == normalize_email(text)
    assert name_key(name_key(text)) == name_key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë", "Zoe\u0308"),
        ("STRASSE", "straße"),
        (" Ann\t Lee ", "ann lee"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_names_that_are_one(one, other):
    assert name_key(one) == name_key(other)


ANN = Identity("1", "ann@x.org", "Ann Lee")
BOB = Identity("2", "bob@x.org", "Bob Ray")


def known(*identities, gone=()):
    keys = assign_keys(identities)
    return [Known(key, one, key in gone) for key, one in zip(keys, identities, strict=True)]


class TestKeys:
    """One booking per attendee, whose key stays through everything that happens to the attendee."""

    @pytest.mark.parametrize(
        "identity",
        [
            ("1", "", ""),
            ("", "ann@x.org", ""),
            ("", "", "Ann"),
            ("", "", ""),
            ("", "not an address", "Ann"),
        ],
    )
    def test_doubles_are_counted(self, identity):
        base = attendee_key(*identity)
        assert assign_keys([Identity(*identity)] * 3) == (base, f"{base}#2", f"{base}#3")

    def test_a_name_that_looks_like_a_double(self):
        people = [Identity(name="Ann#2"), Identity(name="Ann"), Identity(name="Ann")]
        assert assign_keys(people) == ("n:ann#2", "n:ann", "n:ann#3")

    def test_two_people_with_one_address_are_two(self):
        """A mother and her son with the family's address."""
        mother, son = Identity("", "home@x.org", "Ann Lee"), Identity("", "home@x.org", "Bob Lee")
        assert len(set(assign_keys([mother, son]))) == 2
        plan = plan_attendees([son], known(mother))
        assert (plan.new, plan.left) == (("e:home@x.org#2",), ("e:home@x.org",))

    @pytest.mark.parametrize(
        "changed",
        [
            ANN._replace(email="new@x.org"),
            ANN._replace(name="Ann Ray"),
            ANN._replace(email="", name=""),
            ANN._replace(email="new@x.org", name="Ann Ray"),
            ANN._replace(customer_id=""),
            ANN._replace(customer_id="77"),
            ANN._replace(customer_id="", name="Ann"),
            ANN._replace(customer_id="", email=""),
            ANN._replace(customer_id="", email="ANN@X.org", name=" ann  LEE"),
        ],
    )
    def test_the_booking_follows_its_attendee(self, changed):
        """Whatever is corrected about Ann, her booking stays hers and Bob's his."""
        plan = plan_attendees([BOB, changed], known(ANN, BOB))
        assert plan == (("c:2", "c:1"), (), ())

    def test_an_id_that_comes_later_changes_no_key(self):
        plan = plan_attendees([ANN], known(ANN._replace(customer_id="")))
        assert plan == (("e:ann@x.org",), (), ())

    @pytest.mark.parametrize(
        "other",
        [
            ANN._replace(customer_id="77", name="Bob Lee"),
            ANN._replace(customer_id="77", email="new@x.org"),
            Identity("", "ann@x.org", "Bob Lee"),
            Identity("", "", "Bob Lee"),
            Identity(),
        ],
    )
    def test_somebody_else_is_somebody_else(self, other):
        plan = plan_attendees([other], known(ANN))
        assert plan.left == ("c:1",)
        assert plan.new == plan.keys != ("c:1",)

    def test_one_customer_with_a_companion(self):
        """Two attendees under one customer: the one who stays keeps the booking of that name."""
        first, second = ANN, ANN._replace(name="Bob Lee", email="")
        plan = plan_attendees([second], known(first, second))
        assert (plan.keys, plan.left) == (("c:1#2",), ("c:1",))

    def test_who_returns_finds_the_old_booking(self):
        plan = plan_attendees([ANN], known(ANN, BOB, gone=("c:1", "c:2")))
        assert plan == (("c:1",), (), ())

    def test_who_is_there_goes_before_who_left(self):
        before = [Known("c:1", ANN, gone=True), Known("c:1#2", ANN)]
        assert plan_attendees([ANN], before).keys == ("c:1#2",)

    def test_the_same_goes_before_the_similar(self):
        ann = Identity("", "ann@x.org", "Ann")
        before = [Known("c:5", ann._replace(customer_id="5")), Known("e:ann@x.org", ann)]
        assert plan_attendees([ann], before).keys == ("e:ann@x.org",)


class TestNobody:
    """An appointment without attendees has one booking, which the first attendee takes over."""

    def test_first(self):
        assert plan_attendees([]) == ((NO_ATTENDEE,), (NO_ATTENDEE,), ())

    def test_still(self):
        assert plan_attendees([], [Known(NO_ATTENDEE, Identity())]).new == ()

    def test_taken_over_by_one(self):
        plan = plan_attendees([ANN, BOB], [Known(NO_ATTENDEE, Identity())])
        assert plan == ((NO_ATTENDEE, "c:2"), ("c:2",), ())

    def test_taken_over_stays_taken(self):
        before = [Known(NO_ATTENDEE, ANN), Known("c:2", BOB)]
        assert plan_attendees([BOB, ANN], before).keys == ("c:2", NO_ATTENDEE)

    def test_everybody_left(self):
        plan = plan_attendees([], known(ANN, BOB))
        assert plan == ((NO_ATTENDEE,), (NO_ATTENDEE,), ("c:1", "c:2"))


SOMEBODY = st.builds(
    Identity,
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "a@x.org", "A@X.org", "b@x.org"]),
    st.sampled_from(["", "Ann", "Ann Lee", "Bob", "Ann#2"]),
)
ANYBODY = st.lists(SOMEBODY, max_size=6)
PEOPLE = st.lists(SOMEBODY, min_size=1, max_size=6)


@given(ANYBODY, ANYBODY, st.data())
def test_plans_hold_together(before, now, data):
    """One key per attendee, none twice, none lost, and the same answer when asked again."""
    existing = known(*before) if before else []
    existing = [Known(k.key, k.identity, data.draw(st.booleans())) for k in existing]
    plan = plan_attendees(now, existing)
    old = {one.key for one in existing}
    assert len(plan.keys) == len(set(plan.keys)) == max(len(now), 1)
    assert set(plan.new) == set(plan.keys) - old
    assert set(plan.left) == {one.key for one in existing if not one.gone} - set(plan.keys)
    identities = now or [Identity()]
    after = [Known(key, one) for key, one in zip(plan.keys, identities, strict=True)]
    after += [Known(one.key, one.identity, True) for one in existing if one.key not in plan.keys]
    assert plan_attendees(now, after) == (plan.keys, (), ())


@given(PEOPLE, st.randoms())
def test_the_order_in_which_they_come_does_not_matter(people, random):
    before = known(*people)
    shuffled = list(people)
    random.shuffle(shuffled)
    keys = plan_attendees(shuffled, before).keys
    owner = {one.key: one.identity.normal() for one in before}
    assert [owner[key] for key in keys] == [one.normal() for one in shuffled]


@given(PEOPLE, ANYBODY)
def test_joining_moves_nobody(people, joining):
    before = known(*people)
    plan = plan_attendees(people + joining, before)
    owner = {one.key: one.identity.normal() for one in before}
    assert [owner.get(key) for key in plan.keys[: len(people)]] == [one.normal() for one in people]
    assert len(plan.new) == len(joining)


@given(PEOPLE, st.data())
def test_leaving_moves_nobody(people, data):
    before = known(*people)
    places = st.sampled_from(range(len(people)))
    stay = data.draw(st.lists(places, min_size=1, unique=True))
    staying = [people[place] for place in stay]
    plan = plan_attendees(staying, before)
    owner = {one.key: one.identity.normal() for one in before}
    assert not plan.new
    assert [owner[key] for key in plan.keys] == [one.normal() for one in staying]


PARTNERS = [
    Candidate(1, "ann@x.org", None, "Ann Lee"),
    Candidate(2, "bob@x.org", 1, "Bob"),
    Candidate(3, "bob@x.org", 2, "Bob in company 2"),
    Candidate(4, "info@x.org", None, "Contoso"),
    Candidate(5, "info@x.org", None, "Contoso, Invoices", parent_id=4, address=True),
    Candidate(6, "home@x.org", None, "Ann Lee"),
    Candidate(7, "home@x.org", None, "Bob Lee"),
    Candidate(8, "", None, "No e-mail"),
    Candidate(9, "desk@x.org", None, "An address alone", parent_id=4, address=True),
]
MATCHES = [
    # linked, emails, company, remote id, name -> match
    ((12, "ann@x.org", 1, "r", ""), Match("linked", (12,))),
    ((12, "", 1, "", ""), Match("linked", (12,))),
    ((None, "ANN@x.org", 1, "r", ""), Match("one", (1,))),
    ((None, "bob@x.org", 1, "r", ""), Match("one", (2,))),
    ((None, "bob@x.org", 2, "r", ""), Match("one", (3,))),
    ((None, "bob@x.org", 3, "r", ""), Match("none")),
    ((None, "info@x.org", 1, "r", ""), Match("one", (4,))),
    ((None, "desk@x.org", 1, "r", ""), Match("one", (9,))),
    ((None, "home@x.org", 1, "r", ""), Match("many", (6, 7))),
    ((None, "home@x.org", 1, "r", "bob lee"), Match("many", (7, 6))),
    ((None, ("ann@x.org", "home@x.org"), 1, "r", ""), Match("many", (1, 6, 7))),
    ((None, "new@x.org", 1, "r", ""), Match("none")),
    ((None, "new@x.org", 1, "", ""), Match("none")),
    ((None, "", 1, "r", "Ann Lee"), Match("none")),
    ((None, " ", 1, "", "Ann Lee"), Match("unknown")),
]


@pytest.mark.parametrize(("case", "match"), MATCHES)
def test_match_partner(case, match):
    linked, emails, company, remote_id, name = case
    companies = {company} if company else ()
    found = match_partner(linked, emails, PARTNERS, companies, remote_id=remote_id, name=name)
    assert found == match
    assert found == match_partner(
        linked, emails, PARTNERS[::-1], companies, remote_id=remote_id, name=name
    )


@given(
    st.sampled_from(["", " ", "@", "none", "a@x.org,b@x.org"]),
    st.lists(st.builds(Candidate, st.integers(1, 99), st.sampled_from(["", " ", "@", "none"]))),
)
def test_a_blank_never_matches(email, candidates):
    assert match_partner(None, email, candidates, {1}, remote_id="r") == ("none", ())
    assert match_partner(None, email, candidates, {1}) == ("unknown", ())


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        (" +45 12\u00a034  56 ", "+45 12 34 56"),
        ("(0)20-12.34/5 ext 6", "(0)20-12.34/5 ext 6"),
        ("12\x0034\u200b56", "123456"),
        ("call me", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_clean_phone(text, phone):
    assert clean_phone(text) == phone
