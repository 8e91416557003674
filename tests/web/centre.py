"""A monitoring centre in the test's own process: a decision loop over a database, and the console over both.

The clock is the test's. Alerts come from what units tell, or are put into the queue as they are.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from emcheck.clock import VirtualClock
from emcheck.desk import Account
from emcheck.domain.alerts import Alert
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register
from emcheck.domain.rights import Role
from emcheck.ending import end
from emcheck.ports import AlertChange, Commit, Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.http import QuietServer, listen
from emcheck.service.pipeline import Pipeline
from emcheck.service.showing import Known
from emcheck.store.sql import SqlStore
from emcheck.web.alerts.live import Live
from emcheck.web.app import console_app
from emcheck.web.parts import Parts
from emcheck.web.people.sealing import KeyFile
from emcheck.web.people.second_factor import SecondFactors
from emcheck.web.people.signing_in import SigningIn
from tests.air import Air
from tests.store.samples import alert, change
from tests.support import UnitStory, at, lines, nobody_called, register

PASSWORD = "correct horse battery staple"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASHED = QUICK.hash(PASSWORD)
ABSOLUTE, IDLE = 13 * HOUR, HOUR


class Centre:
    """`async with centre(folder) as it`."""

    def __init__(
        self,
        database: Path,
        known: Register | None = None,
        policy: Policy | None = None,
        *,
        begin: int | None = None,
    ) -> None:
        self._known = known or register(wearers=[{"wearer_id": "W-1", "name": "Priya <Barker>"}])
        self.policy = policy or nobody_called()
        self.store = SqlStore(f"sqlite:///{database}")
        self.folder = database.parent
        self.factor_roles: frozenset[Role] = frozenset()
        self.clock = VirtualClock(at("18:50") if begin is None else begin)
        self.troubles: list[str] = []
        self.is_ready = True
        self.takes_mail = True
        self._posted = asyncio.Event()

    async def open(self) -> None:
        """Read the state back and put the console together."""
        await self.store.open()
        if await self.store.register() is None:
            await load_register(self.store, self._known, self.clock.now())
        self.loop = Pipeline(
            self.store, self.policy, Acknowledger(self.store, Air()),
            published=lambda alert, action, note: json.dumps([action, alert.revision, note]).encode(),
            on_alerts=lambda: None, checkpoint_every_ms=DAY,
        )  # fmt: skip
        await self.loop.recover(self.clock.now())
        self.parts = Parts(
            desk=self.store,
            clock=self.clock,
            signing_in=SigningIn(
                self.store,
                self.clock,
                idle_ms=IDLE,
                absolute_ms=ABSOLUTE,
                factor_roles=self.factor_roles,
                factors=SecondFactors(self.store, self.clock, KeyFile(self.folder / "web.key")),
            ),
            live=Live(self.store, self.clock, lambda: self.troubles),
            known=lambda: Known(self.loop.engine, self.loop.last_row_of.get) if self.is_ready else None,
            troubles=lambda: self.troubles,
            posted=self._posted.set,
            wait_s=5.0,
        )
        self.app = console_app(self.parts)

    async def take_mail(self) -> None:
        """What the service does with instructions, at once."""
        while True:
            await self._posted.wait()
            self._posted.clear()
            async with self.loop.turn:
                if not self.takes_mail:
                    continue
                await self.loop.instruct(await self.store.letters(), self.clock.now())

    async def night(self) -> Alert:
        """A unit at home all evening, a strap cut at 18:40: the alert that comes of it."""
        self.unit = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("18:39"))
        self.unit.tell(at("18:40"), "tag_tamper", tag="T-1", kind="strap_cut")
        await self.tells(self.unit)
        return next(each for each in await self.store.alerts(open_only=True) if each.rule == "tag.strap")

    async def tells(self, told: UnitStory) -> None:
        """What a unit tells, each message judged when it comes."""
        for line in lines(told):
            await self.loop.tick(line.received_at - 1)
            await self.loop.receive([Message(line.topic, line.payload, False, line.received_at)])
        told.messages.clear()

    async def raises(self, *alerts: Alert, action: str = "raised") -> None:
        """Alerts into the queue as they are."""
        changes: list[AlertChange] = [change(each, action, published=None, at=self.clock.now()) for each in alerts]
        await self.store.commit(Commit(alerts=changes))

    async def has(self, *names: str) -> None:
        """An account for each role, or for those named, called as the role and with the same password."""
        for role in Role:
            if not names or role in names:
                await self.store.put_account(Account(role, role, self.clock.now(), password=HASHED))

    def visitor(self, **said: Any) -> httpx.AsyncClient:
        """Somebody at a browser, not signed in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.7", 1))
        return httpx.AsyncClient(transport=transport, base_url="http://console.test", **said)

    async def signed_in(self, role: str = "operator") -> "Browser":
        """Somebody of a role, signed in."""
        browser = Browser(self.visitor())
        await browser.signs_in(role)
        return browser


class Browser:
    """A browser without JavaScript: keeps its cookie, and knows the word that its forms carry."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def signs_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.client.post("/sign-in", data={"name": name, "password": password})
        page = (await self.client.get("/account")).text
        self.csrf = page.partition('data-csrf="')[2].partition('"')[0]
        return answer

    async def get(self, path: str, **said: Any) -> httpx.Response:
        return await self.client.get(path, **said)

    async def sends(self, path: str, **fields: Any) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **fields})


@contextlib.asynccontextmanager
async def centre(
    folder: Path, known: Register | None = None, policy: Policy | None = None, *, begin: int | None = None
) -> AsyncIterator[Centre]:
    """One for the length of a block; without a register it knows one wearer, and without a policy nobody is called."""
    it = Centre(folder / "em.db", known, policy, begin=begin)
    await it.open()
    mail = asyncio.create_task(it.take_mail())
    try:
        yield it
    finally:
        await end([mail])
        if not mail.cancelled():
            mail.result()
        await it.store.close()


@contextlib.asynccontextmanager
async def online(it: Centre, port: int = 0) -> AsyncIterator[str]:
    """The console on a port of the loopback; its address."""
    import uvicorn

    listening = listen("127.0.0.1", port)
    server = QuietServer(
        uvicorn.Config(it.app, log_level="error", lifespan="off", access_log=False, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    watching = asyncio.create_task(it.parts.live.run())
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        it.parts.live.close()
        server.should_exit = True
        await serving
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        listening.close()


def urgent(name: str = "AL-AAA", **changes: Any) -> Alert:
    """A P1 alert of W-1."""
    return alert(name, **{"raised_at": at("18:49"), "happened_at": at("18:45"), **changes})
