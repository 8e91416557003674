"""An instruction to a running service: judged at once, kept over restarts, and the exported inbox tells the same."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.alerts import Alert
from emcheck.domain.amending import as_text
from emcheck.domain.instants import HOUR, MINUTE, format_ms
from emcheck.domain.instructions import outcome_of, parse_instruction
from emcheck.domain.register import RegisterError, parse_register
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ports import Commit, InboxRow, StoreError
from emcheck.present.instructed import in_words
from emcheck.service import mailing
from emcheck.service.enrolment import load_register, register_in_force
from emcheck.service.mailing import stream_of
from emcheck.service.replay import replay
from emcheck.service.stream import parse_lines
from emcheck.settings import Settings
from emcheck.store.sql import SqlStore
from tests.service.living import PATIENCE_S, living
from tests.service.peers import good_units
from tests.service.served import environment, serving
from tests.support import at, england, nightly, order, register

UNIT = "BU-0001"
EMCHECK = (sys.executable, "-W", "error", "-c", "from emcheck.cli import main; main()")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "broker") as running:
        yield running


async def told(database: Path, act: dict[str, Any]) -> str:
    """Post it as another process would; what became of it, whatever number it has."""
    store = SqlStore(f"sqlite:///{database}", operator=True)
    await store.open()
    try:
        number = await store.post(json.dumps(act).encode(), 0)
        async with asyncio.timeout(PATIENCE_S):
            while (outcome := await store.outcome(number)) is None:
                await asyncio.sleep(0.02)
        return re.sub(r" as number \d+", "", outcome)
    finally:
        await store.close()


@asynccontextmanager
async def reading(database: Path) -> AsyncIterator[SqlStore]:
    """The database as another process reads it."""
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def found(database: Path, rule: str) -> list[tuple[str | None, int]]:
    async with reading(database) as store:
        return [(f.class_, (f.absent_ms or 0) // 1000) for f in await store.findings() if f.rule == rule]


@pytest.mark.timeout(120)
async def test_a_varied_curfew_is_judged_at_once_and_an_absence_afterwards_takes_its_seconds_back(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Varied at 18:55 from 19:00 to 20:00 on; out until 20:30; the half hour is authorised the day after."""
    database, clock = tmp_path / "em.db", VirtualClock(at("18:50"))
    async with (
        living(broker, database, clock) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        await unit.says({"type": "presence", "at": "2026-03-24T18:50:00.000Z", "tag": "T-1", "in_range": False})
        await unit.is_acknowledged()
        clock.advance(at("18:55"))
        later = {"type": "variation", "order_id": "O-1", "effective_at": "2026-03-24T18:56:00Z", "by": "the court"}
        assert await told(database, later | {"curfew": nightly("20:00")}) == "done"
        assert await told(database, later | {"curfew": [], "order_id": "O-9"}) == (
            "refused: order_id: no order 'O-9' in the register"
        )
        while clock.now() < at("20:31"):
            clock.advance(clock.now() + MINUTE)
            state = "in" if clock.now() == at("20:31") else "out"
            status = {"type": "unit_status", "at": format_ms(clock.now()), "power": "mains", "tags": {"T-1": state}}
            await unit.says(status)
            await unit.is_acknowledged()
        assert await found(database, "curfew.absence") == [("late_return", 1860)]
        assert service.pipeline.alerts_total >= 1
    leave = {
        "type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T20:00", "until": "2026-03-24T20:30",
        "reason": "medical", "approved_by": "A. Officer",
    }  # fmt: skip
    clock.advance(at("09:00", "2026-03-25"))
    async with living(broker, database, clock):
        assert await told(database, leave) == "done"
        [(_, seconds)] = await found(database, "curfew.absence")
        assert seconds == 60
    async with living(broker, database, clock):
        assert [s for _, s in await found(database, "curfew.absence")] == [seconds]
    await _is_told_the_same_by_its_inbox(database, clock.now())


@pytest.mark.timeout(120)
async def test_what_is_remarked_is_answered_and_kept_and_leave_that_is_revoked_accuses_again(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("18:50"))
    leave = {"order_id": "O-1", "from": "2026-03-24T19:00", "until": "2026-03-24T20:00"}
    granted = leave | {"type": "authorised_absence", "reason": "medical", "approved_by": "A. Officer"}
    revoked = leave | {"type": "revocation", "revokes": "authorised_absence", "reason": "of O-2", "by": "A. Clerk"}
    late = {"type": "variation", "order_id": "O-1", "effective_at": "2026-04-01T00:00:00Z", "by": "the court"}
    async with (
        living(broker, database, clock),
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        assert await told(database, granted) == "done"
        await unit.says({"type": "presence", "at": "2026-03-24T18:50:00.000Z", "tag": "T-1", "in_range": False})
        while clock.now() < at("19:20"):
            clock.advance(clock.now() + MINUTE)
            await unit.says({"type": "unit_status", "at": format_ms(clock.now()), "power": "mains"})
            await unit.is_acknowledged()
        assert await _open(database) == []
        assert await told(database, revoked) == "done"
        assert await _open(database) == [("P2", "raised", str(in_words(parse_instruction(revoked))))]
        assert (await told(database, revoked)).startswith("refused: from: no authorised absence of O-1 that holds")
        answer = await told(database, late | {"curfew": nightly("20:00", address="A-7"), "warnings": ["none at all"]})
        assert answer.startswith("done, with warnings: order O-1: no base unit is installed at A-7")
        async with reading(database) as store:
            [*_, kept] = await store.instructions_after(0)
            assert outcome_of(json.loads(kept.payload)["warnings"]) == answer
            [order] = (await register_in_force(store)).register.orders
            assert [str(held.revoked.by) for held in order.authorised_absences if held.revoked] == ["A. Clerk"]
    async with living(broker, database, clock):
        assert len(await _open(database)) == 1
    await _is_told_the_same_by_its_inbox(database, clock.now() - HOUR)  # it goes on: judged at the same instant


async def _open(database: Path) -> list[tuple[str, str, str]]:
    """Alerts of absences that stand: priority, how they came to be and why."""
    async with reading(database) as store:
        alerts = [a for a in await store.alerts(open_only=True) if a.rule == "curfew.absence" and not a.withdrawn]
        told = [(await store.alert_history(alert.alert_id))[0] for alert in alerts]
    return [(change.alert.priority, change.action, change.note) for change in told]


async def _is_told_the_same_by_its_inbox(database: Path, until: int) -> None:
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    try:
        lines = [line async for line in stream_of(store)]
        kept = await store.findings()
        in_force = await register_in_force(store)
    finally:
        await store.close()
    again = replay(parse_lines(lines, "the inbox"), register(), england(), until=until + HOUR)
    assert again.engine.roster.register_sha256 == in_force.name
    of_curfew = [f for f in again.findings if f.rule.startswith("curfew.")]
    assert [(f.start, f.end, f.absent_ms, f.raised_at) for f in of_curfew] == [
        (f.start, f.end, f.absent_ms, f.raised_at) for f in kept if f.rule.startswith("curfew.")
    ]


async def test_a_silence_stays_as_grave_as_it_was_whatever_is_said_of_the_order(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("19:30"))
    known = register(installations=[{"unit": UNIT, "address_id": "A-1", "installed_at": "2026-03-24T19:29:00Z"}])
    leave = {"type": "authorised_absence", "order_id": "O-1", "reason": "court", "approved_by": "A. Officer"}
    async with living(broker, database, clock, known=known) as service:
        clock.advance(at("19:40"))
        async with asyncio.timeout(PATIENCE_S):
            while await _priorities(database) != ["P2"]:
                await asyncio.sleep(0.02)
        for day in ("2026-03-24", "2026-04-01"):
            assert await told(database, leave | {"from": f"{day}T21:00", "until": f"{day}T22:00"}) == "done"
            assert await _priorities(database) == ["P2"]
        assert service.troubles() == []


async def _priorities(database: Path) -> list[str]:
    return [alert.priority for alert in await _alerts(database) if alert.rule == "unit.silent"]


async def _alerts(database: Path) -> list[Alert]:
    async with reading(database) as store:
        return await store.alerts(open_only=True)


@pytest.mark.timeout(120)
async def test_a_register_that_was_loaded_between_two_runs_is_in_the_export(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("18:50"))
    leave = {
        "type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:00", "until": "2026-03-24T23:00",
        "reason": "medical", "approved_by": "A. Officer",
    }  # fmt: skip
    async with (
        living(broker, database, clock),
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        await unit.says({"type": "presence", "at": "2026-03-24T18:50:00.000Z", "tag": "T-1", "in_range": False})
        while clock.now() < at("19:20"):
            clock.advance(clock.now() + MINUTE)
            await unit.says({"type": "unit_status", "at": format_ms(clock.now()), "power": "mains"})
            await unit.is_acknowledged()
        assert await told(database, leave) == "done"
    clock.advance(at("19:30"))
    store = SqlStore(f"sqlite:///{database}")
    await store.open()
    await load_register(store, register(order(atv_allowance_min=5)), clock.now(), replace=True)
    await store.close()
    async with living(broker, database, clock):
        clock.advance(at("19:31"))
        [alert] = [alert for alert in await _alerts(database) if alert.rule == "curfew.absence" and not alert.withdrawn]
        assert alert.late is not None
        assert alert.late.startswith("found at a start with another register or policy than before")
    await _is_told_the_same_by_its_inbox(database, clock.now())


async def test_a_wearer_s_name_is_kept_apart_from_what_was_said(broker: EmbeddedBroker, tmp_path: Path) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("12:00"))
    async with living(broker, database, clock):
        act = {"type": "wearer", "wearer": {"wearer_id": "W-2", "name": "Ann Other"}, "by": "A. Officer"}
        assert await told(database, act) == "done"
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    assert [person.name for person in await store.people() if person.wearer_id == "W-2"] == ["Ann Other"]
    assert b"Ann Other" not in b"".join([row.payload async for row in store.inbox_after(0)])
    await store.close()


async def test_a_file_that_is_loaded_again_keeps_what_was_said_and_another_one_is_refused(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/em.db"
    store = SqlStore(database)
    await store.open()
    first = await load_register(store, register(), at("12:00"))
    act = {"type": "order_end", "order_id": "O-1", "ends_at": "2026-04-01T00:00:00Z", "by": "the court"}
    said = InboxRow(1, at("12:01"), "instruction", None, None, json.dumps(act).encode())
    await store.commit(Commit(inbox=[said]))
    assert await load_register(store, register(), at("12:02")) == first
    assert (await register_in_force(store)).register.orders[0].ends_at == at("00:00", "2026-04-01")
    other = register(order(atv_allowance_min=1))
    with pytest.raises(
        RegisterError, match=r"it would undo 1 instruction given since .* the last one at 2026-03-24T12:01"
    ):
        await load_register(store, other, at("12:03"))
    await load_register(store, other, at("12:03"), replace=True)
    assert (await register_in_force(store)).register == parse_register(json.dumps(_said(other)))
    await store.close()


def _said(known: Any) -> Any:
    return as_text(known.plain())


def test_the_command_names_what_is_wrong_before_anything_is_posted(tmp_path: Path) -> None:
    (tmp_path / "act.json").write_text('{"type":"variation","order_id":"O-1","by":" "}')
    done = subprocess.run([*EMCHECK, "instruct", "act.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("emcheck: act.json: effective_at: ")
    assert not (tmp_path / "emcheck.db").exists()


async def _emcheck(folder: Path, *words: str, code: int = 0) -> str:
    """A command beside the running service; what it prints, on standard error where it is to fail."""
    process = await asyncio.create_subprocess_exec(
        *EMCHECK, *words, cwd=folder, env=environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, wrong = await process.communicate()
    assert process.returncode == code, wrong.decode()
    return (wrong if code else said).decode()


async def test_the_commands_beside_a_running_service(broker: EmbeddedBroker, tmp_path: Path) -> None:
    config, known = str(tmp_path / "emcheck.toml"), as_text(register().plain())
    act = {"type": "suspension", "order_id": "O-1", "from": "2026-03-25T12:00", "by": "the court"}
    (tmp_path / "act.json").write_text(json.dumps(act))
    async with serving(tmp_path, {"mqtt": {"port": broker.port}}, known) as served:
        await served.ready()
        said = await _emcheck(tmp_path, "instruct", "act.json", "--config", config)
        assert re.fullmatch(r"suspension: done as number \d+\n", said)
        await served.end()
    posted = await _emcheck(tmp_path, "instruct", "act.json", "--config", config, "--wait", "0")
    assert posted.startswith("suspension: posted; no service took it within 0 s")
    async with serving(tmp_path, {"mqtt": {"port": broker.port}}, known) as served:
        await served.ready()
        store = SqlStore(f"sqlite:///{tmp_path}/emcheck.db", read_only=True)
        await store.open()
        async with asyncio.timeout(PATIENCE_S):
            while len((await register_in_force(store)).register.orders[0].suspensions) < 2:
                await asyncio.sleep(0.05)
        await store.close()
    for name in ("told.jsonl", "told.jsonl.gz"):
        said = await _emcheck(tmp_path, "export", "--out", name, "--config", config)
        assert f"Judge them with the register that was loaded first (sha256 {register().sha256()}, at " in said
        await _emcheck(tmp_path, "replay", name, "--register", "register.json", "--format", "jsonl")
    again = await _emcheck(tmp_path, "export", "--out", "told.jsonl", "--config", config, code=2)
    assert again == "emcheck: told.jsonl: is there already; name another with --out, or say --force\n"
    assert "lines" in await _emcheck(tmp_path, "export", "--out", "told.jsonl", "--config", config, "--force")


async def test_what_was_said_is_listed_and_taken_back_by_its_number(broker: EmbeddedBroker, tmp_path: Path) -> None:
    config = ("--config", str(tmp_path / "emcheck.toml"))
    known = as_text(register(wearers=[{"wearer_id": "W-1", "name": "Ann Other"}]).plain(personal=True))
    leave = {"order_id": "O-1", "from": "2026-03-25T19:00", "until": "2026-03-25T22:00", "approved_by": "A. Officer"}
    varied = {"order_id": "O-1", "effective_at": "2026-04-01T00:00:00Z", "curfew": nightly(address="A-7")}
    acts = [
        {"type": "authorised_absence", **leave, "reason": "medical"},
        {"type": "variation", **varied, "by": "the court"},
        {"type": "variation", **varied, "order_id": "O-9", "by": "the court"},
    ]
    by = ("--by", "A. Clerk", "--reason", "of another order", *config)
    async with serving(tmp_path, {"mqtt": {"port": broker.port}}, known) as served:
        await served.ready()
        for number, act in enumerate(acts):
            (tmp_path / "act.json").write_text(json.dumps(act))
            said = await _emcheck(tmp_path, "instruct", "act.json", *config, code=2 if number == 2 else 0)
            assert number != 1 or re.match(
                r"variation: done as number \d+, with warnings: order O-1: no base unit is installed", said
            )
            if number == 0:
                first = said.strip().removeprefix("authorised_absence: done as number ")
                twice = await _emcheck(tmp_path, "instruct", "act.json", *config, code=2)
                assert f"refused: from: already in force as number {first}; nothing is added" in twice
        told = [
            json.loads(line)
            for line in (await _emcheck(tmp_path, "instructions", "list", "--json", *config)).splitlines()
        ]
        assert [(line["by"], line["outcome"].partition(":")[0]) for line in told] == [
            ("A. Officer", "done"), (None, "refused"), ("the court", "done, with warnings"), (None, "refused")
        ]  # fmt: skip
        assert told[0]["what"] == "authorised absence of O-1, 2026-03-25T19:00 to 2026-03-25T22:00"
        first, second = (str(line["number"]) for line in told if line["number"] is not None)
        done = await _emcheck(tmp_path, "instructions", "revoke", first, *by)
        assert done == f"revocation of {first}: done\n"
        again = await _emcheck(tmp_path, "instructions", "revoke", first, *by, code=2)
        assert again.startswith(
            f"emcheck: revocation of {first}: refused: from: no authorised absence of O-1 that holds"
        )
        other = await _emcheck(tmp_path, "instructions", "revoke", second, *by)
        assert other == f"revocation of {second}: done\n"
        shown = await _emcheck(tmp_path, "register", "show", *config)
        assert "leave 2026-03-25 19:00 to 2026-03-25 22:00 (medical), revoked by A. Clerk (of another order)" in shown
        listed = await _emcheck(tmp_path, "instructions", "list", "--order", "O-1", *config)
        assert [line.split()[0] for line in listed.splitlines()[1:]] == [
            first, second, str(int(second) + 1), str(int(second) + 2)
        ]  # fmt: skip
        assert [line.rpartition("; ")[2] for line in listed.splitlines() if line.startswith(f"{first} ")] == [
            f"revoked by number {int(second) + 1}"
        ]
        assert "in findings it is called" in await _emcheck(tmp_path, "register", "export", "-o", "now.json", *config)
        there = await _emcheck(tmp_path, "register", "export", "-o", "now.json", *config, code=2)
        assert there == "emcheck: now.json: is there already; name another with --out, or say --force\n"
    exported = parse_register((tmp_path / "now.json").read_text())
    assert [wearer.name for wearer in exported.wearers] == ["Ann Other"]
    [order] = exported.orders
    assert (
        [held.revoked is None for held in order.variations],
        [held.revoked is None for held in order.authorised_absences],
    ) == ([False], [False])
    loaded = await _emcheck(tmp_path, "register", "load", "now.json", "--replace", *config)
    assert exported.sha256() in loaded


async def test_an_export_that_fails_half_way_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{tmp_path}/em.db"}})
    store = SqlStore(settings.store.async_url)
    await store.open()
    await store.close()

    async def torn(_: object) -> AsyncIterator[bytes]:
        yield b"{}\n"
        raise StoreError("the disk went", remedy="mend it", transient=False)

    monkeypatch.setattr(mailing, "stream_of", torn)
    for name in ("out.jsonl", "out.jsonl.gz"):
        with pytest.raises(StoreError):
            await mailing.export_stream(settings, tmp_path / name)
        assert not (tmp_path / name).exists()
    (tmp_path / "kept.jsonl").write_text("mine")
    with pytest.raises(FileExistsError):
        await mailing.export_stream(settings, tmp_path / "kept.jsonl")
    assert (tmp_path / "kept.jsonl").read_text() == "mine"
