"""Step 6, the body check of a fitting: whether the tag is on a living limb.

Four things, all of them, since the strap was closed in this session and since the limb was chosen:

1. The sensor says no contact while the fitter holds the tag off. One that never does proves nothing: it is faulty.
2. The skin side warms towards a body by `fitting.body.rise_min_c` at least.
3. Motion, when the wearer moves.
4. `attached`, by the last reading, with the tag down again (docs/adr/0022 says how that is decided). Cloth between tag
   and skin has to be less likely than `fitting.body.covered_max_pct`, and contact `fitting.body.contact_min` at least:
   the check of 0022 must not accuse a loose strap, a fitter can close it.

A tag that is off, or that is not on skin and warmer `fitting.body.decide_s` after it was let down, is on no limb.
Clause 2 stands beside 4 because a shank of carbon fibre is a body to an electrode, and swings like a leg.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from emcheck.domain.body import ATTACHED, DETACHED, BodyCheck, Judgement, Sample
from emcheck.domain.body.contact import NO_BELOW
from emcheck.domain.fitting.heard import Report
from emcheck.domain.fitting.seen import PASSED, Lift, Result, Seen, failed, missing, passed
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, SECOND

_READINGS_MIN = 3
_MOST_LIKELY = {
    "skin": "The tag is not shown to be on skin.",
    "cold": "What the tag is on touches it and moves, but does not warm it as a limb does: a prosthesis can do that.",
    "loose": "Nothing touches the sensor: close the strap so that the tag lies on the skin.",
    "covered": "Tag is over fabric: bare skin above the ankle bone.",
    "moving": "The tag moves, but what it is on does not warm it as skin does: a prosthesis, or a bag.",
    "off": "The tag is on nothing that is alive: it neither moves nor warms as on a limb.",
}


class Judged(NamedTuple):
    """One reading with what the check says of it; `lifted` is the fitter's word that the tag was held off."""

    sample: Sample
    judgement: Judgement
    lifted: bool


def judged(reports: Sequence[Report], lifts: Sequence[Lift]) -> list[Judged]:
    """The check over all readings, each by itself and earlier ones only."""
    check = BodyCheck()
    found = []
    for report in reports:
        lifted = any(lift.start <= report.at < lift.end for lift in lifts)
        found.append(Judged(report.sample, check.take(report.sample, lifted=lifted), lifted))
    return found


def since_chosen(seen: Seen) -> tuple[Report, ...]:
    """The readings that count: since the strap was closed, and since the limb was chosen."""
    chosen = seen.limb
    return tuple(report for report in seen.worn if chosen is not None and report.at >= chosen.at)


def limb_check(seen: Seen) -> Result:
    """The step, as it stands."""
    if seen.limb is None:
        return missing("Choose the limb first.")
    reports = since_chosen(seen)
    if not reports:
        return missing(f"Nothing is heard of {seen.visit.tag} with a closed strap: close it, within 5 m of the unit.")
    last, closed_at = reports[-1], reports[0].at
    age_s = (seen.now - last.at) / SECOND
    if age_s > seen.number("fresh_s"):
        return failed(f"The last reading is {age_s:.0f} s old: bring the tag back to the unit.", age_s=round(age_s, 1))
    points = judged(reports, seen.lifts)
    final = points[-1].judgement
    readings: dict[str, object] = {
        "closed_for_s": round((seen.now - closed_at) / SECOND, 1),
        "state": final.state,
        "p_attached": round(final.p_attached, 4),
        "hypotheses": {name: round(p, 4) for name, p in final.hypotheses.items()},
        "check": final.words,
    }
    lift, rise, motion = _lift(seen, reports), _rise(seen, reports), _motion(seen, reports)
    readings |= {**lift.readings, **rise.readings, **motion.readings}
    contact = _contact(seen, reports)
    readings["contact"] = None if contact is None else round(contact, 3)
    bare = final.hypotheses["covered"] * 100 <= seen.number("body.covered_max_pct")
    bare = bare and contact is not None and contact >= seen.number("body.contact_min")
    on_skin = final.state == ATTACHED and bare
    if _says_no(seen, final, points, closed_at, shown=on_skin and rise.state == PASSED):
        return failed(_no_limb(seen, _MOST_LIKELY["cold" if on_skin else _likely(final)]), **readings)
    if lift.state == PASSED and seen.lifts[-1].end == FOREVER:
        return missing("Let the tag down on the skin again, and say so.", **readings)
    for part in (lift, rise, motion):
        if part.state != PASSED:
            return Result(part.state, part.words, readings)
    if not on_skin:
        return missing(f"Not decided yet ({final.words}). Wait.", **readings)
    return passed(f"On a living limb: {final.words}", **readings)


def _no_limb(seen: Seen, likely: str) -> str:
    """What it is likelier to be, and what to do."""
    if seen.is_only_limb:
        return f"{likely} Not on a living limb: {seen.other_limb}."
    return f"{likely} Not on a living limb, do not leave, {seen.other_limb}."


def says_no(result: Result) -> bool:
    """Whether the step says that this is no living limb; the whole room is for this line."""
    return "Not on a living limb" in result.words


