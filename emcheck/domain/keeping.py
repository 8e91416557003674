"""A unit's folded state as plain JSON, so that a start reads it instead of everything the unit ever told.

What runs in receive time (silences, refusals) and what was raised stands in the findings and is not kept twice.
A state is good only under the register and policy it was folded under, and for this code's `FORM`; any other is not
read, and the unit is folded anew from the inbox.
"""

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from emcheck.domain import worn
from emcheck.domain.boots import Boot, Entry, Origin, Setting, Tamper
from emcheck.domain.case import Case
from emcheck.domain.channels import Channels, Said, Word
from emcheck.domain.findings import FactRef
from emcheck.domain.holes import Hole
from emcheck.domain.ids import BootId, Ms, TagId, UnitId, WearerId
from emcheck.domain.roster import Roster
from emcheck.domain.rules.curfew_accumulated import Before
from emcheck.domain.rules.fitting_unvalidated import Question
from emcheck.domain.sequence import Ranges
from emcheck.domain.unit import Unit

FORM = 6
"""Rises when the shape of a state, or what folding means, changes."""


def state_of(roster: Roster, name: UnitId) -> dict[str, Any]:
    """What a unit was folded to, as plain JSON."""
    return unit_state(roster.units[name], roster.cases_of.get(name, ()))


def restore(roster: Roster, states: Mapping[UnitId, dict[str, Any]]) -> set[WearerId]:
    """Make units, and what is settled of their cases, what they were when `states` were taken; who is to be recalled.

    The newest state of a case holds. Where an older one of another unit had folded more, all was read again in
    between: that unit lacks nights which the case has open.
    """
    told: dict[WearerId, list[tuple[int, Ms, dict[str, Any], list[list[Any]]]]] = {}
    for name, state in states.items():
        if name in roster.units:
            restore_unit(roster.units[name], state)
            for case in roster.cases_of.get(name, ()):
                if case.wearer_id in state["cases"]:
                    told.setdefault(case.wearer_id, []).append((-state["as_of"], *state["cases"][case.wearer_id]))
    for wearer, known in told.items():
        _, settled, orders, questions = min(known, key=lambda one: one[:2])
        restore_case(roster.cases[wearer], settled, orders, questions)
    for name in states.keys() & roster.units.keys():  # its cases may have folded more since its own state was taken
        unit = roster.units[name]
        unit.settled = max(unit.settled, roster.asks_before(name))
    return {wearer for wearer, known in told.items() if any(one[1] > roster.cases[wearer].settled for one in known)}


def unit_state(unit: Unit, cases: Iterable[Case]) -> dict[str, Any]:
    """The state of a unit, and what is settled of the cases that rest on it."""
    track = unit.track
    return {
        "boots": [_boot_state(boot) for boot in track.boots.values()],
        "worn": [worn.plain(known) for known in track.worn],
        "settled_boots": track.settled_boots,
        "highest_n": track.settled_n,
        "last_received_at": unit.last_received_at,
        "latest_boot": unit.latest_boot,
        "holes": [[hole.boot, hole.first, hole.last, hole.shown] for hole in unit.holes],
        "settled": unit.settled,
        "folded_before": unit.folded_before,
        "cases": {
            case.wearer_id: [
                case.settled,
                {state.order.order_id: state.before for state in case.orders},
                case.questions,
            ]
            for case in cases
        },
    }


def restore_unit(unit: Unit, state: dict[str, Any]) -> None:
    """Make an empty unit what it was."""
    track = unit.track
    track.boots = {BootId(told["boot"]): _boot_from(told) for told in state["boots"]}
    track.worn = tuple(worn.restored(told) for told in state["worn"])
    track.settled_boots = tuple(state["settled_boots"])
    track.settled_n = state["highest_n"]
    if order := track.in_order():
        track.newest = order[-1]
    track.know_reading()
    unit.last_received_at, unit.latest_boot = state["last_received_at"], state["latest_boot"]
    unit.holes = tuple(
        Hole(BootId(boot), first, last, tuple((number, at) for number, at in shown))
        for boot, first, last, shown in state["holes"]
    )
    unit.settled, unit.folded_before = state["settled"], state["folded_before"]


