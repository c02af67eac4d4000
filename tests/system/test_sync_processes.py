"""The sync among others: setups that fail, rows written meanwhile, two processes at once, the hand-over to the cron."""

import json

import pytest

from .processes import last_line, run_module


@pytest.fixture(scope="module")
def seen(environment, module_database):
    """What a scenario of ``sync_world`` saw, on a database of this module."""

    def see(*words):
        return last_line(run_module(environment, "sync_world", module_database, *words))

    return see


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_a_setup_that_fails_is_seen_and_stops_no_other(seen, where):
    """Also where no job could care for it: the setup, its run and an activity say what happened; the next run is good."""
    told = seen("failing", where)
    assert told["broken"] == 1
    first, second = told["first"], told["second"]
    assert "out of shared memory" in first["error"]
    assert first["run_error"] == first["error"]
    assert (first["runs"], first["health"], first["bookings"]) == (["failed"], "attention", 0)
    assert [name for name, note in first["activities"] if "shared memory" in note] == [
        "Responsible"
    ]
    assert first["next_in_future"], "it is not tried over and over"
    assert (second["runs"], second["health"], second["error"]) == (["done"], "ok", "")
    assert second["bookings"] > 0
    again = told["again"]
    assert (again["runs"], again["error"], again["activities"]) == (["done", "failed"], "", [])
    assert again["bookings"] > 0


def test_rows_written_meanwhile_cost_a_second_try_only(seen):
    """Nothing lost of either side, nothing and nobody twice, nothing counted twice."""
    told = seen("serialization")
    assert (told["interfered"], told["raised"]) == (1, ["SerializationFailure"])
    assert told["state"] == "done"
    assert (told["price"], told["notes"]) == (12.34, "meanwhile")
    assert (told["new"], told["lost"], told["partners"]) == (1, 0, 1)
    counts = told["counts"]
    assert (counts["seen"], counts["created"]) == (15, 1)
    assert counts["seen"] == counts["unchanged"] + 2


def test_one_of_two_processes_synchronizes(seen):
    """The other one says that the first is at work, whether a person or the schedule began it, and leaves no run behind."""
    told = seen("claim")
    assert "already running" in told["by_hand"]
    assert told["while_running"] == ["running"]
    assert told["after"] == ["done"]
    assert told["bookings"] == told["expected"]


@pytest.mark.parametrize("when", ["meanwhile", "before"])
def test_two_users_synchronize_two_businesses_with_the_same_people(seen, when):
    """The one who would not see the contacts of the other leaves it to the cron; nobody is created twice."""
    told = seen("two_buttons", when)
    assert told["pressed"] == ["queued"]
    assert told["shared"] > 0
    assert told["created"]
    assert told["contacts"] == told["shared"]
    assert (told["first"]["runs"], told["second"]["runs"]) == (["done"], ["done"])
    assert told["first"]["bookings"] > 0
    assert told["second"]["bookings"] > 0


def test_contacts_created_while_a_sync_waits_are_seen(seen):
    """It waits for the locks of its people without a transaction that is older than what it waits for."""
    told = seen("created_while_waiting")
    assert (told["state"], told["contacts"]) == ("done", told["people"])
    assert told["waited"] == 1
    assert told["people"] > 0


def test_what_takes_long_goes_on_in_the_cron(seen):
    """It says so, waits once however often it is asked for, is done by the cron, and who asked is told at its end."""
    told = seen("hand_over")
    waiting, done = told["waiting"], told["done"]
    assert all("continues in the background" in message for message in told["clicks"])
    assert (waiting["runs"], waiting["full"], waiting["by"]) == (["queued"], [True], "Clerk")
    assert waiting["bookings"] == 0
    assert told["triggered"] >= 1
    assert (done["runs"], done["by"], done["bookings"]) == (["done"], "Clerk", told["expected"])
    assert len(told["told"]) == 1
    assert done["summary"] in json.loads(told["told"][0])["payload"]["message"]
