"""Scene and measurement: 200 consoles on the live queue, a flood, and what a page of the queue costs meanwhile.

Consoles are real connections on the loopback, in a process of their own (`bench.watchers`). Alerts are committed where
the console is served from, one a commit as a calm night has them, or a few together as a flood does.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from bench import town, trial
from bench.figures import Figure, at_most, plain
from bench.progress import Say
from bench.screen import chromium
from emcheck.clock import SystemClock
from emcheck.desk import Account
from emcheck.domain.alerts import Alert
from emcheck.domain.engine import Engine
from emcheck.domain.ids import AlertId, OrderId, RuleId, WearerId
from emcheck.domain.instants import HOUR
from emcheck.domain.policies import Policies
from emcheck.domain.rights import Role
from emcheck.ports import AlertChange, Commit, Person, StoredRegister
from emcheck.service.history import Recent
from emcheck.service.http import QuietServer, listen
from emcheck.service.showing import Known
from emcheck.store.sql import SqlStore
from emcheck.web.alerts.live import Live
from emcheck.web.app import console_app
from emcheck.web.parts import Parts
from emcheck.web.people.sealing import KeyFile
from emcheck.web.people.second_factor import SecondFactors
from emcheck.web.people.signing_in import SigningIn

CONSOLES = 200
WEARERS = 1_000
ALERTS, ALERTS_PER_S = 1_000, 50
OPEN = 50_000
FLOOD, FLOOD_S, TOGETHER = 10_000, 60, 5
_LIVE = f"From commit to {CONSOLES} consoles, {ALERTS_PER_S} alerts/s"
_FLOOD = f"A flood: {FLOOD:,} alerts in a minute over {OPEN:,} open ones, {CONSOLES} consoles"


def measure(say: Say) -> Iterator[Figure]:
    """Delays of all alerts at all consoles; and how long a page of the queue takes."""
    say(f"{CONSOLES} consoles watch {ALERTS_PER_S} alerts/s for {ALERTS // ALERTS_PER_S} s")
    calm = trial.run("console")
    yield plain(_LIVE, "alerts that arrived, of all at all consoles", calm["arrived"] * 100, "%")
    yield plain(_LIVE, "median", calm["p50_ms"], "ms")
    yield at_most(_LIVE, "95 of 100 within", calm["p95_ms"], 500, "ms")
    yield plain(_LIVE, "99 of 100 within", calm["p99_ms"], "ms")
    if "shown" in calm:
        yield plain(_LIVE, "from commit to the screen of a browser among them, median", calm["screen_p50_ms"], "ms")
        yield at_most(_LIVE, "to the screen, 95 of 100 P1 within", calm["screen_p95_ms"], 500, "ms")
    say(f"{OPEN:,} alerts are open, and {FLOOD:,} more come within a minute")
    flood = trial.run("console", flood=True)
    yield plain(_FLOOD, "a page of the queue, median", flood["page_p50_ms"], "ms")
    yield at_most(_FLOOD, "a page of the queue, 95 of 100 within", flood["page_p95_ms"], 100, "ms")
    yield plain(_FLOOD, "from commit to the consoles, 95 of 100 within", flood["p95_ms"], "ms")


async def play(folder: Path, *, flood: bool = False) -> dict[str, float]:
    """Alerts come at their pace while consoles watch, and in a flood pages are asked for; what the consoles saw."""
    store, clock = SqlStore(f"sqlite+aiosqlite:///{folder / 'emcheck.db'}"), SystemClock()
    await store.open()
    people = [Person(f"W-{n}", f"Person Number {n}", b"{}") for n in range(WEARERS)]
    await store.save_register(StoredRegister("ab", clock.now(), b"{}"), people)
    await store.put_account(Account("bench", Role.OPERATOR, clock.now()))
    try:
        async with served(store, clock, folder, _at_rest(clock)) as (address, token):
            if flood:
                await _fill(store, clock)
            asked = {"address": address, "token": token}
            outside = [await _outside("watchers", asked | {"consoles": CONSOLES})]
            if flood:
                outside.append(await _outside("watchers", asked))
            elif chromium() is not None:
                outside.append(await _outside("screen", asked))
            apart_s, together = (TOGETHER * FLOOD_S / FLOOD, TOGETHER) if flood else (1 / ALERTS_PER_S, 1)
            committed = await _raise(store, clock, FLOOD if flood else ALERTS, together=together, apart_s=apart_s)
            said = json.dumps(committed).encode() + b"\n"
            told = await asyncio.gather(*(each.communicate(said) for each in outside))
            return {name: value for out, _ in told for name, value in json.loads(out).items()}
    finally:
        await store.close()


def _at_rest(clock: SystemClock) -> Engine:
    """A town that has told nothing yet."""
    known = town.register(WEARERS, start=clock.now() - HOUR)
    return Engine(known, Policies(town.policy()), memory=Recent(0), decided=lambda *decision: None)


@contextlib.asynccontextmanager
async def served(store: SqlStore, clock: SystemClock, folder: Path, engine: Engine) -> AsyncIterator[tuple[str, str]]:
    """The console as it is served; its address, and the token of somebody who is signed in."""
    signing_in = SigningIn(
        store, clock, idle_ms=HOUR, absolute_ms=HOUR, factors=SecondFactors(store, clock, KeyFile(folder / "key"))
    )
    parts = Parts(
        desk=store, clock=clock, signing_in=signing_in, live=Live(store, clock, list),
        known=lambda: Known(engine, lambda unit: None), troubles=list, posted=lambda: None,
    )  # fmt: skip
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(console_app(parts), log_level="error", lifespan="off", access_log=False, backlog=512)
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    watching = asyncio.create_task(parts.live.run())
    try:
        token = await signing_in.begin("bench", "127.0.0.1")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", token
    finally:
        parts.live.close()
        server.should_exit = True
        await serving
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        listening.close()


async def _outside(which: str, asked: dict[str, Any]) -> asyncio.subprocess.Process:
    """Consoles, all of them connected; somebody who asks for pages; or a browser."""
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.{which}", json.dumps(asked), stdin=pipe, stdout=pipe
    )
    if started.stdout is None or await started.stdout.readline() != b"ready\n":
        raise RuntimeError("the consoles did not connect; what they say is above")
    return started


async def _fill(store: SqlStore, clock: SystemClock) -> None:
    """Alerts that are open already."""
    for first in range(0, OPEN, 500):
        made = [alert(f"AL-OPEN{n:06}", n, clock.now() - HOUR) for n in range(first, first + 500)]
        await store.commit(Commit(alerts=[_raised(each) for each in made]))


async def _raise(
    store: SqlStore, clock: SystemClock, number: int, *, together: int, apart_s: float
) -> dict[str, float]:
    """When each alert was committed, in seconds of the machine's clock."""
    committed: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    due = loop.time()
    for first in range(0, number, together):
        made = [alert(f"AL-{n:06}", n, clock.now()) for n in range(first, first + together)]
        await store.commit(Commit(alerts=[_raised(each) for each in made]))
        committed |= dict.fromkeys((each.alert_id for each in made), time.monotonic())
        due += apart_s
        await asyncio.sleep(max(0.0, due - loop.time()))
    return committed


def alert(name: str, number: int, at: int) -> Alert:
    """An alert that waits."""
    wearer = number % WEARERS
    return Alert(
        alert_id=AlertId(name), rule=RuleId("curfew.absence"), subject=f"W-{wearer}", priority=f"P{1 + number % 4}",
        happened_at=at, raised_at=at, text="not heard at home since 19:06, inside the curfew of order O-1",
        wearer_id=WearerId(f"W-{wearer}"), order_id=OrderId(f"O-{wearer}"),
    )  # fmt: skip


def _raised(alert: Alert) -> AlertChange:
    return AlertChange(alert, "raised", alert.raised_at, "emcheck", "", b"{}")
