"""The monitoring order of the public service: what is read, asked for, refused and named unused."""

import json
from typing import Any

import pytest

from emcheck.domain.instants import parse_ms
from emcheck.exchange.imported import Given, Imported, NotUnderstood
from emcheck.exchange.moj import read_moj

DAYS = ("Mo", "Tu", "Wed", "Th", "Fr", "Sa", "Su")
GIVEN: dict[str, Any] = {"wearer_id": "W-7", "addresses": {"": "A-7"}}


def nights(start: str = "19:00:00", end: str = "07:00:00", days: tuple[str, ...] = DAYS) -> list[dict[str, str]]:
    return [{"day": day, "start": start, "end": end} for day in days]


def document(**changes: Any) -> dict[str, Any]:
    """As the service sends it: every field there, most of them empty."""
    return {
        "case_id": "3c1f", "allday_lockdown": "", "atv_allowance": "", "device_wearer": "Given Family",
        "condition_type": "License Condition of a Custodial Order", "court": "", "hdc": "No", "issp": "No",
        "enforceable_condition": [
            {"condition": "Curfew with EM", "start_date": "2026-03-20 00:00:00", "end_date": "2026-06-20 23:59:00"}
        ],
        "order_id": "7f5c", "order_request_type": "New Order", "order_type": "Post Release", "sentence_type": "",
        "order_start": "2026-03-10 00:00:00", "order_end": "2026-07-01 23:59:00", "order_variation_date": "",
        "conditional_release_date": "", "conditional_release_start_time": "", "conditional_release_end_time": "",
        "curfew_start": "2026-03-20 00:00:00", "curfew_end": "2026-06-20 23:59:00", "curfew_description": "",
        "curfew_duration": [{"location": "primary", "allday": "", "schedule": nights()}], "exclusion_zones": [],
        "responsible_officer_name": "An Officer", "service_end_date": "2026-07-01", "subcategory": "",
    } | changes  # fmt: skip


def read(given: dict[str, Any] | None = None, **changes: Any) -> Imported:
    return read_moj(json.dumps(document(**changes)), Given(**(GIVEN | (given or {}))))


