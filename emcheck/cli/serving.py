"""`emcheck serve`, `register load`, `config show`, `alerts watch`: running an installation and watching it."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from emcheck.alerting.cloudevents import AlertEvent
from emcheck.cli.reading import bad_input, read_policy, read_register
from emcheck.cli.showing import say, show
from emcheck.clock import SystemClock
from emcheck.ingest.mqtt import tls_context, watch_alerts
from emcheck.ports import StoreError
from emcheck.service.enrolment import load_register
from emcheck.service.running import StartError, configure_logging, policy_path, serve
from emcheck.settings import Settings, SettingsError, explain, load_settings, shipped_config
from emcheck.store.sql import SqlStore

_WATCH_AGAIN_S = 2.0

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="An emcheck.toml; defaults and the environment else.")
]
RegisterOption = Annotated[Path | None, typer.Option("--register", help="Put this register in force first.")]


def _settings(path: Path | None) -> Settings:
    try:
        return load_settings(path)
    except SettingsError as error:
        bad_input(error)


def serve_command(config: ConfigOption = None, register: RegisterOption = None) -> None:
    """Run the service in real time against an MQTT broker, until SIGTERM or Ctrl-C."""
    settings = _settings(config)
    policy = read_policy(policy_path(settings, shipped_config()))
    known = read_register(register) if register is not None else None
    configure_logging(settings)
    try:
        asyncio.run(serve(settings, policy, known))
    except SettingsError as error:
        bad_input(error)
    except StoreError as error:
        bad_input(f"{error}. {error.remedy}")
    except StartError as error:
        bad_input(error)


def register_load(path: Annotated[Path, typer.Argument(help="A register.json.")], config: ConfigOption = None) -> None:
    """Put a register in force; the service judges by it from its next start."""
    settings, register = _settings(config), read_register(path)

    async def load() -> str:
        store = SqlStore(settings.store.async_url)
        await store.open()
        try:
            return (await load_register(store, register, SystemClock().now())).sha256
        finally:
            await store.close()

    try:
        typer.echo(f"{path}: in force from the service's next start; sha256 {asyncio.run(load())}")
    except StoreError as error:
        bad_input(f"{error}. {error.remedy}")


def config_show(
    config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Every setting with its value and where it comes from; secrets are masked."""
    rows = explain(_settings(config))
    if as_json:
        typer.echo(
            json.dumps([{"key": key, "value": str(value), "source": source} for key, value, source in rows], indent=1)
        )
        return
    table = Table("setting", "value", "source", box=None)
    for key, value, source in rows:
        table.add_row(key, str(value), source)
    show(table)


def alerts_watch(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The events as they are.")] = False,
) -> None:
    """Watch the monitoring queue as alerts come, until Ctrl-C."""
    settings = _settings(config)

    mqtt = settings.mqtt

    heard = False

    async def watch() -> None:
        nonlocal heard
        events = watch_alerts(
            host=mqtt.host,
            port=mqtt.port,
            username=mqtt.username,
            password=mqtt.password.get_secret_value() if mqtt.password else None,
            tls=tls_context(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if mqtt.tls else None,
        )
        if not as_json:
            typer.echo(f"Alerts of {mqtt.host}:{mqtt.port} as they come; Ctrl-C ends.", err=True)
        async for body in events:
            heard = True
            if as_json:
                typer.echo(one_line(body))
            else:
                say(describe(body), urgent=describe(body).startswith("P1"))

    while True:
        try:
            asyncio.run(watch())
        except ConnectionError as error:
            if not heard:
                bad_input(f"broker {error}; is it running, and are mqtt.host and mqtt.port right?")
            typer.echo(f"emcheck: broker {error}; trying again", err=True)
            time.sleep(_WATCH_AGAIN_S)
        except KeyboardInterrupt:
            raise typer.Exit from None


def store_confirm(config: ConfigOption = None) -> None:
    """Say that this database, restored or copied, is the one that may acknowledge units from now on."""
    settings = _settings(config)

    async def confirm() -> None:
        store = SqlStore(settings.store.async_url, operator=True)
        await store.open()
        try:
            await store.confirm_acknowledging()
        finally:
            await store.close()

    try:
        asyncio.run(confirm())
    except StoreError as error:
        bad_input(f"{error}. {error.remedy}")
    typer.echo(f"{settings.store.url}: confirmed; it acknowledges units from the service's next start")


def one_line(body: bytes) -> str:
    """An alert event on a line of its own, as it came; what is no JSON as a JSON text."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return json.dumps(body.decode(errors="replace"), ensure_ascii=False)


def describe(body: bytes) -> str:
    """One alert event as a line for a person; whatever else is sent there is named and skipped."""
    try:
        event = AlertEvent.model_validate_json(body)
    except ValueError:
        return f"??  not an alert event: {body[:80]!r}"
    alert, change = event.data, event.type.rpartition(".")[2]
    said = [part for part in (alert.text, alert.note, alert.late) if part]
    return f"{alert.priority}  {event.time[11:19]}Z  {change:<10} {event.subject}  {' '.join(said)}"
