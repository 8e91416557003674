"""Databases to run the store's tests on."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from emcheck.store.sql import SqlStore
from tests.store import cluster as postgres

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One server for the whole run."""
    yield from postgres.running()


def new_database(cluster: postgres.Cluster) -> str:
    """The name of a new, empty database."""
    name = f"emcheck_{next(_serial)}"
    cluster.sql(f"CREATE DATABASE {name}")
    return name


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/emcheck.db"
    served: postgres.Cluster = request.getfixturevalue("cluster")
    return served.url(new_database(served))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/emcheck.db"


Opening = Callable[..., SqlStore]


@pytest.fixture
async def opened() -> AsyncIterator[Opening]:
    """Makes stores and closes at the end what a test left open."""
    made: list[SqlStore] = []

    def make(url: str, *, read_only: bool = False, operator: bool = False, busy_timeout_ms: int = 200) -> SqlStore:
        made.append(SqlStore(url, read_only=read_only, operator=operator, busy_timeout_ms=busy_timeout_ms))
        return made[-1]

    yield make
    for store in reversed(made):
        await store.close()
