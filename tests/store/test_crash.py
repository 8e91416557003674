"""Killed at any instant, a store holds whole transactions, and every one that it said it holds."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.store.conftest import Opening
from tests.store.contract import rows_after
from tests.store.crashing import ROWS, batch

KILLS = 12


def _run_and_kill(url: str, chance: random.Random) -> int:
    """Let a process commit a few batches and kill it; the last batch that it said was committed."""
    command = [sys.executable, "-m", "tests.store.crashing", url]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env={**os.environ}) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(chance.randrange(1, 6))]
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split()]
    return said[-1]


async def test_a_killed_process_leaves_whole_transactions_only(url: str, opened: Opening) -> None:
    chance = random.Random(20260324)
    for _ in range(KILLS):
        said = _run_and_kill(url, chance)
        store = opened(url, busy_timeout_ms=10_000)
        await store.open()
        assert await store.acknowledging()
        rows = await rows_after(store)
        done = len(rows) // ROWS - 1
        assert done >= said
        assert rows == [kept for number in range(done + 1) for kept in batch(number).inbox]
        assert await store.findings() == list(batch(done).findings)
        assert await store.deadlines_due(1 << 60) == list(batch(done).deadlines)
        assert [item.body for item in await store.outbox_after("mqtt", limit=1 << 30)] == [
            b"%d" % number for number in range(done + 1)
        ]
        assert len(await store.alerts(open_only=True)) == done + 1
        await store.close()
