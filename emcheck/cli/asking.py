"""A fitter's session asked step by step in a terminal, with what is seen meanwhile."""

from typing import Any, cast

import typer

from emcheck.cli.showing import for_people, say
from emcheck.cli.visit import RefusedError, Talk
from emcheck.domain.fitting.acts import LIMBS, MOST_GAP_MM
from emcheck.domain.fitting.judging import VALIDATED, is_done
from emcheck.domain.fitting.limb_check import says_no
from emcheck.domain.fitting.outcomes import OUTCOMES
from emcheck.domain.fitting.steps import ANSWER, BY_ID, STEPS, Step

_WAITING = "Waiting for what is heard; Ctrl-C stops, and the session stays open."
_ENDINGS = tuple(outcome for outcome in OUTCOMES if outcome not in ("success", "lapsed"))


class _Leaves(Exception):
    """The fitter ends the visit, or goes on later."""


async def ask(talk: Talk, *, wait_s: float) -> None:
    """Ask for every step that is open until all are done or the fitter leaves; then sign."""
    try:
        while (open_ := (await talk.look()).standing.open_steps()) and talk.looking.session.closed is None:
            await _one(talk, BY_ID[open_[0]], wait_s)
        if talk.looking.session.closed is None:
            await _sign(talk)
    except _Leaves:
        return


async def _one(talk: Talk, step: Step, wait_s: float) -> None:
    number = STEPS.index(step) + 1
    say(f"\n{number} of {len(STEPS)}  {step.title}")
    if step.id == "body":
        await _body(talk, wait_s)
    elif step.id == "walk":
        await _walk(talk)
    elif step.evidence == ANSWER:
        await _answer(talk, step)
    else:
        await _telemetry(talk, step, wait_s)


async def _answer(talk: Talk, step: Step) -> None:
    answer, fields = await _said(talk, step)
    if answer == "yes" and step.id == "identity":
        fields["identifiers"] = [await _typed(talk, f"  {which} identifier") for which in ("first", "second")]
    if answer == "yes" and step.id == "limb" and "limb" not in fields:
        fields["limb"] = await _chosen(talk, "  which limb", (*LIMBS, "leave"))
    while answer == "yes" and step.id == "strap_gap" and "gap_mm" not in fields:
        fields |= _gap(await _typed(talk, "  gap in mm"))
    if answer != "yes":
        fields["reason"] = await _typed(talk, "  why")
    try:
        await talk.says("fitting_answer", step=step.id, answer=answer, **fields)
    except RefusedError as error:
        say(f"  {error}", urgent=True)
        return
    result = (await talk.look()).standing.results[step.id]
    say(f"  {result.words}", urgent=not is_done(step.id, result))
    if not is_done(step.id, result) and _choice("  again", ("yes", "leave")) == "leave":
        await _leave(talk)


async def _said(talk: Talk, step: Step) -> tuple[str, dict[str, Any]]:
    """The answer to a step, and what was told with it: a limb or a number of mm is a yes."""
    words = f"{step.ask} A number, or one of" if step.id == "strap_gap" else step.ask
    allowed = (*(LIMBS if step.id == "limb" else ()), "yes", "no", "cannot", "leave")
    while True:
        said = await _typed(talk, f"{words} ({', '.join(allowed)})")
        if step.id == "strap_gap" and said[:1] in "0123456789-+.":
            if fields := _gap(said):
                return "yes", fields
        elif (found := _one_of(said, allowed)) in LIMBS:
            return "yes", {"limb": found}
        elif found == "leave":
            await _leave(talk)
        elif found is not None:
            return found, {}


def _gap(said: str) -> dict[str, Any]:
    """A strap gap that was typed; nothing, and a line, where it is none."""
    try:
        gap = float(said.lower().removesuffix("mm").strip().replace(",", "."))
    except ValueError:
        gap = -1.0
    if 0 <= gap <= MOST_GAP_MM:
        return {"gap_mm": gap}
    say(f"  {said!r} is no gap between 0 and {MOST_GAP_MM} mm; measure it in mm")
    return {}


async def _typed(talk: Talk, words: str, default: str | None = None) -> str:
    """What is typed at a prompt; `leave` leaves at each of them."""
    said = str(typer.prompt(words, default=default, show_default=bool(default))).strip()
    if said.lower() == "leave":
        await _leave(talk)
    return said


async def _chosen(talk: Talk, words: str, allowed: tuple[str, ...]) -> str:
    """One of some words, never assumed, with `leave` among them."""
    if (answer := _choice(words, allowed, assumed=False)) == "leave":
        await _leave(talk)
    return answer


async def _telemetry(talk: Talk, step: Step, wait_s: float) -> None:
    result = await _watching(talk, step.id, wait_s)
    say(f"  {result.words}", urgent=not is_done(step.id, result))
    if is_done(step.id, result):
        return
    allowed = ("wait", "cannot", "leave") if step.may_cannot else ("wait", "leave")
    answer = _choice("  go on", allowed)
    if answer == "leave":
        await _leave(talk)
    if answer == "cannot":
        await talk.says("fitting_answer", step=step.id, answer="cannot", reason=await _typed(talk, "  why"))


