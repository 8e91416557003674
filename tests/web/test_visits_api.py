"""The fitters' page for programs: a visit by `/api/v1/visits`, what may be sent twice, and who is answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from emcheck.domain.instants import parse_ms
from emcheck.service.published import published
from tests.web.centre import PASSWORD, Centre
from tests.web.doorstep import Doorstep, fitters, unfitted_centre

V1 = "/api/v1/visits"
OPENING = {"order_id": "O-1", "tag": "T-1", "unit": "BU-0001", "fitter_tag": "F-1"}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path, note="left leg prosthetic") as made:
        await fitters(made, "a.fitter", "b.fitter")
        await made.has("supervisor", "operator")
        yield made


async def program(it: Centre, name: str = "a.fitter") -> httpx.AsyncClient:
    token = (await it.visitor().post("/api/v1/session", json={"name": name, "password": PASSWORD})).json()["token"]
    return it.visitor(headers={"Authorization": f"Bearer {token}"})


class Visit:
    """One that was opened by a program."""

    def __init__(self, client: httpx.AsyncClient, session: str) -> None:
        self.client, self.path = client, f"{V1}/{session}"

    @classmethod
    async def of(cls, client: httpx.AsyncClient) -> "Visit":
        answer = await client.post(V1, json=OPENING)
        assert answer.status_code == 201, answer.text
        return cls(client, answer.json()["session"])

    async def says(self, type_: str, **fields: Any) -> httpx.Response:
        return await self.client.post(f"{self.path}/acts", json={"type": f"fitting_{type_}", **fields})


async def test_a_whole_visit_by_a_program(it: Centre) -> None:
    client, hallway = await program(it), Doorstep(it)
    listed = (await client.get(V1)).json()
    assert [(each["order_id"], each["why"]) for each in listed["wanted"]] == [("O-1", "overdue")]
    visit = await Visit.of(client)
    stands = (await client.get(visit.path)).json()
    assert (stands["limb_note"], stands["barred"], stands["next"]) == (
        "left leg prosthetic",
        ["left_ankle"],
        "identity",
    )
    assert len(stands["steps"]) == 13
    await visit.says("answer", step="identity", answer="yes", identifiers=["photo", "date of birth"])
    await visit.says("answer", step="limb", answer="yes", limb="right_ankle")
    for step in ("skin", "movement"):
        await visit.says("answer", step=step, answer="yes")
    await hallway.passes(3)
    await visit.says("answer", step="strap_gap", answer="yes", gap_mm=9)
    await visit.says("answer", step="slide_off", answer="yes")
    await hallway.passes(15)
    for what, seconds in (("lifted", 25), ("lowered", 5), ("moved", 120)):
        await visit.says("mark", what=what)
        await hallway.passes(seconds)
    await visit.says("answer", step="call", answer="yes")
    await visit.says("mark", what="room", room="hall")
    await hallway.passes(30)
    await visit.says("mark", what="walk_over")
    stands = (await client.get(visit.path)).json()
    [walk] = [each for each in stands["steps"] if each["step"] == "walk"]
    assert (walk["done"], walk["words"][:20]) == (False, "Only hall was walked")
    await visit.says("mark", what="walk_over", only_room=True)
    await hallway.passes(12)
    to_sign = (await client.get(f"{visit.path}/to-sign")).json()
    assert (to_sign.pop("state"), to_sign.pop("open")) == ("validated", [])
    close = {"outcome": "success", "key": "close-0001", **to_sign}
    close |= {"signatures": [{"role": "fitter", "name": "A"}, {"role": "wearer", "name": "W", "strokes": [[[1, 2]]]}]}
    for _ in range(2):  # a program that did not hear the answer asks again
        done = await visit.says("closed", **close)
        assert (done.status_code, done.json()["outcome"]) == (200, "success"), done.text
    record = (await client.get(f"{visit.path}/record")).json()
    assert [error.message for error in Draft202012Validator(published("fitting")).iter_errors(record)] == []
    assert record["range_dbm"] is not None
    assert (await client.get(f"{visit.path}/record.pdf")).content.startswith(b"%PDF")
    operator, session = await program(it, "operator"), visit.path.rpartition("/")[2]
    assert (await operator.get(f"/api/v1/wearers/W-1/fittings/{session}")).json() == record
    assert f'href="/wearers/W-1/fittings/{session}.pdf"' in (await operator.get("/wearers/W-1")).text
    assert (await operator.get(f"/wearers/W-1/fittings/{session}.pdf")).content.startswith(b"%PDF")
    assert [each["outcome"] for each in (await client.get(V1)).json()["over"]] == ["success"]


async def test_an_act_with_a_key_is_carried_out_once_at_the_time_it_was_done(it: Centre) -> None:
    client, hallway = await program(it), Doorstep(it)
    visit = await Visit.of(client)
    await hallway.passes(60)
    done_at = it.clock.now() - 40_000
    said = {"step": "limb", "answer": "yes", "limb": "right_ankle", "key": "phone-0001"}
    first = await visit.says("answer", **said, age_ms=40_000)
    again = await visit.says("answer", **said, age_ms=47_000)
    assert (first.status_code, again.status_code) == (200, 200)
    [session] = it.loop._visiting.open.values()
    [act] = [act for _, act in session.acts[1:]]
    assert getattr(act, "at", None) == done_at
    other = await visit.says("answer", **(said | {"limb": "right_wrist"}))
    assert (other.status_code, other.json()["errors"]) == (
        422, [{"pointer": "/key", "detail": "stands for another act of this session; take a new one"}],
    )  # fmt: skip


async def test_what_a_phone_tells_late_takes_no_newer_answers_place(it: Centre) -> None:
    client, hallway = await program(it), Doorstep(it)
    visit = await Visit.of(client)
    await hallway.passes(60)
    await visit.says("answer", step="limb", answer="yes", limb="right_ankle", key="new-phone-1")
    late = await visit.says("answer", step="limb", answer="no", reason="prosthesis", key="old-phone-1", age_ms=30_000)
    [limb] = [step for step in late.json()["steps"] if step["step"] == "limb"]
    assert limb["state"] == "passed"
    before = await visit.says("answer", step="skin", answer="yes", key="old-phone-2", age_ms=3_600_000)
    assert before.status_code == 422
    assert "is not in the visit" in before.json()["detail"]


async def test_bad_input_is_named(it: Centre) -> None:
    client = await program(it)
    visit = await Visit.of(client)
    for fields, pointer in (
        ({"step": "limb", "answer": "yes", "limb": "left_ankle"}, "/limb"),
        ({"step": "identity", "answer": "yes", "identifiers": ["photo"]}, "/identifiers"),
        ({"step": "strap_gap", "answer": "yes", "gap_mm": 900}, "/gap_mm"),
        ({"step": "skin", "answer": "cannot"}, "/reason"),
        ({"step": "moon", "answer": "yes"}, "/step"),
        ({"step": "skin", "answer": "yes", "tag": "T-9"}, "/tag"),
        ({"step": "skin", "answer": "yes", "age_ms": -1}, "/age_ms"),
    ):
        answer = await visit.says("answer", **fields)
        assert answer.status_code == 422, fields
        assert answer.headers["content-type"] == "application/problem+json"
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer], answer.text
    bad = await client.post(V1, json=OPENING | {"order_id": "O-9"})
    assert bad.status_code == 404
    wrong = await client.post(V1, json=OPENING | {"tag": "T-9"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/tag")
    long = await visit.says(
        "closed", outcome="success", signatures=[{"role": "fitter", "name": "A", "strokes": [[[9999, 1]]]}]
    )
    assert long.status_code == 422


async def test_nobody_else_is_answered_and_a_supervisor_gives_a_reason(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    other, supervisor, operator = (
        await program(it, "b.fitter"),
        await program(it, "supervisor"),
        await program(it, "operator"),
    )
    for path in ("", "/to-sign", "/record", "/record.pdf"):
        assert (await other.get(visit.path + path)).status_code == 404
        assert (await operator.get(visit.path + path)).status_code == 403
    assert (await other.post(f"{visit.path}/override", json={"reason": "mine"})).status_code == 403
    assert (await supervisor.get(visit.path)).json()["by"] == "a.fitter"
    assert (await supervisor.post(f"{visit.path}/override", json={"reason": " "})).status_code == 422
    stands = await supervisor.post(f"{visit.path}/override", json={"reason": "the court asks for it"})
    assert stands.json()["state"] == "overridden"
    assert [each["in_hand"] for each in (await other.get(V1)).json()["wanted"]] == ["a.fitter"]
    assert [each["order_id"] for each in (await other.get(V1, params={"words": "BU-0001"})).json()["wanted"]] == ["O-1"]
    assert (await other.get(V1, params={"words": "nothing"})).json()["wanted"] == []


async def test_openapi_describes_it(it: Centre) -> None:
    paths = (await it.visitor().get("/api/v1/openapi.json")).json()["paths"]
    mine = {path: each for path, each in paths.items() if path.startswith(V1)}
    assert set(mine) == {
        V1, f"{V1}/assignments/{{order_id}}", f"{V1}/{{session}}/photos", f"{V1}/{{session}}/photos/{{name}}",
        *(f"{V1}/{{session}}{path}" for path in ("", "/acts", "/override", "/to-sign", "/record", "/record.pdf")),
    }  # fmt: skip
    assert all(call["summary"] and call["description"] for each in mine.values() for call in each.values())


async def test_times_are_those_of_the_service(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    stands = (await visit.client.get(visit.path)).json()
    assert parse_ms(stands["opened_at"]) <= parse_ms(stands["as_of"]) < parse_ms(stands["until"])
