"""The one boundary at which what drivers raise becomes `StoreError`: what happened, what helps, if trying again may."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from emcheck.ports import StoreError
from emcheck.store.failures import (
    DAMAGED,
    DISK,
    FOREIGN,
    FULL,
    LOCKED,
    NOT_ALLOWED,
    NOT_OPENED,
    READ_ONLY,
    REFUSED,
    UNKNOWN,
    UNREACHED,
    Words,
    os_words,
)

_SQLITE: dict[int, Words] = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: NOT_OPENED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: FOREIGN,
    sqlite3.SQLITE_IOERR: DISK,
    sqlite3.SQLITE_CONSTRAINT: REFUSED,
}
"""By primary result code (https://sqlite.org/rescode.html)."""

_POSTGRES: dict[str, Words] = {
    "53100": FULL,
    "25006": ("is read-only", "it is a standby: point store.url at the primary", True),
    "55P03": LOCKED,
    "57014": ("took too long", "look for what keeps the database busy; it is tried again", True),
    "3D000": ("does not exist on the server", "create it (createdb) or mend store.url", False),
    "42501": NOT_ALLOWED,
    "08": UNREACHED,
    "28": NOT_ALLOWED,
    "23": REFUSED,
    "40": ("undid a transaction in conflict with another", "it is tried again", True),
    "53": ("has no room left (connections, memory)", "free what is in use; it is tried again", True),
    "57": ("is being stopped or started", "it is tried again", True),
    "58": DISK,
    "XX": DAMAGED,
}
"""By SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def _sqlite_words(error: sqlite3.Error) -> Words:
    code = getattr(error, "sqlite_errorcode", None)  # absent where the Python module itself complains
    return UNKNOWN if code is None else _SQLITE.get(code & 0xFF, UNKNOWN)


def _words(error: BaseException) -> Words:
    if isinstance(error, sqlite3.Error):
        return _sqlite_words(error)
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        return _POSTGRES.get(sqlstate) or _POSTGRES.get(sqlstate[:2], UNKNOWN)
    if isinstance(error, PoolTimeout):
        return LOCKED
    if isinstance(error, OSError):
        return os_words(error)
    return UNREACHED if isinstance(error, DBAPIError) and error.connection_invalidated else UNKNOWN


def as_store_error(error: BaseException, *, name: str) -> StoreError:
    """The StoreError for what a driver, SQLAlchemy or the system raised about the database called `name`."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = _words(cause)
    what, remedy, transient = words if words is not UNKNOWN else _words(error)
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
