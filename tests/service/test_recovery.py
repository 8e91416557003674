"""P2 and P5 over the pipeline: killed, restarted and replayed, the same inbox gives the same decisions."""

import json
import math
import random
from dataclasses import replace as revised
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emcheck.domain import case, nights
from emcheck.domain.findings import Finding
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.policy import parse_policy
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Register, changed
from emcheck.domain.rules.evidence import GAP
from emcheck.ports import Commit, InboxRow, Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register, published, register_in_force, stored_policy
from emcheck.service.pipeline import Pipeline
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from emcheck.store.memory import MemoryStore
from emcheck.wire.topics import up
from tests.air import Air
from tests.domain.bodies import limb, table
from tests.domain.test_folding import DAYS, STEP, received, story, two_addresses
from tests.domain.wearing import Restless, restless_night, wears
from tests.support import UnitStory, at, england, nightly, order, register, version
from tests.support import lines as told_lines

RELAXED = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def _when(day: int, hour: int) -> str:
    return f"2026-03-{day:02}T{hour:02}:00"


def _act(kind: str, order_id: str, day: int, hour: int, hours: int) -> dict[str, Any]:
    """An instruction about an order, or the end of a fitting or an installation."""
    until = datetime(2026, 3, day, hour, tzinfo=UTC) + timedelta(hours=hours)
    span = {"from": _when(day, hour), "until": until.strftime("%Y-%m-%dT%H:%M")}
    lasted = {"installed_at" if kind == "installation" else "fitted_at": "2026-03-01T00:00:00Z"}
    lasted |= {"removed_at": f"{_when(day, hour)}:00Z"}
    said: dict[str, Any] = {
        "authorised_absence": {**span, "reason": "court", "approved_by": "A. Officer"},
        "variation": {"effective_at": f"{_when(day, hour)}:00Z", "curfew": nightly("21:00", "06:00")},
        "suspension": span,
        "order_end": {"ends_at": f"{_when(day + 4, hour)}:00Z"},
        "fitting": {"fitting": {"tag": "T-1", "wearer_id": "W-1", **lasted}},
        "installation": {"installation": {"unit": "BU-0001", "address_id": "A-1", **lasted}},
    }
    about = {} if kind in ("fitting", "installation") else {"order_id": order_id}
    by = {} if kind == "authorised_absence" else {"by": "the court"}
    return {"type": kind, **about, **by, **said[kind]}


POLICIES: list[dict[str, Any]] = [
    {"curfew__absence__alert_after_s": 900, "curfew__absence__priority": "P3"},
    {"presence__leave_time_s": 700, "presence__vouch_factor": 3},
    {"curfew__accumulated__allowance_default_min": 10, "unit__power__alert_after_s": 60},
    {"clock__offset_max_s": 60, "unit__silent__priority": "P4"},
]


class Publication(dict[str, Any]):
    """An instruction that a failing example can be printed with: a policy is a long text."""

    def __repr__(self) -> str:
        return f"<policy {parse_policy(self['policy']).label}>"


def _published(which: int, name: str, day: int, hour: int) -> dict[str, Any]:
    """A version of the service's own policy or of another, perhaps of days that were judged."""
    number, begins = f"{day}.{hour}.{which}", f"{_when(day, hour)}:00Z"
    new = version(number, begins, name=name, **POLICIES[which])
    return Publication(type="policy", policy=new.body, by="the authority", retroactive="the number was wrong")


PUBLISHED = st.builds(
    _published, st.integers(0, 3), st.sampled_from(["england-wales", "borders"]), st.integers(9, 26), st.integers(0, 23)
)
ACT = st.builds(
    _act,
    st.sampled_from(["authorised_absence", "variation", "suspension", "order_end", "fitting", "installation"]),
    st.sampled_from(["O-1", "O-2"]),
    st.integers(9, 26),
    st.integers(0, 23),
    st.integers(1, 60),
)


BORDERS = version("1", "2026-01-01T00:00:00Z", name="borders", curfew__absence__alert_after_s=60)


def under_two_policies() -> Register:
    """The second order names a policy of its own."""
    known = two_addresses()
    first, second = known.orders
    return changed(known, orders=(first, changed(second, policy="borders", atv_allowance_min=None)))


FIRST = "2026-03-01T00:00:00Z"


def pipeline(store: MemoryStore, checkpoint_every_ms: int, *, chunk_ms: float = math.inf) -> Pipeline:
    """A service's decision loop over a store that may have seen others."""
    return Pipeline(
        store,
        england(),
        Acknowledger(store, Air()),
        published=lambda alert, action, note: json.dumps([alert.alert_id, action]).encode(),
        on_alerts=lambda: None,
        checkpoint_every_ms=checkpoint_every_ms,
        chunk_ms=chunk_ms,
    )


