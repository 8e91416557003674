"""`emcheck serve`, `register load`, `config show`, `alerts watch`: running an installation and watching it."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from emcheck.cli.reading import bad_input, read_policy, read_register
from emcheck.clock import SystemClock
from emcheck.ingest.mqtt import tls_context, watch_alerts
from emcheck.ports import StoreError
from emcheck.service.enrolment import load_register
from emcheck.service.running import StartError, configure_logging, policy_path, serve
from emcheck.settings import Settings, SettingsError, explain, load_settings, shipped_config
from emcheck.store.sql import SqlStore

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
    Console().print(table)


def alerts_watch(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The events as they are.")] = False,
) -> None:
    """Watch the monitoring queue as alerts come, until Ctrl-C."""
    settings = _settings(config)

    mqtt = settings.mqtt

    async def watch() -> None:
        events = watch_alerts(
            host=mqtt.host,
            port=mqtt.port,
            username=mqtt.username,
            password=mqtt.password.get_secret_value() if mqtt.password else None,
            tls=tls_context(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if mqtt.tls else None,
        )
        async for body in events:
            event = json.loads(body)
            typer.echo(json.dumps(event, ensure_ascii=False) if as_json else describe(event))

    try:
        asyncio.run(watch())
    except ConnectionError as error:
        bad_input(f"broker {error}; is it running, and are mqtt.host and mqtt.port right?")
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


def describe(event: dict[str, Any]) -> str:
    """One alert event as a line for a person."""
    data = event["data"]
    change = str(event["type"]).rpartition(".")[2]
    who = data["wearer_id"] or data["unit"]
    return f"{data['priority']}  {str(event['time'])[11:19]}Z  {change:<10} {who}  {data['text']}"
