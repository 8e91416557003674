"""The store over SQLAlchemy Core: SQLite by file, PostgreSQL by a second URL.

In the steady state a commit appends inbox rows and writes nothing else; one connection is kept for it and one
transaction at a time has it. A commit that fails leaves nothing behind, in the database or here: the
connection is thrown away with whatever state it was in, and the next commit makes a new one.

Kinds of opening: the service (the one writer: migrates, is guarded), `operator` (short acts such as
confirming or erasing beside a running service), `read_only` (the console, reports).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import URL, delete, make_url, update
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from ulid import ULID

from emcheck.clock import Clock, SystemClock
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY
from emcheck.ports import Commit, Delivery, Person, StoredRegister, StoreError
from emcheck.store import queries, schema
from emcheck.store.backend import Backend
from emcheck.store.desk import SqlDesk
from emcheck.store.errors import translated
from emcheck.store.photos import ERASE_PHOTOS
from emcheck.store.postgres import PostgresBackend
from emcheck.store.reading import not_open
from emcheck.store.rows import storable
from emcheck.store.sqlite import SqliteBackend
from emcheck.store.upgrade import check_current, revision, upgrade
from emcheck.store.writing import Writing, delivery_rows, kept_once, upsert

COUNTER_JUMP = 1 << 32
"""Added to every counter when a restored database is confirmed: above whatever was given out since the backup,
and small enough that numbers stay exact in a JSON reader that uses doubles."""


def _backend(url: str, *, busy_timeout_ms: int) -> Backend:
    try:
        parsed: URL = make_url(url)
    except ArgumentError as error:
        raise _unknown_url() from error
    driver = parsed.drivername.partition("+")[0]
    if driver == "sqlite":
        return SqliteBackend(parsed, busy_timeout_ms=busy_timeout_ms)
    if driver == "postgresql":
        return PostgresBackend(parsed, busy_timeout_ms=busy_timeout_ms)
    raise _unknown_url()


def _unknown_url() -> StoreError:
    return StoreError(
        "store.url is not the address of a database we know",
        remedy="write sqlite:///FILE or postgresql://USER@HOST/DATABASE",
        transient=False,
    )


_MACHINE = "machine"
"""What a service goes by that is no simulation."""


class SqlStore(SqlDesk):
    """`emcheck.desk.Desk` over `url`; `busy_timeout_ms` is how long another process's lock is waited for."""

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        operator: bool = False,
        busy_timeout_ms: int = 5_000,
        clock: Clock | None = None,
    ) -> None:
        self._is_service = not read_only and not operator
        self._backend = _backend(url, busy_timeout_ms=busy_timeout_ms)
        super().__init__(self._backend.name)
        self._read_only = read_only
        self._clock = clock or SystemClock()
        self._writer: AsyncEngine | None = None
        self._kept: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._writing: Writing | None = None
        self._database_id: str | None = None
        self._last_row = 0

    @property
    def database_id(self) -> str:
        """The ULID of this database: the `store` of every acknowledgement."""
        if self._database_id is None:
            raise not_open(self._name)
        return self._database_id

    # --- opening ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect; the service creates or migrates the schema. StoreError says what is in the way."""
        if self._reader is not None:
            raise StoreError(f"the database {self._name} is open already", remedy="open() it once", transient=False)
        try:
            with translated(self._name):
                await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        self._backend.enter(guarded=self._is_service)
        if not self._read_only:
            self._writer = self._backend.writer()
        if self._is_service:
            async with self._transaction() as connection:
                await self._backend.begin_reading_first(connection)
                await self._settle(connection)
        self._reader = self._backend.reader()
        async with self._reader.connect() as connection:
            check_current(await connection.run_sync(revision), name=self._name)
            known = await _meta(connection)
        if "database_id" not in known:
            raise _no_identity(self._name)
        self._database_id = known["database_id"]
        self._backend.check_in_place()

    async def _settle(self, connection: AsyncConnection) -> None:
        """Create or migrate, and decide whether this database is the one that may acknowledge."""
        created = await connection.run_sync(upgrade, name=self._name)
        clock = _MACHINE if isinstance(self._clock, SystemClock) else "simulated"
        fingerprint = await self._backend.fingerprint(connection)
        if created:
            database_id = _new_id(self._clock.now())
            self._backend.witness(database_id, 0)  # before the commit: a new database must not lack its witness
            await self._set_meta(
                connection, database_id=database_id, fingerprint=fingerprint, acknowledging="yes", clock=clock
            )
            return
        known = await _meta(connection)
        if "database_id" not in known:
            raise _no_identity(self._name)
        self._last_row = (await connection.execute(queries.LAST_ROW_ID)).scalar() or 0
        is_same = known.get("fingerprint") == fingerprint
        if is_same and self._backend.vouches(known["database_id"], self._last_row):
            self._backend.witness(known["database_id"], self._last_row)  # whose process it is now
            # Written though it is the same: a database that cannot be written is to be found out now.
            await self._set_meta(connection, fingerprint=fingerprint, clock=clock)
        else:
            await self._set_meta(connection, acknowledging="no", clock=clock)

    async def _set_meta(self, connection: AsyncConnection, **values: str) -> None:
        rows = [{"key": key, "value": value} for key, value in values.items()]
        await connection.execute(upsert(connection, schema.meta), rows)

    async def close(self) -> None:
        """Let go of the database."""
        async with self._turn:
            # Readers first: SQLite folds its log into the file when the last connection goes, if that one may write.
            if self._reader is not None:
                await self._reader.dispose()
            await self._drop_connection()
            if self._writer is not None:
                await self._writer.dispose()
            self._writer = self._reader = self._writing = None
            self._backend.release()

    async def is_live(self) -> bool:
        """Whether a service runs on this database now, this one or another, and by the machine's clock."""
        if self._reader is None:
            raise not_open(self._name)
        with translated(self._name):
            async with self._reader.connect() as connection:
                by = (await _meta(connection)).get("clock", _MACHINE)
                return by == _MACHINE and await self._backend.is_served(connection)

    def _check_in_place(self) -> None:
        """Before each question too: what cannot be written to must not look well because it can be read."""
        self._backend.check_in_place()

    # --- transactions -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connection(self, *, scrub: bool = False) -> AsyncIterator[AsyncConnection]:
        """The writing connection, for one at a time; thrown away after any failure."""
        async with self._turn:
            if self._writer is None:
                raise not_open(self._name) if self._reader is None else _opened_read_only(self._name)
            if self._database_id is not None:
                self._backend.check_in_place()
            with translated(self._name):
                try:
                    connection = self._kept or await self._connect(self._writer)
                    yield connection
                    await self._backend.upkeep(connection, scrub=scrub)
                except BaseException:
                    await self._drop_connection()
                    raise

    @asynccontextmanager
    async def _transaction(self, *, scrub: bool = False) -> AsyncIterator[AsyncConnection]:
        """The writing connection for one transaction, committed at the end or undone."""
        async with self._connection(scrub=scrub) as connection, connection.begin():
            yield connection

    async def _connect(self, writer: AsyncEngine) -> AsyncConnection:
        self._kept = connection = await writer.connect()
        await self._backend.prepare(connection)
        await connection.rollback()
        self._writing = Writing(connection, self._backend)
        return connection

    async def _drop_connection(self) -> None:
        connection, self._kept = self._kept, None
        if connection is not None:
            try:
                await connection.invalidate()
            finally:
                await connection.close()

    async def commit(self, commit: Commit) -> None:
        """Write all of it in one durable transaction, or nothing."""
        if not self._is_service:
            raise _only_service(self._name)
        async with self._connection() as connection:
            if self._writing is None:
                raise not_open(self._name)
            if not await self._writing.append(connection, commit):
                async with connection.begin():
                    await self._writing.write(connection, commit)
        self._backend.check_in_place()  # outside: the open connection is all that is left of a removed file
        if commit.inbox and (last := commit.inbox[-1].row_id) > self._last_row:
            self._last_row = last
            self._backend.witness(self.database_id, last)

    # --- short acts ---------------------------------------------------------------------------------------

    async def confirm_acknowledging(self) -> None:
        """An operator confirms that this database is the one that may acknowledge.

        It keeps its id: units obey no other, and it is the operator's word that this is the one they know.
        Counters jump ahead, for units obey only a rising `n` and the backup's was overtaken since.
        """
        async with self._transaction() as connection:
            await self._backend.begin_reading_first(connection)
            known = await _meta(connection)
            if known.get("acknowledging") == "yes":
                return
            jump = schema.counter.c.next_value + COUNTER_JUMP
            await connection.execute(update(schema.counter).values(next_value=jump))
            self._last_row = (await connection.execute(queries.LAST_ROW_ID)).scalar() or 0
            fingerprint = await self._backend.fingerprint(connection)
            await self._set_meta(connection, fingerprint=fingerprint, acknowledging="yes")
        self._backend.witness(self.database_id, self._last_row)

    async def reserve_counter(self, name: str, span: int) -> int:
        """The first of `span` numbers never given out before under `name`; survives a crash. Counts from 1."""
        if span < 1:
            raise ValueError(f"a span is at least 1, not {span}")
        table = schema.counter
        async with self._transaction() as connection:
            statement = upsert(connection, table, set_={"next_value": table.c.next_value + span})
            result = await connection.execute(
                statement.returning(table.c.next_value), {"name": name, "next_value": 1 + span}
            )
            return int(result.scalar_one()) - span

    async def prune_checkpoints(self) -> int:
        """Remove those that a newer one of the same unit replaced; returns how many went."""
        async with self._transaction() as connection:
            return (await connection.execute(queries.CHECKPOINTS_REPLACED)).rowcount

    async def save_register(self, register: StoredRegister, people: Sequence[Person]) -> None:
        """Put a register in force; people are replaced, earlier registers stay."""
        async with self._transaction(scrub=True) as connection:
            last = (await connection.execute(queries.LAST_ROW_ID)).scalar() or 0
            await connection.execute(schema.register.insert(), register._replace(as_of_row=last)._asdict())
            await connection.execute(delete(schema.person))
            if people:
                await connection.execute(schema.person.insert(), [person._asdict() for person in people])

    async def post(self, body: bytes, at: Ms) -> int:
        """Leave an instruction for the decision loop; its number. Answers that are a day old go."""
        async with self._transaction() as connection:
            await connection.execute(queries.LETTERS_OLD, {"before": at - DAY})
            statement = schema.mailbox.insert().returning(schema.mailbox.c.letter_no)
            return int((await connection.execute(statement, {"posted_at": at, "body": body})).scalar_one())

    async def erase_person(self, wearer_id: str) -> bool:
        """Erase one wearer's personal data; facts and findings stay. False if none was held."""
        async with self._transaction(scrub=True) as connection:
            await connection.execute(ERASE_PHOTOS, {"whose": wearer_id})
            gone = await connection.execute(delete(schema.person).where(schema.person.c.wearer_id == wearer_id))
            return gone.rowcount > 0

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Keep who has what; of what is known already, the first word counts."""
        if not deliveries:
            return
        async with self._transaction() as connection:
            await connection.execute(kept_once(connection, schema.delivery), delivery_rows(deliveries))

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        """`publisher` has delivered everything up to `item_id`; what was delivered stays so."""
        table = schema.outbox_cursor
        async with self._transaction() as connection:
            statement = upsert(connection, table, only_rising=table.c.item_id)
            await connection.execute(statement, {"publisher": storable(publisher), "item_id": item_id})


async def _meta(connection: AsyncConnection) -> dict[str, str]:
    return {row.key: row.value for row in await connection.execute(queries.META)}


def _new_id(now: Ms) -> str:
    return str(ULID.from_bytes(now.to_bytes(6, "big") + os.urandom(10)))


def _no_identity(name: str) -> StoreError:
    return StoreError(
        f"the database {name} has lost its identity: its meta table holds no database_id",
        remedy="stop the service, keep the file as it is, and restore the last backup",
        transient=False,
    )


def _opened_read_only(name: str) -> StoreError:
    return StoreError(f"the database {name} was opened for reading", remedy="do this in the service", transient=False)


def _only_service(name: str) -> StoreError:
    return StoreError(
        f"only the service commits to the database {name}", remedy="do this in the service", transient=False
    )
