"""The one boundary at which what drivers raise becomes `StoreError`: what happened, what helps, if trying again may."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from emcheck.ports import StoreError

_Words = tuple[str, str, bool]
"""Message, remedy, transient."""

_LOCKED: _Words = (
    "is locked by another process",
    "end the process that holds it (a backup, a shell); it goes on by itself",
    True,
)
_FULL: _Words = ("cannot grow: the disk is full", "free space on the disk; the service goes on by itself", True)
_READ_ONLY: _Words = ("is read-only", "give the service's user write access to the file and its folder", False)
_NOT_OPENED: _Words = (
    "cannot be opened",
    "create the folder and give the service's user access to it and the file",
    False,
)
_DAMAGED: _Words = ("is damaged", "stop the service, keep the file as it is, and restore the last backup", False)
_FOREIGN: _Words = (
    "is not a database",
    "point store.url at emcheck's own file; a new one is made where there is none",
    False,
)
_DISK: _Words = ("could not be read or written", "look at the disk and the system's log; it is tried again", True)
_REFUSED: _Words = (
    "refused a row that contradicts what it holds",
    "report this with the log: it is a fault in emcheck",
    False,
)
_UNREACHED: _Words = ("cannot be reached", "start the database server or mend store.url; it is tried again", True)
_NOT_ALLOWED: _Words = (
    "refused our login or a right we need",
    "mend user and password in store.url, or grant the rights",
    False,
)
_UNKNOWN: _Words = ("failed", "see the message; if it persists, report it with the log", False)

_SQLITE: dict[int, _Words] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _NOT_OPENED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _FOREIGN,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CONSTRAINT: _REFUSED,
}
"""By primary result code (https://sqlite.org/rescode.html)."""

_POSTGRES: dict[str, _Words] = {
    "53100": _FULL,
    "25006": ("is read-only", "it is a standby: point store.url at the primary", True),
    "55P03": _LOCKED,
    "57014": ("took too long", "look for what keeps the database busy; it is tried again", True),
    "3D000": ("does not exist on the server", "create it (createdb) or mend store.url", False),
    "42501": _NOT_ALLOWED,
    "08": _UNREACHED,
    "28": _NOT_ALLOWED,
    "23": _REFUSED,
    "40": ("undid a transaction in conflict with another", "it is tried again", True),
    "53": ("has no room left (connections, memory)", "free what is in use; it is tried again", True),
    "57": ("is being stopped or started", "it is tried again", True),
    "58": _DISK,
    "XX": _DAMAGED,
}
"""By SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def _sqlite_words(error: sqlite3.Error) -> _Words:
    code = getattr(error, "sqlite_errorcode", None)  # absent where the Python module itself complains
    return _UNKNOWN if code is None else _SQLITE.get(code & 0xFF, _UNKNOWN)


def _os_words(error: OSError) -> _Words:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    if error.errno == errno.EROFS:
        return _READ_ONLY
    if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return _NOT_OPENED
    return _DISK if error.errno == errno.EIO else _UNREACHED


def _words(error: BaseException) -> _Words:
    if isinstance(error, sqlite3.Error):
        return _sqlite_words(error)
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        return _POSTGRES.get(sqlstate) or _POSTGRES.get(sqlstate[:2], _UNKNOWN)
    if isinstance(error, PoolTimeout):
        return _LOCKED
    if isinstance(error, OSError):
        return _os_words(error)
    return _UNREACHED if isinstance(error, DBAPIError) and error.connection_invalidated else _UNKNOWN


def as_store_error(error: BaseException, *, name: str) -> StoreError:
    """The StoreError for what a driver, SQLAlchemy or the system raised about the database called `name`."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = _words(cause)
    what, remedy, transient = words if words is not _UNKNOWN else _words(error)
    short = cause.strerror if isinstance(cause, OSError) else None  # without the number and the path, named already
    said = (short or str(cause)).strip().splitlines() or [type(cause).__name__]
    return StoreError(f"the database {name} {what} ({said[0]})", remedy=remedy, transient=transient)


def _is_drivers(error: Exception) -> bool:
    """Told by where they come from: the PostgreSQL driver is not always installed."""
    return type(error).__module__.partition(".")[0] == "asyncpg"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Within it, failures of the database `name` leave as StoreError; faults of our own code as they are."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise as_store_error(error, name=name) from error
    except Exception as error:
        if not _is_drivers(error):
            raise
        raise as_store_error(error, name=name) from error