def restore_case(case: Case, settled: Ms, orders: dict[str, Any], questions: list[list[Any]]) -> None:
    """Make an empty case what it was."""
    case.settled = settled
    case.questions = tuple(Question(*asked)._replace(fact=_fact(*asked[-1])) for asked in questions)
    for order in case.orders:
        absent_ms, excluded_ms, start, evidence = orders.get(order.order.order_id, Before())
        order.before = Before(absent_ms, excluded_ms, start, tuple(_fact(*fact) for fact in evidence))


def _fact(unit: str, boot: str, seq: int) -> FactRef:
    return FactRef(UnitId(unit), BootId(boot), seq)


def _boot_state(boot: Boot) -> dict[str, Any]:
    sequence = boot.sequence
    numbers = (sequence.received, sequence.refused, sequence.lost, sequence.periodic)
    return {
        "boot": boot.boot,
        "boot_n": boot.boot_n,
        "heartbeat_ms": boot.heartbeat_ms,
        "firmware": boot.firmware,
        "began_at": boot.began_at,
        "limit": boot.limit,
        "numbers": [list(ranges) for ranges in numbers],
        "declared_last": sequence.declared_last,
        "entries": [[e.first, e.last, e.start, e.end, e.settings] for e in boot.entries],
        "offsets": boot.offsets,
        "offset_seen": boot.offset_seen,
        "tampers": boot.tampers,
        "channels": None if boot.channels is None else _channels_state(boot.channels),
        "top": boot.top,
        "broken": boot.broken,
        "current": boot.current,
    }


def _boot_from(state: dict[str, Any]) -> Boot:
    boot = Boot(BootId(state["boot"]))
    boot.boot_n, boot.heartbeat_ms, boot.began_at = state["boot_n"], state["heartbeat_ms"], state["began_at"]
    boot.limit, boot.firmware = state["limit"], intern(state["firmware"])
    numbers = [Ranges([(start, end) for start, end in ranges]) for ranges in state["numbers"]]
    boot.sequence.received, boot.sequence.refused, boot.sequence.lost, boot.sequence.periodic = numbers
    boot.sequence.declared_last = state["declared_last"]
    boot.entries = [_entry(*entry) for entry in state["entries"]]
    boot.offsets = tuple((seq, offset) for seq, offset in state["offsets"])
    boot.offset_seen = state["offset_seen"]
    boot.tampers = tuple(Tamper(*tamper) for tamper in state["tampers"])
    boot.top, boot.broken = state["top"], state["broken"]
    boot.current = {TagId(tag): (present, low, high) for tag, (present, low, high) in state["current"].items()}
    boot.channels = None if state["channels"] is None else _channels_from(state["channels"])
    return boot


def _channels_state(channels: Channels) -> dict[str, Any]:
    return {
        "words": channels.words,
        "in_force": [[*key, *level] for key, level in channels.in_force.items()],
        "whole": channels.whole,
    }


def _channels_from(state: dict[str, Any]) -> Channels:
    channels = Channels()
    channels.words = [Word(seq, at, tuple(Said(*told) for told in said)) for seq, at, said in state["words"]]
    channels.in_force = {
        (channel, TagId(tag)): (level, low, high) for channel, tag, level, low, high in state["in_force"]
    }
    channels.whole = state["whole"]
    return channels


def _entry(first: int, last: int, start: int, end: int, settings: list[Any]) -> Entry:
    told = (
        Setting(tag, present, heard_at, None if origin is None else Origin(*origin))
        for tag, present, heard_at, origin in settings
    )
    entry = Entry(first, start, tuple(told))
    entry.last, entry.end = last, end
    return entry
