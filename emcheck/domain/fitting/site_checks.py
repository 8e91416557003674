"""Steps that telemetry shows of the site: strap and case, the unit, the walk, the curfew, the fitter's own tag."""

from collections.abc import Sequence
from typing import NamedTuple

from emcheck.domain.fitting.heard import Report
from emcheck.domain.fitting.seen import Result, Seen, failed, missing, passed
from emcheck.domain.ids import Ms
from emcheck.domain.instants import SECOND
from emcheck.domain.walk import Reading, Room, Suggestion, suggest, survey

ROOM_MIN_FRAMES = 3
"""Frames from a room under which nothing is said of it."""


def closed(seen: Seen) -> Result:
    """Step 5: strap closed, case closed, what was latched cleared, then a clean frame not older than a minute."""
    tag = seen.visit.tag
    if not seen.reports:
        known = (tag, seen.visit.fitter_tag)
        beside = sorted(other for other in seen.heard.reports if other not in known and seen.heard.of(other))
        if beside:
            return failed(f"{', '.join(beside)} is heard here and {tag} is not: scan the tag on the limb again.")
        return missing(f"{tag} is not heard yet: bring it within 5 m of {seen.visit.unit} and wait half a minute.")
    last = seen.reports[-1]
    age_s = (seen.now - last.at) / SECOND
    readings: dict[str, object] = {"strap": last.strap, "last_heard_s_ago": round(age_s, 1), "rssi_dbm": last.rssi_dbm}
    if last.strap != "closed":
        word = f"is {last.strap}" if last.strap else "is not told by the tag"
        return failed(f"The strap {word}: close it, and look whether its pin is in.", **readings)
    latched = [at for at, of, kind in seen.heard.tampers if of == tag and kind == "case_open" and at <= seen.now]
    clean = [report for report in seen.worn if report.at > max(latched, default=seen.opened_at)]
    if not clean:
        return failed(
            "The tag's case was opened and no clean frame came since: close it, and wait for one.", **readings
        )
    if age_s > seen.number("fresh_s"):
        return failed(f"The last clean frame is {age_s:.0f} s old: bring the tag back to the unit.", **readings)
    return passed(f"Strap and case are closed; a clean frame came {age_s:.0f} s ago.", **readings)


def unit(seen: Seen) -> Result:
    """Step 7: mains, battery, case, level, link."""
    statuses = [status for status in seen.heard.statuses if status.at <= seen.now]
    if not statuses:
        return missing(f"{seen.visit.unit} has said nothing of itself in this visit: wait, or restart it.")
    last = statuses[-1]
    said = last.said
    age_s, lag_s = (seen.now - last.at) / SECOND, (seen.heard.lag_ms or 0) / SECOND
    keys = ("power", "battery_pct", "case", "tilt_deg", "signal_dbm", "buffered")
    readings: dict[str, object] = {key: said.get(key) for key in keys}
    readings |= {"age_s": round(age_s, 1), "lag_s": round(lag_s, 1)}
    faults = [
        (said.get("power") != "mains", f"{seen.visit.unit} is not on mains: plug it in at a socket nobody switches."),
        (_below(said.get("battery_pct"), seen.number("unit.battery_min_pct")), "Its battery is low: let it charge."),
        (said.get("case") not in ("closed", False), "Its case is open: close it until it clicks."),
        (bool(said.get("moved")), "It was moved: put it down where it stays."),
        (_above(said.get("tilt_deg"), seen.number("unit.tilt_max_deg")), "It stands aslant: put it level."),
        (_below(said.get("signal_dbm"), seen.number("unit.signal_min_dbm")), "Its network is weak: nearer a window."),
        (lag_s > seen.number("fresh_s"), f"What it says comes {lag_s:.0f} s late: its link is down. Wait, or move it."),
        (
            age_s > seen.number("unit.status_fresh_s"),
            f"Its last word on itself is {age_s:.0f} s old: press its button.",
        ),
    ]
    for wrong, words in faults:
        if wrong:
            return failed(words, **readings)
    return passed("On mains, charged, closed, level, and its link is up.", **readings)


def _below(value: object, least: float) -> bool:
    return not isinstance(value, (int, float)) or value < least


def _above(value: object, most: float) -> bool:
    return not isinstance(value, (int, float)) or abs(value) > most


class Walk(NamedTuple):
    """What the walk showed: rooms in the order walked, the suggestion, rooms that nobody stayed in for long enough.

    `over`: nobody walks now. `only_room`: the fitter said then that there is no other.
    """

    rooms: Sequence[Room]
    suggested: Suggestion | None
    unheard: tuple[str, ...]
    over: bool
    only_room: bool


