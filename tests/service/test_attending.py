"""What operators do about alerts: the life cycle, leases and shelves that run out, over restarts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.alerts import Act, Alert, AlertState, IllegalAct, acted, next_state
from emcheck.domain.ids import AlertId, RuleId
from emcheck.domain.instants import DAY, MINUTE, format_ms
from emcheck.domain.policy import Policy
from emcheck.ports import Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.pipeline import Pipeline
from emcheck.store.sql import SqlStore
from tests.air import Air
from tests.support import UnitStory, at, lines, nobody_called, register

LEASE = 30 * MINUTE


class Desk:
    """A decision loop whose clock the test moves, with the alert of a strap that was cut at 18:40."""

    def __init__(self, database: Path, policy: Policy | None = None) -> None:
        self.database = database
        self.policy = policy or nobody_called()

    async def open(self, now: int) -> "Desk":
        self.store = SqlStore(f"sqlite:///{self.database}")
        await self.store.open()
        if await self.store.register() is None:
            await load_register(self.store, register(), now)
        self.loop = Pipeline(
            self.store, self.policy, Acknowledger(self.store, Air()),
            published=lambda alert, action, note: json.dumps([action, alert.revision, note]).encode(),
            on_alerts=lambda: None, checkpoint_every_ms=DAY,
        )  # fmt: skip
        await self.loop.recover(now)
        return self

    async def close(self) -> None:
        await self.store.close()

    async def strap(self) -> AlertId:
        told = UnitStory().boots(at("18:30")).hears(at("18:30"))
        told.tell(at("18:40"), "tag_tamper", tag="T-1", kind="strap_cut")
        for line in lines(told):
            await self.loop.tick(line.received_at - 1)
            await self.loop.receive([Message(line.topic, line.payload, False, line.received_at)])
        return next(a.alert_id for a in await self.store.alerts(open_only=True) if a.rule == "tag.strap")

    async def does(self, now: int, **act: Any) -> str | None:
        number = await self.store.post(json.dumps({"type": "alert", "by": "op-1", **act}).encode(), now)
        await self.loop.instruct(await self.store.letters(), now)
        return await self.store.outcome(number)

    async def stands(self, alert: AlertId) -> tuple[str, int | None]:
        [found] = [a for a in await self.store.alerts(open_only=False) if a.alert_id == alert]
        return str(found.state), found.lease_until

    async def told(self, alert: AlertId) -> list[tuple[str, str, str, str]]:
        return [(format_ms(c.at)[11:16], c.action, c.by, c.note) for c in await self.store.alert_history(alert)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await Desk(tmp_path / "em.db").open(at("18:20"))
    yield opened
    await opened.close()


async def test_an_acknowledgement_is_a_lease_that_returns_the_alert_unless_something_follows(desk: Desk) -> None:
    strap = await desk.strap()
    assert await desk.does(at("18:50"), alert_id=strap, act="acknowledge") == "done"
    assert await desk.stands(strap) == ("acknowledged", at("18:50") + LEASE)
    assert desk.loop.wake_at() <= at("19:20")
    await desk.loop.tick(at("19:20") - 1)
    assert (await desk.stands(strap))[0] == "acknowledged"
    await desk.loop.tick(at("19:20"))
    assert await desk.stands(strap) == ("returned_unacknowledged", None)
    assert await desk.told(strap) == [
        ("18:40", "raised", "emcheck", ""),
        ("18:50", "acknowledged", "op-1", ""),
        ("19:20", "returned", "emcheck", "acknowledged, and nothing followed"),
    ]


async def test_a_confirmation_ends_the_lease_and_a_disposition_closes_for_good(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:50"), alert_id=strap, act="acknowledge")
    assert await desk.does(at("18:55"), alert_id=strap, act="confirm", note="called, no answer") == "done"
    await desk.loop.tick(at("22:00"))
    assert await desk.stands(strap) == ("acknowledged", None)
    closed = {"act": "close", "disposition": "test_or_visit", "note": "fitter was there"}
    assert await desk.does(at("22:01"), alert_id=strap, **closed) == "done"
    assert await desk.stands(strap) == ("closed", None)
    refused = await desk.does(at("22:02"), alert_id=strap, act="acknowledge")
    assert refused == "refused: act: an alert that is closed cannot acknowledge; it can note"
    owed = [
        json.loads(item.body)[:2] for item in await desk.store.outbox_after("mqtt", limit=99) if item.alert_id == strap
    ]
    assert owed == [["raised", 1], ["acknowledged", 2], ["confirmed", 3], ["closed", 4]]


async def test_a_lease_and_a_shelf_run_out_over_a_restart_too(desk: Desk) -> None:
    strap = await desk.strap()
    shelved = {"act": "shelve", "until": "2026-03-24T21:00:00Z"}
    assert await desk.does(at("18:50"), alert_id=strap, **shelved) == "done"
    await desk.close()
    again = await Desk(desk.database).open(at("20:00"))
    assert await again.stands(strap) == ("shelved", at("21:00"))
    await again.close()
    late = await Desk(desk.database).open(at("23:00"))
    await late.loop.tick(at("23:00"))
    assert (await late.told(strap))[-1] == ("21:00", "returned", "emcheck", "its time on the shelf is over")
    await late.close()
    await desk.open(at("23:30"))


async def test_only_what_an_instruction_did_is_told_as_its_doing(desk: Desk) -> None:
    """Not what was due before it, nor what comes after one that was refused."""
    await desk.does(at("18:25"), alert_id="AL-NONE", act="acknowledge")
    strap = await desk.strap()
    assert await desk.told(strap) == [("18:40", "raised", "emcheck", "")]
    away = UnitStory()
    away.seq = 3
    away.loses(at("18:58"), last_heard=at("18:58")).beats(at("18:59"), at("19:05"), tags={"T-1": "out"})
    for line in lines(away):
        await desk.loop.receive([Message(line.topic, line.payload, False, line.received_at)])
    ends = {"type": "order_end", "order_id": "O-1", "ends_at": "2026-03-24T19:04:00Z", "by": "the court"}
    await desk.store.post(json.dumps(ends).encode(), 0)
    await desk.loop.instruct(await desk.store.letters(), at("19:06"))
    [absence] = [a for a in await desk.store.alerts(open_only=False) if a.rule == "curfew.absence"]
    assert await desk.told(absence.alert_id) == [
        ("19:05", "raised", "emcheck", ""),
        (
            "19:06",
            "withdrawn",
            "emcheck",
            "by instruction: order end of O-1, at 2026-03-24T19:04:00.000Z, said the court",
        ),
    ]


async def test_a_letter_that_cannot_be_read_is_refused_and_stops_nothing(desk: Desk) -> None:
    for body in (b"[" * 100_000, b"\xff", b"7", b"null", b'{"type":[]}'):
        number = await desk.store.post(body, 0)
        await desk.loop.instruct(await desk.store.letters(), at("18:50"))
        outcome = await desk.store.outcome(number)
        assert outcome is not None
        assert outcome.startswith("refused: ")


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ({"alert_id": "AL-NONE", "act": "acknowledge"}, "refused: alert_id: no alert 'AL-NONE'"),
        ({"act": "shelve"}, "refused: until: missing; say until when"),
        ({"act": "shelve", "until": "2026-03-24T18:00:00Z"}, "refused: until: the shelf would be over before"),
        ({"act": "close"}, "refused: disposition: missing; say why it is closed: authorised_absence, "),
        ({"act": "close", "disposition": "because"}, "refused: disposition: 'because' is none of 'authorised_absence'"),
        ({"act": "acknowledge", "until": "2026-03-24T20:00:00Z"}, "refused: until: only a shelf has one; leave it out"),
        ({"act": "acknowledge", "disposition": "false"}, "refused: disposition: only a closed alert has one; leave it"),
        (
            {"act": "confirm"},
            "refused: act: an alert that is unacknowledged cannot confirm; it can acknowledge, ",
        ),
        ({"act": "forget"}, "refused: act: "),
        ({"act": "acknowledge", "by": " "}, "refused: by: "),
    ],
)
async def test_what_is_not_allowed_is_refused_in_words_and_nothing_is_done(
    desk: Desk, act: dict[str, Any], problem: str
) -> None:
    strap = await desk.strap()
    before = await desk.told(strap)
    outcome = await desk.does(at("18:50"), **{"alert_id": strap, **act})
    assert outcome is not None
    assert outcome.startswith(problem)
    assert await desk.told(strap) == before


def test_every_act_gives_the_state_that_the_table_says() -> None:
    for state in AlertState:
        alert = Alert(
            alert_id=AlertId("AL-1"), rule=RuleId("tag.strap"), subject="W-1", priority="P1", state=state,
            happened_at=0, raised_at=0,
        )  # fmt: skip
        for act in Act:
            try:
                after = acted(alert, act, at=5, lease_ms=10, until=7)
            except IllegalAct:
                continue
            assert after.state is next_state(state, act)
            assert after.revision == 2
            assert after.lease_until == {Act.ACKNOWLEDGE: 15, Act.SHELVE: 7}.get(act)
