"""The walk test: what a unit hears in every room, and the setting that leaves none of them outside."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.walk import (
    FALSE_ABSENCE,
    MARGIN_DB,
    WEAKEST_DBM,
    Reading,
    Room,
    Smoother,
    chance_unheard,
    suggest,
    survey,
)

LEAVE_S, FRAME_S = 60, 5


def walk(levels: list[float | None]) -> list[Reading]:
    """One report a second."""
    return [Reading(number * 1000, level, heard=int(level is not None)) for number, level in enumerate(levels)]


def room(name: str, mean_dbm: float, *, seed: int = 1, spread_db: float = 4.5, miss: float = 0.1) -> Room:
    """Forty seconds of somebody walking about."""
    rng = Random(seed)
    levels = [None if rng.random() < miss else rng.gauss(mean_dbm, spread_db) for _ in range(40)]
    return survey(name, walk(levels), leave_time_s=LEAVE_S)


def held(readings: list[Reading], range_dbm: float) -> bool:
    """A unit's own rule: out where no frame at or above the setting came for the leave time."""
    counted = [each.at for each in readings if each.rssi_dbm is not None and each.rssi_dbm >= range_dbm]
    edges = [readings[0].at, *counted, readings[-1].at]
    return all(after - before <= LEAVE_S * 1000 for before, after in zip(edges, edges[1:], strict=False))


def test_the_weakest_room_sets_the_range() -> None:
    got = suggest(
        [room("hall", -55), room("bedroom", -72), room("kitchen", -60)], leave_time_s=LEAVE_S, frame_s=FRAME_S
    )
    assert got.weakest is not None
    assert (got.weakest.name, got.dead, got.weak) == ("bedroom", (), ())
    assert got.range_dbm is not None
    assert got.weakest.lowest_dbm is not None
    assert got.margin_db == pytest.approx(got.weakest.lowest_dbm - got.range_dbm)
    assert got.weakest.lowest_dbm - got.range_dbm >= MARGIN_DB
    assert max(got.false_absence.values()) == got.false_absence["bedroom"] <= FALSE_ABSENCE


def test_a_higher_setting_would_leave_too_large_a_chance() -> None:
    got = suggest([room("bedroom", -72)], leave_time_s=LEAVE_S, frame_s=FRAME_S)
    assert got.range_dbm is not None
    assert chance_unheard(got.rooms[0], got.range_dbm + 1.5, LEAVE_S // FRAME_S) > FALSE_ABSENCE


def test_frames_that_come_seldom_lower_the_setting() -> None:
    often, seldom = (suggest([room("hall", -60)], leave_time_s=LEAVE_S, frame_s=each) for each in (1, 15))
    assert often.range_dbm is not None
    assert seldom.range_dbm is not None
    assert often.range_dbm > seldom.range_dbm


def test_a_room_at_the_edge_of_the_receiver_is_weak_and_one_beyond_is_dead() -> None:
    got = suggest([room("hall", -60), room("attic", -82), room("cellar", -96)], leave_time_s=LEAVE_S, frame_s=FRAME_S)
    assert (got.range_dbm, got.weak, got.dead) == (WEAKEST_DBM, ("attic",), ("cellar",))
    assert got.false_absence["attic"] > FALSE_ABSENCE
    assert got.false_absence["cellar"] > 0.1


@pytest.mark.parametrize(
    "levels",
    [
        [None] * 40,
        [-60.0, None, None] * 15,
        [-60.0] * 30 + [None] * 29 + [-60.0] * 30,
    ],
    ids=["nothing", "two of three frames missing", "half a leave time of silence"],
)
def test_a_room_that_is_not_heard_is_dead_however_strong_the_rest(levels: list[float | None]) -> None:
    if len(levels) == 89:
        levels[59] = None
    got = suggest([survey("cellar", walk(levels), leave_time_s=LEAVE_S)], leave_time_s=LEAVE_S, frame_s=FRAME_S)
    assert (got.range_dbm, got.dead, got.weakest) == (None, ("cellar",), None)


def test_outside_the_door_is_told() -> None:
    rooms = [room("hall", -55)]
    near, far = (
        suggest(rooms, leave_time_s=LEAVE_S, frame_s=FRAME_S, outside=room("street", level)).outside_heard
        for level in (-62, -100)
    )
    assert near is not None
    assert far is not None
    assert near > 0.9 > 0.01 > far


@pytest.mark.parametrize(
    ("readings", "named"),
    [([], "no report came"), ([Reading(2000, -60.0), Reading(1000, -60.0)], "not in order of time")],
)
def test_a_walk_that_tells_nothing_is_refused(readings: list[Reading], named: str) -> None:
    with pytest.raises(ValueError, match=f"room hall: .*{named}"):
        survey("hall", readings, leave_time_s=LEAVE_S)


def test_the_smoothed_level_follows_slowly_and_forgets() -> None:
    smoother = Smoother()
    for second in range(60):
        smoother.take(second * 1000, -60)
    first = smoother.take(60_000, -90)
    for second in range(61, 240):
        last = smoother.take(second * 1000, -90)
    assert -63 < first < -60
    assert last == pytest.approx(-90, abs=0.5)


@given(
    rooms=st.lists(
        st.lists(st.one_of(st.none(), st.floats(-110, -30)), min_size=20, max_size=180), min_size=1, max_size=4
    ),
    frame_s=st.sampled_from([1, 5, 15]),
)
def test_the_setting_never_puts_a_walked_room_outside(rooms: list[list[float | None]], frame_s: int) -> None:
    walks = {f"room {number}": walk(levels) for number, levels in enumerate(rooms)}
    surveyed = [survey(name, readings, leave_time_s=LEAVE_S) for name, readings in walks.items()]
    got = suggest(surveyed, leave_time_s=LEAVE_S, frame_s=frame_s)
    for name, readings in walks.items():
        assert name in got.dead or (got.range_dbm is not None and held(readings, got.range_dbm))
    assert (got.range_dbm is None) == (set(got.dead) == set(walks))
