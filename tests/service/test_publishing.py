"""Policies of a service: published by instruction, kept for ever, told of in the exported stream, never changed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.policy import Policy, PolicyError
from emcheck.domain.register import RegisterError
from emcheck.ports import Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_policy, load_register, published
from emcheck.service.http import By
from emcheck.service.mailing import stream_of
from emcheck.service.pipeline import Pipeline
from emcheck.service.replay import replay
from emcheck.service.stream import parse_lines
from emcheck.store.memory import MemoryStore
from tests.air import Air
from tests.support import UnitStory, at, england, lines, nightly, order, register, version

MIDNIGHT = "2026-03-25T00:00:00Z"
PATIENT: dict[str, Any] = {"curfew__absence__alert_after_s": 900}


class Office:
    """A service's decision loop, and a mailbox to it."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    async def start(self, now: int, policy: Policy | None = None) -> None:
        self.loop = Pipeline(
            self.store, policy or england(), Acknowledger(self.store, Air()),
            published=lambda alert, action, note: json.dumps([alert.alert_id, action, note]).encode(),
            on_alerts=lambda: None, checkpoint_every_ms=HOUR,
        )  # fmt: skip
        await self.loop.recover(now)

    async def hears(self, told: UnitStory) -> None:
        for line in lines(told):
            await self.loop.tick(line.received_at - 1)
            await self.loop.receive([Message(line.topic, line.payload, False, line.received_at)])

    async def told(self, now: int, act: dict[str, Any]) -> str | None:
        number = await self.store.post(json.dumps(act).encode(), now)
        await self.loop.instruct(await self.store.letters(), now)
        return await self.store.outcome(number)

    async def publishes(self, now: int, policy: Policy, **fields: str) -> str | None:
        return await self.told(now, {"type": "policy", "policy": policy.body, "by": "the authority", **fields})

    async def absences(self) -> list[tuple[str, bool]]:
        found = [f for f in await self.store.findings() if f.rule == "curfew.absence"]
        return [(f.policy, f.raised_at is not None) for f in found]

    async def labels(self) -> list[str]:
        return [policy.label for policy, _ in await published(self.store)]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    opened, now = Office(), at("18:20")
    await opened.store.open()
    await load_policy(opened.store, england(), now, shipped=True)
    await load_register(opened.store, register(), now)
    await opened.start(now)
    yield opened
    await opened.store.close()


def out_for_ten_minutes() -> UnitStory:
    told = UnitStory().boots(at("18:30")).hears(at("18:40")).beats(at("18:41"), at("19:59"))
    told.loses(at("20:01"), last_heard=at("20:00")).beats(at("20:02"), at("20:09")).hears(at("20:10"))
    return told.beats(at("20:11"), at("23:00"))


async def test_a_version_for_tomorrow_is_kept_and_changes_nothing_about_today(office: Office) -> None:
    await office.hears(out_for_ten_minutes())
    new = version("2", MIDNIGHT, **PATIENT)
    assert await office.publishes(at("23:01"), new) == "done"
    assert await office.absences() == [("england-wales@1", True)]
    assert await office.labels() == ["england-wales@1", "england-wales@2"]
    [_, kept] = await office.store.policies()
    assert (kept.sha256, kept.published_at, kept.body.decode()) == (new.sha256, at("23:01"), new.body)
    await office.start(at("23:30"))
    assert office.loop.engine.roster.policies.own.at(at("2026-03-25T12:00")).label == "england-wales@2"
    assert await office.absences() == [("england-wales@1", True)]


async def test_last_month_is_judged_again_where_the_reason_is_given(office: Office) -> None:
    await office.hears(out_for_ten_minutes())
    new = version("2", "2026-03-01T00:00:00Z", **PATIENT)
    refused = await office.publishes(at("23:01"), new)
    assert refused is not None
    assert refused.startswith("refused: policy: effective_at: 2026-03-01T00:00:00.000Z is past")
    assert await office.labels() == ["england-wales@1"]
    assert await office.publishes(at("23:01"), new, retroactive="300 s was a slip of the pen") == "done"
    assert await office.absences() == [("england-wales@2", False)]
    [alert] = [a for a in await office.store.alerts(open_only=False) if a.rule == "curfew.absence"]
    assert alert.withdrawn
    first, *_, last = await office.store.alert_history(alert.alert_id)
    why = "by instruction: policy england-wales@2, said the authority (300 s was a slip of the pen)"
    assert [(step.action, why in step.note) for step in (first, last)] == [("raised", False), ("withdrawn", True)]


