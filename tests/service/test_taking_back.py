"""Claims, hand-overs, notes, steps made by hand, and what is taken back: through the mailbox, over restarts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.alerts import AlertState
from emcheck.domain.instants import MINUTE
from emcheck.domain.policies import Policies
from emcheck.ports import Commit
from emcheck.service.referring import overdue_referrals
from tests.service.test_attending import LEASE, Desk
from tests.store.samples import alert, change
from tests.support import at, england


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await Desk(tmp_path / "em.db", england()).open(at("18:20"))
    yield opened
    await opened.close()


async def acts(desk: Desk, name: str) -> list[tuple[str, str, str]]:
    """What people did, by whom, with what note."""
    return [(c.action, c.by, c.note) for c in await desk.store.alert_history(name) if c.by != "emcheck"]


async def test_a_claim_and_a_hand_over_say_who_has_it_and_stop_no_clock(desk: Desk) -> None:
    strap = await desk.strap()
    assert await desk.does(at("18:40:05"), alert_id=strap, act="claim", by="jo") == "done"
    assert await desk.does(at("18:40:06"), alert_id=strap, act="claim", by="jo") == "refused: act: jo has it already"
    given = {"act": "hand_over", "to": "max", "note": "knows the family"}
    assert await desk.does(at("18:40:07"), alert_id=strap, by="jo", **given) == "done"
    assert await desk.does(at("18:40:08"), alert_id=strap, by="ann", **given) == "refused: to: max has it already"
    [it] = await desk.store.alerts_named([strap])
    assert (it.state, it.holder) == (AlertState.UNACKNOWLEDGED, "max")
    assert await acts(desk, strap) == [("claimed", "jo", ""), ("handed_over", "jo", "to max: knows the family")]
    await desk.loop.tick(at("18:41:10"))
    assert (await desk.told(strap))[-1][1] == "escalated"


async def test_a_note_is_never_too_late_and_changes_nothing(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:41"), alert_id=strap, act="close", disposition="false", by="jo")
    late = {"act": "note", "note": "the court called", "seen_revision": 1}
    assert await desk.does(at("18:42"), alert_id=strap, by="max", **late) == "done"
    assert await desk.stands(strap) == ("closed", None)
    stale = {"act": "claim", "seen_revision": 1}
    refused = await desk.does(at("18:43"), alert_id=strap, by="max", **stale)
    assert refused is not None
    assert refused.startswith("refused: seen_revision: noted by max at ")


async def test_a_step_made_by_hand_is_owed_to_its_contact_and_waits_for_it(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:40:10"), alert_id=strap, act="acknowledge", by="jo")
    assert await desk.does(at("18:40:20"), alert_id=strap, act="escalate", by="jo", note="threats") == "done"
    [it] = await desk.store.alerts_named([strap])
    assert (it.state, it.holder, it.course.steps) == (AlertState.RETURNED, None, 1)
    [line] = [c for c in await desk.store.alert_history(strap) if c.action == "escalated"]
    assert line.by == "jo"
    assert line.note == "passed on to duty operator on the queue, step 1 of 3: threats"
    for second in (30, 40):
        assert await desk.does(at(f"18:40:{second}"), alert_id=strap, act="escalate", by="jo", note="more") == "done"
    nobody = "refused: act: the policy names nobody further; hand it over, or tell them yourself"
    assert await desk.does(at("18:40:50"), alert_id=strap, act="escalate", by="jo", note="more") == nobody


async def test_a_mistake_is_taken_back_by_an_act_of_its_own(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:40:10"), alert_id=strap, act="acknowledge", by="jo")
    only = "only who did it takes it back"
    refused = await desk.does(at("18:40:20"), alert_id=strap, act="undo", by="max")
    assert refused is not None
    assert refused.endswith(only)
    await desk.does(at("18:40:25"), alert_id=strap, act="note", note="hm", by="max")
    assert await desk.does(at("18:40:30"), alert_id=strap, act="undo", note="wrong row", by="jo") == "done"
    [it] = await desk.store.alerts_named([strap])
    assert (it.state, it.lease_until, it.holder) == (AlertState.UNACKNOWLEDGED, None, None)
    assert (await acts(desk, strap))[-1] == ("unacknowledged", "jo", "wrong row")
    twice = await desk.does(at("18:40:31"), alert_id=strap, act="undo", by="jo")
    assert twice is not None
    assert "unacknowledged by jo" in twice
    await desk.loop.tick(at("18:41:10"))
    escalated = [c.at for c in await desk.store.alert_history(strap) if c.action == "escalated"]
    assert escalated[0] == at("18:41:02")  # a minute from the raise: the mistake won no time


async def test_a_closed_alert_is_reopened_with_its_history_over_a_restart(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:40:10"), alert_id=strap, act="acknowledge", by="jo")
    await desk.does(at("18:41"), alert_id=strap, act="close", disposition="breach_reported", by="jo")
    await desk.close()
    again = await Desk(desk.database, england()).open(at("18:42"))
    assert await again.does(at("18:43"), alert_id=strap, act="undo", by="jo") == "done"
    assert await again.stands(strap) == ("acknowledged", at("18:40:10") + LEASE)
    [it] = await again.store.alerts_named([strap])
    assert (it.disposition, it.holder) == (None, "jo")
    assert [a for a, _, _ in await acts(again, strap)] == ["acknowledged", "closed", "reopened"]
    assert await overdue_referrals(again.store, Policies(england()), at("18:43") + 9 * 24 * 60 * MINUTE) == []
    await again.loop.tick(at("19:10:10"))
    assert (await again.stands(strap))[0] == "returned_unacknowledged"
    await again.close()
    await desk.open(at("19:30"))


async def test_after_a_while_or_where_others_acted_a_mistake_stands(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:41"), alert_id=strap, act="shelve", until="2026-03-24T22:00:00Z", by="jo")
    refused = await desk.does(at("18:46:00") + 1, alert_id=strap, act="undo", by="jo")
    assert refused is not None
    assert refused.endswith("an act is taken back within 5 min only")
    await desk.does(at("18:50"), alert_id=strap, act="acknowledge", by="jo")
    await desk.does(at("18:51"), alert_id=strap, act="confirm", by="max")
    refused = await desk.does(at("18:52"), alert_id=strap, act="undo", by="jo")
    assert refused is not None
    assert "confirmed by max" in refused
    assert await desk.does(at("18:52"), alert_id="AL-NONE", act="undo", by="jo") != "done"


async def test_an_incident_that_is_reopened_brings_back_what_it_took_along(desk: Desk) -> None:
    incident = alert(
        "AL-INC", rule="incident.silent", subject="incident", wearer_id=None, size=205, ended_at=at("18:30")
    )
    under = {"incident": "AL-INC", "rule": "unit.silent", "subject": "BU-0009"}
    parts = [alert(f"AL-{n:03}", state=AlertState.SUPPRESSED, **under) for n in range(205)]
    seen = alert("AL-SEEN", state=AlertState.ACKNOWLEDGED, **under)
    apart = alert("AL-OWN", state=AlertState.SUPPRESSED, **under)
    await desk.store.commit(Commit(alerts=[change(each) for each in (incident, *parts, seen, apart)]))
    await desk.does(at("18:40"), alert_id="AL-OWN", act="close", disposition="false", by="max")
    await desk.does(at("18:41"), alert_id="AL-INC", act="close", disposition="equipment_fault", by="jo")
    while desk.loop.wake_at() == 0:
        await desk.loop.tick(at("18:41"))
    single = await desk.does(at("18:41:30"), alert_id="AL-000", act="undo", by="jo")
    assert single == "refused: act: it was closed with incident AL-INC; take that back"
    assert await desk.does(at("18:42"), alert_id="AL-INC", act="undo", by="jo") == "done"
    await desk.loop.tick(at("18:42"))
    await desk.close()  # in the middle of it
    await desk.open(at("18:42:30"))
    while desk.loop.wake_at() == 0:
        await desk.loop.tick(at("18:43"))
    states = {str(a.alert_id): (a.state, a.disposition) for a in await desk.store.alerts(open_only=False)}
    assert {states[part.alert_id] for part in parts} == {(AlertState.SUPPRESSED, None)}
    assert states["AL-SEEN"] == (AlertState.ACKNOWLEDGED, None)
    assert states["AL-OWN"] == (AlertState.CLOSED, "false")
    assert (await acts(desk, "AL-000"))[-1] == ("reopened", "jo", "with its incident AL-INC")


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ({"act": "hand_over"}, "refused: to: missing; say who is to have it"),
        ({"act": "note", "note": " "}, "refused: note: missing; say what is to be known"),
        ({"act": "escalate"}, "refused: note: missing; say why it is passed on"),
        ({"act": "claim", "to": "max"}, "refused: to: only a hand-over has one; leave it out of claim"),
        ({"act": "undo"}, "refused: act: nobody did anything about it that could be taken back"),
    ],
)
async def test_what_is_incomplete_is_refused_in_words(desk: Desk, act: dict[str, Any], problem: str) -> None:
    strap = await desk.strap()
    assert await desk.does(at("18:50"), alert_id=strap, **act) == problem


async def test_the_same_acts_make_the_same_history(desk: Desk, tmp_path: Path) -> None:
    """What a second service makes of the inbox of the first: every act again, and what followed of it."""
    strap = await desk.strap()
    done: list[tuple[str, dict[str, Any]]] = [
        ("18:40:05", {"act": "claim", "by": "jo"}),
        ("18:40:06", {"act": "acknowledge", "by": "jo"}),
        ("18:40:07", {"act": "undo", "by": "jo"}),
        ("18:40:08", {"act": "acknowledge", "by": "max"}),
        ("18:40:09", {"act": "hand_over", "to": "jo", "by": "max"}),
        ("18:40:10", {"act": "close", "disposition": "false", "by": "jo"}),
        ("18:40:12", {"act": "undo", "by": "jo"}),
        ("18:40:14", {"act": "escalate", "note": "threats", "by": "jo"}),
    ]
    for when, act in done:
        assert await desk.does(at(when), alert_id=strap, **act) == "done"
    rows = [json.loads(row.payload) for row in await desk.store.instructions_after(0)]
    other = await Desk(tmp_path / "other.db", england()).open(at("18:20"))
    assert await other.strap() == strap
    for (when, _), said in zip(done, [row for row in rows if row["type"] == "alert"], strict=True):
        assert await other.does(at(when), **said) == "done"
    assert await other.store.alert_history(strap) == await desk.store.alert_history(strap)
    await other.close()
