"""What a register may not hold: refused with path, reason and remedy, word for word."""

from typing import Any

import pytest

from emcheck.domain.register import RegisterError
from tests.support import nightly, order, register

AT, LATER = "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"
LEAVE = {"from": "2026-03-25T19:00", "until": "2026-03-25T22:00", "reason": "medical", "approved_by": "A. Clerk"}


def window(from_day: str, from_time: str, until_day: str, until_time: str) -> list[dict[str, Any]]:
    hours = {"from_day": from_day, "from_time": from_time, "until_day": until_day, "until_time": until_time}
    return [{"address_id": "A-1", "windows": [hours]}]


def said(*orders: dict[str, Any], **parts: Any) -> str:
    with pytest.raises(RegisterError) as error:
        register(*orders, **parts)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"curfew": [*nightly(), *nightly("06:00", "08:00", "A-2")]},
            "curfew: windows of one order overlap on tue; end the first before the next begins",
        ),
        (
            {"variations": [{"effective_at": AT, "curfew": [*nightly(), *nightly("06:00", "08:00", "A-2")]}]},
            "variations.0.curfew: windows of one order overlap on tue; end the first before the next begins",
        ),
        (
            {"curfew": window("mon", "19:00", "mon", "19:00:00")},
            "curfew.0.windows.0: a window of no length; its until must differ from its from",
        ),
        (
            {"curfew": window("monday", "19:00", "mon", "20:00")},
            "curfew.0.windows.0.from_day: 'monday' is none of 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'",
        ),
        (
            {"curfew": window("mon", "7 pm", "mon", "20:00")},
            "curfew.0.windows.0.from_time: '7 pm' is not a time of day; write it as in 19:00",
        ),
        (
            {"timezone": "Europe/Londinium"},
            "timezone: 'Europe/Londinium' is no IANA time zone; write it as in Europe/London",
        ),
        (
            {"ends_at": "2026-03-01T00:00:00Z"},
            (
                "ends_at: 2026-03-01T00:00:00.000Z is not after starts_at 2026-03-01T00:00:00.000Z; "
                "let the order end after it starts"
            ),
        ),
        (
            {"variations": [{"effective_at": "2026-02-01T00:00:00Z", "curfew": nightly()}]},
            (
                "variations.0.effective_at: 2026-02-01T00:00:00.000Z is before the order starts at "
                "2026-03-01T00:00:00.000Z; let it take effect in the order's time"
            ),
        ),
        (
            {"suspensions": [{"from": "2026-03-25T19:00", "until": "2026-03-25T18:00"}]},
            "suspensions.0: until 2026-03-25T18:00 is not after from 2026-03-25T19:00; let it end after it begins",
        ),
        (
            {"first_night": {"from": "2026-03-20T17:00", "until": "2026-03-20T17:00:00"}},
            "first_night: until 2026-03-20T17:00:00 is not after from 2026-03-20T17:00; let it end after it begins",
        ),
        (
            {"first_night": {"from": "2026-03-20T17:00Z", "until": "2026-03-21T07:00"}},
            (
                "first_night.from: '2026-03-20T17:00Z' is not a local time; write it as in 2026-03-25T19:00, "
                "without an offset"
            ),
        ),
        (
            {"authorised_absences": [{key: LEAVE[key] for key in ("from", "until", "reason")}]},
            "authorised_absences.0.approved_by: missing; an absence names who approved it",
        ),
        (
            {"authorised_absences": [LEAVE | {"approved_by": " "}]},
            "authorised_absences.0.approved_by: ' ' says nothing; an absence names who approved it",
        ),
        (
            {"authorised_absences": [LEAVE | {"colour": "red"}]},
            "authorised_absences.0.colour: unknown key; remove it or correct its spelling",
        ),
    ],
)
def test_an_order_that_is_refused(changes: dict[str, Any], message: str) -> None:
    assert said(order(**changes)) == f"register: orders.0.{message}"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"fittings": [
                {"tag": "T-1", "wearer_id": "W-1", "fitted_at": LATER},
                {"tag": "T-1", "wearer_id": "W-1", "fitted_at": AT, "removed_at": "2026-03-12T00:00:00Z"},
            ]},
            ("fittings.0.fitted_at: T-1 of W-1 overlaps fittings.1 in time; "
            "give fittings.1 a removed_at of 2026-03-11T00:00:00.000Z or earlier"),
        ),
        (
            {"fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": AT, "removed_at": AT}]},
            "fittings.0.removed_at: 2026-03-10T00:00:00.000Z is not after fitted_at 2026-03-10T00:00:00.000Z",
        ),
        (
            {"installations": [
                {"unit": "BU-0001", "address_id": "A-1", "installed_at": AT},
                {"unit": "BU-0001", "address_id": "A-2", "installed_at": LATER},
            ]},
            ("installations.1.installed_at: BU-0001 overlaps installations.0 in time; "
            "give installations.0 a removed_at of 2026-03-11T00:00:00.000Z or earlier"),
        ),
        (
            {"fittings": [{"tag": "T-1", "wearer_id": "W-9", "fitted_at": AT}]},
            "fittings.0.wearer_id: 'W-9' is not among the wearers; add them or correct it",
        ),
        (
            {"installations": [{"unit": "bu-1", "address_id": "A-1", "installed_at": AT}]},
            ("installations.0.unit: 'bu-1' is not the name of a base unit: 4 to 32 capitals, digits and hyphens, "
            "as in BU-0001"),
        ),
        (
            {"installations": [{"unit": "BU-0001", "address_id": "A-1"}]},
            "installations.0.installed_at: missing; add it",
        ),
    ],
)  # fmt: skip
def test_a_register_that_is_refused(parts: dict[str, Any], message: str) -> None:
    assert said(**parts) == f"register: {message}"


def test_a_unit_and_a_tag_may_go_from_one_place_to_the_next_at_one_instant() -> None:
    moved = register(
        fittings=[
            {"tag": "T-1", "wearer_id": "W-1", "fitted_at": AT, "removed_at": LATER},
            {"tag": "T-1", "wearer_id": "W-1", "fitted_at": LATER},
        ],
        installations=[
            {"unit": "BU-0001", "address_id": "A-1", "installed_at": AT, "removed_at": LATER},
            {"unit": "BU-0001", "address_id": "A-2", "installed_at": LATER},
        ],
    )
    assert len(moved.installations) == len(moved.fittings) == 2