async def test_what_is_due_of_all_before_a_publication_is_decided_a_few_at_a_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country that has not been looked at since its start is no one long turn of the loop."""
    town = [order(order_id=f"O-{n}", wearer_id=f"W-{n}", curfew=nightly(address=f"A-{n}")) for n in range(40)]
    known = register(*town, wearers=[{"wearer_id": f"W-{n}"} for n in range(40)], fittings=[])
    crowd = Office()
    await crowd.store.open()
    await load_policy(crowd.store, england(), at("18:20"), shipped=True)
    await load_register(crowd.store, known, at("18:20"))
    await crowd.start(at("18:20"))
    at_once: list[int] = []
    instruct = crowd.loop.engine.instruct
    decided = crowd.loop.engine.tick

    def ticked(upto: int, *, most: int = 1 << 60) -> int:
        at_once.append(done := decided(upto, most=most))
        return done

    def instructed(*given: Any) -> Any:
        assert crowd.loop.engine.wake_at() >= at("19:30"), "nothing that was due before is left to it"
        return instruct(*given)

    monkeypatch.setattr(crowd.loop.engine, "tick", ticked)
    monkeypatch.setattr(crowd.loop.engine, "instruct", instructed)
    said = version("2", "2026-03-24T19:00:00Z", curfew__absence__alert_after_s=600)
    assert await crowd.publishes(at("19:30"), said, retroactive="the number was wrong") == "done"
    assert sum(at_once) >= 40
    assert max(at_once) <= 16
    await crowd.store.close()


async def test_what_is_published_is_published_once(office: Office) -> None:
    new = version("2", MIDNIGHT, **PATIENT)
    assert await office.publishes(at("18:30"), new) == "done"
    assert await office.publishes(at("18:31"), new) == "done"
    other = await office.publishes(at("18:32"), version("2", MIDNIGHT))
    assert other is not None
    assert other.startswith("refused: policy: version: england-wales@2 is published with another content")
    assert await office.labels() == ["england-wales@1", "england-wales@2"]


async def test_an_order_names_a_policy_from_when_it_is_published(office: Office) -> None:
    act = {"type": "order", "order": order(policy="borders"), "by": "the court"}
    refused = await office.told(at("18:30"), act)
    assert refused is not None
    assert refused.startswith("refused: order.policy: no policy 'borders' is published")
    borders = version("1", "2026-01-01T00:00:00Z", name="borders", **PATIENT)
    assert await office.publishes(at("18:31"), borders) == "done", "the first of a line judges nothing again"
    assert await office.told(at("18:32"), act) == "done"
    await office.hears(out_for_ten_minutes())
    assert await office.absences() == [("borders@1", False)]


async def test_the_exported_stream_holds_the_policies_and_replays_whole(office: Office) -> None:
    await office.hears(out_for_ten_minutes())
    await office.publishes(at("23:01"), version("2", "2026-03-01T00:00:00Z", **PATIENT), retroactive="a slip")
    await office.start(at("23:30"))
    found = await office.loop.judge_all(at("23:45"))
    stream = [line async for line in stream_of(office.store)]
    again = replay(parse_lines(stream, "export"), register(), england(), until=at("23:45"))
    kept, judged = (sorted((f.key, f.policy, f.policy_sha256) for f in told) for told in (found, again.findings))
    assert judged == kept
    assert any(f.policy == "england-wales@2" for f in again.findings)


async def test_facts_that_are_read_otherwise_are_folded_anew_at_the_next_start(office: Office) -> None:
    """A checkpoint from before a version that reads facts otherwise, even later ones, is not relied on."""
    await office.hears(out_for_ten_minutes())
    await office.loop.stopped(at("23:00:30"))
    await office.start(at("23:01"))
    assert not office.loop._judged_anew
    slow = version("2", "2026-03-24T23:30:00Z", presence__vouch_factor=10)
    assert await office.publishes(at("23:02"), slow) == "done"
    await office.start(at("23:03"))
    assert office.loop._judged_anew, "checkpoints were taken when facts were read otherwise"
    await office.loop.stopped(at("23:04"))
    await office.start(at("23:05"))
    assert not office.loop._judged_anew


@pytest.mark.parametrize("which", ["later", "past", "same", "changed", "named otherwise"])
async def test_a_start_with_another_file(office: Office, which: str) -> None:
    """The service's own policy as it is set: a new version is published, a changed one refused."""
    now = at("18:30")
    policy = {
        "later": version("2", MIDNIGHT),
        "past": version("2", "2026-03-01T00:00:00Z"),
        "same": england(),
        "changed": version("1", "2026-01-01T00:00:00.000Z", **PATIENT),
        "named otherwise": version("1", "2026-01-01T00:00:00Z", name="borders"),
    }[which]
    problems = {
        "past": "effective_at: .* --retroactive",
        "changed": "version: england-wales@1 is published with another content",
        "named otherwise": "name: this database's own policy is 'england-wales', not 'borders'",
    }
    if which in problems:
        with pytest.raises(PolicyError, match=problems[which]):
            await load_policy(office.store, policy, now, shipped=False)
        assert await office.store.letters() == []
    else:
        await load_policy(office.store, policy, now, shipped=False)
        await office.loop.instruct(await office.store.letters(), now)
    expected = ["england-wales@1", "england-wales@2"] if which == "later" else ["england-wales@1"]
    assert await office.labels() == expected