async def _watching(talk: Talk, step: str, wait_s: float) -> Any:
    """Wait for a step with its words as they change, in one line where there is a terminal."""
    say(f"  {_WAITING}")
    if not for_people():
        return await talk.until(step, wait_s)
    from rich.console import Console

    with Console().status(BY_ID[step].ask) as status:
        return await talk.until(step, wait_s, status.update)


async def _body(talk: Talk, wait_s: float) -> None:
    """Lift off, down again, walk on the spot, and wait for the check."""
    await _typed(talk, "Lift the tag off the skin and hold it; Enter when it is off", "")
    await talk.says("fitting_mark", what="lifted")
    say(f"  {_WAITING}")
    seen = await talk.until_lifted(wait_s)
    say("  The sensor said no contact." if seen else f"  {(await talk.look()).standing.results['body'].words}")
    await _typed(talk, "Let it down on the skin again; Enter when it is down", "")
    await talk.says("fitting_mark", what="lowered")
    await _typed(talk, "Let the wearer walk on the spot; Enter when they do", "")
    await talk.says("fitting_mark", what="moved")
    result = await _watching(talk, "body", wait_s)
    say(f"  {result.words}", urgent=not is_done("body", result))
    if is_done("body", result):
        return
    if (await talk.look()).standing.seen.is_only_limb:
        allowed: tuple[str, ...] = ("again", "leave")
    else:
        allowed = ("other limb", "again", "leave") if says_no(result) else ("again", "other limb", "leave")
    answer = _choice("  go on", allowed)
    if answer == "leave":
        await _leave(talk)
    if answer == "other limb":
        await _answer(talk, BY_ID["limb"])


async def _walk(talk: Talk) -> None:
    say("Name each room as you enter it and walk it for half a minute; an empty name ends the walk.")
    while room := await _typed(talk, "  room", ""):
        await talk.says("fitting_mark", what="room", room=room)
    await talk.says("fitting_mark", what="walk_over", **await _only_room(talk))
    result = (await talk.look()).standing.results["walk"]
    for each in cast("list[dict[str, Any]]", result.readings.get("rooms", [])):
        mark = "dead" if each["dead"] else "weak" if each["weak"] else "heard"
        lowest = "-" if each["lowest_dbm"] is None else f"{each['lowest_dbm']:.0f} dBm"
        say(f"  {each['room']}: lowest {lowest}, chance of a false absence {each['false_absence']:.3%}: {mark}")
    say(f"  {result.words}", urgent=not is_done("walk", result))
    if not is_done("walk", result) and _choice("  walk again", ("yes", "leave")) == "leave":
        await _leave(talk)


async def _only_room(talk: Talk) -> dict[str, Any]:
    """What is to be said where one room was walked."""
    rooms = {mark.room for _, mark in (await talk.look()).standing.seen.marks if mark.room is not None}
    if len(rooms) != 1:
        return {}
    only = _choice(f"  Is {rooms.pop()} the only room", ("yes", "no"), assumed=False) == "yes"
    return {"only_room": True} if only else {}


async def _leave(talk: Talk) -> None:
    """The visit ends otherwise than by a success, or goes on later; what stands in the register is never assumed."""
    outcome = _choice("How does the visit end", (*_ENDINGS, "later"), assumed=False)
    if outcome != "later":
        left_on = (
            outcome == "cannot_validate" and _choice("Does the tag stay on", ("no", "yes"), assumed=False) == "yes"
        )
        if outcome == "mistaken":
            note = typer.prompt("What was wrong (the number of the tag, the order)")
        else:
            note = typer.prompt("Note", default="-")
        await talk.close(outcome, left_on=left_on or None, note=note)
    raise _Leaves


async def _sign(talk: Talk) -> None:
    state = (await talk.look()).standing.state
    say("\nEvery step is done." if state == VALIDATED else "\nA supervisor let it stand.")
    say(f"Signed by the fitter: {talk.looking.session.visit.by}")
    wearer = await _typed(talk, "Signed by the wearer (name)")
    try:
        await talk.close("success", wearer)
    except RefusedError as error:
        say(str(error), urgent=True)


def _choice(words: str, allowed: tuple[str, ...], *, assumed: bool = True) -> str:
    """One of some words, asked again until it is; Enter is the first, but never where something is to be seen."""
    default = allowed[0] if assumed else None
    while True:
        said = str(typer.prompt(f"{words} ({', '.join(allowed)})", default=default)).strip().lower()
        if (found := _one_of(said, allowed)) is not None:
            return found


def _one_of(said: str, allowed: tuple[str, ...]) -> str | None:
    """The word that is meant, or how it begins; None, and a line, where it is none."""
    said = "_".join(said.lower().split()) if "_" in "".join(allowed) else said.lower()
    found = [word for word in allowed if said and word.startswith(said)]
    if said in allowed or len(found) == 1:
        return said if said in allowed else found[0]
    say(f"  {said!r} is none of {', '.join(allowed)}")
    return None
