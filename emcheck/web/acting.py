"""An operator's act on its way: posted as an instruction, carried out by the decision loop, answered by the outcome.

It names the revision that was looked at; where somebody else acted since, nothing is done and it is said who and when.
"""

import asyncio
import json
from typing import Any, NamedTuple

from emcheck.domain.alerts import Alert
from emcheck.domain.instructions import InstructionError, parse_instruction
from emcheck.ports import AlertChange
from emcheck.service.taking_back import acts_of_people
from emcheck.web.parts import Parts
from emcheck.web.problems import Problem
from emcheck.web.signing_in import Who

_LOOK_EVERY_S = 0.02


class Done(NamedTuple):
    """It was carried out; the alert as it stands now."""

    alert: Alert


class Late(NamedTuple):
    """Somebody was first: `by` is what they did. Nothing was changed."""

    alert: Alert
    by: AlertChange


class Wrong(NamedTuple):
    """It cannot be carried out: `field` of the form, what is wrong and what would be right."""

    field: str
    problem: str


async def act(parts: Parts, who: Who, alert_id: str, said: dict[str, Any]) -> Done | Late | Wrong:
    """Do it in somebody's name; Problem where the decision loop does not answer in time."""
    seen = said.get("seen_revision")
    raw = {"type": "alert", "alert_id": alert_id, **said, "by": who.name}
    try:
        parse_instruction(raw)
    except InstructionError as error:
        return Wrong(error.path, error.problem)
    number = await parts.desk.post(json.dumps(raw, ensure_ascii=False).encode(), parts.clock.now())
    parts.posted()
    outcome = await _outcome(parts, number)
    alert = await alert_named(parts, alert_id)
    if outcome.startswith("done"):
        return Done(alert)
    if isinstance(seen, int):
        later = acts_of_people(await parts.desk.alert_history(alert_id), after=seen)
        if later:
            return Late(alert, later[-1])
    field, _, problem = outcome.removeprefix("refused: ").partition(": ")
    return Wrong(field, problem) if problem else Wrong("", field)


async def _outcome(parts: Parts, number: int) -> str:
    async def answered() -> str:
        while (outcome := await parts.desk.outcome(number)) is None:
            await asyncio.sleep(_LOOK_EVERY_S)
        return outcome

    try:
        return await asyncio.wait_for(answered(), parts.wait_s)
    except TimeoutError:
        raise Problem(
            504,
            "It is kept and will be done, but the service has not answered yet. Look at the alert again in a moment.",
        ) from None


async def alert_named(parts: Parts, alert_id: str) -> Alert:
    """The alert of an id; Problem where there is none."""
    found = await parts.desk.alerts_named([alert_id])
    if not found:
        raise Problem(404, f"There is no alert {alert_id[:40]}.")
    return found[0]
