"""Scene and measurement: what a key press costs in a large room: searches of the queue, and the lists of equipment.

50,000 alerts are open and 100,000 units have told that they are well; the pages are asked for as a browser asks, one
after another, while it is noted for how long the event loop was held up.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx

from bench import console, town, trial
from bench.figures import Figure, at_most
from bench.progress import Say
from emcheck.clock import SystemClock
from emcheck.desk import Account
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, UnitId, WearerId
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.policies import Policies
from emcheck.domain.rights import Role
from emcheck.ports import AlertChange, Commit, Person, StoredRegister
from emcheck.service.history import Recent, told_in
from emcheck.service.housekeeping import settle, undisturbed
from emcheck.store.sql import SqlStore

OPEN, FLEET, TURNS = 50_000, 100_000, 7
_FIRST = ("Priya", "Owen", "Idris", "Xiulan", "Chloe", "Marek", "Aino", "Bruno")
_LAST = ("Barker", "Evans", "Fofanah", "Patel", "Lewandowski", "Kowalski", "Virtanen", "Costa")
_SEARCHES = {
    "all of it": "/", "words that nobody has": "/?words=zzzz", "one letter that nobody has": "/?words=%C3%9F",
    "a name": "/?words=priya+barker+77", "a first name of every eighth": "/?words=priya", "a wearer": "/?words=W-49999",
    "an alert": "/?words=AL-OPEN049999", "a unit": "/?words=BU-049999",
}  # fmt: skip
_LISTS = {
    "units, longest unheard first": "/equipment", "units by battery": "/equipment?by=battery",
    "units by signature key": "/equipment?by=key", "units by words that none has": "/equipment?words=zzzz",
    "tags, longest unheard first": "/equipment/tags", "tags by battery": "/equipment/tags?by=battery",
    "tags by words that none has": "/equipment/tags?words=zzzz", "for programs, 500 tags": "/api/v1/tags?limit=500",
}  # fmt: skip
_QUEUE = f"Pages of the queue over {OPEN:,} open alerts"
_FLEET = f"Lists of {FLEET:,} units and tags"


def measure(say: Say) -> Iterator[Figure]:
    """How long each page takes, and for how long it holds the event loop up."""
    say(f"{OPEN:,} alerts are open over {FLEET:,} units; pages are asked for")
    took = trial.run("searching")
    for name in _SEARCHES:
        yield at_most(_QUEUE, f"{name}, median", took[name], 100, "ms")
    for name in _LISTS:
        yield at_most(_FLEET, f"{name}, median", took[name], 200, "ms")
    yield at_most(_FLEET, "the event loop was held up for at most", took["held_ms"], 50, "ms")


async def play(folder: Path) -> dict[str, float]:
    """The median time of each page in milliseconds."""
    store, clock = SqlStore(f"sqlite+aiosqlite:///{folder / 'emcheck.db'}"), SystemClock()
    await store.open()
    try:
        await _fill(store, clock.now())
        fleet = _fleet(clock.now())
        with undisturbed():  # as the service runs
            settle()
            async with console.served(store, clock, folder, fleet) as (address, token):
                return await _asked(address, token)
    finally:
        await store.close()


async def _fill(store: SqlStore, now: Ms) -> None:
    """Somebody who looks, everybody's names, and the alerts of every other wearer."""
    await store.put_account(Account("bench", Role.OPERATOR, now))
    people = [
        Person(f"W-{n}", f"{_FIRST[n % 8]} {_LAST[n // 8 % 8]} {n // 64}", b'{"contacts":{"phone":"07700 900000"}}')
        for n in range(FLEET)
    ]
    await store.save_register(StoredRegister("ab", now, b"{}"), people)
    for first in range(0, OPEN, 500):
        made = [
            replace(console.alert(f"AL-OPEN{n:06}", n, now - HOUR), subject=f"W-{n}", wearer_id=WearerId(f"W-{n}"))
            for n in range(first, first + 500)
        ]
        await store.commit(Commit(alerts=[AlertChange(a, "raised", a.raised_at, "emcheck", "", b"{}") for a in made]))


def _fleet(now: Ms) -> Engine:
    """Every unit has told three minutes of its tag at home."""
    known = town.register(FLEET, start=now - HOUR)
    engine = Engine(known, Policies(town.policy()), memory=Recent(0), decided=lambda *decision: None)
    for number in range(FLEET):
        at = now - 3 * MINUTE - number % 60_000
        told = told_in(at + 2_000, town.report(number, 0, per_message=3, at=at, apart=MINUTE))
        unit = engine.units[UnitId(town.unit_name(number))]
        unit.last_received_at = at + 2_000
        unit.rebuild([told] if told is not None else [], engine.roster.track)
    return engine


async def _asked(address: str, token: str) -> dict[str, float]:
    took: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=address, cookies={"emcheck": token}, timeout=60) as client, _noted() as held:
        for name, path in (_SEARCHES | _LISTS).items():
            turns = []
            for _ in range(TURNS):
                began = time.monotonic()
                answer = await client.get(path, headers={"HX-Request": "true"})
                turns.append((time.monotonic() - began) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{path} was not answered: {answer.status_code}")
            took[name] = statistics.median(turns)
    return took | {"held_ms": max(held)}


@contextlib.asynccontextmanager
async def _noted() -> AsyncIterator[list[float]]:
    """What the loop's thread worked between two naps of a millisecond, in milliseconds of its own time.

    So whoever else is at work on the machine holds nothing up here.
    """
    held: list[float] = [0.0]

    async def nap() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            held.append((time.thread_time() - began) * 1000)

    napping = asyncio.create_task(nap())
    try:
        yield held
    finally:
        napping.cancel()
        await asyncio.wait([napping])
