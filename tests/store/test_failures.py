"""What is wrong with a database is said in words, with a remedy, and whether it may pass; then it goes on."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from emcheck.ingest.embedded import free_port
from emcheck.ports import Commit, StoreError
from emcheck.store.sql import SqlStore
from tests.store import cluster as postgres
from tests.store.conftest import Opening, names, new_database
from tests.store.contract import rows_after
from tests.store.samples import row


async def _refused(store: SqlStore) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an unprivileged user can reach."""
    with tempfile.TemporaryDirectory(prefix="emcheck-store-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def chmod(mode: int, *paths: Path) -> None:
    """Set who may read and write."""
    for path in paths:
        path.chmod(mode)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to write anywhere."""
    owner = postgres.unprivileged()
    if owner is not None:
        os.seteuid(owner.pw_uid)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


async def test_not_a_database(tmp_path: Path, opened: Opening) -> None:
    (tmp_path / "emcheck.db").write_text("Dear diary, " * 1000)
    error = await _refused(opened(f"sqlite:///{tmp_path}/emcheck.db"))
    assert "is not a database" in str(error)
    assert not error.transient
    assert (tmp_path / "emcheck.db").read_text().startswith("Dear diary")


async def test_a_folder_that_is_not_there(tmp_path: Path, opened: Opening) -> None:
    for make in ({}, {"read_only": True}, {"operator": True}):
        error = await _refused(opened(f"sqlite:///{tmp_path}/no/emcheck.db", **make))
        assert "cannot be opened" in str(error)
        assert "create the folder" in error.remedy
        assert not error.transient
    assert names(tmp_path) == []


async def test_a_folder_in_place_of_the_file(tmp_path: Path, opened: Opening) -> None:
    (tmp_path / "emcheck.db").mkdir()
    assert "cannot be opened" in str(await _refused(opened(f"sqlite:///{tmp_path}/emcheck.db")))


async def test_a_reader_makes_no_database(tmp_path: Path, opened: Opening) -> None:
    await _refused(opened(f"sqlite:///{tmp_path}/emcheck.db", read_only=True))
    await _refused(opened(f"sqlite:///{tmp_path}/emcheck.db", operator=True))
    assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["mysql://host/db", "emcheck.db", "sqlite://", "sqlite:///:memory:"])
def test_an_address_we_do_not_know(url: str) -> None:
    with pytest.raises(StoreError, match=r"store\.url") as caught:
        SqlStore(url)
    assert "sqlite:///FILE" in caught.value.remedy


async def test_a_folder_we_may_not_write(folder: Path, opened: Opening) -> None:
    url = f"sqlite:///{folder}/emcheck.db"
    first = opened(url)
    await first.open()
    await first.commit(Commit(inbox=[row(1)]))
    await first.close()
    chmod(0o444, folder / "emcheck.db", folder / "emcheck.db.lock")
    chmod(0o555, folder)
    with as_nobody():
        error = await _refused(opened(url))
    chmod(0o755, folder)
    assert "is read-only" in str(error)
    assert "write access" in error.remedy
    assert not error.transient


async def test_a_file_we_may_not_write(folder: Path, opened: Opening) -> None:
    url = f"sqlite:///{folder}/emcheck.db"
    first = opened(url)
    await first.open()
    await first.close()
    chmod(0o777, folder)
    chmod(0o666, folder / "emcheck.db.lock")
    chmod(0o444, folder / "emcheck.db")
    with as_nobody():
        error = await _refused(opened(url))
    assert "is read-only" in str(error)


async def test_a_damaged_file(tmp_path: Path, opened: Opening) -> None:
    path = tmp_path / "emcheck.db"
    store = opened(f"sqlite:///{path}")
    await store.open()
    await store.commit(Commit(inbox=[row(n, payload=bytes(500)) for n in range(1, 2000)]))
    await store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xaa" * 3996 + whole[4096:])
    error = await _refused(opened(f"sqlite:///{path}"))
    assert "is damaged" in str(error)
    assert "backup" in error.remedy
    half = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:half] + b"\xaa" * (len(whole) - half))
    again = opened(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="is damaged"):
        await _open_and_read(again)


async def _open_and_read(store: SqlStore) -> None:
    """The damage shows on opening, or where it is met."""
    await store.open()
    await rows_after(store)


async def test_a_database_whose_identity_is_gone(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    async with store._transaction() as connection:
        await connection.execute(text("DELETE FROM meta"))
    await store.close()
    for again in (opened(url), opened(url, read_only=True)):
        assert "has lost its identity" in str(await _refused(again))


async def test_locked_by_another_process(tmp_path: Path, opened: Opening) -> None:
    url = f"sqlite:///{tmp_path}/emcheck.db"
    store = opened(url, busy_timeout_ms=20)
    await store.open()
    await store.commit(Commit(inbox=[row(1)]))
    shell = sqlite3.connect(tmp_path / "emcheck.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(StoreError, match="is locked by another process") as caught:
            await store.commit(Commit(inbox=[row(2, "BU-0002")]))
        assert caught.value.transient
    assert await rows_after(store) == [row(1)]
    await store.close()
    assert "is locked" in str(await _refused(opened(url, busy_timeout_ms=20)))
    shell.execute("ROLLBACK")
    shell.close()
    again = opened(url, busy_timeout_ms=20)
    await again.open()
    await again.commit(Commit(inbox=[row(2, "BU-0002")]))
    assert len(await rows_after(again)) == 2


async def test_a_full_disk(tmp_path: Path, opened: Opening) -> None:
    store = opened(f"sqlite:///{tmp_path}/emcheck.db")
    await store.open()
    async with store._transaction() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages + 10}"))
    big = Commit(inbox=[row(n, "BU-0002", payload=bytes(4000)) for n in range(1, 60)])
    with pytest.raises(StoreError, match="the disk is full") as caught:
        await store.commit(big)
    assert caught.value.transient
    assert await rows_after(store) == []
    await store.commit(big)  # the limit went with its connection, as space that was freed
    assert len(await rows_after(store)) == 59


async def test_no_server(opened: Opening) -> None:
    pytest.importorskip("asyncpg", reason="the driver asyncpg is not installed; pip install 'emcheck[postgres]'")
    port = free_port()
    error = await _refused(opened(f"postgresql://emcheck:secret@127.0.0.1:{port}/emcheck"))
    assert "cannot be reached" in str(error)
    assert error.transient
    assert "secret" not in str(error)


async def test_no_such_database(cluster: postgres.Cluster, opened: Opening) -> None:
    error = await _refused(opened(cluster.url("nowhere")))
    assert "does not exist on the server" in str(error)
    assert "createdb" in error.remedy
    assert not error.transient


async def test_rights_that_are_missing(cluster: postgres.Cluster, opened: Opening) -> None:
    name = new_database(cluster)
    cluster.sql(f"CREATE ROLE {name}_guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=name)
    error = await _refused(opened(cluster.url(name).replace("emcheck@", f"{name}_guest@")))
    assert "a right we need" in str(error)
    assert not error.transient


async def test_an_ordinary_role_is_enough(cluster: postgres.Cluster, opened: Opening) -> None:
    name = new_database(cluster)
    cluster.sql(f"CREATE ROLE {name}_owner LOGIN; ALTER DATABASE {name} OWNER TO {name}_owner")
    cluster.sql(f"ALTER SCHEMA public OWNER TO {name}_owner", database=name)
    store = opened(cluster.url(name).replace("emcheck@", f"{name}_owner@"))
    await store.open()
    await store.commit(Commit(inbox=[row(1)]))


async def test_a_server_that_only_reads(cluster: postgres.Cluster, opened: Opening) -> None:
    name = new_database(cluster)
    cluster.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "is read-only" in str(await _refused(opened(cluster.url(name))))


async def test_a_server_that_goes_and_comes_back(cluster: postgres.Cluster, opened: Opening) -> None:
    store = opened(cluster.url(new_database(cluster)), busy_timeout_ms=10_000)
    await store.open()
    await store.commit(Commit(inbox=[row(1)]))
    cluster.restart()
    with pytest.raises(StoreError) as caught:
        await store.commit(Commit(inbox=[row(2, "BU-0002")]))
    assert caught.value.transient
    await store.commit(Commit(inbox=[row(2, "BU-0002")]))
    cluster.stop()
    with pytest.raises(StoreError) as caught:
        await store.last_row()
    assert caught.value.transient
    with pytest.raises(StoreError) as caught:
        await store.commit(Commit(inbox=[row(3)]))
    assert caught.value.transient
    cluster.start()
    assert await rows_after(store) == [row(1), row(2, "BU-0002")]
    await store.commit(Commit(inbox=[row(3)]))


async def test_the_guard_is_taken_again_with_a_new_connection(cluster: postgres.Cluster, opened: Opening) -> None:
    name = new_database(cluster)
    store, other = opened(cluster.url(name)), opened(cluster.url(name))
    await store.open()
    cluster.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    await other.open()
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            await store.commit(Commit(inbox=[row(1)]))
        assert caught.value.transient
    assert "another emcheck service" in str(caught.value)
    await other.close()
    await store.commit(Commit(inbox=[row(1)]))
