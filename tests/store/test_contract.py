"""The contract over every store there is."""

from collections.abc import AsyncIterator

import pytest

from emcheck.ports import Store
from emcheck.store.memory import MemoryStore
from emcheck.store.sql import SqlStore
from tests.store.contract import StoreContract


class TestMemory(StoreContract):
    """The store of a replay."""

    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = MemoryStore()
        await store.open()
        yield store
        await store.close()


class TestSql(StoreContract):
    """SQLite and PostgreSQL."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[Store]:
        store = SqlStore(url)
        await store.open()
        yield store
        await store.close()
