"""The migrations and the schema are one."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from emcheck.desk import EVERYTHING, Asked
from emcheck.domain.alerts import AlertState
from emcheck.ports import Commit, StoreError
from emcheck.store import upgrade
from emcheck.store.schema import REVISIONS, metadata
from tests.store.conftest import Opening
from tests.store.samples import T0, alert, change, closed


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(upgrade.MIGRATIONS))
    return ScriptDirectory.from_config(config)


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_migrating_equals_creating(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    await store.close()
    driver = url if url.startswith("postgresql") else url.replace("sqlite:", "sqlite+aiosqlite:")
    engine = create_async_engine(driver)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def test_on_sqlite_the_tables_are_the_same_to_the_letter(tmp_path: Path) -> None:
    layouts = []
    for name in ("created", "migrated"):
        engine = create_engine(f"sqlite:///{tmp_path}/{name}.db")
        with engine.begin() as connection:
            if name == "created":
                metadata.create_all(connection)
            else:
                assert upgrade.upgrade(connection, name=name)
                assert not upgrade.upgrade(connection, name=name)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"))
            layouts.append({row.name: "".join((row.sql or "").split()) for row in found if "alembic" not in row.name})
        engine.dispose()
    sorted_columns = [
        {name: sorted(sql.replace(")", ",").split(",")) for name, sql in layout.items()} for layout in layouts
    ]
    assert sorted_columns[0] == sorted_columns[1]


def test_the_code_knows_every_revision_in_order() -> None:
    walked = [script.revision for script in _scripts().walk_revisions()]
    assert tuple(reversed(walked)) == REVISIONS


def test_there_is_no_way_down() -> None:
    for script in _scripts().walk_revisions():
        with pytest.raises(RuntimeError, match="backup"):
            script.module.downgrade()


def test_every_number_has_64_bits() -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            if column.type.python_type is int and column.name not in ("kind", "closed"):
                assert isinstance(column.type, BigInteger), f"{table.name}.{column.name}"


def test_every_constraint_has_a_name() -> None:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, table.name


async def test_a_newer_database_is_refused(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    async with store._transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    for again in (opened(url), opened(url, operator=True), opened(url, read_only=True)):
        with pytest.raises(StoreError, match=r"schema 9999; this emcheck knows 0001") as caught:
            await again.open()
        assert "newer emcheck" in caught.value.remedy
        assert not caught.value.transient


async def test_somebody_elses_database_is_left_alone(url: str, opened: Opening) -> None:
    driver = url if url.startswith("postgresql") else url.replace("sqlite:", "sqlite+aiosqlite:")
    engine = create_async_engine(driver)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE invoices (n INTEGER)"))
    await engine.dispose()
    with pytest.raises(StoreError, match="invoices"):
        await opened(url).open()


async def test_only_the_service_creates(url: str, opened: Opening, tmp_path: Path) -> None:
    (tmp_path / "emcheck.db").touch()
    for store in (opened(url, read_only=True), opened(url, operator=True)):
        with pytest.raises(StoreError, match="has no emcheck schema") as caught:
            await store.open()
        assert "emcheck serve" in caught.value.remedy


async def test_alerts_of_an_older_database_have_their_place_in_the_queue(url: str, opened: Opening) -> None:
    store = opened(url)
    await store.open()
    waiting, seen = alert("AL-1"), alert("AL-2", state=AlertState.ACKNOWLEDGED, raised_at=T0)
    none = [closed("AL-3"), alert("AL-4", withdrawn=True), alert("AL-5", state=AlertState.SUPPRESSED)]
    await store.commit(Commit(alerts=[change(each) for each in (seen, waiting, *none)]))
    before = await store.queue_page(EVERYTHING, after=None, limit=9)
    async with store._transaction() as connection:
        for statement in (
            "DROP INDEX ix_alert_rule", "DROP INDEX ix_alert_holder", "ALTER TABLE alert DROP COLUMN rule",
            "ALTER TABLE alert DROP COLUMN holder", "DROP TABLE saved_view",
            "DROP INDEX ix_alert_rank", "ALTER TABLE alert DROP COLUMN rank", "DROP TABLE account",
            "DROP TABLE sign_in", "DROP TABLE access_log", "DROP TABLE second_factor", "DROP TABLE recovery_code",
            "DROP TABLE photo", "DROP TABLE assignment",
            "UPDATE alembic_version SET version_num = '0006'",
        ):  # fmt: skip
            await connection.execute(text(statement))
    await store.close()
    again = opened(url)
    await again.open()
    assert await again.queue_page(EVERYTHING, after=None, limit=9) == before == [waiting, seen]
    assert await again.queue_page(Asked(rule=seen.rule), after=None, limit=9) == before
    async with again._transaction() as connection:
        assert await connection.run_sync(_differences) == []
