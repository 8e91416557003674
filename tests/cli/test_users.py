"""`emcheck user`, and what a first start says."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import httpx
import pytest
from typer.testing import CliRunner

from emcheck.cli import app, users
from emcheck.desk import Access, Account, SecondFactor, SignIn
from emcheck.domain.rights import Role
from emcheck.ingest.embedded import free_port
from emcheck.present.roles import ROLE_WORDS
from emcheck.store.sql import SqlStore
from tests.service.served import PATIENCE_S, Served, refused, serving, toml

PASSWORD = "correct horse battery staple"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings beside a new database."""

    async def make() -> None:
        store = SqlStore(f"sqlite:///{tmp_path}/em.db")
        await store.open()
        await store.close()

    asyncio.run(make())
    path = tmp_path / "emcheck.toml"
    path.write_text(toml({"store": {"url": f"sqlite:///{tmp_path}/em.db"}, "web": {"url": "https://console.example"}}))
    return path


def run(config: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `emcheck user ...`."""
    done = CliRunner().invoke(app, ["user", *words, "--config", str(config)])
    return done.exit_code, done.stdout, done.stderr


def listed(config: Path) -> dict[str, tuple[str, str]]:
    """Role and state by name."""
    lines = map(json.loads, run(config, "list", "--json")[1].splitlines())
    return {line["name"]: (line["role"], line["state"]) for line in lines}


def test_accounts_are_made_reset_and_ended(config: Path) -> None:
    assert "no accounts" in run(config, "list")[1]
    code, said, _ = run(config, "add", "j.doe", "--role", "operator")
    assert code == 0
    assert re.search(r"https://console\.example/welcome/[\w-]{43}$", said.strip())
    assert listed(config) == {"j.doe": ("operator", "has a link")}
    code, again, _ = run(config, "reset", "j.doe")
    assert code == 0
    assert again != said
    assert run(config, "disable", "j.doe")[0] == 0
    assert listed(config) == {"j.doe": ("operator", "disabled")}
    assert run(config, "reset", "j.doe")[0] == 0
    assert listed(config) == {"j.doe": ("operator", "has a link")}


def test_a_role_changes_and_sign_ins_end(config: Path, tmp_path: Path) -> None:
    async def of_jo(do: Callable[[SqlStore], Awaitable[object]]) -> object:
        store = SqlStore(f"sqlite:///{tmp_path}/em.db")
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    def signed_in() -> object:
        return asyncio.run(of_jo(lambda store: store.sign_in(SignIn("ab", "jo", 1, 1), ended_before=0)))

    def sign_ins() -> object:
        return asyncio.run(of_jo(lambda store: store.sign_ins("jo")))

    assert run(config, "add", "jo", "--role", "operator")[0] == 0
    for words in (("role", "jo", "auditor"), ("signout", "jo"), ("reset", "jo", "--totp"), ("reset", "jo")):
        signed_in()
        asyncio.run(of_jo(lambda store: store.put_second_factor(SecondFactor("jo", "sealed", 1, 1))))
        assert sign_ins() != []
        assert run(config, *words)[0] == 0, words
        assert sign_ins() == [], words
        kept = asyncio.run(of_jo(lambda store: store.second_factor("jo")))
        assert (kept is None) is ("--totp" in words), words
    assert listed(config)["jo"] == ("auditor", "has a link")
    log = cast("list[tuple[int, Access]]", asyncio.run(of_jo(lambda store: store.access_log(limit=9, subject="jo"))))
    assert [line.action for _, line in log] == [
        "account reset", "second factor reset", "signed out everywhere", "role changed from operator to auditor",
        "account added as operator",
    ]  # fmt: skip


def test_an_account_of_a_provider_is_changed_there(config: Path, tmp_path: Path) -> None:
    async def make() -> None:
        store = SqlStore(f"sqlite:///{tmp_path}/em.db")
        await store.open()
        await store.put_account(Account("ann", Role.OPERATOR, 1, identity="https://id.example 17"))
        await store.close()

    asyncio.run(make())
    assert listed(config)["ann"] == ("operator", "signs in elsewhere")
    for words, said in ((("role", "ann", "auditor"), "provider's groups"), (("reset", "ann"), "signs in elsewhere")):
        code, _, error = run(config, *words)
        assert code == 2
        assert said in error
    assert run(config, "disable", "ann")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "J Doe", "--role", "operator"), "is no name of an account"),
        (("add", "jo", "--role", "boss"), "there are operator, supervisor"),
        (("add", "jo", "--role", "fitter", "--language", "tlh"), "'tlh' is no language here; there are en, de"),
        (("disable", "nobody"), "no such account"),
        (("role", "nobody", "operator"), "no such account"),
        (("role", "nobody", "boss"), "there are operator, supervisor"),
        (("signout", "nobody"), "no such account"),
        (("reset", "nobody", "--totp"), "no such account"),
        (("reset", "nobody"), "no such account"),
    ],
)
def test_what_cannot_be_done_is_one_line(config: Path, words: tuple[str, ...], said: str) -> None:
    code, out, error = run(config, *words)
    assert (code, out) == (2, "")
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_an_account_is_made_with_its_language(config: Path) -> None:
    assert run(config, "add", "jo", "--role", "fitter", "--language", "de")[0] == 0
    assert run(config, "add", "al", "--role", "fitter")[0] == 0
    told = [json.loads(line) for line in run(config, "list", "--json")[1].splitlines()]
    assert [(line["name"], line["language"]) for line in told] == [("al", None), ("jo", "de")]


def test_a_name_is_given_once(config: Path) -> None:
    assert run(config, "add", "jo", "--role", "auditor")[0] == 0
    code, _, error = run(config, "add", "jo", "--role", "operator")
    assert code == 2
    assert "there is such an account" in error
    assert listed(config)["jo"][0] == "auditor"


async def _link(served: Served) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while (found := re.search(r"http://\S+/welcome/\S+", served.log.read_text())) is None:
            await asyncio.sleep(0.05)
    return found[0]


async def test_a_first_start_has_no_password_but_a_link(tmp_path: Path) -> None:
    settings = {"web": {"enabled": True, "port": free_port()}, "mqtt": {"port": free_port()}}
    async with serving(tmp_path, settings) as served:
        link = await _link(served)
        async with httpx.AsyncClient() as client:
            page = await client.get(link)
            assert "Welcome, administrator" in page.text
            chosen = await client.post(link, data={"password": PASSWORD, "again": PASSWORD})
            assert chosen.status_code == 303
            address = link.partition("/welcome")[0]
            sent = {"name": "administrator", "password": PASSWORD}
            assert (await client.post(f"{address}/sign-in", data=sent)).headers["location"] == "/accounts"
        assert await served.end() == 0
    (tmp_path / "log").unlink()
    async with serving(tmp_path, settings) as served:
        async with httpx.AsyncClient() as client:
            async with asyncio.timeout(PATIENCE_S):
                while "console.listening" not in served.log.read_text():
                    await asyncio.sleep(0.05)
            assert (await client.post(f"{address}/sign-in", data=sent)).status_code == 303
        assert "welcome" not in served.log.read_text()


async def test_a_console_that_cannot_listen_says_so(tmp_path: Path) -> None:
    said = await refused(tmp_path, {"web": {"enabled": True, "host": "192.0.2.1", "port": 8081}})
    assert "web: 192.0.2.1:8081 cannot be listened on" in said
    assert "web.host and web.port" in said


def test_help_says_of_each_role_what_the_console_says() -> None:
    said = "; ".join(f"{role} {words}" for role, words in ROLE_WORDS.items()) + "."
    assert said == users._ROLES
