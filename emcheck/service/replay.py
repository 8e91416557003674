"""Replay: a recorded stream judged as the live service would have judged it (P2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.policy import Policy
from emcheck.domain.register import AuthorisedAbsence, Register
from emcheck.service.intake import take
from emcheck.service.memory import EnvelopeMemory
from emcheck.service.stream import Line, StreamError


class _Authorised(TypedDict):
    order_id: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The findings at `until`, and what the stream held."""

    findings: list[Finding]
    engine: Engine
    until: Ms
    lines: int
    events: int


def replay(
    lines: Iterable[Line],
    register: Register,
    policy: Policy,
    *,
    until: Ms | None = None,
    name: str = "stream",
    on_line: Callable[[int], None] = lambda number: None,
) -> Replayed:
    """Judge the lines received up to `until` (the last line's instant where None). StreamError names a bad line."""
    memory = EnvelopeMemory()
    engine = Engine(register, policy, memory=memory)
    last, count, events = 0, 0, 0
    for line in lines:
        if until is not None and line.received_at > until:
            continue
        if line.received_at < last:
            raise StreamError(f"{name}: line {line.number}: received_at goes back in time; sort the stream by it")
        last, count = line.received_at, count + 1
        if line.kind == "up":
            taken = take(engine, line.topic, line.payload, line.received_at, retained=False, remember=memory.remember)
            events += taken.receipt.new if taken.receipt is not None else 0
        elif line.kind == "service":
            engine.service(line.payload, line.received_at)
        else:
            instruct(engine, line.payload, line.received_at, where=f"{name}: line {line.number}: instruction")
        on_line(line.number)
    judged_at = last if until is None else until
    return Replayed(engine.findings(judged_at), engine, judged_at, count, events)


def instruct(engine: Engine, instruction: object, at: Ms, *, where: str) -> None:
    """Carry out an instruction; StreamError names what is wrong with it."""
    if not isinstance(instruction, dict):
        raise StreamError(f"{where}: an instruction is a JSON object")
    kind = instruction.get("type")
    if kind != "authorised_absence":
        raise StreamError(f"{where}.type: {kind!r} is not known; authorised_absence is")
    body = {key: value for key, value in instruction.items() if key not in ("type", "order_id")}
    try:
        order = TypeAdapter(_Authorised).validate_python({"order_id": instruction.get("order_id")})
        engine.authorise(order["order_id"], AuthorisedAbsence.model_validate(body), at)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        path = ".".join(str(part) for part in problem["loc"])
        raise StreamError(f"{where}.{path}: {problem['msg'].removeprefix('Value error, ')}") from None
    except KeyError as error:
        raise StreamError(f"{where}.order_id: no order {error.args[0]!r} in the register") from None
