"""A fitter's session in a terminal, under way: what is said is posted, what is seen is read back, by a script or asked.

A script is a list of JSON objects (docs/formats.md, Answers): answers and marks as the acts have them, and beside
them `{"until": "closed", "within_s": 60}`, `{"wait_s": 5}`, `{"override": REASON, "by": NAME}` and
`{"close": OUTCOME, "wearer": NAME}`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from emcheck.cli.reading import bad_input
from emcheck.cli.showing import say
from emcheck.clock import Clock
from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.judging import is_done
from emcheck.domain.fitting.limb_check import says_no
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.fitting.seen import Result
from emcheck.domain.fitting.steps import BY_ID
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.service.mailing import post
from emcheck.service.sessions import Look, Looking
from emcheck.settings import Settings

LOOK_EVERY_MS = 500
_POST_WAIT_S = 15.0


class RefusedError(ValueError):
    """What was said is not taken; the message says why and what to do."""


@dataclass(slots=True)
class Talk:
    """One session, and how what happens in it is told: as lines for people or as JSON."""

    settings: Settings
    looking: Looking
    as_json: bool
    clock: Clock

    def tell(self, words: str, *, urgent: bool = False, **fields: Any) -> None:
        """A line for people, or an object for programs."""
        if self.as_json:
            typer.echo(
                json.dumps({"session": self.looking.session.visit.session, "words": words} | fields, ensure_ascii=False)
            )
        else:
            say(words, urgent=urgent)

    async def look(self) -> Look:
        """The session now."""
        return await self.looking.look(self.clock.now())

    async def says(self, kind: str, **fields: Any) -> None:
        """Post an act of the session; RefusedError."""
        visit = self.looking.session.visit
        said = {"type": kind, "session": visit.session, "by": visit.by}
        said |= {} if kind == "fitting_override" else {"tag": visit.tag}
        await say_to(self.settings, said | fields)

    async def until(self, step: str, within_s: float, showing: Callable[[str], None] = lambda words: None) -> Result:
        """Wait until a step is done, or the check says that this is no living limb, or the time is over."""
        end = self.clock.now() + round(within_s * 1000)
        while True:
            result = (await self.look()).standing.results[step]
            against = says_no(result)
            if is_done(step, result) or against or self.clock.now() >= end:
                return result
            showing(result.words)
            await self.clock.sleep_until(self.clock.now() + LOOK_EVERY_MS)

    async def until_lifted(self, within_s: float, showing: Callable[[str], None] = lambda words: None) -> bool:
        """Wait until the sensor has said no contact while the tag is held off."""
        end = self.clock.now() + round(within_s * 1000)
        while True:
            result = (await self.look()).standing.results["body"]
            lowest, below = (result.readings.get(k) for k in ("lift_off_lowest_contact", "contact_no_below"))
            if isinstance(lowest, float) and isinstance(below, float) and lowest < below:
                return True
            if self.clock.now() >= end:
                return False
            showing(result.words)
            await self.clock.sleep_until(self.clock.now() + LOOK_EVERY_MS)

    async def close(self, outcome: str, wearer: str | None = None, **fields: Any) -> None:
        """End the session; a success is signed over the record as it stands now."""
        said: dict[str, Any] = {"outcome": outcome} | {key: value for key, value in fields.items() if value is not None}
        if outcome == "success":
            await self.look()
            it = await self.looking.to_sign()
            at, walk = format_ms(self.clock.now()), it.results["walk"].readings
            names = {"fitter": self.looking.session.visit.by} | ({} if wearer is None else {"wearer": wearer})
            said |= {
                "as_of": format_ms(it.seen.now),
                "acts": len(it.seen.acts),
                "record_sha256": record_sha256(record(it)),
                "signatures": [{"role": role, "name": name, "at": at} for role, name in names.items()],
            }
            if walk.get("range_dbm") is not None:
                said.setdefault("range_dbm", walk["range_dbm"])
        await self.says("fitting_closed", **said)

    def told(self, look: Look) -> None:
        """Where it stands: each open step and what to do next."""
        if not self.as_json and look.standing.open_steps():
            say("Still to do:")
        for step in look.standing.open_steps():
            result = look.standing.results[step]
            urgent = says_no(result)
            self.tell(f"{BY_ID[step].title}: {result.words}", urgent=urgent, step=step, state=result.state)


async def say_to(settings: Settings, said: dict[str, Any]) -> None:
    """Post an instruction and wait until it is carried out; RefusedError."""
    try:
        parse_instruction(said)
    except InstructionError as error:
        raise RefusedError(str(error)) from None
    outcome = await post(settings, said, wait_s=_POST_WAIT_S)
    if outcome is None:
        raise RefusedError("no service took it: is `emcheck serve` running on this database? What was said is kept")
    if not outcome.startswith("done"):
        raise RefusedError(outcome.removeprefix("refused: "))


def read_script(text: str, name: str) -> list[dict[str, Any]]:
    """The items of a script: a JSON array, or one object a line; what is none is a line and exit code 2."""
    try:
        whole = json.loads(text) if text.lstrip().startswith("[") else None
        items = whole if whole is not None else [json.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        bad_input(f"{name}: not JSON: {error.msg} in line {error.lineno}; answers are a list of objects")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            bad_input(f"{name}: answer {number}: no JSON object; write it as in {{...}}")
        if not item.keys() & {"step", "what", "until", "wait_s", "override", "close"}:
            bad_input(f"{name}: answer {number}: has none of step, what, until, wait_s, override, close")
    return list(items)


async def play(talk: Talk, items: Sequence[dict[str, Any]], *, within_s: float) -> None:
    """A script, item by item; RefusedError names the item."""
    for number, item in enumerate(items, start=1):
        try:
            await _play_one(talk, item, within_s)
        except RefusedError as error:
            raise RefusedError(f"answer {number}: {error}") from None


async def _play_one(talk: Talk, item: dict[str, Any], within_s: float) -> None:
    if "step" in item:
        await talk.says("fitting_answer", **item)
        result = (await talk.look()).standing.results[item["step"]]
        talk.tell(f"{BY_ID[item['step']].title}: {result.words}", step=item["step"], state=result.state)
    elif "what" in item:
        await talk.says("fitting_mark", **item)
    elif "until" in item:
        await _wait(talk, item["until"], float(item.get("within_s", within_s)))
    elif "wait_s" in item:
        await talk.clock.sleep_until(talk.clock.now() + round(float(item["wait_s"]) * 1000))
    elif "override" in item:
        await talk.says("fitting_override", by=item.get("by", ""), reason=item["override"])
    else:
        fields = {key: item.get(key) for key in ("range_dbm", "left_on", "note")}
        await talk.close(item["close"], item.get("wearer"), **fields)


async def _wait(talk: Talk, step: str, within_s: float) -> None:
    if step == "lift":
        seen = await talk.until_lifted(within_s)
        words = "The sensor said no contact." if seen else (await talk.look()).standing.results["body"].words
        talk.tell(words, step="lift", state="passed" if seen else "missing")
        return
    if step not in BY_ID:
        raise RefusedError(f"until: no step {step!r}; there are lift, {', '.join(BY_ID)}")
    result = await talk.until(step, within_s)
    urgent = says_no(result)
    talk.tell(f"{BY_ID[step].title}: {result.words}", urgent=urgent, step=step, state=result.state)
