"""Curfew times of licences: a list or inside a licence, the first night, and what is asked for."""

import json
from typing import Any

import pytest

from emcheck.domain.instants import parse_ms
from emcheck.exchange.curfew_times import read_curfew_times
from emcheck.exchange.imported import Given, NotUnderstood

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
TIMES = [
    {"id": number, "curfewTimesSequence": number, "fromDay": day, "fromTime": "19:00", "untilDay": until,
     "untilTime": "07:00:00"}
    for number, (day, until) in enumerate(zip(DAYS, DAYS[1:] + DAYS[:1], strict=True))
]  # fmt: skip
GIVEN: dict[str, Any] = {
    "order_id": "O-1", "wearer_id": "W-1", "addresses": {"": "A-1"},
    "starts_at": parse_ms("2026-03-20T15:00:00Z"), "ends_at": parse_ms("2026-06-20T23:00:00Z"),
}  # fmt: skip


def test_a_bare_list() -> None:
    made = read_curfew_times(json.dumps(TIMES), Given(**GIVEN))
    assert len(made.order.pop("curfew")[0]["windows"]) == 7
    assert made.order == {
        "order_id": "O-1", "wearer_id": "W-1", "kind": "home_detention_curfew", "timezone": "Europe/London",
        "starts_at": "2026-03-20T15:00:00.000Z", "ends_at": "2026-06-20T23:00:00.000Z",
    }  # fmt: skip
    assert made.report.not_used == [("*.id", "7 times")]


@pytest.mark.parametrize("last", ["firstNightUntil", "firstNightTo"])
def test_inside_a_licence_with_its_first_night(last: str) -> None:
    licence = {
        "licenceId": "1", "curfewAddress": {"addressLine1": "a street", "addressLine2": None}, "status": "APPROVED",
        "firstNightCurfewHours": {"firstNightFrom": "15:00", last: "07:00"}, "curfewTimes": TIMES,
    }  # fmt: skip
    made = read_curfew_times(json.dumps(licence), Given(**GIVEN))
    assert made.order["first_night"] == {"from": "2026-03-20T15:00", "until": "2026-03-21T07:00"}
    assert made.report.assumed == [
        (
            "firstNightCurfewHours",
            "the night of 2026-03-20, the local date of starts_at: the document has no date for it",
        )
    ]
    assert made.report.not_used == [
        ("licenceId", ""),
        ("curfewAddress.addressLine1", ""),
        ("status", ""),
        ("curfewTimes.*.id", "7 times"),
        ("fields that are empty", "1"),
    ]


@pytest.mark.parametrize(
    ("times", "given", "message"),
    [
        ([], {}, "no list of curfew times (fromDay, fromTime, untilDay, untilTime) is in the document"),
        ([TIMES[0] | {"fromTime": None}], {}, "0.fromTime: missing; write it as in 19:00"),
        ([TIMES[0] | {"untilDay": None}], {}, "0.untilDay: missing; write it as in monday"),
        (
            [TIMES[0] | {"untilDay": "MONDAY", "untilTime": "19:00"}],
            {},
            "curfew.0.windows.0: a window of no length; its until must differ from its from",
        ),
        (TIMES, {"starts_at": None}, "starts_at: the document does not say; give --starts-at"),
        (TIMES, {"ends_at": None}, "ends_at: the document does not say; give --ends-at"),
        (
            TIMES,
            {"addresses": {}},
            "address_id: the register's id of 'the address' is not in the document; give --address-id A-1",
        ),
    ],
)
def test_what_is_not_said_is_asked_for(times: list[dict[str, Any]], given: dict[str, Any], message: str) -> None:
    with pytest.raises(NotUnderstood) as error:
        read_curfew_times(json.dumps(times), Given(**(GIVEN | given)))
    assert str(error.value) == message