async def test_a_shipped_policy_gives_way_to_what_is_published(office: Office) -> None:
    """An upgrade that ships other numbers under the same version changes nobody's verdict."""
    await load_policy(office.store, version("1", MIDNIGHT, **PATIENT), at("18:30"), shipped=True)
    await load_policy(office.store, version("2", MIDNIGHT, **PATIENT), at("18:30"), shipped=True)
    assert await office.store.letters() == []
    await office.start(at("18:40"), version("1", MIDNIGHT, **PATIENT))
    assert await office.labels() == ["england-wales@1"]
    [kept] = [policy for policy, _ in await published(office.store)]
    assert kept.sha256 == england().sha256


async def test_a_register_that_names_a_policy_that_is_not_there_is_not_loaded(office: Office) -> None:
    with pytest.raises(RegisterError, match=r"orders\.0\.policy: no policy 'borders' is published"):
        await load_register(office.store, register(order(policy="borders")), at("18:30"))
    assert len(await office.store.registers()) == 1


async def test_a_lease_is_as_long_as_the_version_of_its_instant_says(office: Office) -> None:
    await office.publishes(at("18:21"), version("2", "2026-03-24T21:00:00Z", alert__lease_s=60))
    assert office.loop._own.lease_ms(at("20:59")) == 1_800_000
    assert office.loop._own.lease_ms(at("21:00")) == 60_000
    assert office.loop._own.lease_ms(at("21:00") + DAY) == 60_000


def test_what_the_queue_is_held_to_is_known_before_anything_is_read_back() -> None:
    """`/metrics` is asked while a service starts."""
    loop = Pipeline(
        MemoryStore(), version("1", "2026-01-01T00:00:00Z", alert__target__P1_s=7), Acknowledger(MemoryStore(), Air()),
        published=lambda alert, action, note: b"", on_alerts=lambda: None, checkpoint_every_ms=HOUR,
    )  # fmt: skip
    assert loop.queue.readings(at("18:20"))["alert_target_seconds"][1] == By(
        "priority", england_targets() | {"P1": 7.0}
    )


def england_targets() -> dict[str, float]:
    """As `/metrics` has them."""
    return {priority: target_ms / 1000 for priority, target_ms in england().targets_ms().items()}
