"""The steps of the validation protocol, as a table (domain.md, Fitting, 1 to 11)."""

from collections.abc import Callable
from typing import NamedTuple

from emcheck.domain.fitting import limb_check, site_checks
from emcheck.domain.fitting.limb_note import UNCLEAR, instead, read_note
from emcheck.domain.fitting.seen import CANNOT, Result, Seen, failed, missing, passed

ANSWER, TELEMETRY, BOTH = "answer", "telemetry", "answer and telemetry"


class Step(NamedTuple):
    """One step: what is asked of the fitter, by what evidence it passes, and what they read where it does not."""

    id: str
    clause: int
    title: str
    ask: str
    evidence: str
    passes: str
    may_cannot: bool
    otherwise: str
    """What to do where the fitter answers no; `{other}` is what is said of the other limb (`Seen.other_limb`)."""
    source: str
    judge: Callable[[Seen], Result]


def _answered(step: str, seen: Seen) -> Result | None:
    """What there is to say of an answer that is not yes; None where it is."""
    row, answer = BY_ID[step], seen.answers.get(step)
    if answer is None:
        return missing(row.ask)
    said, otherwise = answer.said, row.otherwise.replace("{other}", seen.other_limb)
    if said.answer == "cannot":
        if row.may_cannot:
            return Result(CANNOT, f"Could not be shown: {said.reason}", {})
        return failed(f"This step has to be seen ({said.reason}). {otherwise}")
    return None if said.answer == "yes" else failed(f"{otherwise}{f' ({said.reason})' if said.reason else ''}")


def _identity(seen: Seen) -> Result:
    if (open_ := _answered("identity", seen)) is not None:
        return open_
    by = seen.answers["identity"].said.identifiers
    return passed(f"Confirmed by {' and '.join(by)}.", identifiers=list(by))


def _limb(seen: Seen) -> Result:
    if (open_ := _answered("limb", seen)) is not None:
        return open_
    limb = seen.answers["limb"].said.limb or ""
    note = read_note(seen.note)
    if limb in note.barred:
        barred = f"The wearer's limb note bars the {limb.replace('_', ' ')}: {instead(seen.note, limb)}."
        return failed(barred, limb=limb)
    asks = f" {UNCLEAR}" if note.unclear else ""
    return passed(f"{limb.replace('_', ' ').capitalize()}; a natural limb, seen and felt.{asks}", limb=limb)


def _of_limb(step: str, seen: Seen) -> Result | None:
    """As `_answered`; an answer from before the limb was chosen is about another one."""
    if (open_ := _answered(step, seen)) is not None:
        return open_
    if seen.limb is None or seen.answers[step].at < seen.limb.at:
        return missing(f"{BY_ID[step].ask} (The answer was about another limb.)")
    return None


def _of_strap(step: str, seen: Seen) -> Result | None:
    """As `_of_limb`; an answer from before the strap was opened is about another closing."""
    if (open_ := _of_limb(step, seen)) is not None:
        return open_
    if seen.answers[step].at < seen.opened_at:
        return missing(f"{BY_ID[step].ask} (The strap was open since.)")
    return None


def _skin(seen: Seen) -> Result:
    return _of_limb("skin", seen) or passed("Bare skin: the sock is down, and there is no bandage.")


def _movement(seen: Seen) -> Result:
    return _of_limb("movement", seen) or passed("Ankle rotation and toe tap were seen.")


def _strap_gap(seen: Seen) -> Result:
    if (open_ := _of_strap("strap_gap", seen)) is not None:
        return open_
    gap, most = seen.answers["strap_gap"].said.gap_mm or 0.0, seen.number("strap.gap_max_mm")
    if gap > most:
        return failed(f"{gap:g} mm is too wide, at most {most:g}: next hole, and measure again.", gap_mm=gap)
    return passed(f"{gap:g} mm between strap and limb.", gap_mm=gap)


def _slide_off(seen: Seen) -> Result:
    return _of_strap("slide_off", seen) or passed("It does not slide over the heel.")


def _call(seen: Seen) -> Result:
    return _answered("call", seen) or passed("A call with the centre went through.")


