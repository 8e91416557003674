"""`emcheck user`: who may sign in at the console. Nobody is ever given a password: a link lets them choose one."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from emcheck.cli.explaining import JsonOption, read_store
from emcheck.cli.serving import ConfigOption, refuse_if_missing, settings_of
from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.domain.rights import Role
    from emcheck.settings import WebSettings
    from emcheck.store.sql import SqlStore

user_app = typer.Typer(help="Who may sign in at the console.", no_args_is_help=True)
_T = TypeVar("_T")
NameArgument = Annotated[str, typer.Argument(help="The account, as j.doe: it stands beside each act for ever.")]
_ROLES = (
    "operator works the queue; supervisor works the queue, reads the access log and sees all visits; "
    "fitter makes visits; officer reads own cases; auditor reads what the centre sees and acts on nothing; "
    "administrator looks after accounts and sees no wearer."
)
"""`ROLE_WORDS`, which nobody waits for who asks for help."""


@user_app.command("add")
def user_add(
    name: NameArgument,
    role: Annotated[str, typer.Option(help=_ROLES)],
    language: Annotated[
        str | None, typer.Option(help="Of the fitters' pages, as de; without it the browser says.", metavar="CODE")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make an account; prints a link that lets its owner choose a password, once, within 24 h."""
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.desk import NAME, Access, Account
    from emcheck.web.people.signing_in import new_link
    from emcheck.web.visits.words import LANGUAGES

    known = _role(role)
    if language is not None and language not in LANGUAGES:
        bad_input(f"{language!r} is no language here; there are {', '.join(LANGUAGES)}")
    if not NAME.fullmatch(name):
        bad_input(f"{name!r} is no name of an account; write 2 to 40 of a-z, 0-9, dot, hyphen and _ as in j.doe")
    now = SystemClock().now()
    link, hashed, until = new_link(now)

    async def add(store: "SqlStore") -> bool:
        if await store.account(name) is not None:
            return False
        await store.put_account(Account(name, known, now, link_sha256=hashed, link_until=until, language=language))
        await store.note_access([Access(now, "command line", f"account added as {known}", name)])
        return True

    if not _write_store(config, add):
        bad_input(f"{name}: there is such an account; `emcheck user list` shows them, `user reset` makes a new link")
    _say_link(config, name, link)


@user_app.command("role")
def user_role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help=_ROLES)],
    config: ConfigOption = None,
) -> None:
    """Give the account another role; whoever has it is signed out everywhere and signs in anew."""
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.desk import Access

    known = _role(role)
    now = SystemClock().now()

    async def change(store: "SqlStore") -> str:
        account = await store.account(name)
        if account is None:
            return "no such account; `emcheck user list` shows them"
        if account.identity is not None:
            return "its role is told by the provider's groups (web.oidc.roles); change it there"
        await store.change_role(name, known)
        await store.note_access([Access(now, "command line", f"role changed from {account.role} to {known}", name)])
        return ""

    if wrong := _write_store(config, change):
        bad_input(f"{name}: {wrong}")
    typer.echo(f"{name}: {known} from now on, and signed out")


@user_app.command("signout")
def user_signout(name: NameArgument, config: ConfigOption = None) -> None:
    """End all sign-ins of the account; whoever has it may sign in again."""
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.desk import Access

    now = SystemClock().now()

    async def end(store: "SqlStore") -> bool:
        if await store.account(name) is None:
            return False
        await store.sign_out(account=name)
        await store.note_access([Access(now, "command line", "signed out everywhere", name)])
        return True

    if not _write_store(config, end):
        bad_input(f"{name}: no such account; `emcheck user list` shows them")
    typer.echo(f"{name}: signed out everywhere")


@user_app.command("disable")
def user_disable(name: NameArgument, config: ConfigOption = None) -> None:
    """Whoever has the account is signed out at once and cannot sign in again. What they did stays on record."""
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.desk import Access

    now = SystemClock().now()

    async def disable(store: "SqlStore") -> bool:
        account = await store.account(name)
        if account is None:
            return False
        await store.put_account(
            account._replace(disabled_at=account.disabled_at or now, link_sha256=None, link_until=None)
        )
        await store.sign_out(account=name)
        await store.note_access([Access(now, "command line", "account disabled", name)])
        return True

    if not _write_store(config, disable):
        bad_input(f"{name}: no such account; `emcheck user list` shows them")
    typer.echo(f"{name}: disabled and signed out")


@user_app.command("reset")
def user_reset(
    name: NameArgument,
    totp: Annotated[
        bool, typer.Option("--totp", help="Forget the second factor and its recovery codes, and leave the password.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Take the password away, sign out, and print a link to choose another; a disabled account is enabled by it.

    The second factor stays as it is. With --totp it goes, and the password stays: for who has lost the device.
    """
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.desk import Access
    from emcheck.web.people.signing_in import new_link

    now = SystemClock().now()
    link, hashed, until = new_link(now)

    async def reset(store: "SqlStore") -> str:
        account = await store.account(name)
        if account is None:
            return "no such account; `emcheck user list` shows them"
        if account.identity is not None:
            return "it signs in elsewhere; its password and second factor are the provider's"
        if totp:
            await store.drop_second_factor(name)
        else:
            chosen = account._replace(password=None, disabled_at=None, link_sha256=hashed, link_until=until)
            await store.put_account(chosen)
        await store.sign_out(account=name)
        said = "second factor reset" if totp else "account reset"
        await store.note_access([Access(now, "command line", said, name)])
        return ""

    if wrong := _write_store(config, reset):
        bad_input(f"{name}: {wrong}")
    if totp:
        typer.echo(f"{name}: has no second factor any more, and is signed out; the password is as it was")
    else:
        _say_link(config, name, link)


@user_app.command("list")
def user_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every account with its role, and whether it can be used."""
    from emcheck.clock import SystemClock
    from emcheck.domain.instants import format_ms

    now = SystemClock().now()
    accounts = read_store(config, lambda store: store.accounts())
    rows = [(a.name, a.role.value, a.state(now), format_ms(a.created_at)) for a in accounts]
    if as_json:
        for row, account in zip(rows, accounts, strict=True):
            told = dict(zip(("name", "role", "state", "created_at"), row, strict=True))
            typer.echo(json.dumps(told | {"language": account.language}))
    elif not rows:
        typer.echo("There are no accounts. `emcheck user add NAME --role operator` makes one.")
    else:
        show(("name", "role", "state", "since (UTC)"), rows)


def _role(text: str) -> "Role":
    from emcheck.cli.reading import bad_input
    from emcheck.domain.rights import Role

    try:
        return Role(text)
    except ValueError:
        bad_input(f"{text!r} is no role; there are {', '.join(Role)}")


def _say_link(config: Path | None, name: str, link: str) -> None:
    typer.echo(
        f"{name} chooses a password here, once, within 24 h:\n{address_of(settings_of(config).web)}/welcome/{link}"
    )


def address_of(web: "WebSettings") -> str:
    """The console's address as its settings tell it."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    return web.url or f"http://{host}:{web.port}"


def _write_store(config: Path | None, do: "Callable[[SqlStore], Awaitable[_T]]") -> "_T":
    """Something small done beside the service; what is wrong with the database is a line and exit code 2."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.ports import StoreError
    from emcheck.store.sql import SqlStore

    settings = settings_of(config)
    refuse_if_missing(settings)

    async def done() -> "_T":
        store = SqlStore(settings.store.async_url, operator=True, busy_timeout_ms=settings.store.busy_timeout_ms)
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    try:
        return asyncio.run(done())
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
