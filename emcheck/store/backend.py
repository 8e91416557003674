"""What differs between the databases: connecting, the guard of the one writer, and what a copy is known by."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from emcheck.ports import StoreError

InboxTuple = tuple[int, int, int, int | None, int | None, bytes]
"""An inbox row in the order of the table's columns."""


class Backend(Protocol):
    """One database as `SqlStore` sees it; the queries are the same on all."""

    name: str
    """Names the database in messages; without the password."""

    def enter(self, *, guarded: bool) -> None:
        """StoreError where there is nothing to open; `guarded`: be the one service here, or StoreError."""
        ...

    def writer(self) -> AsyncEngine:
        """An engine of one connection, for writing."""
        ...

    def reader(self) -> AsyncEngine:
        """An engine of a few connections that cannot write."""
        ...

    async def prepare(self, connection: AsyncConnection) -> None:
        """Make a new writing connection durable and guarded."""
        ...

    async def is_served(self, connection: AsyncConnection) -> bool:
        """Whether a service, this one or another, holds the guard now."""
        ...

    def check_in_place(self) -> None:
        """StoreError where the database is no longer where it was opened: what is written now would be lost."""
        ...

    async def begin_reading_first(self, connection: AsyncConnection) -> None:
        """Open a transaction that reads before it writes, so that nobody writes in between."""
        ...

    async def insert_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """Append to the inbox by the fastest way the driver has, within the open transaction."""
        ...

    async def append_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """The same as a transaction of its own, durable on return."""
        ...

    async def fingerprint(self, connection: AsyncConnection) -> str:
        """What this database is known by and no copy of it shares."""
        ...

    def vouches(self, database_id: str, last_row: int) -> bool:
        """Whether nothing outside the database contradicts that it holds all it ever held."""
        ...

    def witness(self, database_id: str, last_row: int) -> None:
        """Note outside the database how far it was committed, now or shortly. Never raises: a late note is harmless."""
        ...

    async def upkeep(self, connection: AsyncConnection, *, scrub: bool = False) -> None:
        """After a commit, keep what the database writes beside itself bounded; `scrub`: and free of what was erased."""
        ...

    def release(self) -> None:
        """Let go of the guard."""
        ...


def other_service(name: str, whose: str, *, transient: bool) -> StoreError:
    """A second service on one database would decide everything twice."""
    return StoreError(
        f"another emcheck service uses the database {name}{whose}",
        remedy="stop the other service first; the console and reports may read while it runs",
        transient=transient,
    )


def scalar_text(value: Any) -> str:
    """A scalar of a query that always has one."""
    if value is None:
        raise StoreError(
            "the database gave no answer to a question it always answers",
            remedy="check that store.url points at SQLite or PostgreSQL itself",
            transient=False,
        )
    return str(value)
