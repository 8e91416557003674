"""SQLite: one file, write-ahead log, every commit on the disk before it returns.

**One writer.** Beside `emcheck.db` stands `emcheck.db.lock`. The service holds a lock (flock) on it while it
runs; the kernel drops it with the process, so nothing is ever left locked. Not the database file itself:
closing a second handle on that would drop SQLite's own locks.

**Known by.** A copied or restored database must not acknowledge before an operator's word (protocol.md): it
could make units forget evidence that it does not hold. Three things tell, since none does alone:

- path and file number (inode) of the file: a copy, a move or a backup moved into place has another;
- the file system's own id: a fresh volume may well give its first file the same number again. Not the
  device number, which changes at a restart on many systems and would raise the question for nothing;
- the lock file also keeps, to within a second, the last row that was committed. A backup copied *over* the
  file keeps path and number, yet holds less than that; the note is only ever behind the database (it is
  written after the commit and not forced to the disk), so a database behind its note has lost commits.

A missing note counts as a contradiction: number and path may come again after `rm` and `cp`. What remains
unseen is a whole machine put back to a snapshot, the note with it; docs for operators say so. A false alarm
costs one operator's word, a copy unseen costs evidence; so doubt counts as a copy.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL, AsyncAdaptedQueuePool
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from emcheck.ports import StoreError
from emcheck.store.backend import InboxTuple, other_service
from emcheck.store.errors import as_store_error

WAL_BYTES_MAX = 64 << 20
"""The log is cut back beyond this; SQLite alone would let it grow for as long as somebody reads."""
_WAL_KEPT_BYTES = 16 << 20
_WAL_WAIT_MS = 250
"""How long cutting back may wait for readers: writing stands still meanwhile."""
_LOOK_EVERY_S = 1.0
_LOOKED_AT_S = 0.05
_NOTE_EVERY_S = 1.0
"""Both cost a call to the system, which counts at a thousand commits a second."""
_OLDEST = (3, 35, 0)
"""RETURNING came with it (2021)."""

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",  # what was erased does not stay in free pages
    f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}",
)


class SqliteBackend:
    """See `emcheck.store.backend.Backend`."""

    def __init__(self, url: URL, *, busy_timeout_ms: int) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old; 3.35 is the oldest that will do",
                remedy="use a Python that was built with a newer SQLite",
                transient=False,
            )
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise StoreError(
                f"store.url {url.render_as_string()} names no file",
                remedy="write sqlite:///FILE, or sqlite:////FOLDER/FILE for an absolute path",
                transient=False,
            )
        self._path = Path(url.database).absolute()
        self.name = str(self._path)
        self._lock_path = self._path.with_name(f"{self._path.name}.lock")
        self._lock: int | None = None
        self._busy_timeout_ms = busy_timeout_ms
        self._wal_alarm = WAL_BYTES_MAX
        self._look_next_s = 0.0
        self._inode: int | None = None
        self._to_note: tuple[str, int] | None = None
        self._note_next_s = 0.0

    def enter(self, *, guarded: bool) -> None:
        """Look before SQLite does, whose complaint is short, then lock the file beside the database."""
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if guarded:
            self._take_lock()
            self._keep_private()
        elif not os.access(self._path, os.R_OK):
            self._path.stat()
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _take_lock(self) -> None:
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise StoreError(
                f"the database {self.name} is read-only: no {self._lock_path.name} can be written ({error.strerror})",
                remedy="give the service's user write access to the file and its folder",
                transient=False,
            ) from error
        for again in (True, True, False):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if again:  # somebody may only have looked whether it is held (`is_served`)
                    time.sleep(_LOOKED_AT_S)
                    continue
                os.close(lock)
                raise other_service(self.name, self._holder(), transient=False) from error
        self._lock = lock

    async def is_served(self, connection: AsyncConnection) -> bool:  # noqa: ARG002 - of the interface
        """Whether the lock is held; it is looked at by holding it for a moment beside other lookers."""
        try:
            lock = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _keep_private(self) -> None:
        """Names and whereabouts are for the service's user only. SQLite makes the log files like the database file."""
        if not self._path.exists():
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        for path in (self._path, *(self._path.with_name(f"{self._path.name}{end}") for end in ("-wal", "-shm"))):
            with contextlib.suppress(FileNotFoundError, PermissionError):  # another's file stays as its owner wants it
                path.chmod(path.stat().st_mode & 0o700)

    def _holder(self) -> str:
        words = self._note()
        return f" (process {int(words[2])})" if words is not None else ""

    def writer(self) -> AsyncEngine:
        """One connection; Python's driver opens its transactions with BEGIN IMMEDIATE."""
        url = URL.create("sqlite+aiosqlite", database=self.name)
        # isolation_level is what the driver puts after BEGIN before the first statement that writes: no round
        # trip to its thread for a BEGIN of our own.
        return self._engine(url, connections=1, isolation_level="IMMEDIATE")

    def reader(self) -> AsyncEngine:
        """Opened read-only: the console can do no harm and needs no write access to the file."""
        file = URL.create("sqlite+aiosqlite", database=f"file:{quote(self.name)}", query={"mode": "ro", "uri": "true"})
        return self._engine(file, connections=3, isolation_level="DEFERRED")

    def _engine(self, url: URL, *, connections: int, isolation_level: str) -> AsyncEngine:
        return create_async_engine(
            url,
            connect_args={"isolation_level": isolation_level, "timeout": self._busy_timeout_ms / 1000},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=connections,
            max_overflow=0,
        )

    async def prepare(self, connection: AsyncConnection) -> None:
        """Durable, and with a write-ahead log, so that readers and the writer do not wait for each other."""
        for pragma in _PRAGMAS:
            await connection.exec_driver_sql(pragma)
        mode = (await connection.exec_driver_sql("PRAGMA journal_mode = WAL")).scalar()
        if mode != "wal":
            raise StoreError(
                f"the database {self.name} cannot keep a write-ahead log here (journal mode {mode})",
                remedy="put it on a local disk; network file systems lack what the log needs",
                transient=False,
            )

    def check_in_place(self) -> None:
        """The path must name the very file that is open: a removed one is written to without complaint.

        One call to the system for each commit, before anything of it is acknowledged.
        """
        try:
            found = os.stat(self.name).st_ino  # noqa: PTH116 - once a commit, and Path is slow to make
        except FileNotFoundError:
            found = None
        except OSError as error:
            raise as_store_error(error, name=self.name) from error
        if self._inode is None:
            self._inode = found
        elif found is None:
            raise StoreError(
                f"the database {self.name} was removed while it was open",
                remedy="move the file back, and the service goes on by itself; it is gone for good once the service "
                "ends: then restore the last backup",
                transient=True,
            )
        elif found != self._inode:
            raise StoreError(
                f"the database {self.name} was replaced by another file while it was open",
                remedy="start the service again: it looks at what is there now, and asks for an operator's word if in "
                "doubt",
                transient=False,
            )

    async def begin_reading_first(self, connection: AsyncConnection) -> None:
        """Before the first read: the driver would begin only at the first write, and never for a table's creation."""
        await connection.exec_driver_sql("BEGIN IMMEDIATE")

    async def insert_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """Through the driver itself: one round trip to its thread, where SQLAlchemy's cursor makes three."""
        await (await _driver(connection)).executemany(statement, rows)

    async def append_inbox(self, connection: AsyncConnection, statement: str, rows: Sequence[InboxTuple]) -> None:
        """Two round trips in all: the driver begins before the first row."""
        driver = await _driver(connection)
        await driver.executemany(statement, rows)
        await driver.commit()

    async def fingerprint(self, connection: AsyncConnection) -> str:  # noqa: ARG002 - of the interface
        """Path, file number and file system."""
        file, system = self._path.stat(), os.statvfs(self._path)
        return f"{self._path.resolve()}|{file.st_ino}|{system.f_fsid}"

    def vouches(self, database_id: str, last_row: int) -> bool:
        """False where the note beside the database is another's, is missing, or is ahead of it."""
        words = self._note()
        return words is not None and words[0] == database_id and int(words[1]) <= last_row

    def _note(self) -> list[str] | None:
        try:
            words = self._lock_path.read_bytes().decode("ascii").split()
        except (OSError, UnicodeDecodeError):
            return None
        return words if len(words) == 3 and words[1].isdigit() and words[2].isdigit() else None

    def witness(self, database_id: str, last_row: int) -> None:
        """At most once a second, and at the end; left to the system's write-back: it survives our own crash."""
        self._to_note = (database_id, last_row)
        if time.monotonic() >= self._note_next_s:
            self._write_note()

    def _write_note(self) -> None:
        if self._to_note is None:
            return
        database_id, last_row = self._to_note
        note = f"{database_id} {last_row:020d} {os.getpid():010d}\n".encode("ascii")
        with contextlib.suppress(OSError):  # the commit stands; a note that lags accuses nobody
            if self._lock is not None:
                os.pwrite(self._lock, note, 0)
            else:
                self._lock_path.write_bytes(note)
        self._to_note, self._note_next_s = None, time.monotonic() + _NOTE_EVERY_S

    async def upkeep(self, connection: AsyncConnection, *, scrub: bool = False) -> None:
        """Cut the log back when it is over its bound, or holds what was erased."""
        if not scrub and time.monotonic() < self._look_next_s:
            return
        self._look_next_s = time.monotonic() + _LOOK_EVERY_S
        size = self._wal_bytes()
        if size <= self._wal_alarm and not scrub:
            return
        # Whatever stands in the way now will be told by the next commit if it matters; this one stands.
        with contextlib.suppress(SQLAlchemyError):
            await connection.exec_driver_sql(f"PRAGMA busy_timeout = {_WAL_WAIT_MS}")
            busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar()
            await connection.exec_driver_sql(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")
            await connection.rollback()
            self._wal_alarm = size + _WAL_KEPT_BYTES if busy else WAL_BYTES_MAX

    def _wal_bytes(self) -> int:
        try:
            return os.stat(f"{self.name}-wal").st_size  # noqa: PTH116 - once a commit, and Path is slow to make
        except FileNotFoundError:
            return 0

    def release(self) -> None:
        """Unlock; the lock file stays, its note is the witness."""
        self._write_note()
        self._inode = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


async def _driver(connection: AsyncConnection) -> aiosqlite.Connection:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, aiosqlite.Connection):
        raise TypeError("an open connection to SQLite is aiosqlite's")
    return driver
