"""What a unit is told: the tags and the curfew of the people at its address, as they are judged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.canonical import sha256_of
from emcheck.domain.configuration import Configuration, Configurations
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms, parse_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.register import Register, RegisterError
from emcheck.domain.roster import Roster
from emcheck.domain.windows import windows
from tests.support import at, england, nightly, order, register

UNIT = UnitId("BU-0001")
TUESDAY_NOON = at("12:00")


def told(known: Register, now: int = TUESDAY_NOON, unit: UnitId = UNIT) -> dict[str, Any]:
    content = Configurations(Roster(known, Policies(england()))).of(unit, now).content
    assert content is not None
    return content


def hours(content: dict[str, Any], day: str = "2026-03-24") -> list[tuple[str, str, list[str]]]:
    return [(w["from"][11:16], w["until"][11:16], w["tags"]) for w in content["schedule"] if w["from"][:10] == day]


def test_a_unit_is_told_the_tag_and_the_curfew_of_who_lives_there() -> None:
    content = told(register())
    assert content["tags"] == ["T-1"]
    assert hours(content) == [("19:00", "07:00", ["T-1"])]
    assert (content["heartbeat_s"], content["report_s"], content["leave_time_s"]) == (60, 60, 60)
    assert content["schedule_sha256"] == sha256_of(content["schedule"])
    assert "range_dbm" not in content, "where nothing is calibrated the installer's range stands"


def test_a_calibrated_range_is_told() -> None:
    entry = {"unit": UNIT, "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z", "range_dbm": -84}
    assert told(register(installations=[entry]))["range_dbm"] == -84
    with pytest.raises(RegisterError, match="range_dbm"):
        register(installations=[entry | {"range_dbm": float("inf")}])


def test_the_schedule_is_what_the_wearer_is_judged_by() -> None:
    """Over the clock change, a variation, a suspension and the first night."""
    made = order(
        timezone="Europe/London",
        starts_at="2026-03-24T00:00:00Z",
        first_night={"from": "2026-03-24T15:00", "until": "2026-03-25T07:00"},
        variations=[{"effective_at": "2026-03-27T12:00:00Z", "curfew": nightly("21:00", "05:00")}],
        suspensions=[{"from": "2026-03-30T00:00", "until": "2026-03-31T00:00"}],
    )
    known = register(made)
    schedule = told(known)["schedule"]
    since = at("12:00", "2026-03-18")
    judged = windows(known.orders[0], since, since + 14 * DAY)
    assert [(w["from"], w["until"]) for w in schedule] == [(format_ms(w.start), format_ms(w.end)) for w in judged]
    assert {w["from"][11:16] for w in schedule} >= {"15:00", "19:00", "21:00", "20:00"}


def test_two_at_one_address_share_a_window_or_have_their_own() -> None:
    both = register(
        order(),
        order(order_id="O-2", wearer_id="W-2"),
        order(order_id="O-3", wearer_id="W-3", curfew=nightly("21:00", "06:00")),
        wearers=[{"wearer_id": f"W-{n}"} for n in (1, 2, 3, 4)],
        fittings=[{"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": "2026-03-01T00:00:00Z"} for n in (3, 2, 1, 4)],
    )
    content = told(both)
    assert content["tags"] == ["T-1", "T-2", "T-3"], "W-4 has no order here"
    assert hours(content) == [("19:00", "07:00", ["T-1", "T-2"]), ("21:00", "06:00", ["T-3"])]


def test_an_address_that_only_a_variation_names_is_listened_at_and_windows_elsewhere_are_left_out() -> None:
    moves = order(variations=[{"effective_at": "2026-03-26T00:00:00Z", "curfew": nightly(address="A-2")}])
    units = [
        {"unit": unit, "address_id": address, "installed_at": "2026-03-01T00:00:00Z"}
        for unit, address in (("BU-0001", "A-1"), ("BU-0002", "A-2"))
    ]
    known = register(moves, installations=units)
    old, new = told(known)["schedule"], told(known, unit=UnitId("BU-0002"))
    assert old[-1]["until"] == new["schedule"][0]["from"] == "2026-03-26T00:00:00.000Z"
    assert new["tags"] == ["T-1"]


@pytest.mark.parametrize(
    ("now", "tags"),
    [("11:59:59", []), ("12:00", ["T-1"]), ("17:59:59", ["T-1"]), ("18:00", [])],
)
def test_a_tag_counts_while_it_is_fitted(now: str, tags: list[str]) -> None:
    fitting = {
        "tag": "T-1",
        "wearer_id": "W-1",
        "fitted_at": "2026-03-24T12:00:00Z",
        "removed_at": "2026-03-24T18:00:00Z",
    }
    content = told(register(fittings=[fitting]), at(now))
    assert content["tags"] == tags
    assert bool(content["schedule"]) == bool(tags)


def test_a_tag_is_listened_for_from_its_fitting_though_the_order_begins_at_night() -> None:
    later = register(order(starts_at="2026-03-24T19:00:00Z"))
    assert told(later)["tags"] == ["T-1"]
    assert told(register(order(starts_at="2026-04-20T00:00:00Z")))["tags"] == []
    assert told(register(order(ends_at="2026-03-24T12:00:00Z")))["tags"] == []


def test_a_unit_that_stands_nowhere_is_told_nothing() -> None:
    entry = {
        "unit": UNIT,
        "address_id": "A-1",
        "installed_at": "2026-03-10T00:00:00Z",
        "removed_at": "2026-03-20T00:00:00Z",
    }
    known = Configurations(Roster(register(installations=[entry]), Policies(england())))
    assert known.of(UNIT, at("00:00", "2026-03-09")) == Configuration(None, at("00:00", "2026-03-10"))
    assert known.of(UNIT, at("00:00", "2026-03-20")).content is None
    assert known.of(UnitId("BU-9999"), TUESDAY_NOON).content is None
    assert known.of(UNIT, at("00:00", "2026-03-19")).until == at("00:00", "2026-03-20")


def test_a_week_or_more_lies_ahead_always() -> None:
    known_register = register(order(ends_at="2027-01-01T00:00:00Z"))
    known = Configurations(Roster(known_register, Policies(england())))
    for hour in range(0, 24 * 8, 7):
        now = TUESDAY_NOON + hour * HOUR
        configuration = known.of(UNIT, now)
        assert configuration.content is not None
        held = [(parse_ms(w["from"]), parse_ms(w["until"])) for w in configuration.content["schedule"]]
        assert {(w.start, w.end) for w in windows(known_register.orders[0], now, now + 7 * DAY)} <= set(held)
        assert configuration.until <= now + 7 * DAY
        assert format_ms(configuration.until)[11:] == "12:00:00.000Z"


INSTANTS = st.integers(at("00:00", "2026-03-01") // (30 * MINUTE), at("00:00", "2026-05-01") // (30 * MINUTE)).map(
    lambda half_hours: half_hours * 30 * MINUTE
)


@given(st.lists(INSTANTS, min_size=8, max_size=8, unique=True), INSTANTS, st.floats(0, 1))
def test_nothing_changes_between_two_edges(times: list[int], now: int, part: float) -> None:
    t = [format_ms(instant) for instant in sorted(times)]
    known = Configurations(Roster(
        register(
            order(starts_at=t[0], ends_at=t[6], variations=[{"effective_at": t[3], "curfew": nightly("22:00")}]),
            installations=[
                {"unit": UNIT, "address_id": "A-1", "installed_at": t[0], "removed_at": t[4], "range_dbm": -80},
                {"unit": UNIT, "address_id": "A-2", "installed_at": t[5]},
            ],
            fittings=[{"tag": "T-1", "wearer_id": "W-1", "fitted_at": t[1], "removed_at": t[2]},
                      {"tag": "T-2", "wearer_id": "W-1", "fitted_at": t[3], "removed_at": t[7]}],
        ),
        Policies(england()),
    ))  # fmt: skip
    configuration = known.of(UNIT, now)
    assert configuration.until > now
    later = now + int(part * (min(configuration.until, now + 30 * DAY) - 1 - now))
    assert known.of(UNIT, later) == configuration


def test_while_a_visit_is_open_the_unit_reports_fast_and_holds_the_curfew_that_will_hold() -> None:
    """The tag is not on yet; its curfew, and with it the hash, is that of afterwards. It ends by itself."""
    known = register(fittings=[])
    roster = Roster(known, Policies(england()))
    act: Any = parse_instruction(
        {"type": "fitting_opened", "session": "FS-1", "order_id": "O-1", "tag": "T-1", "unit": UNIT, "by": "A. Fitter",
         "fitter_tag": "F-1"}
    )  # fmt: skip
    roster.visits = roster.visits_after(act, TUESDAY_NOON)
    visited = Configurations(roster).of(UNIT, TUESDAY_NOON)
    content = visited.content or {}
    until = TUESDAY_NOON + 2 * HOUR
    assert content["fitting"] == {"session": "FS-1", "report_s": 1, "until": format_ms(until)}
    assert content["tags"] == ["F-1", "T-1"]
    assert visited.until == until
    after = told(register(fittings=[{"tag": "T-1", "wearer_id": "W-1", "fitted_at": format_ms(TUESDAY_NOON)}]))
    assert content["schedule_sha256"] == after["schedule_sha256"]
    assert hours(content) == [("19:00", "07:00", ["T-1"])]
    assert told(known)["tags"] == []
    assert "fitting" not in (Configurations(roster).of(UNIT, until).content or {})
