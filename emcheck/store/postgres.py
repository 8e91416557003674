"""PostgreSQL: the same store at a second URL.

**One writer.** The service's writing connection holds an advisory lock of the session; it goes with the
connection, and a new connection takes it again or is refused.

**Known by.** The cluster's system identifier and the database's oid tell a restored dump, a copied database and
another cluster; the timeline, which every point-in-time restore and every promotion of a standby raises, tells
a database that may have lost its last commits. A planned switch-over costs one operator's word: it cannot be
told from one that lost rows. What remains unseen is a disk put back to a snapshot.

Erased personal data stays in dead rows until the server's own vacuum has passed.
"""

from collections.abc import Sequence

from sqlalchemy import URL, AsyncAdaptedQueuePool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from emcheck.ports import StoreError
from emcheck.store.backend import InboxTuple, other_service, scalar_text

_GUARD_KEY = int.from_bytes(b"emcheck", "big")
_CONNECT_TIMEOUT_S = 10
_COMMAND_TIMEOUT_S = 60

_FINGERPRINT = text(
    "SELECT c.system_identifier || '|' || d.oid || '|' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    " FROM pg_control_system() AS c, pg_database AS d WHERE d.datname = current_database()"
)

_DURABLE = text(
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_SERVED = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
    " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted"
    " AND (l.classid::bigint << 32) + l.objid::bigint = :key)"
)


class PostgresBackend:
    """See `emcheck.store.backend.Backend`."""

    def __init__(self, url: URL, *, busy_timeout_ms: int) -> None:
        self._url = url.set(drivername="postgresql+asyncpg")
        self.name = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
        self._busy_timeout_ms = busy_timeout_ms
        self._guarded = False

    def enter(self, *, guarded: bool) -> None:
        """Remember it: the guard is taken with each new connection."""
        self._guarded = guarded

    def writer(self) -> AsyncEngine:
        """One connection."""
        return self._engine(connections=1, read_only=False)

    def reader(self) -> AsyncEngine:
        """Transactions that the server keeps from writing."""
        return self._engine(connections=3, read_only=True)

    def _engine(self, *, connections: int, read_only: bool) -> AsyncEngine:
        settings = {"application_name": "emcheck", "lock_timeout": str(self._busy_timeout_ms)}
        if read_only:
            settings["default_transaction_read_only"] = "on"
        try:
            return create_async_engine(
                self._url,
                connect_args={
                    "server_settings": settings,
                    "timeout": _CONNECT_TIMEOUT_S,
                    "command_timeout": _COMMAND_TIMEOUT_S,
                },
                poolclass=AsyncAdaptedQueuePool,
                pool_size=connections,
                max_overflow=0,
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                f"the driver for PostgreSQL is not installed ({error.name})",
                remedy="pip install 'emcheck[postgres]'",
                transient=False,
            ) from error

    async def prepare(self, connection: AsyncConnection) -> None:
        """Wait at most the lock timeout for the guard: a session that just broke may take that long to be gone."""
        await connection.execute(_DURABLE)
        if self._guarded:
            try:
                await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _GUARD_KEY})
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) == "55P03":
                    raise other_service(self.name, "", transient=True) from error
                raise
        # What was set in a transaction that is rolled back is undone with it.
        await connection.commit()

    async def is_served(self, connection: AsyncConnection) -> bool:
        """Whether a session has the lock."""
        return bool((await connection.execute(_SERVED, {"key": _GUARD_KEY})).scalar())

    def check_in_place(self) -> None:
        """The server knows where its files are."""

    async def begin_reading_first(self, connection: AsyncConnection) -> None:
        """Transactions begin at the first statement, whatever it is; the guard keeps other services out."""

    async def insert_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """One prepared statement, pipelined by the driver."""
        await connection.exec_driver_sql(statement, list(rows))

    async def append_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """As above, with begin and commit."""
        async with connection.begin():
            await connection.exec_driver_sql(statement, list(rows))

    async def fingerprint(self, connection: AsyncConnection) -> str:
        """Cluster, database and timeline."""
        return scalar_text((await connection.execute(_FINGERPRINT)).scalar())

    def vouches(self, database_id: str, last_row: int) -> bool:  # noqa: ARG002 - of the interface
        """Nothing is kept outside the server."""
        return True

    def witness(self, database_id: str, last_row: int) -> None:
        """Nothing is kept outside the server."""

    async def upkeep(self, connection: AsyncConnection, *, scrub: bool = False) -> None:
        """The server looks after its own log."""

    def release(self) -> None:
        """The guard goes with the connection."""
