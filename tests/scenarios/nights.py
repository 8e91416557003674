"""The scenarios by name: what units tell, what people do, and whose alerts are told in `told/NAME.txt`.

What else is known under these names: `one-outage` with 10,000 units stands in tests/service/test_incidents.py, and the
nights on which clocks change stand in config/scenarios too, simulated, and are judged against the truth in
tests/firmware_sim/test_judged_nights.py.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emcheck.domain.instants import format_ms
from emcheck.domain.register import Register, parse_register
from tests.scenarios import wearing
from tests.scenarios.stories import (
    TUESDAY,
    WEDNESDAY,
    away_all_night,
    batteries,
    carried_out,
    clocks_change,
    cloned,
    evening,
    great_numbers,
    home_at_ten_past_eight,
    night_on,
    noise,
    old_frame,
    opened,
    out,
    outage,
    silent_all_night,
    strap_rejoined,
    straps_open,
    street,
    thirty_hours_offline,
    to_the_second,
    two_on_one_unit,
    unit_name,
)
from tests.support import UnitStory, at, nightly, order

MORNING = at("08:00", WEDNESDAY)


@dataclass(frozen=True)
class Night:
    """One scenario. `acts` are instructions and words about our clock, by when they are known."""

    about: str
    told: tuple[UnitStory, ...]
    known: Register
    explains: tuple[tuple[str, str], ...] = ()
    """Rule, and wearer or unit, of the alerts that are explained."""
    acts: tuple[tuple[int, dict[str, Any]], ...] = ()
    start: int = at("18:29", TUESDAY)
    until: int = MORNING


def homes(*orders: dict[str, Any], since: str = "2026-03-24T12:00:00Z", **every: dict[str, Any]) -> Register:
    """A register in which `W-n` is at `A-n` with `BU-000n` and `T-n`, an order each, London time.

    `every` is what is so of every unit `installed` and tag `fitted`.
    """
    wearers = range(1, len(orders) + 1)
    return parse_register(
        json.dumps(
            {
                "version": 1,
                "wearers": [{"wearer_id": f"W-{n}"} for n in wearers],
                "orders": [
                    order(
                        **{
                            "order_id": f"O-{n}", "wearer_id": f"W-{n}", "timezone": "Europe/London",
                            "starts_at": since, "curfew": nightly(address=f"A-{n}"), **changes,
                        }
                    )
                    for n, changes in enumerate(orders, start=1)
                ],
                "installations": [
                    {"unit": unit_name(n), "address_id": f"A-{n}", "installed_at": since}
                    | every.get("installed", {})
                    for n in wearers
                ],
                "fittings": [
                    {
                        "tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": since,
                        "strap_batch": "S-24-11", "validation": "validated",
                    } | every.get("fitted", {})
                    for n in wearers
                ],
            }
        )
    )  # fmt: skip


VARIED = {
    "type": "variation", "order_id": "O-1", "effective_at": "2026-03-24T18:55:00Z", "by": "the court",
    "curfew": nightly("20:00", "07:00"),
}  # fmt: skip
LEAVE = {
    "type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:30", "until": "2026-03-24T20:45",
    "reason": "medical", "approved_by": "A. Officer", "evidence": "letter of the ward",
}  # fmt: skip
TILL_WINTER = {"ends_at": "2026-11-01T00:00:00Z"}
SMALL_HOURS = TILL_WINTER | {"curfew": nightly("01:30", "06:00", address="A-2")}


def nights() -> dict[str, Callable[[], Night]]:
    """Every scenario by its name, made when it is wanted."""
    return {
        "strap-cut-and-rejoined": lambda: Night(
            "The strap is cut while the wearer is out, and joined again before the return.",
            (strap_rejoined(),), homes({}), (("tag.strap", "W-1"), ("curfew.absence", "W-1")),
        ),
        "carried-out-on-a-power-bank": lambda: Night(
            "The base unit goes out with its wearer, on a power bank: the tag is heard all the time.",
            (carried_out(),), homes({}), (("unit.moved", "BU-0001"), ("unit.power", "BU-0001")),
        ),
        "thirty-hours-offline": lambda: Night(
            "Thirty hours without a link, then 2,500 events at once, each two or three times and shuffled.",
            (thirty_hours_offline(),), homes({}, since="2026-03-23T12:00:00Z"),
            (("unit.silent", "BU-0001"), ("monitoring.not_producing", "W-1"), ("curfew.absence", "W-1")),
            start=at("16:59", "2026-03-23"), until=at("01:00", WEDNESDAY),
        ),
        "clocks-go-forward": lambda: Night(
            "The night that is an hour shorter; a curfew from 01:30, which does not exist: the later reading counts.",
            clocks_change(
                "2026-03-28", "2026-03-29",
                {
                    1: (("2026-03-29T00:50", "2026-03-29T01:10"),),
                    2: (("2026-03-28T23:00", "2026-03-29T01:25"), ("2026-03-29T01:40", "2026-03-29T01:50")),
                },
            ),
            homes(TILL_WINTER, SMALL_HOURS, since="2026-03-28T12:00:00Z"),
            (("curfew.absence", "W-1"), ("curfew.absence", "W-2")),
            start=at("16:59", "2026-03-28"), until=at("07:30", "2026-03-29"),
        ),
        "clocks-go-back": lambda: Night(
            "The night that is an hour longer; a curfew from 01:30, which comes twice: the later counts.",
            clocks_change(
                "2026-10-24", "2026-10-25",
                {
                    1: (("2026-10-25T00:40", "2026-10-25T01:10"),),
                    2: (("2026-10-24T23:00", "2026-10-25T01:25"), ("2026-10-25T01:40", "2026-10-25T01:50")),
                },
            ),
            homes(TILL_WINTER, SMALL_HOURS, since="2026-10-24T12:00:00Z"),
            (("curfew.absence", "W-1"), ("curfew.absence", "W-2")),
            start=at("16:59", "2026-10-24"), until=at("07:30", "2026-10-25"),
        ),
        "to-the-second": lambda: Night(
            "Late by 1 s; out 1 s before the end; gone for 299 s and for 301 s; out for the whole window.",
            to_the_second(), homes({}, {}, {}, {}, {}),
            (("curfew.absence", "W-4"), ("curfew.absence", "W-5"), ("curfew.accumulated", "W-5")),
            start=at("17:59"),
        ),
        "two-wearers-one-unit": lambda: Night(
            "Two wearers at one base unit, whose tags' frames collide now and then; one of them goes out.",
            (two_on_one_unit(),), shared_home(), (("curfew.absence", "W-2"),),
        ),
        "curfew-varied-at-18-55": lambda: Night(
            "At 18:55 the court moves tonight's curfew from 19:00 to 20:00; the unit knows at 19:20. Home at 20:10.",
            (home_at_ten_past_eight(),), homes({}), (("curfew.absence", "W-1"),), acts=((at("18:55"), VARIED),),
        ),
        "absence-authorised-afterwards": lambda: Night(
            "Out from 19:30 to 21:00; in the morning it turns out that the hospital was authorised until 20:45.",
            (night_on(out(night_on(evening(), "19:00", at("19:29")), "19:30", "21:00"), "21:01"),), homes({}),
            (("curfew.absence", "W-1"),), acts=((at("07:10", WEDNESDAY), LEAVE),),
        ),
        "silent-all-night": lambda: Night(
            "The base unit says nothing all night, and in the morning knows nothing of it.",
            (silent_all_night(),), homes({}), (("unit.silent", "BU-0001"),),
        ),
        "ended-not-begun-suspended": lambda: Night(
            "Three people are out all night: one's order has ended, one's has not begun, one's is suspended.",
            tuple(away_all_night(n) for n in (1, 2, 3)),
            homes(
                {"ends_at": "2026-03-24T18:45:00Z"},
                {"starts_at": "2026-03-25T12:00:00Z"},
                {"suspensions": [{"from": "2026-03-24T12:00", "until": "2026-03-26T12:00", "reason": "custody"}]},
            ),
            (("monitoring.removal_due", "W-1"),),
        ),
        "one-outage": lambda: Night(
            "Twelve units fall silent within a minute. One wearer had been out before: that is judged as ever.",
            outage(), homes(*({} for _ in range(12))), (("incident.silent", ""), ("curfew.absence", "W-7")),
            until=at("23:00"),
        ),
        "numbers-beyond-2-to-the-53": lambda: Night(
            "Event numbers pass 2^31 and 2^53; nothing is lost or taken for something else.",
            (great_numbers(),), homes({}), (("curfew.absence", "W-1"),),
        ),
        "an-old-frame-replayed": lambda: Night(
            "While the wearer is out, recorded frames of the tag are played near the unit.",
            (old_frame(),), homes({}), (("evidence.replayed", "W-1"), ("curfew.absence", "W-1")),
        ),
        "a-tag-that-is-never-named": lambda: Night(
            "The unit was installed with another tag's number: it is heard, and never says a word about this one.",
            (UnitStory().boots(at("18:30"), heartbeat_s=60).beats(at("18:31"), at("07:59", WEDNESDAY)),), homes({}),
            (("monitoring.not_producing", "W-1"),),
        ),
        "our-clock-is-set": lambda: Night(
            "Our own clock is set 20 minutes forward at 20:30, while a wearer is out.",
            (night_on(out(night_on(evening(), "19:00", at("19:59")), "20:00", "21:00"), "21:01"),), homes({}),
            (("service.clock", ""), ("curfew.absence", "W-1")),
            acts=((at("20:30"), {"service": "clock", "stepped_ms": 1_200_000}),),
        ),
        "cases-opened": lambda: Night(
            "Somebody opens the base unit's case for a while, and later the tag's.",
            (opened(),), homes({}), (("unit.case", "BU-0001"), ("tag.case", "W-1")),
        ),
        "batteries-run-low": lambda: Night(
            "The tag's battery runs low, and the base unit's does not charge.",
            (batteries(),), homes({}), (("tag.battery", "W-1"), ("unit.battery", "BU-0001")),
        ),
        "noise-and-a-wrong-clock": lambda: Night(
            "The tag is not heard while the radio noise is high, by a unit whose clock is off: an absence in doubt.",
            (noise(),), homes({}),
            (("rf.interference", "BU-0001"), ("unit.clock", "BU-0001"), ("curfew.absence", "W-1")),
        ),
        "fitted-late-and-unproved": lambda: Night(
            "The tag came on four days after the order began, and nobody showed that it sits on a living limb.",
            (night_on(evening(), "19:00"),),
            homes({"starts_at": "2026-03-20T12:00:00Z"}, fitted={"validation": "pending"}),
            (("fitting.overdue", "W-1"), ("fitting.unvalidated", "W-1")),
        ),
        "a-record-that-is-not-whole": lambda: Night(
            "A number comes with two contents, an event cannot be read, three are missing, a stranger sends.",
            cloned(), homes({}),
            (
                ("evidence.conflict", "BU-0001"), ("evidence.rejected", "BU-0001"), ("evidence.gap", "BU-0001"),
                ("evidence.unknown_device", "BU-9999"),
            ),
        ),
        "a-street-without-power": lambda: Night(
            "Four homes of one postcode lose their mains in the same seconds, for an hour.",
            street(), homes({}, {}, {}, {}, installed={"postcode": "SE15"}),
            (("incident.power", ""), ("unit.power", "BU-0002")),
        ),
        "prosthesis-at-home": lambda: Night(
            "The tag is pushed over to a prosthesis, strap closed. It is home all night, walks a little, stays cool.",
            (wearing.prosthesis_at_home(),), homes({}, fitted={"body_bias_c": wearing.bias_c()}),
            (("body.not_attached", "W-1"),),
        ),
        "left-on-a-bed-post": lambda: Night(
            "The tag is pulled off over the foot, strap closed, hangs on a bed post all night, and is put on again.",
            (wearing.on_a_bed_post(),), homes({}, fitted={"body_bias_c": wearing.bias_c()}),
            (("body.not_attached", "W-1"),),
        ),
        "slipped-into-a-shoe": lambda: Night(
            "The tag is slipped off, strap closed, into a shoe that somebody else wears: warm and moving.",
            (wearing.in_a_shoe(),), homes({}), (("body.not_attached", "W-1"),),
        ),
        "a-sleeper": lambda: Night(
            "Somebody wears a tag that tells of the body, is up until 22:30 and sleeps: nothing is to be told.",
            (wearing.asleep(),), homes({}),
        ),
        "a-dead-sensor": lambda: Night(
            "The skin side of a tag that is worn freezes at 21:00: nobody is accused, and somebody is to see to it.",
            (wearing.dead_sensor(),), homes({}), (("body.not_attached", "W-1"),),
        ),
        "all-sensors-silent": lambda: Night(
            "All sensors of one tag fall silent at 21:00 and it is heard on; the tag of another never had any.",
            (wearing.all_sensors_dead(), night_on(evening(2), "19:00")), homes({}, {}),
            (("body.not_attached", "W-1"),),
        ),
        "a-strap-cut-once": lambda: Night(
            "The strap is cut and the tag left on a table: one removal, told once, by the strap.",
            (wearing.pulled_and_cut(),), homes({}), (("tag.strap", "W-1"),),
        ),
        "a-tag-that-does-not-move": lambda: Night(
            "A tag that tells of motion alone lies at home from one evening to the next.",
            (wearing.only_motion(),), homes({}), (("body.no_motion", "W-1"),), until=at("21:30", WEDNESDAY),
        ),
        "to-be-validated-anew": lambda: Night(
            "Two tags lie at home for a day and are worn again. A fitter comes to one, to the other nobody.",
            (wearing.still_for_a_day(1), wearing.still_for_a_day(2)), visited_on_thursday(),
            (("fitting.unvalidated", "W-1"), ("fitting.unvalidated", "W-2")), until=at("20:01", wearing.SATURDAY),
        ),
        "a-faulty-batch-of-straps": lambda: Night(
            "All five straps of one batch are told open within three hours, nobody gone; one strap of five others is.",
            straps_open(), two_batches(), (("fleet.batch", ""), ("tag.strap", "W-1"), ("tag.strap", "W-6")),
        ),
        "a-quiet-night": lambda: Night(
            "Everybody is at home, all night, and all equipment is well: nothing is to be told.",
            tuple(night_on(evening(n), "19:00") for n in (1, 2)), homes({}, {}),
        ),
    }  # fmt: skip


def two_batches() -> Register:
    """Ten wearers; the straps of the first five are of one batch, those of the others of another."""
    plain = written(homes(*({} for _ in range(10))))
    for number, fitting in enumerate(plain["fittings"]):
        fitting["strap_batch"] = "S-24-11" if number < 5 else "S-24-07"
    return parse_register(json.dumps(plain))


def visited_on_thursday() -> Register:
    """Two wearers; the second's tag is fitted and validated again on Thursday morning."""
    plain = written(homes({}, {}))
    again = plain["fittings"][1] | {"fitted_at": "2026-03-26T09:30:00Z"}
    plain["fittings"][1]["removed_at"] = "2026-03-26T09:00:00Z"
    plain["fittings"].append(again)
    return parse_register(json.dumps(plain))


def shared_home() -> Register:
    """Two wearers at one address with one unit."""
    plain = written(homes({}, {"curfew": nightly(address="A-1")}))
    plain["installations"] = plain["installations"][:1]
    return parse_register(json.dumps(plain))


def written(known: Register) -> dict[str, Any]:
    """A register as its file has it."""
    plain: dict[str, Any] = json.loads(json.dumps(known.plain()))
    for part in ("orders", "installations", "fittings"):
        for value in plain[part]:
            value |= {key: format_ms(value[key]) for key in value if key.endswith("_at") and value[key] is not None}
    return plain
