"""Creates the schema or brings it up to date by the migrations that are shipped inside the package."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from emcheck.ports import StoreError
from emcheck.store.schema import REVISIONS

MIGRATIONS = Path(__file__).parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The schema revision a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def check_known(found: str | None, *, name: str) -> None:
    """StoreError where the database was written by a newer emcheck, or is somebody else's."""
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"the database {name} has schema {found}; this emcheck knows {REVISIONS[0]} to {REVISIONS[-1]}",
            remedy="a newer emcheck wrote it: install that version, or restore the backup made before the upgrade",
            transient=False,
        )


def check_current(found: str | None, *, name: str) -> None:
    """StoreError where the schema is not the one this code reads: only the service migrates."""
    check_known(found, name=name)
    if found != REVISIONS[-1]:
        state = "has no emcheck schema" if found is None else f"has schema {found}, older than {REVISIONS[-1]}"
        raise StoreError(
            f"the database {name} {state}",
            remedy="start `emcheck serve` once: it creates or upgrades the schema",
            transient=False,
        )


def upgrade(connection: Connection, *, name: str) -> bool:
    """Bring the schema to the last revision within the open transaction; True if it was created just now."""
    found = revision(connection)
    check_known(found, name=name)
    if found is None and (tables := inspect(connection).get_table_names()):
        raise StoreError(
            f"the database {name} holds tables that are not emcheck's ({', '.join(sorted(tables)[:3])})",
            remedy="point store.url at emcheck's own database, or at an empty one",
            transient=False,
        )
    if found != REVISIONS[-1]:
        _run_migrations(connection)
    return found is None


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
