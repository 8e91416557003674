"""The console beside a demo: on a free port of this machine, on the demo's own time, with one who is invited."""

import asyncio
from pathlib import Path

from emcheck.clock import VirtualClock
from emcheck.desk import Account
from emcheck.domain.rights import Role
from emcheck.ingest.embedded import free_port
from emcheck.service.app import Beside, Service
from emcheck.settings import WebSettings
from emcheck.store.sql import SqlStore
from emcheck.web.people.signing_in import new_link
from emcheck.web.serving import console_over

OPERATOR = "demo"


class DemoConsole:
    """`link` lets one of that `role` choose a password, once it began. `must`: without a console there is no demo."""

    def __init__(self, folder: Path, zone: str, *, must: bool, role: Role = Role.SUPERVISOR) -> None:
        self._role = role
        # the night takes half a minute: nobody is signed out because its hours go by
        self._settings = WebSettings(
            port=free_port(), idle_min=1_440, absolute_h=168, key_file=folder / "web.key", timezone=zone
        )
        self._must = must
        self.address = f"http://{self._settings.host}:{self._settings.port}"
        self._store: SqlStore | None = None
        self.link = ""
        self.trouble = ""
        """Why there is none, where there need not be one."""

    async def beside(self, store: SqlStore, clock: VirtualClock) -> Beside:
        """What runs beside the demo's service; nobody else is invited."""
        secret, hashed, until = new_link(clock.now())
        self._store = store
        await store.put_account(Account(OPERATOR, self._role, clock.now(), link_sha256=hashed, link_until=until))
        self.link = f"{self.address}/welcome/{secret}"
        console = console_over(self._settings, print)(store, clock)

        async def run(service: Service) -> None:
            try:
                await console(service)
            except OSError as error:
                if self._must:
                    raise
                self.trouble = str(error)
                await asyncio.Event().wait()  # the night goes on without it

        return run

    async def is_welcomed(self) -> bool:
        """Whether whoever was invited chose a password: the link is good once."""
        account = None if self._store is None else await self._store.account(OPERATOR)
        return account is not None and account.password is not None