def _fitter_tag(seen: Seen) -> Result:
    found = site_checks.fitter_tag(seen)
    answer = seen.answers.get("fitter_tag")
    if found.state != "passed" and answer is not None and answer.said.answer == "cannot":
        return Result(CANNOT, f"Could not be shown: {answer.said.reason}", found.readings)
    return found


_SOP = "Sentinel SOP 8.1-1: critical to avoid installing on a prosthetic leg"
_OURS = "emcheck domain model, Fitting"

STEPS: tuple[Step, ...] = (
    Step(
        "identity", 1, "Identity", "Confirm who it is by two identifiers, as photo and date of birth.", ANSWER,
        "two different identifiers", False, "Do not fit: who is this? Ask the centre.", _OURS, _identity,
    ),
    Step(
        "limb", 2, "Natural limb", "Which limb? See and feel that it is a natural one.", ANSWER,
        "a limb that the note does not bar, said to be natural", False,
        "Not a natural limb: {other}.", _OURS, _limb,
    ),
    Step(
        "skin", 2, "Bare skin", "Sock down, trouser up, no bandage: bare skin above the ankle bone?", ANSWER,
        "yes, since the limb was chosen", False, "Take the sock down; where there is a bandage, {other}.",
        _OURS, _skin,
    ),
    Step(
        "movement", 3, "Ankle and toes", "Let them turn the ankle and tap the toes: seen both?", ANSWER,
        "yes, since the limb was chosen", False, "Without both it may be a prosthesis: {other}.",
        _SOP, _movement,
    ),
    Step(
        "strap_gap", 4, "Strap gap", "Close the strap. How many mm between strap and limb?", ANSWER,
        "at most the policy's mm, since the strap was closed", False, "Next hole, and measure again.", _OURS,
        _strap_gap,
    ),
    Step(
        "slide_off", 4, "Slide-off", "Pull it down over the heel: does it stay on?", ANSWER,
        "yes, since the strap was closed", False, "It comes off: next hole, or a smaller strap.", _OURS, _slide_off,
    ),
    Step(
        "closed", 5, "Strap and case", "Strap closed, case closed: wait for a clean frame.", TELEMETRY,
        "closed, nothing latched, a clean frame within the policy's seconds", False,
        "Close strap and case.", _OURS, site_checks.closed,
    ),
    Step(
        "body", 6, "Living limb", "Lift the tag off and let it down again; let the wearer walk on the spot.", BOTH,
        "no contact while lifted, warming, motion, and attached by the body check (ADR 0022)", False,
        "Not on a living limb: {other}.", "Rochdale 2011, Washington DC 2016, Grays 2017; ADR 0022",
        limb_check.limb_check,
    ),
    Step(
        "unit", 7, "Base unit", "Plug it in, level, case closed: wait for what it says of itself.", TELEMETRY,
        "mains, battery, case, level, link", False, "Mend what is named.", _OURS, site_checks.unit,
    ),
    Step(
        "call", 7, "Call", "Call the centre from the unit: did it go through?", ANSWER, "yes", True,
        "Try once more; where the unit has no voice, answer cannot and say so.", _OURS, _call,
    ),
    Step(
        "walk", 8, "Walk test", "Walk every room where the wearer may be: name each as you enter it.", BOTH,
        "every room heard, none dead; one room only where there is no other", False, "Walk it again.",
        f"{_OURS}; emcheck/domain/walk.py", site_checks.walk,
    ),
    Step(
        "schedule", 9, "Curfew", "Wait until the unit acknowledges the curfew.", TELEMETRY,
        "its hash is that of the order", False, "Wait, or restart the unit.", _OURS, site_checks.schedule,
    ),
    Step(
        "fitter_tag", 10, "Fitter on site", "Your own tag is to be heard here.", TELEMETRY, "heard in the visit", True,
        "Bring it near the unit.", _OURS, _fitter_tag,
    ),
)  # fmt: skip
"""In the order of the protocol; 11, the signatures, is what closes the visit (`acts.CloseFitting`)."""
BY_ID: dict[str, Step] = {step.id: step for step in STEPS}
