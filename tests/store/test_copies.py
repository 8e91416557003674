"""A copied or restored database acknowledges nothing before an operator's word."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from emcheck.ports import Commit
from emcheck.store.sql import COUNTER_JUMP
from tests.store import cluster as postgres
from tests.store.conftest import Opening, names, new_database
from tests.store.contract import rows_after
from tests.store.samples import row


async def _grow(opened: Opening, path: Path, *numbers: int) -> str:
    store = opened(f"sqlite:///{path}")
    await store.open()
    for number in numbers:
        await store.commit(Commit(inbox=[row(number)]))
    identity = store.database_id
    await store.close()
    return identity


async def _acknowledging(opened: Opening, path: Path) -> bool:
    store = opened(f"sqlite:///{path}")
    await store.open()
    answer = await store.acknowledging()
    await store.close()
    return answer


def _backup(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


async def test_the_same_file_opened_again_is_the_same(tmp_path: Path, opened: Opening) -> None:
    path = tmp_path / "emcheck.db"
    await _grow(opened, path, 1, 2)
    assert await _acknowledging(opened, path)
    await _grow(opened, path, 3)
    assert await _acknowledging(opened, path)


async def test_a_copy_elsewhere(tmp_path: Path, opened: Opening) -> None:
    path, copy = tmp_path / "emcheck.db", tmp_path / "copy.db"
    identity = await _grow(opened, path, 1)
    shutil.copy2(path, copy)
    shutil.copy2(tmp_path / "emcheck.db.lock", tmp_path / "copy.db.lock")
    assert not await _acknowledging(opened, copy)
    assert not await _acknowledging(opened, copy)  # it stays so
    assert await _acknowledging(opened, path)
    assert await _grow(opened, copy, 2) == identity


async def test_a_backup_moved_into_place(tmp_path: Path, opened: Opening) -> None:
    path, backup = tmp_path / "emcheck.db", tmp_path / "backup.db"
    await _grow(opened, path, 1)
    _backup(path, backup)
    backup.replace(path)
    assert not await _acknowledging(opened, path)


async def test_a_backup_copied_over_the_file_while_the_service_ran_on(tmp_path: Path, opened: Opening) -> None:
    path, backup = tmp_path / "emcheck.db", tmp_path / "backup.db"
    store = opened(f"sqlite:///{path}")
    await store.open()
    await store.commit(Commit(inbox=[row(1)]))
    _backup(path, backup)
    await store.commit(Commit(inbox=[row(2)]))  # acknowledged, and not in the backup
    await store.close()
    number = path.stat().st_ino
    path.write_bytes(backup.read_bytes())
    assert path.stat().st_ino == number
    assert not await _acknowledging(opened, path)


async def test_a_backup_that_lacks_nothing_is_no_loss(tmp_path: Path, opened: Opening) -> None:
    path, backup = tmp_path / "emcheck.db", tmp_path / "backup.db"
    await _grow(opened, path, 1)
    _backup(path, backup)
    path.write_bytes(backup.read_bytes())
    assert await _acknowledging(opened, path)


@pytest.mark.parametrize("note", [None, b"", b"what is this\xff", b"01JD0000000000000000000000 1 1\n"])
async def test_a_missing_or_strange_note_is_a_doubt(tmp_path: Path, opened: Opening, note: bytes | None) -> None:
    path = tmp_path / "emcheck.db"
    await _grow(opened, path, 1)
    beside = tmp_path / "emcheck.db.lock"
    if note is None:
        beside.unlink()
    else:
        beside.write_bytes(note)
    assert not await _acknowledging(opened, path)


async def test_confirming_gives_the_same_identity_its_voice_back(tmp_path: Path, opened: Opening) -> None:
    path, copy = tmp_path / "emcheck.db", tmp_path / "copy.db"
    first = opened(f"sqlite:///{path}")
    await first.open()
    given = await first.reserve_counter("n", 1000)
    await first.close()
    shutil.copy2(path, copy)

    store = opened(f"sqlite:///{copy}")
    await store.open()
    assert not await store.acknowledging()
    await store.commit(Commit(inbox=[row(1)]))
    await store.confirm_acknowledging()
    assert await store.acknowledging()
    assert store.database_id == first.database_id
    ahead = await store.reserve_counter("n", 1)
    assert ahead == given + 1000 + COUNTER_JUMP
    await store.confirm_acknowledging()
    assert await store.reserve_counter("n", 1) == ahead + 1
    await store.close()
    assert await _acknowledging(opened, copy)


async def test_an_operator_confirms_beside_the_service_or_alone(tmp_path: Path, opened: Opening) -> None:
    path = tmp_path / "emcheck.db"
    for while_it_runs in (True, False):
        await _grow(opened, path)
        (tmp_path / "emcheck.db.lock").unlink()
        service, operator = opened(f"sqlite:///{path}"), opened(f"sqlite:///{path}", operator=True)
        await service.open()
        assert not await service.acknowledging()
        if not while_it_runs:
            await service.close()
        await operator.open()
        assert not await operator.acknowledging()
        await operator.confirm_acknowledging()
        await operator.close()
        if while_it_runs:
            assert await service.acknowledging()
            await service.close()
        assert await _acknowledging(opened, path)


async def test_on_postgresql_a_copied_database_is_known_by_its_number(
    cluster: postgres.Cluster, opened: Opening
) -> None:
    name = new_database(cluster)
    store = opened(cluster.url(name))
    await store.open()
    await store.commit(Commit(inbox=[row(1)]))
    await store.close()
    cluster.sql(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    copy = opened(cluster.url(f"{name}_copy"))
    await copy.open()
    assert copy.database_id == store.database_id
    assert not await copy.acknowledging()
    await copy.confirm_acknowledging()
    assert await copy.acknowledging()
    assert await rows_after(copy) == [row(1)]
    again = opened(cluster.url(name))
    await again.open()
    assert await again.acknowledging()


async def test_a_closed_database_is_one_file_and_its_note(tmp_path: Path, opened: Opening) -> None:
    await _grow(opened, tmp_path / "emcheck.db", 1)
    assert names(tmp_path) == ["emcheck.db", "emcheck.db.lock"]
