"""What a database keeps, and who may use it at once."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from emcheck.ports import Commit, Deadline, Person, StoredRegister, StoreError
from emcheck.store.sql import SqlStore
from emcheck.store.sqlite import SqliteBackend
from tests.store import cluster as postgres
from tests.store.conftest import Opening, new_database
from tests.store.contract import rows_after
from tests.store.samples import T0, absence, alert, change, checkpoint, refused, row

WHOLE = Commit(
    inbox=[row(1), row(2, "BU-0002")],
    quarantine=[refused()],
    findings=[absence()],
    alerts=[change(alert())],
    deadlines=[Deadline("W-1", T0)],
    checkpoints=[checkpoint(1, T0)],
)


async def test_a_reader_sees_whether_a_service_runs_and_keeps_none_out(url: str, opened: Opening) -> None:
    service = opened(url)
    await service.open()
    reader = opened(url, read_only=True)
    await reader.open()
    assert await reader.is_live()
    await service.close()
    assert not await reader.is_live()
    again = opened(url)
    await again.open()
    assert await reader.is_live()


async def test_everything_is_there_after_opening_again(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    identity = store.database_id
    await store.commit(WHOLE)
    await store.save_register(StoredRegister("a", T0, b"{}"), [Person("W-1", "Ann", b"")])
    reserved = await store.reserve_counter("n", 10)
    await store.outbox_delivered("mqtt", 1)
    await store.close()

    again = opened(url)
    await again.open()
    assert again.database_id == identity
    assert await again.acknowledging()
    assert await rows_after(again) == list(WHOLE.inbox)
    assert [item for _, item in await again.quarantined(limit=9)] == list(WHOLE.quarantine)
    assert await again.findings() == list(WHOLE.findings)
    assert await again.alerts(open_only=True) == [alert()]
    assert await again.deadlines_due(T0) == list(WHOLE.deadlines)
    assert [kept async for kept in again.checkpoints()] == list(WHOLE.checkpoints)
    assert await again.people() == [Person("W-1", "Ann", b"")]
    assert await again.reserve_counter("n", 1) == reserved + 10
    assert await again.outbox_after("mqtt", limit=9) == []
    await again.commit(Commit(inbox=[row(3, "BU-0002", previous=2), row(4, "BU-0003")]))
    assert await again.unit_history(newest=3, after=0) == [row(2, "BU-0002"), row(3, "BU-0002", previous=2)]


async def test_a_second_service_is_refused_and_may_come_when_the_first_is_gone(url: str, opened: Opening) -> None:
    first, second = opened(url), opened(url)
    await first.open()
    with pytest.raises(StoreError, match="another emcheck service uses the database") as caught:
        await second.open()
    assert "stop the other service" in caught.value.remedy
    await first.commit(WHOLE)
    await first.close()
    await second.open()
    assert await rows_after(second) == list(WHOLE.inbox)


async def test_readers_read_while_the_service_writes_and_cannot_write(url: str, opened: Opening) -> None:
    service, reader = opened(url), opened(url, read_only=True)
    await service.open()
    await reader.open()
    assert reader.database_id == service.database_id
    await service.commit(WHOLE)
    assert await rows_after(reader) == list(WHOLE.inbox)
    walking = reader.inbox_after(0)
    assert await anext(walking) == row(1)
    await service.commit(Commit(inbox=[row(3)]))
    assert [kept async for kept in walking] == [row(2, "BU-0002"), row(3)]
    for act in (reader.commit(WHOLE), reader.reserve_counter("n", 1), reader.erase_person("W-1")):
        with pytest.raises(StoreError):
            await act


async def test_an_operator_acts_beside_the_running_service(url: str, opened: Opening) -> None:
    service, operator = opened(url), opened(url, operator=True)
    await service.open()
    await service.save_register(StoredRegister("a", T0, b"{}"), [Person("W-1", "Ann", b"")])
    await operator.open()
    assert await operator.erase_person("W-1")
    assert await service.people() == []
    with pytest.raises(StoreError, match="only the service commits"):
        await operator.commit(WHOLE)


async def test_writers_take_turns(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    spans = await asyncio.gather(*(store.reserve_counter("n", 7) for _ in range(20)))
    assert sorted(spans) == [1 + 7 * n for n in range(20)]


async def test_a_commit_given_up_halfway_leaves_the_store_usable(url: str, opened: Opening) -> None:
    store = opened(url, busy_timeout_ms=5_000)
    await store.open()
    number = 0
    for yields in range(12):
        rows = [row(number + n, f"BU-{yields:04}") for n in range(1, 51)]
        writing = asyncio.create_task(store.commit(Commit(inbox=rows)))
        for _ in range(yields):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        kept = await store.last_row()
        assert kept is None or kept.row_id in (number, number + 50)
        number = 0 if kept is None else kept.row_id
    await store.commit(Commit(inbox=[row(number + 1, "BU-9999")]))
    assert len(await rows_after(store)) == number + 1


async def test_erased_people_are_not_left_in_the_files(sqlite_url: str, opened: Opening, tmp_path: Path) -> None:
    store = opened(sqlite_url)
    await store.open()
    secret = "Wilhelmina Featherstonehaugh"
    people = [Person(f"W-{n}", f"Person {n} " * 20, b"") for n in range(200)]
    await store.save_register(StoredRegister("a", T0, b"{}"), [*people, Person("W-X", secret, secret.encode())])
    assert await store.erase_person("W-X")
    assert _holding(tmp_path, secret.encode()) == []


def _holding(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if words in path.read_bytes()]


async def test_the_log_stays_bounded_though_somebody_reads(sqlite_url: str, opened: Opening, tmp_path: Path) -> None:
    store = opened(sqlite_url)
    await store.open()
    bound = 1 << 20
    backend = store._backend
    assert isinstance(backend, SqliteBackend)
    backend._wal_alarm = bound
    log = tmp_path / "emcheck.db-wal"
    slow = sqlite3.connect(tmp_path / "emcheck.db", isolation_level=None)
    slow.execute("BEGIN")
    slow.execute("SELECT count(*) FROM inbox").fetchall()
    for number in range(1, 41):
        await store.commit(Commit(inbox=[row(number, payload=bytes(60_000))]))
    assert log.stat().st_size > bound
    slow.close()
    backend._wal_alarm, backend._look_next_s = bound, 0.0
    await store.commit(Commit(inbox=[row(41)]))
    assert log.stat().st_size < bound


async def test_commits_are_forced_to_the_disk(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    async with store._transaction() as connection:
        if url.startswith("sqlite"):
            assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2
            assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
            assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1
        else:
            assert (await connection.execute(text("SHOW synchronous_commit"))).scalar() == "on"


async def test_a_server_told_to_be_careless_is_overruled(cluster: postgres.Cluster, opened: Opening) -> None:
    name = new_database(cluster)
    cluster.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    store = opened(cluster.url(name))
    await store.open()
    async with store._transaction() as connection:
        assert (await connection.execute(text("SHOW synchronous_commit"))).scalar() == "on"


def test_an_address_without_a_driver_will_do(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/a.db", f"sqlite+aiosqlite:///{tmp_path}/a.db"):
        SqlStore(url)
