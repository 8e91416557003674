"""The auditor: finds what should have happened and did not, says so once, and takes it back when it is mended."""

import ast
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from emcheck.clock import VirtualClock
from emcheck.domain import auditing, deadlines
from emcheck.domain.auditing import Difference
from emcheck.domain.escalation import Plan
from emcheck.domain.ids import AlertId
from emcheck.domain.instants import MINUTE
from emcheck.domain.policies import Line
from emcheck.ports import Delivery
from emcheck.service.auditing import Auditor, audit
from emcheck.service.replay import replay
from tests.service.test_attending import Desk
from tests.service.test_recovery import as_lines
from tests.support import at, england, register


class Audited:
    """A desk with an auditor; the test moves both."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = VirtualClock(at("18:20"))
        self.nobody_has: AlertId | None = None
        self.auditor = self.anew()

    def anew(self) -> Auditor:
        return Auditor(
            self.desk.store, lambda: Line(england()), self.clock, publishers=[], contacts={}, every_s=60.0,
            up_since=lambda: self.desk.loop.up_since,
        )  # fmt: skip

    async def minute(self, until: int) -> None:
        """A look every minute, the decision loop between them, and receipts of all alerts but of `nobody_has`."""
        while self.clock.now() + MINUTE <= until:
            self.clock.advance(self.clock.now() + MINUTE)
            await self.desk.loop.tick(self.clock.now())
            await self.arrive()
            await self.auditor.look()
            await self.desk.loop.instruct(await self.desk.store.letters(), self.clock.now())

    async def alarms(self) -> list[tuple[str | None, bool, str]]:
        alerts = await self.desk.store.alerts(open_only=False)
        return [(a.class_, a.withdrawn, a.priority) for a in alerts if a.rule == "service.audit"]

    async def arrive(self) -> None:
        alerts = [a.alert_id for a in await self.desk.store.alerts(open_only=True) if a.alert_id != self.nobody_has]
        await self.desk.store.note_deliveries([Delivery(name, 99, "centre", self.clock.now()) for name in alerts])


@pytest.fixture
async def audited(tmp_path: Path) -> AsyncIterator[Audited]:
    desk = await Desk(tmp_path / "em.db", england()).open(at("18:20"))
    yield Audited(desk)
    await desk.close()


async def receipted(audited: Audited) -> AlertId:
    """The strap's alert; of all alerts receipts have come, and will."""
    strap = await audited.desk.strap()
    await audited.arrive()
    return strap


async def unheard(audited: Audited) -> AlertId:
    """The strap's alert, of which no receipt comes."""
    audited.nobody_has = await audited.desk.strap()
    await audited.arrive()
    return audited.nobody_has


async def test_where_all_is_well_nothing_is_said(audited: Audited) -> None:
    await receipted(audited)
    audited.clock.advance(at("18:40:30"))
    await audited.minute(at("20:30"))
    assert audited.auditor.found == []
    assert await audited.alarms() == []
    assert await audited.desk.store.letters() == []


