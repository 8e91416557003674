"""Operators' acts on their way: posted as instructions, carried out by the decision loop, answered by the outcomes.

Each names the revision that was looked at; where somebody else acted since, nothing is done and it is said who and
when. Of many at once each is an instruction of its own, and each is answered for itself.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from emcheck.domain.alerts import Alert
from emcheck.domain.instructions import InstructionError, parse_instruction
from emcheck.domain.rights import Right, may
from emcheck.ports import AlertChange
from emcheck.service.taking_back import acts_of_people
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem

_LOOK_EVERY_S = 0.02
_PAGE = 500
"""Alerts that the store is asked of at once."""


class Seen(NamedTuple):
    """An alert as somebody looked at it; the revision 0 is none, and is refused."""

    alert_id: str
    revision: int


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


Outcome = Done | Late | Wrong


async def act(parts: Parts, who: Who, alert_id: str, said: dict[str, Any]) -> Outcome:
    """Do it in somebody's name; Problem where the decision loop does not answer in time."""
    [outcome] = await act_on_all(parts, who, [Seen(alert_id, said.pop("seen_revision"))], said)
    return outcome


async def act_on_all(parts: Parts, who: Who, seen: Sequence[Seen], said: dict[str, Any]) -> list[Outcome]:
    """The same act on each, in their order; where it is wrong in itself it is posted for none."""
    raw = {"type": "alert", **said, "by": who.name}
    letters = [raw | {"alert_id": each.alert_id, "seen_revision": each.revision} for each in seen]
    try:
        for letter in letters:
            parse_instruction(letter)
    except InstructionError as error:
        return [Wrong(error.path, error.problem)] * len(letters)
    if said["act"] == "hand_over" and said["to"] not in (names := await operators(parts)):
        return [Wrong("to", f"nobody of that name acts on alerts; there are {', '.join(names)}")] * len(letters)
    now = parts.clock.now()
    numbers = [await parts.desk.post(json.dumps(each, ensure_ascii=False).encode(), now) for each in letters]
    parts.posted()
    outcomes = await _outcomes(parts, numbers)
    stand = await _standing(parts, [each.alert_id for each in seen])
    return [
        await _found(parts, each, outcome, stand.get(each.alert_id))
        for each, outcome in zip(seen, outcomes, strict=True)
    ]


async def _found(parts: Parts, seen: Seen, outcome: str, alert: Alert | None) -> Outcome:
    if alert is None:
        return Wrong("", f"There is no alert {seen.alert_id[:40]}.")
    if outcome.startswith("done"):
        return Done(alert)
    refused = wrong(outcome)
    if refused.field == "seen_revision":
        later = acts_of_people(await parts.desk.alert_history(seen.alert_id), after=seen.revision)
        return Late(alert, later[-1])
    return refused


def wrong(outcome: str) -> Wrong:
    """What the decision loop refused, by its field."""
    field, _, problem = outcome.removeprefix("refused: ").partition(": ")
    return Wrong(field, problem) if problem else Wrong("", field)


_CHOOSE = {"disposition": "Choose why it is closed.", "to": "Choose who is to have it."}


def for_people(refused: Wrong) -> Wrong:
    """The same where somebody chose nothing in a form, without the codes that programs choose from."""
    is_missing = refused.problem.startswith("missing;") and refused.field in _CHOOSE
    return Wrong(refused.field, _CHOOSE[refused.field]) if is_missing else refused


async def carried_out(parts: Parts, raw: dict[str, Any]) -> str:
    """Post any instruction; what became of it. Problem where the decision loop does not answer in time."""
    number = await parts.desk.post(json.dumps(raw, ensure_ascii=False).encode(), parts.clock.now())
    parts.posted()
    [outcome] = await _outcomes(parts, [number])
    return outcome


async def _outcomes(parts: Parts, numbers: Sequence[int]) -> list[str]:
    async def answered(number: int) -> str:
        while (outcome := await parts.desk.outcome(number)) is None:
            await asyncio.sleep(_LOOK_EVERY_S)
        return outcome

    try:
        async with asyncio.timeout(parts.wait_s):
            return [await answered(number) for number in numbers[::-1]][::-1]  # they are taken in order
    except TimeoutError:
        raise Problem(
            504,
            "It is kept and will be done, but the service has not answered yet. Look again in a moment.",
        ) from None


async def _standing(parts: Parts, names: Sequence[str]) -> dict[str, Alert]:
    pages = [await parts.desk.alerts_named(names[first : first + _PAGE]) for first in range(0, len(names), _PAGE)]
    return {alert.alert_id: alert for page in pages for alert in page}


async def operators(parts: Parts) -> list[str]:
    """Who may have an alert: accounts that act on alerts and are not disabled, by name."""
    return [
        each.name
        for each in await parts.desk.accounts()
        if may(each.role, Right.ACT) and each.disabled_at is None and each.password is not None
    ]


async def alert_named(parts: Parts, alert_id: str) -> Alert:
    """The alert of an id; Problem where there is none."""
    found = await parts.desk.alerts_named([alert_id])
    if not found:
        raise Problem(404, f"There is no alert {alert_id[:40]}.")
    return found[0]
