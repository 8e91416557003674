"""A rule that fails on a case: its facts are stored, it is alarmed and tried again, and nobody else notices."""

import json
from typing import Any

import pytest

from emcheck.domain.ids import BootId, UnitId
from emcheck.domain.instants import MINUTE
from emcheck.domain.rules import curfew_absence
from emcheck.ports import Message
from emcheck.service.enrolment import load_register
from emcheck.store.memory import MemoryStore
from emcheck.wire.topics import up
from tests.service.test_recovery import pipeline
from tests.support import BOOT, UnitStory, at, nightly, order, register


async def test_one_case_that_fails_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    known = register(
        order(),
        order(order_id="O-2", wearer_id="W-2", curfew=nightly(address="A-2")),
        wearers=[{"wearer_id": "W-1"}, {"wearer_id": "W-2"}],
        installations=[
            {"unit": f"BU-000{n}", "address_id": f"A-{n}", "installed_at": "2026-03-01T00:00:00Z"} for n in (1, 2)
        ],
        fittings=[
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
            for n in (1, 2)
        ],
    )  # fmt: skip
    stories = [UnitStory(f"BU-000{n}").boots(at("18:00")).loses(at("18:30"), tag=f"T-{n}") for n in (1, 2)]
    for story in stories:
        story.beats(at("18:31"), at("20:00"))
    store = MemoryStore()
    await store.open()
    await load_register(store, known, at("17:00"))
    service = pipeline(store, 3_600_000)
    await service.recover(at("17:00"))
    whole = curfew_absence.episodes

    def failing(made: Any, *rest: Any) -> Any:
        if made.wearer_id == "W-1":
            raise ZeroDivisionError("a rule gone wrong")
        return whole(made, *rest)

    monkeypatch.setattr(curfew_absence, "episodes", failing)
    messages = sorted(
        (when, story.unit, envelope) for story in stories for when, envelope in story.messages if when < at("19:30")
    )  # fmt: skip
    for when, unit, envelope in messages:
        await service.tick(when - 1)
        await service.receive([Message(up(unit), json.dumps(envelope).encode(), False, when)])
    await service.tick(at("19:30"))

    queue = {str(alert.rule): alert for alert in await store.alerts(open_only=True) if alert.rule != "unit.silent"}
    assert queue.keys() == {"curfew.absence", "service.undecided"}
    assert (queue["curfew.absence"].wearer_id, queue["curfew.absence"].raised_at) == ("W-2", at("19:05"))
    assert (queue["service.undecided"].wearer_id, queue["service.undecided"].priority) == ("W-1", "P1")
    assert "ZeroDivisionError: a rule gone wrong" in queue["service.undecided"].text
    assert service.events_total == len(messages)
    assert service.engine.acknowledged(UnitId("BU-0001"), BootId(BOOT)) == sum(u == "BU-0001" for _, u, _ in messages)

    monkeypatch.undo()
    await service.tick(at("19:30") + MINUTE)
    alerts = await store.alerts(open_only=True)
    assert [alert.withdrawn for alert in alerts if alert.rule == "service.undecided"] == [True]
    assert sorted(a.wearer_id or "" for a in alerts if a.rule == "curfew.absence") == ["W-1", "W-2"]
    await store.close()