def refused(given: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(NotUnderstood) as error:
        read(given, **changes)
    return str(error.value)


def test_an_order_and_what_is_said_of_it() -> None:
    made = read()
    windows = made.order.pop("curfew")
    assert made.order == {
        "order_id": "7f5c", "wearer_id": "W-7", "kind": "licence", "timezone": "Europe/London",
        "starts_at": "2026-03-20T00:00:00.000Z", "ends_at": "2026-06-20T22:59:00.000Z",
    }  # fmt: skip
    assert windows[0]["address_id"] == "A-7"
    assert windows[0]["windows"][6] == {
        "from_day": "sun", "from_time": "19:00", "until_day": "mon", "until_time": "07:00",
    }  # fmt: skip
    assert made.report.understood == [
        ("zone", "Europe/London, from the service's country"),
        ("starts_at", "2026-03-20T00:00:00.000Z, from curfew_start"),
        ("ends_at", "2026-06-20T22:59:00.000Z, from curfew_end"),
        ("curfew_duration.0.schedule", "7 weekly windows at A-7 (primary)"),
        ("order_id", "7f5c, from order_id"),
        ("wearer_id", "W-7, as --wearer-id says"),
        ("kind", "licence, from condition_type"),
    ]
    assert made.report.assumed == []
    assert made.report.not_used == [
        ("case_id", ""),
        ("device_wearer", ""),
        ("issp", ""),
        ("order_type", ""),
        ("order_start", ""),
        ("order_end", ""),
        ("responsible_officer_name", ""),
        ("service_end_date", ""),
        ("fields that are empty", "5"),
    ]


def test_nothing_personal_of_the_document_is_repeated() -> None:
    said = "\n".join(read(curfew_description="not to be with Somebody").report.lines())
    assert [word for word in ("Given", "Family", "Officer", "Somebody") if word in said] == []


def test_every_hour_of_every_address() -> None:
    places = {"addresses": {"primary": "A-1", "secondary": "A-2"}}
    duration = [
        {"location": "secondary", "allday": "", "schedule": nights("10:00:00", "12:30:00", ("Sa",))},
        {"location": "primary", "allday": "", "schedule": nights(days=("Mo", "Tu"))},
        {"location": "tertiary", "allday": "", "schedule": []},
    ]
    made = read(places, curfew_duration=duration)
    assert [(place["address_id"], len(place["windows"])) for place in made.order["curfew"]] == [("A-1", 2), ("A-2", 1)]
    assert ("curfew_duration.2.schedule", "no windows at the tertiary address") in made.report.understood
    assert refused(curfew_duration=duration) == (
        "address_id: the register's id of 'primary' is not in the document; give --address-id primary=A-1"
    )


@pytest.mark.parametrize(
    ("said", "minutes", "told"),
    [("", None, False), ("120", 120, True), ("90 min", 90, False), ("2 hours", 120, False), ("1.5h", 90, False)],
)
def test_the_allowance_and_its_unit(said: str, minutes: float | None, told: bool) -> None:
    made = read(atv_allowance=said)
    assert made.order.get("atv_allowance_min") == minutes
    assert [where for where, _ in made.report.assumed] == (["atv_allowance"] if told else [])


def test_an_allowance_that_is_given_goes_first() -> None:
    assert read({"atv_allowance_min": 45.0}, atv_allowance="120").order["atv_allowance_min"] == 45


def test_the_first_night() -> None:
    night: dict[str, Any] = {
        "conditional_release_date": "2026-03-20", "conditional_release_start_time": "15:00:00",
        "conditional_release_end_time": "07:00:00",
    }  # fmt: skip
    assert read(**night).order["first_night"] == {"from": "2026-03-20T15:00", "until": "2026-03-21T07:00"}
    before = read(**night | {"conditional_release_date": "2026-03-10"})
    assert "first_night" not in before.order
    assert before.report.not_used[0] == (
        "conditional_release_date",
        (
            "the first night 2026-03-10T15:00 to 2026-03-11T07:00 lies outside the curfew's time; "
            "give --starts-at if the curfew begins with it"
        ),
    )
    half = read(**night | {"conditional_release_end_time": ""})
    assert half.report.not_used[0][1] == "a release date without both its times is no first night"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"hdc": "Yes"}, "home_detention_curfew"),
        ({"order_type": "Immigration"}, "immigration_bail"),
        ({"order_type": "Pre-Trial", "condition_type": "Bail Order"}, "bail"),
        ({"condition_type": "", "sentence_type": "Suspended Sentence Order"}, "suspended_sentence"),
        ({"condition_type": "", "sentence_type": "Community Order"}, "community_order"),
    ],
)
def test_the_kind_where_the_document_leaves_no_choice(changes: dict[str, Any], kind: str) -> None:
    assert read(**changes).order["kind"] == kind


@pytest.mark.parametrize("given", [{}, {"kind": "bail"}, {"kind": "immigration_bail"}])
@pytest.mark.parametrize("changes", [{}, {"order_type": "Immigration"}, {"order_type": "Civil"}])
def test_the_order_type_is_understood_or_not_used(given: dict[str, Any], changes: dict[str, Any]) -> None:
    report = read(given, **changes).report
    assert any("order_type" in where + said for where, said in (*report.understood, *report.not_used))


def test_the_whole_case_with_its_order_inside() -> None:
    whole = {
        "case_id": "3c1f",
        "device_wearer": {"first_name": "Given", "disability": []},
        "monitoring_order": document(),
    }
    made = read_moj(json.dumps(whole), Given(**GIVEN))
    assert made.order == read().order
    assert ("device_wearer.first_name", "") in made.report.not_used
    assert ("monitoring_order.issp", "") in made.report.not_used


