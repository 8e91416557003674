"""The commands of `deploy/backup-and-restore.md` as they stand there, the backup while a store is open."""

import os
import re
import subprocess
from pathlib import Path

from emcheck.domain.ids import UnitId
from emcheck.ports import Commit, InboxRow
from emcheck.store.sql import SqlStore
from tests.programs import program

DOCUMENT = Path(__file__).resolve().parents[2] / "deploy" / "backup-and-restore.md"


def _run(block: str, **variables: Path) -> str:
    """The output of the document's block of that name."""
    program("sqlite3")
    found = re.search(rf"```sh {block}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    given = {name: str(value) for name, value in variables.items()}
    done = subprocess.run(
        ["sh", "-euc", found[1]], env={**os.environ, **given}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def _row(number: int) -> InboxRow:
    return InboxRow(number, 1_774_000_000_000 + number, "up", UnitId("BU-0001"), number - 1 or None, b"{}")


def _store(database: Path, *, operator: bool = False) -> SqlStore:
    return SqlStore(f"sqlite:///{database}", operator=operator)


async def test_a_backup_is_restored_and_acknowledges_only_after_an_operators_word(tmp_path: Path) -> None:
    database, backups = tmp_path / "emcheck.db", tmp_path / "backups"
    backups.mkdir()
    store = _store(database)
    await store.open()
    await store.commit(Commit(inbox=[_row(1), _row(2)]))
    _run("backup", DB=database, BACKUPS=backups)
    await store.commit(Commit(inbox=[_row(3)]))
    assert await store.acknowledging()
    identity = store.database_id
    await store.close()

    [copy] = backups.glob("emcheck-*.db")
    assert _run("check", BACKUPS=backups).split() == ["ok", "2"]
    _run("restore", DB=database, COPY=copy)

    restored = _store(database)
    await restored.open()
    assert not await restored.acknowledging()
    last = await restored.last_row()
    assert last is not None
    assert last.row_id == 2
    assert restored.database_id == identity
    operator = _store(database, operator=True)
    await operator.open()
    await operator.confirm_acknowledging()
    await operator.close()
    assert await restored.acknowledging()
    await restored.close()


async def test_what_was_there_before_the_restore_is_kept(tmp_path: Path) -> None:
    database, backups = tmp_path / "emcheck.db", tmp_path / "backups"
    backups.mkdir()
    store = _store(database)
    await store.open()
    _run("backup", DB=database, BACKUPS=backups)
    await store.commit(Commit(inbox=[_row(1)]))
    await store.close()
    [copy] = backups.glob("emcheck-*.db")
    _run("restore", DB=database, COPY=copy)
    before = _store(tmp_path / "emcheck.db.before-restore" / "emcheck.db")
    await before.open()
    last = await before.last_row()
    assert last is not None
    assert last.row_id == 1
    await before.close()
