"""A visit as its page shows it: one step with what is heard, what to do next, and where the visit stands.

Texts are English here; the page says them in the reader's language (`words`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from emcheck.domain.fitting.acts import LIMBS
from emcheck.domain.fitting.judging import PENDING, Standing, is_done
from emcheck.domain.fitting.limb_check import says_no
from emcheck.domain.fitting.limb_note import UNCLEAR, instead, read_note
from emcheck.domain.fitting.photos import CAPTIONS, SIDE_MAX, photos_of
from emcheck.domain.fitting.seen import CANNOT, FAILED, PASSED, Result
from emcheck.domain.fitting.site_checks import ROOM_MIN_FRAMES, interval_ms, walked
from emcheck.domain.fitting.steps import ANSWER, BY_ID, STEPS
from emcheck.domain.instants import FOREVER, MINUTE, SECOND, format_ms
from emcheck.domain.register import Register
from emcheck.domain.walk import MARGIN_DB, SPOTS_DB, WEAKEST_DBM
from emcheck.domain.walk import Room as Walked
from emcheck.present.times import hour
from emcheck.service.sessions import Look

IDENTIFIERS = (
    "photo",
    "date of birth",
    "passport",
    "identity card",
    "driving licence",
    "court papers",
)
ROOMS = ("hall", "kitchen", "living room", "bedroom", "bathroom", "toilet", "child's room", "stairs", "balcony")
GAPS_MM = tuple(range(3, 17))
REASONS: Mapping[str, tuple[str, ...]] = {
    "identity": ("says to be somebody else", "has no papers", "does not look like the photo"),
    "limb": ("prosthesis", "wound or swelling", "cast or bandage", "does not let me look"),
    "skin": ("sock", "bandage", "does not let me look", "too dark to see"),
    "movement": ("no movement at all", "cannot move it for pain", "does not do it"),
    "strap_gap": ("strap is too long", "strap is too short", "strap is broken"),
    "slide_off": ("it comes off", "strap is too short", "does not let me try"),
    "call": ("the unit has no voice", "nobody answers", "no network"),
    "fitter_tag": ("I have no tag with me", "its battery is empty"),
}
"""What may be chosen instead of typed."""
OUTCOMES = ("refused_access", "no_show", "wrong_address", "unsafe", "cannot_validate", "mistaken")
OVERRIDES = ("both legs are prosthetic", "medical reason, on paper", "the court asks for it")
_NOW_S = 15
_LOW_DBM = WEAKEST_DBM + MARGIN_DB
"""A walk that shows less sets the range under the lowest that there is."""
_GOOD_DBM = _LOW_DBM + 2 * SPOTS_DB
"""The worst spots of a room are still above that, and a walk misses them."""
MARKS = {PASSED: "✓", FAILED: "✕", CANNOT: "–", "missing": "…"}
STATES = {PASSED: "Done", FAILED: "Not right", CANNOT: "Could not be shown", "missing": "Open"}


class Reading(NamedTuple):
    """A figure that is heard, with its unit and what it is of."""

    value: str
    unit: str
    of: str


class StepShown(NamedTuple):
    """One step: `done` where nothing more is needed, `mark` and `state` for those who see no colour."""

    id: str
    number: int
    title: str
    ask: str
    state: str
    mark: str
    done: bool
    words: str
    detail: str
    """What the words rest on, in figures; empty where they say it all."""
    against: bool
    """The check says that this is no living limb."""
    may_cannot: bool
    answered: bool


class Room(NamedTuple):
    """A room that was walked: the weakest frame so far, and what becomes of it, as a state and in words."""

    name: str
    lowest: str
    state: str
    words: str
    here: bool
    seconds: int


def steps_of(it: Standing) -> list[StepShown]:
    """All steps, in order."""
    return [_step(it, number) for number in range(1, len(STEPS) + 1)]


def _step(it: Standing, number: int) -> StepShown:
    step = STEPS[number - 1]
    result = it.results[step.id]
    done, against = is_done(step.id, result), says_no(result)
    words, detail = _plain(result) if step.id == "body" else (result.words, "")
    state = FAILED if result.state == CANNOT and not done else result.state
    return StepShown(
        step.id, number, step.title, step.ask, STATES[state], MARKS[state], done, words, detail, against,
        step.may_cannot, step.evidence == ANSWER,
    )  # fmt: skip


def _plain(result: Result) -> tuple[str, str]:
    """The body check in plain words, and the figures that it decided by."""
    check = result.readings.get("check")
    if not isinstance(check, str) or check not in result.words:
        return result.words, ""
    if result.state == PASSED:
        return "On a living limb: the tag lies on warm skin, and moved with the wearer.", check
    return "Not decided yet. Wait.", check


def next_of(it: Standing, step: str = "") -> str:
    """The next open step after one, else the first that is open, else the signatures."""
    open_ = it.open_steps()
    order = [each.id for each in STEPS]
    after = [name for name in open_ if not step or order.index(name) > order.index(step)]
    return (after or [name for name in open_ if name != step] or open_ or ["sign"])[0] if open_ else "sign"


def following_step(step: str) -> str:
    """The step that comes after one in the protocol: where a phone without a network goes on."""
    order = [each.id for each in STEPS]
    return order[order.index(step) + 1] if step != order[-1] else "sign"


def step_said(look: Look, register: Register, step: str) -> dict[str, Any]:
    """What the page of one step shows."""
    it = look.standing
    shown = next(each for each in steps_of(it) if each.id == step)
    onward = next_of(it, step)
    answer = it.seen.answers.get(step)
    return visit_said(look, register) | {
        "step": shown, "readings": readings_of(it, step), "stage": _stage(it) if step == "body" else "",
        "held_s": _held_s(it), "hold_s": round(it.seen.policy.number("fitting.lift.wait_s")),
        "rooms": _rooms(it) if step == "walk" else [], "walk_over": step == "walk" and walked(it.seen).over,
        "no_other": it.seen.is_only_limb, "here": _here(it), "unheard": step in ("closed", "body") and _unheard(it),
        "signal": _signal(it), "good_from": f"{_GOOD_DBM:.0f}", "low_below": f"{_LOW_DBM:.0f}", "onward": onward,
        "onward_title": BY_ID[onward].title if onward in BY_ID else "Signatures",
        "following": following_step(step), "typed": {} if answer is None else answer.said.model_dump(exclude_none=True),
        "gap_most": it.seen.policy.number("fitting.strap.gap_max_mm"),
    }  # fmt: skip


def visit_said(look: Look, register: Register) -> dict[str, Any]:
    """What every page of a visit shows."""
    it, session, visit = look.standing, look.session, look.session.visit
    note = read_note(look.note)
    zone = next((o.timezone for o in register.orders if o.order_id == visit.order_id), "UTC")
    override = it.seen.override
    return {
        "visit": visit, "name": look.name or "", "limb_note": look.note or "",
        "unclear": UNCLEAR if note.unclear else "",
        "barred": {limb: instead(look.note, limb) for limb in LIMBS if limb in note.barred}, "limbs": LIMBS,
        "steps": steps_of(it), "of": len(STEPS), "done_count": len(STEPS) - len(it.open_steps()),
        "state": it.state, "may_sign": it.state != PENDING, "closed": session.closed, "warnings": session.warnings,
        "photos": len(photos_of(act for _, act in session.acts)), "captions": CAPTIONS,
        "photos_most": round(it.seen.policy.number("fitting.photo.most")),
        "photo_days": f"{it.seen.policy.number('fitting.photo.kept_days'):g}", "photo_side": SIDE_MAX,
        "override": override, "since": hour(visit.opened_at, zone), "until": hour(visit.until, zone),
        "takes_off": [tag for tag in visit.ended if tag != visit.tag],
        "as_of": hour(it.seen.now, zone), "now": it.seen.now, "first_open": next_of(it),
    }  # fmt: skip


def signable(it: Standing) -> dict[str, Any]:
    """What is read before it is signed."""
    return {"may": it.state != PENDING, "state": it.state, "steps": steps_of(it), "open": it.open_steps()}


def readings_of(it: Standing, step: str) -> list[Reading]:
    """What is heard that this step rests on, the most telling first."""
    readings, last = it.results[step].readings, it.seen.reports[-1] if it.seen.reports else None
    heard = [] if last is None else [Reading(f"{max(0, it.seen.now - last.at) / SECOND:.0f}", "s", "heard ago")]
    match step:
        case "closed":
            level = [] if last is None or last.rssi_dbm is None else [Reading(f"{last.rssi_dbm:.0f}", "dBm", "level")]
            return [*heard, *level]
        case "body":
            sample = None if last is None else last.sample
            skin, near = (None, None) if sample is None else (sample.skin_c, sample.proximity)
            told = [] if skin is None else [Reading(f"{skin:.1f}", "°C", "skin side")]
            told += [] if near is None else [Reading(f"{near * 100:.0f}", "%", "contact")]
            rise = readings.get("skin_rise_c")
            told += [Reading(f"{rise:+.1f}", "°C", "warmed")] if isinstance(rise, float) else []
            return [*told, *heard]
        case "unit":
            keys = (("battery_pct", "%", "battery"), ("signal_dbm", "dBm", "network"), ("tilt_deg", "°", "tilt"))
            found = ((readings.get(key), unit, of) for key, unit, of in keys)
            return [Reading(f"{value:.0f}", unit, of) for value, unit, of in found if isinstance(value, (int, float))]
        case "schedule" | "fitter_tag":
            ago = readings.get("acknowledged_s_ago", readings.get("heard_s_ago"))
            of = "acknowledged ago" if step == "schedule" else "heard ago"
            return [Reading(f"{max(0.0, ago):.0f}", "s", of)] if isinstance(ago, float) else []
    return []


def _signal(it: Standing) -> Reading | None:
    """The level of the tag as it was heard last, while that is fresh."""
    last = it.seen.reports[-1] if it.seen.reports else None
    level = None if last is None else last.rssi_dbm
    if last is None or level is None:
        return None
    ago_s = max(0, it.seen.now - last.at) / SECOND
    if ago_s > _NOW_S:
        return Reading("–", "dBm", "not heard now")
    words = "now: good" if level >= _GOOD_DBM else "now: low" if level >= _LOW_DBM else "now: too low"
    return Reading(f"{level:.0f}", "dBm", words)


def _unheard(it: Standing) -> bool:
    """Whether the tag was waited for, for a minute since it is to be on, and never heard: its number may be wrong."""
    answer = it.seen.answers.get("slide_off")
    since = it.seen.visit.opened_at if answer is None else answer.at
    return not it.seen.reports and it.seen.now - since >= MINUTE


def _stage(it: Standing) -> str:
    """What is to be done next at the body check: lift, hold until the sensor says no, lower, move, or wait."""
    result, lifts = it.results["body"], it.seen.lifts
    lowest, below = (result.readings.get(key) for key in ("lift_off_lowest_contact", "contact_no_below"))
    said_no = isinstance(lowest, float) and isinstance(below, float) and lowest < below
    if lifts and lifts[-1].end == FOREVER:
        return "lowered" if said_no else "holding"
    if not lifts or not said_no:
        return "lifted"
    unmoved = result.state == FAILED and not result.readings.get("moved_mg")
    return "wait" if result.readings.get("moves_asked") and not unmoved else "moved"


def _held_s(it: Standing) -> int:
    """For how long the tag has been held off by now; 0 where it is not."""
    lifts = it.seen.lifts
    return round(max(0, it.seen.now - lifts[-1].start) / SECOND) if lifts and lifts[-1].end == FOREVER else 0


def _here(it: Standing) -> list[str]:
    """The room that the fitter is in, while the walk goes on."""
    marks = [mark for _, mark in it.seen.marks if mark.what in ("room", "walk_over")]
    return [mark.room for mark in marks[-1:] if mark.room is not None]


def _rooms(it: Standing) -> list[Room]:
    """The rooms that were walked."""
    walk = walked(it.seen)
    here = _here(it)
    said = it.results["walk"].readings.get("rooms", [])
    dead = {one["room"]: one for one in said} if isinstance(said, list) else {}
    return [
        _room(it, room, dead.get(room.name, {}), too_few=room.name in walk.unheard, here=room.name in here)
        for room in walk.rooms
    ]


def _room(it: Standing, room: Walked, said: Mapping[str, Any], *, too_few: bool, here: bool) -> Room:
    entered = max((at for at, mark in it.seen.marks if mark.room == room.name), default=0)
    now = [r.rssi_dbm for r in it.seen.reports[-1:] if here and r.at >= entered and r.rssi_dbm is not None]
    lowest = min((level for level in (room.least_dbm, *now) if level is not None), default=None)
    state = _heard(said, too_few=too_few)
    words = state
    if too_few and here:
        more_s = max(5, round((ROOM_MIN_FRAMES - room.heard) * interval_ms(it.seen.reports) / SECOND))
        words = f"{room.heard} of {ROOM_MIN_FRAMES} frames, stay about {more_s} s more"
    elif too_few:
        words = f"{room.heard} of {ROOM_MIN_FRAMES} frames, too few: walk it again"
    return Room(room.name, "–" if lowest is None else f"{lowest:.0f}", state, words, here, round(room.seconds))


def _heard(room: Mapping[str, Any], *, too_few: bool) -> str:
    return "too few frames" if too_few else "dead" if room.get("dead") else "weak" if room.get("weak") else "heard"


def as_json(look: Look) -> dict[str, Any]:
    """The same for programs, and for the page's own script."""
    it, visit, closed = look.standing, look.session.visit, look.session.closed
    note = read_note(look.note)
    rooms = [mark.room for _, mark in it.seen.marks if mark.room is not None]
    return {
        "session": visit.session, "order_id": visit.order_id, "wearer_id": visit.wearer_id, "name": look.name,
        "address_id": visit.address_id, "tag": visit.tag, "unit": visit.unit, "by": visit.by,
        "fitter_tag": visit.fitter_tag, "opened_at": format_ms(visit.opened_at), "until": format_ms(visit.until),
        "as_of": format_ms(it.seen.now), "limb_note": look.note, "barred": sorted(note.barred), "state": it.state,
        "outcome": None if closed is None else closed.outcome, "warnings": list(look.session.warnings),
        "next": None if closed is not None else next_of(it), "rooms": list(dict.fromkeys(rooms)),
        "steps": [
            {
                "step": step.id, "title": step.title, "ask": step.ask, "state": it.results[step.id].state,
                "done": step.done, "words": it.results[step.id].words, "readings": dict(it.results[step.id].readings),
            }
            for step in steps_of(it)
        ],
    }  # fmt: skip
