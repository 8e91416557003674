"""The console beside a demo: on a free port of this machine, on the demo's own time, with those who are invited.

Nobody is given a password: a link of each lets one be chosen, once. Settings for other commands lie in the folder.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from emcheck.clock import SystemClock, VirtualClock
from emcheck.desk import Account
from emcheck.domain.rights import Role
from emcheck.ingest.embedded import free_port
from emcheck.service.app import Beside, Service
from emcheck.settings import WebSettings
from emcheck.store.sql import SqlStore
from emcheck.web.people.signing_in import new_link
from emcheck.web.serving import console_over

SETTINGS, KEY = "emcheck.toml", "web.key"
MADE = (SETTINGS, KEY)
"""What lies in the folder beside the database."""


class DemoConsole:
    """`links` lets one of each role choose a password, once it began. `must`: without a console there is no demo.

    An account is called as its role.
    """

    def __init__(self, folder: Path, zone: str, *, must: bool, roles: Sequence[Role]) -> None:
        # the night takes half a minute: nobody is signed out because its hours go by
        self._settings = WebSettings(
            port=free_port(), idle_min=1_440, absolute_h=168, key_file=folder / KEY, timezone=zone
        )
        self._folder, self._roles, self._must = folder, roles, must
        self.address = f"http://{self._settings.host}:{self._settings.port}"
        self._store: SqlStore | None = None
        self.links: dict[Role, str] = {}
        self.trouble = ""
        """Why there is none, where there need not be one."""

    @property
    def settings_file(self) -> Path:
        """What `--config` names, for commands beside the demo."""
        return self._folder / SETTINGS

    async def beside(self, store: SqlStore, clock: VirtualClock) -> Beside:
        """What runs beside the demo's service; nobody else is invited."""
        self._store = store
        now = max(clock.now(), SystemClock().now())  # good by the night's clock and by this machine's
        for role in self._roles:
            secret, hashed, until = new_link(now)
            await store.put_account(Account(role, role, clock.now(), link_sha256=hashed, link_until=until))
            self.links[role] = f"{self.address}/welcome/{secret}"
        self.settings_file.write_text(self._written(), encoding="utf-8")
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

    def _written(self) -> str:
        """The demo's settings as a file, good from wherever a command is started."""
        folder = self._folder.resolve()
        database, key = (
            json.dumps(said, ensure_ascii=False) for said in (f"sqlite:///{folder}/emcheck.db", str(folder / KEY))
        )
        return f"""# The database and the console of `emcheck demo`, for commands beside it (--config).
[store]
url = {database}

[web]
port = {self._settings.port}
key_file = {key}
timezone = "{self._settings.timezone}"
"""

    async def waiting(self) -> dict[Role, str]:
        """The links of those who chose no password yet: each is good once."""
        known = {} if self._store is None else {each.name: each for each in await self._store.accounts()}
        return {role: link for role, link in self.links.items() if role not in known or known[role].password is None}


def invitation(links: dict[Role, str]) -> str:
    """A line for each link, with whom it is for."""
    return "\n".join(f"{role:<11} {link}" for role, link in links.items())