async def test_a_schedule_that_is_broken_is_found_told_once_and_taken_back_when_it_is_mended(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps that the schedule forgets: it finds nothing wrong itself, and the auditor shares nothing with it."""
    strap = await receipted(audited)
    audited.clock.advance(at("18:40:30"))
    with monkeypatch.context() as patch:
        patch.setattr(Plan, "due", lambda *_, **__: None)
        await audited.desk.loop.recover(at("18:40:30"))
        await audited.minute(at("18:50:30"))
        assert (await audited.desk.store.alerts_named([strap]))[0].course.steps == 0
        assert await audited.alarms() == [("step_overdue", False, "P1")]
        [said] = [a for a in await audited.desk.store.alerts(open_only=True) if a.rule == "service.audit"]
        assert said.raised_at == at("18:43:30")  # due 18:41:02, found 18:42:30 and again a minute later
        assert f"first at Tue 24 Mar 18:41:02 (UTC) ({strap})" in said.text
        assert said.subject == "audit"
    await audited.desk.loop.recover(at("18:50:40"))
    await audited.minute(at("18:52:30"))
    assert (await audited.desk.store.alerts_named([strap]))[0].course.steps == 2
    assert await audited.alarms() == [("step_overdue", True, "P1")]


async def test_deadlines_that_are_lost_are_found(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(deadlines.Deadlines, "arm", lambda *_: None)
        strap = await receipted(audited)
        found = await audit(audited.desk.store, Line(england()), now=at("18:43"), publishers=[], contacts={})
        [difference] = found
        assert difference == Difference("step_overdue", "", 1, at("18:41:02"), (strap,))


async def test_an_alarm_about_the_schedule_goes_to_operations_by_their_own_tree(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    await receipted(audited)
    audited.clock.advance(at("18:40:30"))
    whole = Plan.due

    def forgets(self: Plan, alert: Any, **given: Any) -> Any:
        return whole(self, alert, **given) if alert.rule == "service.audit" else None

    with monkeypatch.context() as patch:
        patch.setattr(Plan, "due", forgets)
        await audited.desk.loop.recover(at("18:40:30"))
        await audited.minute(at("18:46:30"))
        [said] = [a for a in await audited.desk.store.alerts(open_only=True) if a.rule == "service.audit"]
        notes = [c.note for c in await audited.desk.store.alert_history(said.alert_id)]
    assert notes[1] == "nobody attended to it for 1 min; passed on to operations on the queue, step 1 of 2"


async def test_what_nobody_has_though_all_were_called_is_found(audited: Audited) -> None:
    strap = await unheard(audited)
    audited.clock.advance(at("18:40:30"))
    await audited.minute(at("18:48:30"))
    assert await audited.alarms() == [("undelivered", False, "P1")]
    assert audited.auditor.found == [Difference("undelivered", "", 1, at("18:44:02"), (strap,))]
    await audited.desk.does(at("18:48:40"), alert_id=strap, act="acknowledge")
    await audited.minute(at("18:50:30"))
    assert await audited.alarms() == [("undelivered", True, "P1")]


async def test_a_publisher_that_owes_is_found(audited: Audited) -> None:
    await receipted(audited)
    store = audited.desk.store
    first, *_, last = await store.outbox_after("mqtt", limit=99)
    assert await audit(store, Line(england()), now=first.created_at + 59_999, publishers=["mqtt"], contacts={}) == []
    found = await audit(store, Line(england()), now=first.created_at + 60_000, publishers=["mqtt"], contacts={})
    assert [(one.kind, one.publisher, one.since) for one in found] == [("publisher_behind", "mqtt", first.created_at)]
    await store.outbox_delivered("mqtt", last.item_id)
    assert await audit(store, Line(england()), now=first.created_at + 60_000, publishers=["mqtt"], contacts={}) == []


async def test_what_is_acknowledged_shelved_or_withdrawn_is_not_missed(audited: Audited) -> None:
    strap = await receipted(audited)
    await audited.desk.does(at("18:40:32"), alert_id=strap, act="acknowledge")
    seen = await audit(audited.desk.store, Line(england()), now=at("19:10"), publishers=[], contacts={})
    assert seen == []
    later = await audit(audited.desk.store, Line(england()), now=at("19:09"), publishers=[], contacts={})
    assert later == []
    await audited.desk.loop.tick(at("19:10:32"))
    await audited.arrive()
    back = await audit(audited.desk.store, Line(england()), now=at("19:13"), publishers=[], contacts={})
    assert [(one.kind, one.since) for one in back] == [("step_overdue", at("19:11:02"))]


async def test_after_a_restart_the_auditor_knows_what_was_told(audited: Audited) -> None:
    await unheard(audited)
    audited.clock.advance(at("18:40:30"))
    await audited.minute(at("18:48:30"))
    await audited.desk.close()
    await audited.desk.open(at("18:49"))
    audited.auditor = audited.anew()
    await audited.minute(at("18:52:30"))
    assert len(await audited.alarms()) == 1


async def test_a_replay_finds_what_the_auditor_found(audited: Audited) -> None:
    """P2: the auditor's word is in the inbox."""
    await unheard(audited)
    audited.clock.advance(at("18:40:30"))
    await audited.minute(at("18:55:30"))
    live = await audited.desk.loop.judge_all(at("18:56"))
    rows = as_lines([row async for row in audited.desk.store.inbox_after(0)])
    again = replay(rows, register(), england(), until=at("18:56"))
    assert sorted(repr(f) for f in again.findings) == sorted(repr(f) for f in live)
    assert [f.class_ for f in again.findings if f.rule == "service.audit"] == ["undelivered"]


def test_the_auditor_shares_nothing_with_what_schedules() -> None:
    tree = ast.parse(Path(auditing.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {"emcheck.domain.escalation", "emcheck.domain.deadlines"}.isdisjoint(imported)
    assert "course" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ([{"kind": "boredom", "count": 1, "since": "2026-03-24T18:40:00Z"}], "found.0.kind"),
        ([{"kind": "undelivered", "count": 0, "since": "2026-03-24T18:40:00Z"}], "found.0.count"),
        ([{"kind": "undelivered", "count": 1, "since": "soon"}], "found.0.since"),
        ([{"kind": "undelivered", "count": 1, "since": "2026-03-24T18:40:00Z"}] * 2, "found: a cause is told once"),
    ],
)
async def test_what_is_no_audit_is_refused(audited: Audited, found: Any, problem: str) -> None:
    number = await audited.desk.store.post(json.dumps({"type": "audit", "found": found, "by": "x"}).encode(), 0)
    await audited.desk.loop.instruct(await audited.desk.store.letters(), at("18:30"))
    outcome = await audited.desk.store.outcome(number)
    assert outcome is not None
    assert outcome.startswith(f"refused: {problem}")