def _contact(seen: Seen, reports: Sequence[Report]) -> float | None:
    """The median of contact since the tag was let down; None before three readings."""
    down_at = max((lift.end for lift in seen.lifts), default=reports[0].at)
    told = [r.sample.proximity for r in reports if r.at >= down_at and r.sample.proximity is not None]
    return median(told) if len(told) >= _READINGS_MIN else None


def _likely(final: Judgement) -> str:
    """The hypothesis that says why not: of an attached tag, the cloth that may be between."""
    return "covered" if final.state == ATTACHED else max(final.hypotheses, key=lambda name: final.hypotheses[name])


def _says_no(seen: Seen, final: Judgement, points: Sequence[Judged], closed_at: Ms, *, shown: bool) -> bool:
    """Whether it has been decided against a limb: not while the tag is held off, nor until it was down for a while."""
    down_at = max([closed_at, *(lift.end for lift in seen.lifts)])
    if down_at > seen.now or points[-1].lifted:
        return False
    waited_ms = seen.now - down_at
    if final.state == DETACHED and waited_ms >= seen.ms("body.settle_s"):
        return True
    return not shown and waited_ms >= seen.ms("body.decide_s")


def _lift(seen: Seen, reports: Sequence[Report]) -> Result:
    """Clause 1."""
    if not seen.lifts:
        return missing("Lift the tag off the skin by a finger's breadth, hold it there, and say so.")
    lift = seen.lifts[-1]
    held = [r.sample.proximity for r in reports if lift.start <= r.at < lift.end and r.sample.proximity is not None]
    lowest = min(held, default=None)
    readings = {"lift_off_lowest_contact": lowest, "contact_no_below": NO_BELOW}
    if lowest is not None and lowest < NO_BELOW:
        return passed("The sensor said no contact while the tag was held off.", **readings)
    if (other := _another_lifted(seen, lift)) is not None:
        return failed(
            f"{other} was lifted, not {seen.visit.tag}: two tags are here. Scan the tag that is on the limb; if it is "
            "the wrong one, close this session as mistaken and open one for it.",
            **readings,
        )
    held_s = (min(lift.end, seen.now) - lift.start) / SECOND
    if held_s < seen.number("lift.wait_s"):
        ended = "" if lift.end == FOREVER else " It was held off too briefly: lift it again."
        return missing(f"Hold the tag off until the sensor says no contact ({held_s:.0f} s so far).{ended}", **readings)
    if not held:
        return failed("The tag tells no contact at all: it cannot be validated. Take another tag.", **readings)
    return failed(
        "The sensor says contact though the tag is held off: it is faulty, and proves nothing. Take another tag.",
        **readings,
    )


def _another_lifted(seen: Seen, lift: Lift) -> str | None:
    """A tag beside that went from contact to none in the lift, which the session's did not."""
    for tag in sorted(seen.heard.reports.keys() - {seen.visit.tag}):
        reports = seen.heard.of(tag)
        before = [r.sample.proximity for r in reports if r.at < lift.start and r.sample.proximity is not None]
        during = [
            r.sample.proximity for r in reports if lift.start <= r.at < lift.end and r.sample.proximity is not None
        ]
        if before and during and before[-1] >= NO_BELOW > min(during):
            return tag
    return None


def _rise(seen: Seen, reports: Sequence[Report]) -> Result:
    """Clause 2: from the coldest to the warmest after it, of medians of three readings: noise is no warmth."""
    told = [report.sample.skin_c for report in reports if report.sample.skin_c is not None]
    wanted = seen.number("body.rise_min_c")
    rise, coldest = 0.0, None
    for value in (median(told[i : i + 3]) for i in range(len(told) - 2)):
        coldest = value if coldest is None else min(coldest, value)
        rise = max(rise, value - coldest)
    readings = {"skin_c": told[-1] if told else None, "skin_rise_c": round(rise, 2)}
    if not told:
        return failed("The tag tells no skin temperature: it cannot be validated. Take another tag.", **readings)
    if rise >= wanted:
        return passed(f"The skin side warmed by {rise:.1f} degC.", **readings)
    return missing(
        f"The skin side has warmed by {rise:.1f} of {wanted:g} degC: wait. Where it was warm when you began, hold it "
        "off for two minutes and let it down again.",
        **readings,
    )


def _motion(seen: Seen, reports: Sequence[Report]) -> Result:
    """Clause 3: within a minute of the fitter's word that the wearer moves, with the tag down."""
    asked = [at for at, mark in seen.marks if mark.what == "moved" and at >= reports[0].at]
    readings: dict[str, object] = {"moves_asked": len(asked)}
    if not asked:
        return missing("Let the wearer walk on the spot, and say so.", **readings)
    within = seen.ms("body.motion_within_s")
    moved = [
        report.sample.motion
        for report in reports
        if report.sample.motion and any(at <= report.at <= at + within for at in asked)
        if not any(lift.start <= report.at < lift.end for lift in seen.lifts)
    ]
    readings["moved_mg"] = max(moved, default=0.0)
    if moved:
        return passed("The tag moved with the wearer.", **readings)
    if seen.now - asked[-1] < within:
        return missing("Let the wearer go on walking: no motion is heard yet.", **readings)
    return failed("No motion was heard while the wearer moved: is this the tag on the limb? Walk again.", **readings)