async def live(
    lines: list[Line],
    known: Register,
    until: int,
    *,
    restarts: dict[int, str],
    checkpoint_every_ms: int,
    acts: dict[int, dict[str, Any]] | None = None,
) -> tuple[MemoryStore, Pipeline]:
    """Serve the lines; before those that `restarts` names the service is killed or stopped, and starts again.

    Before those that `acts` names, an instruction is carried out.
    """
    store = MemoryStore()
    await store.open()
    await store.commit(Commit(policies=[stored_policy(policy, 0, 0) for policy in (england(), BORDERS)]))
    await load_register(store, known, lines[0].received_at)
    service = pipeline(store, checkpoint_every_ms)
    await service.recover(lines[0].received_at)
    for number, line in enumerate(lines):
        if number in restarts:
            if restarts[number] == "stopped":
                await service.stopped(lines[number - 1].received_at)
            service = pipeline(store, checkpoint_every_ms)
            await service.recover(max(line.received_at - 1, lines[number - 1].received_at))
        if acts is not None and number in acts:
            await store.post(json.dumps(acts[number]).encode(), 0)
            await service.instruct(
                await store.letters(), max(line.received_at - 1, lines[max(number - 1, 0)].received_at)
            )
        await service.tick(line.received_at - 1)
        await service.receive([Message(line.topic, line.payload, False, line.received_at)])
    await service.judge_all(until)
    return store, service


def told(found: list[Finding]) -> list[str]:
    return sorted(repr(revised(finding, register="")) for finding in found)


def as_lines(rows: list[InboxRow]) -> list[Line]:
    """The inbox as the stream that it is."""
    lines = []
    for row in rows:
        payload: Any = {
            "service": lambda r: json.loads(r.payload)["service"],
            "heard": lambda r: r.unit,
            "instruction": lambda r: json.loads(r.payload),
        }.get(row.kind, lambda r: r.payload)(row)
        lines.append(Line(row.row_id, row.received_at, row.kind, up(str(row.unit)), payload))
    return lines


KILLED_AFTER_A_RECALL = (
    [
        ("away", 16077, 500_000), ("hears", 1800, 2), ("hears", 615, 2), ("hears", 35280, 2),
        ("stands", 3812, 500_000), ("loses", 2383, 2), ("hears", 2637, 100_000), ("stands", 2383, 3600),
    ],
    [
        ("away", 16347, 2), ("stands", 58347, 100_000), ("periodic", 1644, 100_000), ("reboots", 200, 90),
        ("periodic", 258, 2), ("offset", 2784, 2),
    ],
    1946,
    HOUR,
)  # fmt: skip
"""One of the wearer's two units has a checkpoint that was taken since all was read again, the other an older one."""


