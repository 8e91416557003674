"""People: when each wearer is at home, in which room, asleep or not. A plan is made before the clock starts.

Quiet people are home well before their window opens and leave only after it has ended; a story adds its
absence. What comes out is exact to the millisecond and is the ground truth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal, NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, HOUR, MINUTE
from firmware_sim.radio import BEDROOM, ROOMS
from firmware_sim.scenario import Hospital, LateReturn, OutAtEnd, OutWhole, Party, Scenario, Slip, StrapCut, TagOn
from firmware_sim.times import instant

ROOM_STAY_MS = (8 * MINUTE, 70 * MINUTE)
TO_BED = (22 * HOUR, 24 * HOUR)
SLEEP_MS = (6 * HOUR, 8 * HOUR)


class Stay(NamedTuple):
    """A half-open stretch `[start, end)` in which somebody was away."""

    start: Ms
    end: Ms


class Move(NamedTuple):
    """At `at` a wearer goes: into a room, to bed (asleep), out of the door; or cuts the strap; or the tag is put."""

    at: Ms
    wearer: int
    kind: Literal["room", "out", "cut", "put"]
    room: int = 0
    asleep: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One wearer's truth: curfew windows, times away, when the strap is cut, and every move."""

    wearer: int
    windows: tuple[Stay, ...]
    away: tuple[Stay, ...]
    cuts: tuple[Ms, ...]
    moves: tuple[Move, ...]


def plan(scenario: Scenario, wearer: int, rng: Random) -> Plan:
    """What one wearer will do, from a little before the scenario starts until it ends."""
    windows = curfew_windows(scenario, wearer)
    away = _days_out(windows, scenario.town.restless_share, rng)
    cuts: list[Ms] = []
    puts: list[Move] = []
    for story in scenario.stories:
        if wearer not in story.wearers:
            continue
        if isinstance(story, StrapCut):
            cuts.append(scenario.instant(story.at))
        elif isinstance(story, TagOn):
            puts.append(Move(scenario.instant(story.at), wearer, "put", place=story.place))
        else:
            away.append(_absence(scenario, story, windows))
    since, until = scenario.start_ms, scenario.end_ms
    stays = tuple(_clip(stay, since, until) for stay in _union(away) if stay.end > since and stay.start < until)
    moves = list(_moves(scenario, wearer, stays, rng)) + [Move(at, wearer, "cut") for at in cuts]
    if puts and all(put.at > since for put in puts):
        puts.insert(0, Move(since, wearer, "put", place="skin"))
    moves += puts
    return Plan(wearer, tuple(windows), stays, tuple(cuts), tuple(sorted(moves)))


def hours_of(scenario: Scenario, wearer: int) -> tuple[str, str]:
    """The wall times between which a wearer is to be home, every day."""
    for other in scenario.town.other_curfews:
        if wearer in other.wearers:
            return other.from_, other.until
    return scenario.town.curfew_from, scenario.town.curfew_until


def curfew_windows(scenario: Scenario, wearer: int) -> list[Stay]:
    """The wearer's windows near the scenario; an edge that is skipped or repeated is read in the wearer's favour."""
    opens, closes = hours_of(scenario, wearer)
    zone = scenario.town.timezone
    day = date(1970, 1, 1) + timedelta(days=scenario.start_ms // DAY - 2)
    windows = []
    for _ in range((scenario.end_ms - scenario.start_ms) // DAY + 6):
        after = day + timedelta(days=closes <= opens)
        windows.append(Stay(instant(f"{day}T{opens}", zone, "later"), instant(f"{after}T{closes}", zone, "earlier")))
        day += timedelta(days=1)
    return windows


def _days_out(windows: list[Stay], share: float, rng: Random) -> list[Stay]:
    """Times out between windows: from some minutes after one ends until some minutes before the next opens."""
    out = []
    for before, after in zip(windows, windows[1:], strict=False):
        start = before.end + rng.randrange(4 * MINUTE, 90 * MINUTE)
        end = after.start - rng.randrange(4 * MINUTE, 150 * MINUTE)
        if rng.random() < share and end - start > 30 * MINUTE:
            out.append(Stay(start, end))
    return out


def _absence(
    scenario: Scenario, story: LateReturn | Slip | Party | OutWhole | OutAtEnd | Hospital, windows: list[Stay]
) -> Stay:
    """When a story has somebody out."""
    match story:
        case LateReturn(home_at=home_at):
            home = scenario.instant(home_at)
            return Stay(_window_at(windows, home).start - 90 * MINUTE, home)
        case Slip(at=at, minutes=minutes):
            return Stay(scenario.instant(at), scenario.instant(at) + round(minutes * MINUTE))
        case OutWhole(night=night):
            noon = scenario.instant(f"{night}T12:00")
            window = next(w for w in windows if w.start >= noon)
            return Stay(window.start - 80 * MINUTE, window.end + 40 * MINUTE)
        case OutAtEnd(at=at):
            left = scenario.instant(at)
            return Stay(left, _window_at(windows, left).end + 45 * MINUTE)
        case Party(at=at, until=until) | Hospital(at=at, until=until):
            return Stay(scenario.instant(at), scenario.instant(until, "later"))


def _window_at(windows: list[Stay], at: Ms) -> Stay:
    """The window that holds `at`, or the one that ended last before it."""
    return max((w for w in windows if w.start <= at), key=lambda w: w.start)


def _union(stays: Iterable[Stay]) -> list[Stay]:
    merged: list[Stay] = []
    for stay in sorted(stays):
        if merged and stay.start <= merged[-1].end:
            merged[-1] = Stay(merged[-1].start, max(merged[-1].end, stay.end))
        elif stay.end > stay.start:
            merged.append(stay)
    return merged


def _clip(stay: Stay, since: Ms, until: Ms) -> Stay:
    return Stay(max(stay.start, since), min(stay.end, until))


def _moves(scenario: Scenario, wearer: int, away: tuple[Stay, ...], rng: Random) -> Iterable[Move]:
    """Rooms while at home, the door where a stay away begins or ends."""
    at, until = scenario.start_ms, scenario.end_ms
    for stay in (*away, Stay(until, until)):
        yield from _at_home(scenario, wearer, at, stay.start, rng)
        if stay.start < until:
            yield Move(stay.start, wearer, "out")
        at = stay.end


def _at_home(scenario: Scenario, wearer: int, start: Ms, end: Ms, rng: Random) -> Iterable[Move]:
    midnight = scenario.instant(f"{scenario.starts_at[:10]}T00:00")
    bed_after = midnight + rng.randrange(*TO_BED)
    at = start
    while at < end:
        night = (at - bed_after) // DAY
        bed_at = bed_after + night * DAY
        asleep = at - bed_at < SLEEP_MS[0]
        room = BEDROOM if asleep else rng.randrange(len(ROOMS))
        yield Move(at, wearer, "room", room, asleep)
        rest_ms = bed_at + rng.randrange(*SLEEP_MS) - at if asleep else rng.randrange(*ROOM_STAY_MS)
        at = min(at + rest_ms, bed_at + DAY if not asleep else at + rest_ms)
