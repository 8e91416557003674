"""Commits until it is killed, and tells each batch that is committed: `python -m tests.store.crashing URL`."""

import asyncio
import itertools
import sys

from emcheck.ports import Commit, Deadline
from emcheck.store.sql import SqlStore
from tests.store.samples import absence, alert, change, checkpoint, row

ROWS = 40


def batch(number: int) -> Commit:
    """The commit of a number: something in every table, all of it telling the number."""
    first = number * ROWS + 1
    return Commit(
        inbox=[row(first + n, f"BU-{(number + n) % 90:04}") for n in range(ROWS)],
        findings=[absence(number)],
        findings_gone=[("W-1", absence(number - 1).key)],
        alerts=[change(alert(f"AL-{number:06}"), published=b"%d" % number)],
        deadlines=[Deadline("W-1", number)],
        checkpoints=[checkpoint(first, number)],
    )


async def main(url: str) -> None:
    """Go on from where the last process was killed."""
    store = SqlStore(url)
    await store.open()
    last = await store.last_row()
    for number in itertools.count(0 if last is None else last.row_id // ROWS):
        await store.commit(batch(number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
