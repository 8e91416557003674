"""Orders beyond a limit: told on standard error, refused where the policy says so, and never in the way of a replay."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.ports import Commit
from emcheck.service.enrolment import stored_policy
from emcheck.shipped import shipped_config
from emcheck.store.sql import SqlStore
from tests.support import england, nightly, order, version

SHORT = (
    "orders.0.curfew: order O-1: 0.5 h of curfew on Sun 01 Mar 2026 and on 27 more of the days looked at "
    "(Sentencing Act 2020 Sch 9 para 9(4)(a)); make it at least 2 h on a day with curfew, or none"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "register.json"
    body = {
        "version": 1,
        "wearers": [{"wearer_id": "W-1"}],
        "orders": [order(curfew=nightly("23:00", "23:30"))],
        "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
        "fittings": [],
    }
    found.write_text(json.dumps(body))
    return found


def strict(tmp_path: Path) -> str:
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    (tmp_path / "strict.toml").write_text(
        text.replace('[order.court.action]\nvalue = "warn"', '[order.court.action]\nvalue = "refuse"')
    )
    return str(tmp_path / "strict.toml")


def test_a_check_warns_and_is_good(path: Path) -> None:
    result = CliRunner().invoke(app, ["register", "check", str(path)])
    assert result.exit_code == 0
    assert result.stderr == f"emcheck: warning: {path}: {SHORT}\n"
    assert "good. 1 wearers, 1 orders" in result.stdout


def test_a_check_tells_of_likely_slips(path: Path) -> None:
    body = json.loads(path.read_text())
    body["orders"] = [order(), order(order_id="O-2", curfew=nightly(address="A-2"))]
    path.write_text(json.dumps(body))
    result = CliRunner().invoke(app, ["register", "check", str(path)])
    assert result.exit_code == 0
    unheard, torn = result.stderr.splitlines()
    assert unheard.startswith(f"emcheck: warning: {path}: order O-2: no base unit is installed at A-2")
    assert torn.startswith(f"emcheck: warning: {path}: orders O-1 and O-2 want W-1 at A-1 and at A-2 at one time")


def test_a_town_of_such_orders_is_told_in_a_hundred_lines(path: Path) -> None:
    body = json.loads(path.read_text())
    body["orders"] = [body["orders"][0] | {"order_id": f"O-{number}"} for number in range(103)]
    path.write_text(json.dumps(body))
    told = CliRunner().invoke(app, ["register", "check", str(path)]).stderr.splitlines()
    assert len(told) == 101
    assert told[-1] == f"emcheck: warning: {path}: 3 more such orders"


def test_a_check_refuses_where_the_policy_says_so(path: Path) -> None:
    result = CliRunner().invoke(app, ["register", "check", str(path), "--policy", strict(path.parent)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"emcheck: {path}: {SHORT}\n"


def test_a_refused_register_is_not_loaded(path: Path) -> None:
    database = path.parent / "em.db"
    (path.parent / "emcheck.toml").write_text(
        f'[store]\nurl = "sqlite:///{database}"\n[service]\npolicy_file = "{strict(path.parent)}"\n'
    )
    result = CliRunner().invoke(app, ["register", "load", str(path), "--config", str(path.parent / "emcheck.toml")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"emcheck: {path}: {SHORT}\n"
    assert not database.exists()


def test_a_register_is_held_against_the_policy_that_is_published_under_its_orders_name(path: Path) -> None:
    body = json.loads(path.read_text())
    body["orders"] = [order(policy="borders")]
    path.write_text(json.dumps(body))
    harsh = version(
        "1", "2026-01-01T00:00:00Z", name="borders", order__court__action="refuse", order__court__day_min_h=13
    )
    store = SqlStore(f"sqlite:///{path.parent}/em.db")

    async def publish() -> None:
        await store.open()
        await store.commit(Commit(policies=[stored_policy(policy, 0, 0) for policy in (england(), harsh)]))
        await store.close()

    asyncio.run(publish())
    (path.parent / "emcheck.toml").write_text(f'[store]\nurl = "sqlite:///{path.parent}/em.db"\n')
    result = CliRunner().invoke(app, ["register", "load", str(path), "--config", str(path.parent / "emcheck.toml")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "order O-1" in result.stderr
    assert "at least 13 h" in result.stderr


def test_a_replay_says_nothing_of_limits(path: Path) -> None:
    (path.parent / "s.jsonl").write_text("\n")
    command = ["replay", str(path.parent / "s.jsonl"), "--register", str(path), "--policy", strict(path.parent)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert [line for line in result.stderr.splitlines() if "nothing was judged" not in line] == []