def test_what_is_told_because_it_could_be_read_otherwise() -> None:
    duration = [{"location": "primary", "allday": "", "schedule": nights("19:00:00", "23:59:00")}]
    conditions = [
        {"condition": "Curfew with EM", "start_date": "2026-03-21 00:00:00", "end_date": ""},
        {"condition": "AAMR", "start_date": "2026-03-21 00:00:00", "end_date": ""},
    ]
    made = read(
        curfew_duration=duration, enforceable_condition=conditions, curfew_end="2040-01-01 23:59:00",
        curfew_description="Leave for work on Mondays",
    )  # fmt: skip
    assert made.report.assumed == [
        ("curfew_end", "2040-01-01 23:59:00 is what the service writes where no end is known"),
        ("curfew_duration.0.schedule", "7 windows end at 23:59 as written, a minute short of midnight"),
        ("enforceable_condition.0", "its dates differ from curfew_start and curfew_end, which are used"),
    ]
    assert made.report.not_used[:2] == [
        ("enforceable_condition.1", "AAMR: not a curfew"),
        ("curfew_description", "free text that may change the curfew: read it"),
    ]


def test_a_clock_change_at_the_curfew_s_edges_is_read_in_the_wearers_favour() -> None:
    made = read(curfew_start="2026-03-29 01:30:00", curfew_end="2026-10-25 01:30:00", enforceable_condition=[])
    assert (made.order["starts_at"], made.order["ends_at"]) == ("2026-03-29T01:30:00.000Z", "2026-10-25T00:30:00.000Z")


def test_a_variation_has_its_date() -> None:
    varied: dict[str, Any] = {"order_request_type": "Variation", "order_variation_date": "2026-04-01 12:00:00"}
    assert read(**varied).varies_at == parse_ms("2026-04-01T11:00:00Z")
    assert read({"varies_at": 7}, **varied).varies_at == 7
    assert (
        refused(order_request_type="Variation")
        == "order_variation_date: a variation without its date; give --varies-at"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"curfew_duration": []}, "curfew_duration: no curfew windows; only orders with a curfew are imported"),
        (
            {"curfew_duration": [{"location": "primary", "allday": "Yes", "schedule": []}]},
            (
                "curfew_duration.0.allday: an all-day curfew is not described; "
                "write its windows into the register yourself"
            ),
        ),
        (
            {"curfew_duration": [{"location": "garden", "schedule": nights()}]},
            "curfew_duration.0.location: none of primary, secondary, tertiary",
        ),
        (
            {"curfew_duration": [{"location": "primary", "schedule": nights("19:00", "19:00")}]},
            "curfew_duration.0.schedule.0: starts and ends at 19:00: no time at all or a whole day; write it yourself",
        ),
        (
            {"curfew_duration": [{"location": "primary", "schedule": nights(days=("T",))}]},
            "curfew_duration.0.schedule.0.day: what is there is no day of the week; write it as in monday",
        ),
        (
            {"curfew_duration": [{"location": "primary", "schedule": nights("7pm", "07:00")}]},
            "curfew_duration.0.schedule.0.start: what is there is no time of day; write it as in 19:00",
        ),
        (
            {"curfew_duration": [{"location": "primary", "schedule": [*nights(), *nights("06:00", "08:00", ("Tu",))]}]},
            "curfew: windows of one order overlap on tue; end the first before the next begins",
        ),
        (
            {"curfew_start": "20/03/2026"},
            "curfew_start: '20/03/2026' is not a date and time; write it as in 2026-03-20 19:00:00",
        ),
        (
            {"curfew_end": "07700 900123"},
            "curfew_end: what is there is not a date and time; write it as in 2026-03-20 19:00:00",
        ),
        ({"curfew_end": "", "order_end": ""}, "ends_at: the document does not say; give --ends-at"),
        ({"order_id": ""}, "order_id: the document does not say; give --order-id"),
        ({"condition_type": ""}, "kind: the document does not say; give --kind"),
        (
            {"atv_allowance": "some"},
            "atv_allowance: no number of minutes; write it as in 120, or give --atv-allowance-min",
        ),
        ({"order_request_type": "Rejected"}, "order_request_type: neither New Order nor Variation; correct it"),
        (
            {"subcategory": "SR21-Revocation monitoring requirements"},
            "subcategory: a request to end monitoring; set the order's ends_at instead",
        ),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(changes: dict[str, Any], message: str) -> None:
    assert refused(**changes) == message


def test_nobody_is_guessed() -> None:
    assert refused({"wearer_id": None}) == "wearer_id: the document does not say; give --wearer-id"
    assert refused({"kind": "curfew"}).startswith("kind: 'curfew' is none of 'community_order'")
