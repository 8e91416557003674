"""`emcheck serve`, `register load`, `config show`, `alerts watch`: running an installation and watching it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.settings import Settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="An emcheck.toml; defaults and the environment else.")
]
RegisterOption = Annotated[Path | None, typer.Option("--register", help="Put this register in force first.")]


def settings_of(path: Path | None) -> "Settings":
    """The settings of a command; what is wrong with them is a line and exit code 2."""
    from emcheck.cli.reading import bad_input
    from emcheck.settings import SettingsError, load_settings

    try:
        return load_settings(path)
    except SettingsError as error:
        bad_input(error)


def refuse_if_missing(settings: "Settings") -> None:
    """One line where there is no database yet; only the service and `register load` make one."""
    from emcheck.cli.reading import bad_input

    file = settings.store.file
    if file is not None and not file.exists():
        bad_input(f"no database {file} yet: `emcheck serve` makes it; name the settings of another with --config")


def serve_command(config: ConfigOption = None, register: RegisterOption = None) -> None:
    """Run the service in real time against an MQTT broker, until SIGTERM or Ctrl-C."""
    import asyncio
    import functools

    from emcheck.cli.reading import bad_input, heed_limits, read_policy, read_register
    from emcheck.domain.policy import PolicyError
    from emcheck.domain.register import RegisterError
    from emcheck.ports import StoreError
    from emcheck.service.running import StartError, configure_logging, policy_path, serve
    from emcheck.settings import SettingsError
    from emcheck.shipped import shipped_config
    from emcheck.web.serving import console_of

    settings = settings_of(config)
    policy = read_policy(policy_path(settings, shipped_config()))
    known = read_register(register) if register is not None else None
    if register is not None and known is not None:
        heed_limits(known, policy, register)
    configure_logging(settings)
    try:
        console = console_of(settings.web, functools.partial(typer.echo, err=True))
        asyncio.run(serve(settings, policy, known, console=console))
    except RegisterError as error:
        bad_input(f"{register}: {error}")
    except PolicyError as error:
        bad_input(f"{policy_path(settings, shipped_config())}: {error}")
    except SettingsError as error:
        bad_input(error)
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
    except StartError as error:
        bad_input(error)


def register_load(
    path: Annotated[Path, typer.Argument(help="A register.json.")],
    config: ConfigOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Though it undoes instructions.")] = False,
) -> None:
    """Put a register in force; the service judges by it from its next start."""
    import asyncio

    from emcheck.cli.reading import bad_input, heed_limits, read_policy, read_register
    from emcheck.clock import SystemClock
    from emcheck.domain.policy import PolicyError
    from emcheck.domain.register import RegisterError
    from emcheck.ports import StoreError
    from emcheck.service.enrolment import load_policy, load_register, policies_in_force
    from emcheck.service.running import is_shipped, policy_path
    from emcheck.shipped import shipped_config
    from emcheck.store.sql import SqlStore

    settings, register = settings_of(config), read_register(path)
    policy = read_policy(policy_path(settings, shipped_config()))

    is_new = (file := settings.store.file) is not None and not file.exists()
    if is_new:  # nothing is published there, and what is refused makes no database
        heed_limits(register, policy, path)

    async def load() -> str:
        store = SqlStore(settings.store.async_url)
        await store.open()
        try:
            if not is_new:
                heed_limits(register, policy, path, published=await policies_in_force(store))
            now = SystemClock().now()
            await load_policy(store, policy, now, shipped=is_shipped(settings))
            return (await load_register(store, register, now, replace=replace)).sha256
        finally:
            await store.close()

    try:
        typer.echo(f"{path}: in force from the service's next start; sha256 {asyncio.run(load())}")
    except RegisterError as error:
        bad_input(f"{path}: {error}")
    except PolicyError as error:
        bad_input(f"{policy_path(settings, shipped_config())}: {error}")
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")


def config_show(
    config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Every setting with its value and where it comes from; secrets are masked."""
    from emcheck.settings import explain

    rows = explain(settings_of(config))
    if as_json:
        typer.echo(
            json.dumps([{"key": key, "value": str(value), "source": source} for key, value, source in rows], indent=1)
        )
        return
    show(("setting", "value", "source"), [(key, str(value), source) for key, value, source in rows])


def alerts_watch(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The events as they are.")] = False,
    receipts_as: Annotated[
        str | None, typer.Option("--receipts-as", help="Confirm what was shown, under this name.", metavar="NAME")
    ] = None,
) -> None:
    """Watch the monitoring queue as alerts come, until Ctrl-C."""
    from emcheck.cli.watching import watch

    watch(settings_of(config).mqtt, as_json=as_json, consumer=receipts_as)


def store_confirm(config: ConfigOption = None) -> None:
    """Say that this database, restored or copied, is the one that may acknowledge units from now on."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.ports import StoreError
    from emcheck.store.sql import SqlStore

    settings = settings_of(config)

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
        bad_input(f"{error}; {error.remedy}")
    typer.echo(f"{settings.store.url}: confirmed; it acknowledges units from the service's next start")
