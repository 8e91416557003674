"""The contract over every store there is."""

from collections.abc import AsyncIterator

import pytest

from emcheck.ports import Commit, Store
from emcheck.store import MemoryStore, SqlStore
from tests.store.contract import StoreContract
from tests.store.samples import row


class TestMemory(StoreContract):
    """The store of a replay."""

    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = MemoryStore()
        await store.open()
        yield store
        await store.close()

    def test_a_replay_needs_no_event_loop(self) -> None:
        store = MemoryStore(database_id="01JD0000000000000000000000")
        store.open_now()
        rows = [row(n, f"BU-000{n % 2}", previous=n - 2 if n > 2 else None) for n in range(1, 11)]
        for kept in rows[:5]:
            store.append_now(kept)
        assert store.unit_history_now(newest=5, after=1) == [rows[2], rows[4]]
        store.commit_now(Commit(inbox=rows[5:]))
        assert store.unit_history_now(newest=10, after=0) == rows[1::2]
        store.close_now()


class TestSql(StoreContract):
    """SQLite and PostgreSQL."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[Store]:
        store = SqlStore(url)
        await store.open()
        yield store
        await store.close()