@RELAXED
@given(
    st.lists(STEP, min_size=8, max_size=25),
    st.lists(STEP, max_size=10),
    st.integers(0, 2**32),
    st.sampled_from([HOUR, 7 * DAY]),
)
@example(*KILLED_AFTER_A_RECALL)
async def test_a_replay_is_the_live_system(
    monkeypatch: pytest.MonkeyPatch, first: list[Any], second: list[Any], seed: int, checkpoint_every_ms: int
) -> None:
    """P2: the inbox of a service that was killed and restarted gives its findings, to the byte."""
    chance = random.Random(seed)
    lines = received(story(first, "BU-0001"), story(second, "BU-0002"), seed=seed)
    until = lines[-1].received_at + HOUR
    restarts = {chance.randrange(1, len(lines)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", 0)
        patch.setattr(nights, "KEEP", 0)
        store, _service = await live(
            lines, two_addresses(), until, restarts=restarts, checkpoint_every_ms=checkpoint_every_ms
        )
        rows = [row async for row in store.inbox_after(0)]
        again = replay(as_lines(rows), two_addresses(), england(), until=until)
        assert told(await store.findings()) == told(again.findings)
        alerts = await store.alerts(open_only=False)
        raised = {alert_id(finding) for finding in again.findings if finding.raised_at is not None}
        assert {alert.alert_id for alert in alerts if not alert.withdrawn} == raised
    await store.close()


async def test_who_was_due_when_a_service_died_half_way_through_a_herd_is_decided_at_that_instant() -> None:
    """Forty alerts are due at 19:05:00; sixteen of them are committed when the service is killed."""
    crowd = range(40)
    known = register(
        *(order(order_id=f"O-{n}", wearer_id=f"W-{n}", curfew=nightly(address=f"A-{n}")) for n in crowd),
        wearers=[{"wearer_id": f"W-{n}"} for n in crowd],
        installations=[{"unit": f"BU-{n:04}", "address_id": f"A-{n}", "installed_at": FIRST} for n in crowd],
        fittings=[
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": FIRST, "validation": "validated"} for n in crowd
        ],
    )
    away = [UnitStory(f"BU-{n:04}").boots(at("18:50"), heartbeat_s=300).loses(at("18:58"), tag=f"T-{n}") for n in crowd]
    store = MemoryStore()
    await store.open()
    await load_register(store, known, at("18:00"))
    service = pipeline(store, DAY, chunk_ms=0)
    await service.recover(at("18:00"))
    for line in told_lines(*away):
        await service.receive([Message(line.topic, line.payload, False, line.received_at)])
    while service.engine.wake_at() < at("19:05"):
        await service.tick(at("19:05") - 1)
    await service.tick(at("19:05"))
    raised = [f.raised_at for f in await store.findings() if f.rule == "curfew.absence"]
    assert 0 < sum(when is not None for when in raised) < len(crowd), "half way"
    service = pipeline(store, DAY)
    await service.recover(at("19:30"))
    found = await service.judge_all(at("19:40"))
    assert {f.raised_at for f in found if f.rule == "curfew.absence"} == {at("19:05")}
    rows = [row async for row in store.inbox_after(0)]
    again = replay(as_lines(rows), known, england(), until=at("19:40"))
    assert told(found) == told(again.findings)
    await store.close()


@pytest.mark.parametrize(("seed", "restless"), [*((s, restless_night) for s in range(8)), *DAYS[:2]])
async def test_a_replay_says_of_a_body_what_the_live_system_said(
    monkeypatch: pytest.MonkeyPatch, seed: int, restless: Restless
) -> None:
    """P2 of what is read of a tag's body: late readings, holes and recalls, in a service that is killed in between."""
    chance = random.Random(seed)
    known, stories = restless(seed, steps=5, delays=True)
    lines = received(*stories, seed=seed)
    until = lines[-1].received_at + HOUR
    restarts = {chance.randrange(1, len(lines)): chance.choice(["killed", "stopped"]) for _ in range(4)}
    with monkeypatch.context() as patch:
        keep = chance.choice([0, case.KEEP])
        patch.setattr(case, "KEEP", keep)
        patch.setattr(nights, "KEEP", keep)
        store, _service = await live(lines, known, until, restarts=restarts, checkpoint_every_ms=HOUR // 4)
        rows = [row async for row in store.inbox_after(0)]
        again = replay(as_lines(rows), known, england(), until=until)
    assert told(await store.findings()) == told(again.findings)
    await store.close()


async def test_what_folded_nights_showed_of_a_fitting_is_known_after_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that did not move for a day is worn as ever since; the service is killed when that day is long folded."""
    since, only = at("08:00"), ("motion_mg",)
    night = UnitStory().boots(since, boot_n=0, heartbeat_s=300)
    wears(night, table, since, since + DAY, every_s=600, channels=only, spoilt={"motion_mg": 0.0})
    lines = told_lines(wears(night, limb, since + DAY, since + 5 * DAY, every_s=600, channels=only))
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", 0)
        patch.setattr(nights, "KEEP", 0)
        killed = {len(lines) - 20: "killed"}
        store, service = await live(lines, register(), lines[-1].received_at, restarts=killed, checkpoint_every_ms=HOUR)
        rows = [row async for row in store.inbox_after(0)]
        again = replay(as_lines(rows), register(), england(), until=lines[-1].received_at)
    [known] = service.engine.cases.values()
    assert [asked.class_ for asked in known.questions] == ["still"]
    assert ("fitting.unvalidated", "revalidate") in {(f.rule, f.class_) for f in await store.findings()}
    assert told(await store.findings()) == told(again.findings)
    await store.close()


ASKED_TWICE_IN_AN_HOUR: list[Any] = [
    ("hears", 773, 2), ("hears", 2194, 2), ("hears", 2627, 500_000), ("hears", 5696, 2), ("hears", 3617, 2),
    ("hears", 1909, 2), ("stands", 1093, 2), ("loses", 417, 2), ("loses", 281, 3600), ("reboots", 317, 3600),
    ("offset", 1130, 3600), ("reboots", 167, 100_000), ("stands", 40, 2), ("away", 24_373, 2), ("tamper", 160, 3600),
    ("reboots", 108, 2),
]  # fmt: skip
"""An order is suspended at a whole hour, and its case is woken a second time in that hour only where it was killed."""


@RELAXED
@given(
    st.lists(STEP, min_size=8, max_size=25),
    st.lists(ACT | PUBLISHED, min_size=1, max_size=4),
    st.integers(0, 2**32),
    st.sampled_from([HOUR, 7 * DAY]),
)
@example(ASKED_TWICE_IN_AN_HOUR, [_act("suspension", "O-1", 13, 22, 21)], 1587, HOUR)
async def test_instructions_are_judged_alike_live_after_restarts_in_a_replay_and_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch, steps: list[Any], acts: list[dict[str, Any]], seed: int, checkpoint_every_ms: int
) -> None:
    """P2; and but for when it was raised, what is found does not hang on when an instruction became known."""
    chance = random.Random(seed)
    lines = received(story(steps, "BU-0001"), seed=seed)
    until = lines[-1].received_at + HOUR
    restarts = {chance.randrange(1, len(lines)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    planned = dict(zip(sorted(chance.sample(range(len(lines)), min(len(acts), len(lines)))), acts, strict=False))
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", DAY)
        patch.setattr(nights, "KEEP", DAY)
        store, service = await live(
            lines, under_two_policies(), until, restarts=restarts, checkpoint_every_ms=checkpoint_every_ms, acts=planned
        )
        rows = [row async for row in store.inbox_after(0)]
        first = [BORDERS]
        again = replay(as_lines(rows), under_two_policies(), england(), others=first, until=until)
        assert told(await store.findings()) == told(again.findings)
        assert again.engine.roster.register_sha256 == service.engine.roster.register_sha256
        in_force = await register_in_force(store)
        facts = [line for line in as_lines(rows) if line.kind != "instruction"]
        policies = [policy for policy, _ in await published(store)][1:]
        known_before = replay(facts, in_force.register, england(), others=policies, until=until)
    assert curfew_only(known_before.findings) == curfew_only(again.findings)
    await store.close()


def curfew_only(found: list[Finding]) -> list[str]:
    """What is found of facts, without when it was raised."""
    return sorted(
        repr(revised(finding, raised_at=None, register="", episode=None))
        for finding in found
        if finding.rule in ("curfew.absence", "curfew.accumulated", "tag.strap")
    )


async def test_a_hole_of_an_older_boot_that_is_filled_after_a_start_is_no_gap_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number that only lengthens an older boot's last run tells of folded time too."""
    steps = [
        ("away", 72_000, 2), ("hears", 72_000, 100_000), ("away", 600, 500_000), ("reboots", 60, 2),
        ("tags", 20_398, 90), ("reboots", 600, 90), ("loses", 600, 2), ("hears", 3_600, 2),
    ]  # fmt: skip
    lines = received(story(steps, "BU-0001"), seed=0, repeats=0)
    left = {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}
    known = register(installations=[left | {"removed_at": "2026-03-10T12:00:00Z"}, left | {"unit": "BU-0002"}])
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", DAY)
        patch.setattr(nights, "KEEP", DAY)
        for number in range(1, len(lines)):
            until = lines[-1].received_at + HOUR
            store, _ = await live(lines, known, until, restarts={number: "stopped"}, checkpoint_every_ms=HOUR)
            assert [finding.class_ for finding in await store.findings("BU-0001") if finding.rule == GAP] == []
            await store.close()


async def test_a_start_reads_checkpoints_and_only_what_came_after() -> None:
    steps = [("away", 5 * 3600, 2), ("hears", 3600, 2)] * 30
    lines = received(story(steps, "BU-0001"), seed=0, repeats=0)
    store, service = await live(lines, two_addresses(), lines[-1].received_at, restarts={}, checkpoint_every_ms=HOUR)
    await service.stopped(lines[-1].received_at + 1)
    kept = [checkpoint async for checkpoint in store.checkpoints()]
    assert {checkpoint.unit for checkpoint in kept} == {"BU-0001", "(service)"}
    assert all(len(checkpoint.state) < 10_000 for checkpoint in kept)
    assert sum(len(taken) for taken in store._checkpoints.values()) <= 2 * len(kept), "what was replaced is gone"
    read: list[int] = []
    whole = store.inbox_after

    async def counted(row_id: int, *, unit: UnitId | None = None) -> Any:
        async for row in whole(row_id, unit=unit):
            read.append(row.row_id)
            yield row

    store.inbox_after = counted  # type: ignore[method-assign]  # to see what is read
    again = pipeline(store, HOUR)
    await again.recover(lines[-1].received_at + 2)
    assert len(read) == 0
    assert told(await store.findings()) == told(await service.judge_all(lines[-1].received_at + 2))
    await store.close()