def walked(seen: Seen) -> Walk:
    """Rooms from the fitter's marks: each from its own until the next, the last until the walk is over."""
    spans: dict[str, list[tuple[Ms, Ms]]] = {}
    name, since = None, 0
    for at, mark in [*seen.marks, (seen.now, None)]:
        if mark is not None and mark.what not in ("room", "walk_over"):
            continue
        if name is not None:
            spans.setdefault(name, []).append((since, at))
        name, since = (None if mark is None or mark.what == "walk_over" else mark.room), at
    leave_s = seen.policy.number("unit.config.leave_time_s")
    told = [report for report in seen.heard.reports.get(seen.visit.tag, ()) if report.at <= seen.now]
    frame_ms = interval_ms(seen.reports)
    rooms, unheard = [], []
    for room, parts in spans.items():
        readings = _readings(told, parts, frame_ms)
        if sum(reading.heard for reading in readings) < ROOM_MIN_FRAMES:
            unheard.append(room)
        rooms.append(survey(room, readings, leave_time_s=leave_s))
    found = suggest(rooms, leave_time_s=leave_s, frame_s=max(1.0, frame_ms / SECOND)) if rooms else None
    last = next((mark for _, mark in reversed(seen.marks) if mark.what in ("room", "walk_over")), None)
    over = last is not None and last.what == "walk_over"
    return Walk(rooms, found, tuple(unheard), over, over and last is not None and bool(last.only_room))


def _readings(told: Sequence[Report], parts: Sequence[tuple[Ms, Ms]], frame_ms: float) -> list[Reading]:
    """What was heard in a room, its stretches put one behind the other; silence at their edges counts.

    Frames that are due and did not come are missed, whether the unit reported that or nothing at all.
    """
    readings: list[Reading] = []
    begin = 0
    for start, end in parts:
        there = [report for report in told if start <= report.at < end]
        readings.append(Reading(begin, None, 0, 0))
        readings += [
            Reading(begin + report.at - start, report.rssi_dbm if report.heard else None, report.heard, report.heard)
            for report in there
        ]
        due = round((end - start) / frame_ms)
        missed = max(0, due - sum(report.heard for report in there))
        begin += end - start
        readings.append(Reading(begin, None, 0, missed))
    return readings


def interval_ms(reports: Sequence[Report]) -> float:
    """How often the tag is heard: the median time between two reports with a frame in them."""
    gaps = sorted(after.at - before.at for before, after in zip(reports, reports[1:], strict=False))
    return gaps[len(gaps) // 2] if gaps else 10 * SECOND


def walk(seen: Seen) -> Result:
    """Step 8: every permitted room walked, none of them dead, and the setting that follows.

    One room is seldom all there is: that it is has to be said.
    """
    found = walked(seen)
    if not found.rooms or found.suggested is None:
        return missing("Walk every room where the wearer may be: name each as you enter it.")
    said = found.suggested
    readings: dict[str, object] = {
        "rooms": [
            {
                "room": room.name,
                "seconds": round(room.seconds, 1),
                "frames": room.heard,
                "lowest_dbm": None if room.lowest_dbm is None else round(room.lowest_dbm, 1),
                "false_absence": round(said.false_absence.get(room.name, 1.0), 5),
                "dead": room.name in said.dead,
                "weak": room.name in said.weak,
            }
            for room in found.rooms
        ],
        "range_dbm": said.range_dbm,
        "margin_db": None if said.margin_db is None else round(said.margin_db, 1),
        "weakest": None if said.weakest is None else said.weakest.name,
    }
    if not found.over:
        return missing("The walk goes on: name the next room, or say that it is over.", **readings)
    if found.unheard:
        rooms = ", ".join(found.unheard)
        return failed(f"Too few frames came from {rooms}: walk it again, half a minute in every corner.", **readings)
    if said.dead:
        dead = ", ".join(said.dead)
        return failed(f"Dead: {dead}. Put the unit elsewhere and walk again, or ask for a second one.", **readings)
    if len(found.rooms) == 1:
        readings["only_room"] = found.only_room
        if not found.only_room:
            room = found.rooms[0].name
            return missing(f"Only {room} was walked: walk the others, or say that there is no other room.", **readings)
    weak = f"; weak: {', '.join(said.weak)}" if said.weak else ""
    return passed(f"Every room that was walked is heard; range {said.range_dbm} dBm{weak}.", **readings)


def schedule(seen: Seen) -> Result:
    """Step 9: the unit says that it holds the order's curfew, by its hash."""
    if seen.schedule_sha256 is None:
        return failed(f"{seen.visit.unit} has no curfew to hold: is the order in force, and the unit installed?")
    echoes = [echo for echo in seen.heard.echoes if echo[0] <= seen.now]
    readings: dict[str, object] = {"wanted_sha256": seen.schedule_sha256}
    if not echoes:
        return missing(f"{seen.visit.unit} has not said which curfew it holds: wait a minute.", **readings)
    at, rev, held = echoes[-1]
    readings |= {"held_sha256": held, "config_rev": rev}
    if held != seen.schedule_sha256:
        return missing("The unit still holds another curfew: wait until it acknowledges this one.", **readings)
    return passed(
        "The unit holds the order's curfew.", acknowledged_s_ago=round((seen.now - at) / SECOND, 1), **readings
    )


def fitter_tag(seen: Seen) -> Result:
    """Step 10: the fitter was on site."""
    tag = seen.visit.fitter_tag
    if tag is None:
        return missing("No tag of the fitter's own was named: answer `cannot` and say why, or open with one.")
    at = seen.heard.present.get(tag)
    if at is None:
        return missing(f"{tag}, the fitter's own tag, is not heard: is it on you, and its battery good?")
    return passed(f"{tag} was heard on site.", heard_s_ago=round((seen.now - at) / SECOND, 1))
