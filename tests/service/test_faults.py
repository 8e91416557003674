"""What fails around the service: at the start it says in one line what helps and leaves with 2; while it runs it
keeps what it has, says so on `/readyz`, acknowledges nothing, and recovers by itself. And it stops when told to."""

import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.instants import format_ms
from emcheck.ingest.embedded import EmbeddedBroker, free_port
from emcheck.store.sql import SqlStore
from tests.service.living import locked
from tests.service.peers import GoodUnit, good_units
from tests.service.served import Served, refused, serving
from tests.support import nightly, order

UNIT = "BU-0001"
STOP_WITHIN_S = 15.0
"""It is to stop within 5 s; without that care each of these would take a minute and more."""
REGISTER: dict[str, Any] = {
    "version": 1,
    "wearers": [{"wearer_id": "W-1"}],
    "orders": [order(ends_at="2099-01-01T00:00:00Z", curfew=nightly())],
    "installations": [{"unit": UNIT, "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
    "fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}],
}


def status() -> dict[str, Any]:
    return {"type": "unit_status", "at": format_ms(time.time_ns() // 1_000_000), "power": "mains"}


async def new_database(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.close()


# --- at the start -------------------------------------------------------------------------------------------


async def test_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = await refused(tmp_path, {"http": {"port": port}})
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use)" in said
    assert "set http.host and http.port" in said


async def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    said = await refused(tmp_path, {"http": {"host": "192.0.2.1", "port": 8080}})
    assert "192.0.2.1:8080 cannot be listened on" in said


async def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    said = await refused(tmp_path, {"mqtt": {"tls": True, "ca_file": f"{tmp_path}/no.crt"}})
    assert "the certificates cannot be used (No such file or directory)" in said
    assert f"{tmp_path}/no.crt" in said
    (tmp_path / "ca.crt").write_text("Dear diary")
    said = await refused(tmp_path, {"mqtt": {"tls": True, "ca_file": f"{tmp_path}/ca.crt"}})
    assert "the certificates cannot be used" in said


async def test_a_database_that_is_locked(tmp_path: Path) -> None:
    await new_database(tmp_path / "emcheck.db")
    async with locked(tmp_path / "emcheck.db"):
        said = await refused(tmp_path, {"store": {"busy_timeout_ms": 50}})
    assert "is locked by another process" in said
    assert "end the process that holds it" in said


async def test_a_database_that_a_newer_version_wrote(tmp_path: Path) -> None:
    await new_database(tmp_path / "emcheck.db")
    with sqlite3.connect(tmp_path / "emcheck.db") as shell:
        shell.execute("UPDATE alembic_version SET version_num = '9999'")
    shell.close()
    said = await refused(tmp_path, {})
    assert "has schema 9999" in said
    assert "install that version, or restore the backup" in said


async def test_a_database_of_another_service(tmp_path: Path) -> None:
    other = SqlStore(f"sqlite:///{tmp_path}/emcheck.db")
    await other.open()
    said = await refused(tmp_path, {})
    await other.close()
    assert f"another emcheck service uses the database {tmp_path}/emcheck.db (process {os.getpid()})" in said


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said = await refused(tmp_path, {"store": {"url": f"sqlite:///{tmp_path}/no/emcheck.db"}})
    assert "cannot be opened" in said
    assert "create the folder" in said


# --- while it runs ------------------------------------------------------------------------------------------


@asynccontextmanager
async def installation(folder: Path, **store: Any) -> AsyncIterator[tuple[EmbeddedBroker, Served, GoodUnit]]:
    """A broker, the service, and a unit that was acknowledged once."""
    async with EmbeddedBroker(store_dir=folder / "nats") as broker:
        mqtt = {"port": broker.port, "reconnect_first_s": 0.1, "reconnect_most_s": 1.0}
        async with serving(folder, {"mqtt": mqtt, "store": {"busy_timeout_ms": 100, **store}}, REGISTER) as served:
            await served.ready()
            async with good_units(broker.host, broker.port, [UNIT]) as [unit]:
                await unit.says({**status(), "type": "boot", "reason": "power_on"})
                await unit.is_acknowledged()
                yield broker, served, unit


async def keeps_its_word(served: Served, unit: GoodUnit, *words: str) -> None:
    """It says what is wrong and acknowledges nothing."""
    before = unit.acknowledged
    await unit.says(status())
    answer = await served.says(*words)
    assert not answer["ready"]
    assert unit.acknowledged == before


async def test_a_broker_that_comes_late_and_goes_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    mqtt = {"port": port, "reconnect_first_s": 0.1, "reconnect_most_s": 1.0}
    async with serving(tmp_path, {"mqtt": mqtt}, REGISTER) as served:
        await served.says(f"the broker: 127.0.0.1:{port}", "refused", "mqtt.host and mqtt.port", "tried again")
        async with EmbeddedBroker(store_dir=tmp_path / "nats", port=port) as broker:
            await served.ready()
            await broker.stop(kill=True)
            await served.says("the broker")
        async with EmbeddedBroker(store_dir=tmp_path / "nats", port=port):
            await served.ready()
        assert await served.end(within_s=STOP_WITHIN_S) == 0


async def test_a_database_that_somebody_locks(tmp_path: Path) -> None:
    async with installation(tmp_path) as (_, served, unit):
        async with locked(tmp_path / "emcheck.db"):
            await keeps_its_word(served, unit, "is locked by another process", "goes on by itself")
        await served.ready()
        await unit.is_acknowledged()
        assert await served.end(within_s=STOP_WITHIN_S) == 0


async def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """Not even the log: the limit is on every file of the process."""
    async with installation(tmp_path) as (_, served, unit):
        before = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        await keeps_its_word(served, unit, "the database", "could not be read or written", "tried again")
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, before)
        await served.ready()
        await unit.is_acknowledged()
        assert await served.end(within_s=STOP_WITHIN_S) == 0


async def test_a_database_that_is_moved_away_and_back(tmp_path: Path) -> None:
    database, elsewhere = tmp_path / "emcheck.db", tmp_path / "elsewhere.db"
    async with installation(tmp_path) as (_, served, unit):
        database.rename(elsewhere)
        await keeps_its_word(served, unit, "was removed while it was open", "move the file back")
        assert not database.exists()
        elsewhere.rename(database)
        await served.ready()
        await unit.is_acknowledged()
        assert await served.end(within_s=STOP_WITHIN_S) == 0
    with sqlite3.connect(database) as shell:
        held = shell.execute("SELECT count(*) FROM inbox WHERE unit_no IS NOT NULL").fetchone()[0]
    shell.close()
    assert held == 2


async def test_a_database_that_is_replaced_by_another(tmp_path: Path) -> None:
    """It leaves; started again it acknowledges nobody before an operator's word."""
    database = tmp_path / "emcheck.db"
    async with installation(tmp_path) as (broker, served, unit):
        shutil.copy(database, tmp_path / "copy.db")
        (tmp_path / "copy.db").rename(database)
        before = unit.acknowledged
        await unit.says(status())
        async with asyncio.timeout(30):
            assert await served.process.wait() == 2
        assert unit.acknowledged == before
        assert "was replaced by another file while it was open" in served.log.read_text()
        for beside in ("emcheck.db-wal", "emcheck.db-shm"):
            (tmp_path / beside).unlink(missing_ok=True)
        async with serving(tmp_path, {"mqtt": {"port": broker.port}}, REGISTER) as again:
            await again.says("restored or copied", "until an operator says")


# --- at the end ---------------------------------------------------------------------------------------------


async def test_it_stops_while_the_store_is_stuck(tmp_path: Path) -> None:
    async with installation(tmp_path, busy_timeout_ms=60_000) as (_, served, unit), locked(tmp_path / "emcheck.db"):
        await unit.says(status())
        await asyncio.sleep(0.5)
        assert await served.end(within_s=STOP_WITHIN_S) == 0
        assert unit.acknowledged == 1


async def test_it_stops_while_it_waits_for_the_store_at_the_start(tmp_path: Path) -> None:
    await new_database(tmp_path / "emcheck.db")
    async with locked(tmp_path / "emcheck.db"), serving(tmp_path, {"store": {"busy_timeout_ms": 60_000}}) as served:
        await asyncio.sleep(2.0)
        assert await served.end(within_s=STOP_WITHIN_S) in (0, -signal.SIGTERM)


async def test_it_stops_while_the_broker_does_not_answer(tmp_path: Path) -> None:
    """Neither a host that swallows packets, nor one that takes the connection and says nothing."""
    with socket.socket() as silent, socket.socket() as full:
        for each in (silent, full):
            each.bind(("127.0.0.1", 0))
        silent.listen(5)
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            for broker in (silent, full):
                mqtt = {"port": broker.getsockname()[1], "connect_timeout_s": 60.0}
                async with serving(tmp_path, {"mqtt": mqtt}) as served:
                    await served.says("the broker", "not connected yet")
                    assert await served.end(within_s=STOP_WITHIN_S) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_in_an_orderly_way(tmp_path: Path, how: signal.Signals) -> None:
    async with installation(tmp_path) as (_, served, _unit):
        assert await served.end(how, within_s=STOP_WITHIN_S) == 0
        assert "service.stopped" in served.log.read_text()
    with sqlite3.connect(tmp_path / "emcheck.db") as shell:
        last = shell.execute("SELECT payload FROM inbox ORDER BY row_id DESC LIMIT 1").fetchone()[0]
    shell.close()
    assert json.loads(last) == {"service": "stopped"}
