"""When a unit is told its configuration again, under which number, and when it counts as acknowledged."""

import json

from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.configuration import Configuration
from emcheck.domain.configured import Configured, Echo
from emcheck.domain.ids import BootId
from emcheck.domain.instants import DAY, HOUR, MINUTE
from tests.support import BOOT

NOW = 1_800_000_000_000
HASHES = {"one": "a1" * 32, "other": "b2" * 32}


def wanted(name: str = "one", schedule: str = "c3") -> Configuration:
    return Configuration({"tags": [], "schedule_sha256": schedule * 32}, NOW + DAY, HASHES[name])


def told(state: Configured, number: int = 7, now: int = NOW) -> int:
    body = state.tell('"tags":[]', number, now)
    assert body is not None
    return int(json.loads("{" + body + "}")["config"]["rev"])


def fresh(name: str = "one") -> Configured:
    state = Configured()
    state.wants(wanted(name))
    return state


def test_what_it_echoes_is_acknowledged_and_only_that() -> None:
    state = fresh()
    rev = told(state)
    for seq, (echo, well) in enumerate(
        [
            (Echo(rev, None), False),
            (Echo(rev, "d4" * 32), False),
            (Echo(rev - 1, "c3" * 32), False),
            (Echo(rev, "c3" * 32), True),
            (None, False),
        ],
        start=1,
    ):
        state.says(echo, BootId(BOOT), seq)
        assert state.acknowledged is well
        assert state.due(NOW + DAY) is not well


def test_what_came_late_or_twice_is_no_news() -> None:
    state = fresh()
    state.says(Echo(told(state), "c3" * 32), BootId(BOOT), 10)
    state.says(Echo(3, "d4" * 32), BootId(BOOT), 10)
    state.says(None, BootId(BOOT), 1)
    assert state.acknowledged
    state.says(None, BootId(BOOT[:-1] + "1"), 1)
    assert not state.acknowledged, "a new boot that names none holds none"


def test_the_number_rises_with_every_change_and_with_no_repeat() -> None:
    state = fresh()
    first = told(state, 7)
    assert told(state, 8, NOW + MINUTE) == first
    state.wants(wanted("one"))
    assert told(state, 9, NOW + HOUR) == first
    state.wants(wanted("other"))
    second = told(state, 10)
    state.wants(wanted("one"))
    assert first < second < told(state, 11)


def test_after_a_restart_the_echo_says_whether_it_holds_the_content() -> None:
    before = fresh()
    echo = Echo(told(before), "c3" * 32)
    after, changed = fresh(), fresh("other")
    for state in (after, changed):
        state.says(echo, BootId(BOOT), 1)
    assert after.acknowledged
    assert not changed.acknowledged
    assert told(changed, 1) > echo.rev, "above what the unit holds, whatever the counter says"


def test_a_number_beyond_all_is_no_way_to_be_told() -> None:
    state = fresh()
    state.says(Echo(2**53 - 1, "d4" * 32), BootId(BOOT), 1)
    assert state.tell('"tags":[]', 7, NOW) is None
    assert not state.due(NOW + MINUTE - 1), "and costs no more tries than another"


def test_one_that_names_its_configuration_is_told_up_to_every_five_minutes() -> None:
    state = fresh()
    state.says(Echo(1, None), BootId(BOOT), 1)
    assert _minutes(state, 60) == [0, 1, 3, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57]


def test_one_that_never_named_any_is_told_up_to_once_an_hour() -> None:
    assert _minutes(fresh(), 6 * 60) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]


def test_a_change_begins_anew_but_never_within_the_minute() -> None:
    state = fresh()
    assert _minutes(state, 120)[-1] == 63
    last = state.sent_at
    assert last is not None
    state.wants(wanted("other"))
    assert not state.due(last + MINUTE - 1)
    assert state.due(last + MINUTE)


def _minutes(state: Configured, minutes: int) -> list[int]:
    """The minutes in which it is told, heard every 10 s."""
    said = []
    for tens in range(minutes * 6):
        if state.due(NOW + tens * 10_000):
            told(state, 7, NOW + tens * 10_000)
            said.append(tens // 6)
    return said


@given(st.lists(st.tuples(st.sampled_from(["one", "other"]), st.booleans(), st.integers(1, 2**40)), min_size=1))
def test_whoever_takes_rising_numbers_only_ends_with_what_it_should_hold(
    changes: list[tuple[str, bool, int]],
) -> None:
    """Over changes, lost downlinks, restarts of the service (True) and numbers the unit got elsewhere."""
    state, held, seq = fresh(), Echo(0, None), 0
    for number, (name, restarts, elsewhere) in enumerate(changes, start=1):
        if restarts:
            state = Configured()
        if elsewhere % 7 == 0:
            held = Echo(elsewhere, None)
        state.wants(wanted(name))
        for _ in range(2):
            seq += 1
            if held.rev:
                state.says(held, BootId(BOOT), seq)
            if not state.acknowledged:
                rev = told(state, number)
                held = Echo(rev, "c3" * 32) if rev > held.rev else held
        seq += 1
        state.says(held, BootId(BOOT), seq)
        assert state.acknowledged
        assert held.rev % 2**24 == int(HASHES[name][:6], 16)
