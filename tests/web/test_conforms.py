"""The API against its own OpenAPI document, by schemathesis: no 5xx, and every answer as it is described.

Over the loopback, for a role that may and, where ids are asked for, with ids that exist, too. The seed is fixed.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from emcheck.ports import Message
from tests.support import lines
from tests.web.centre import QUICK, Centre, online, urgent

V1 = "/api/v1"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 12
ROLES = {f"{V1}/accounts": "administrator", f"{V1}/me/cases": "officer", f"{V1}/me/alerts": "officer"}
"""Who may ask for what a supervisor may not."""
Token = Callable[[str], str]
Operation = APIOperation[Any, Any, Any, Any]


def operations(document: dict[str, Any], address: str) -> Iterator[Operation]:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=address)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        yield result.ok()


def may_be_wrong(operation: Operation) -> bool:
    """Whether anything is asked for that could be of a wrong kind."""
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


def tried(operation: Operation, token: Token, known: dict[str, str], kind: GenerationMode) -> Counter[int]:
    """How often each status answered cases of an operation; every answer conforms."""
    answered: Counter[int] = Counter()
    role = ROLES.get(operation.path, "supervisor")

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=kind))
    def conforms(case: Any) -> None:
        for ids in ({}, known) if case.path_parameters else ({},):
            case.path_parameters.update({key: ids.get(key, value) for key, value in case.path_parameters.items()})
            answer = case.call(headers={"Authorization": f"Bearer {token(role)}"}, timeout=20)
            case.validate_response(answer, checks=CHECKS)
            answered[answer.status_code] += 1

    conforms()
    return answered


@pytest.mark.parametrize("kind", GenerationMode)
async def test_every_answer_is_as_the_document_says(it: Centre, kind: GenerationMode) -> None:
    await it.has()
    strap = await it.night()
    await it.raises(urgent())
    told = lines(it.unit.beats(it.clock.now(), it.clock.now()))
    it.parts.signing_in._hasher = QUICK
    loop = asyncio.get_running_loop()
    await it.loop.receive([Message(line.topic, b"no envelope", False, it.clock.now()) for line in told])
    known = {"alert_id": strap.alert_id, "wearer_id": "W-1", "unit": "BU-0001", "number": "1"}

    def token(role: str) -> str:
        return asyncio.run_coroutine_threadsafe(it.parts.signing_in.begin(role, "192.0.2.9"), loop).result(20)

    def all_of(address: str) -> dict[str, Counter[int]]:
        return {
            each.label: tried(each, token, known, kind)
            for each in operations(it.app.openapi(), address)
            if kind is GenerationMode.POSITIVE or may_be_wrong(each)
        }

    async with online(it) as address:
        answered = await asyncio.to_thread(all_of, address)
    assert len(answered) >= 10
    statuses = sum(answered.values(), Counter[int]())
    assert statuses.total() > 100
    assert statuses[422 if kind is GenerationMode.NEGATIVE else 200] > 50
    silent = {label for label, found in answered.items() if not any(status < 300 for status in found)}
    named = {label: set(re.findall(r"{(\w+)}", label)) for label in answered if label.startswith("GET ")}
    readable = {label for label, names in named.items() if names <= set(known)}
    assert kind is GenerationMode.NEGATIVE or not silent & readable


async def test_the_document_names_what_can_go_wrong_and_how_one_is_known(it: Centre) -> None:
    document = (await it.visitor().get(f"{V1}/openapi.json")).json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            answers = operation["responses"]
            assert set(answers["422"]["content"]) == {"application/problem+json"}, path
            is_open = (method, path) == ("post", f"{V1}/session")
            assert ("security" in operation) is not is_open, path
            assert is_open or {"401", "403", "404"} <= set(answers), path


async def test_what_is_refused_unread_is_a_problem_for_programs(it: Centre) -> None:
    for path, kind in ((f"{V1}/session", "application/problem+json"), ("/sign-in", "text/plain; charset=utf-8")):
        answer = await it.visitor().post(path, content=b"x" * 70_000)
        assert (answer.status_code, answer.headers["content-type"]) == (413, kind)
