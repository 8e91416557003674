"""`emcheck policy show|check|diff` with the shipped policies, by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.shipped import shipped_policies
from tests.support import england, order, version


def test_a_rule_stands_with_its_codes_above_its_thresholds() -> None:
    result = CliRunner().invoke(app, ["policy", "show", "scotland"])
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert said[0] == "scotland@1"
    row = next(number for number, line in enumerate(said) if line.startswith("curfew.absence "))
    assert "late_return: AL08 SIA CI, ended AL09 SIA CJ; left_during: AL10 SIA OK" in said[row]
    assert said[row + 1].split()[:3] == ["curfew.absence.alert_after_s", "300", "s"]
    assert "(to be signed off)" in said[row + 1]
    assert any(line.startswith("unit.power ") and "AL04 SIA AT, ended AL04 SIA AR" in line for line in said)


@pytest.mark.parametrize("columns", ["80", "100", "120"])
def test_no_key_and_no_source_is_cut_where_the_terminal_is_narrow(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)
    assert "…" not in CliRunner().invoke(app, ["policy", "show", "us-example"]).stdout


def test_for_programs_each_rule_has_its_codes_and_thresholds() -> None:
    told = json.loads(CliRunner().invoke(app, ["policy", "show", "us-example", "--json"]).stdout)
    assert told["policy"] == "us-example@1"
    assert told["effective_at"] == "2026-01-01T00:00:00.000Z"
    assert told["rules"]["tag.strap"] == {
        "codes": [{"class": None, "public": None, "sia": "TA", "public_ended": None, "sia_ended": "TR"}],
        "thresholds": ["tag.strap.priority"],
    }
    assert [key for held in told["rules"].values() for key in held["thresholds"]] == list(told["thresholds"])
    assert told["thresholds"]["tag.strap.priority"]["value"] == "P1"


def test_shipped_policies_are_compared_by_name() -> None:
    result = CliRunner().invoke(app, ["policy", "diff", "england-wales", "scotland", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["thresholds"]["order.court.day_max_h"] == {"before": "20 h", "after": "12 h"}


def test_a_name_that_is_none_lists_those_there_are() -> None:
    result = CliRunner().invoke(app, ["policy", "show", "wales"])
    assert result.exit_code == 2
    told = "no policy 'wales'; there are england-wales, scotland, us-example, and any file by its path"
    assert result.stderr == f"emcheck: {told}\n"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name = "scotland"', 'name = "a@b"', "name: 'a@b' cannot be used"),
        ('version = "1"', 'version = ""', "version: '' cannot be used"),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00", "effective_at: '2026-01-01T00:00' has no UTC offset"),
        ("[presence.leave_time_s]\nvalue = 120", "[presence.leave_time_s]\nvalue = -1", "presence.leave_time_s: -1"),
        ("[presence.leave_time_s]", "[presence.leaf_time_s]", "presence.leaf_time_s: unknown key"),
        ('source = "NIJ', 'sauce = "NIJ', "a threshold is a table of value, unit, reason and source"),
        ('source = "3M electronic monitoring manual: 5-minute buffer"', 'source = " "', "alert_after_s.source: empty"),
    ],
)
def test_what_is_wrong_with_a_policy_is_one_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    texts = [path.read_text() for path in shipped_policies().values()]
    text = next((text for text in reversed(texts) if old in text), "")
    assert text
    path = tmp_path / "policy.toml"
    path.write_text(text.replace(old, new, 1))
    result = CliRunner().invoke(app, ["policy", "check", str(path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"emcheck: {path}: ")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


KNOWN: dict[str, Any] = {
    "version": 1,
    "wearers": [{"wearer_id": "W-1"}],
    "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
    "fittings": [],
}


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A database into which a register was loaded, so that the service's own policy is published."""
    (tmp_path / "emcheck.toml").write_text(f'[store]\nurl = "sqlite:///{tmp_path / "em.db"}"\n')
    (tmp_path / "register.json").write_text(json.dumps(KNOWN | {"orders": [order()]}))
    assert said(tmp_path, "register", "load", str(tmp_path / "register.json")).exit_code == 0
    return tmp_path


def said(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--config", str(folder / "emcheck.toml")])


def file_of(folder: Path, new_version: str, effective_at: str, **values: Any) -> str:
    path = folder / "policy.toml"
    path.write_text(version(new_version, effective_at, **values).body)
    return str(path)


def test_what_is_published_is_listed_with_its_time(installation: Path) -> None:
    told = json.loads(said(installation, "policy", "list", "--json").stdout)["policies"]
    assert [(row["policy"], row["own"], row["state"], row["until"]) for row in told] == [
        ("england-wales@1", True, "in force", None)
    ]
    assert told[0]["sha256"] == england().sha256
    lines = said(installation, "policy", "list").stdout.splitlines()
    assert lines[0].split() == ["policy", "state", "from", "until", "published", "sha256"]
    assert lines[1].startswith("england-wales@1 (the service's own)  in force  2026-01-01T00:00:00.000Z")


def test_nothing_published_is_said(tmp_path: Path) -> None:
    (tmp_path / "emcheck.toml").write_text(f'[store]\nurl = "sqlite:///{tmp_path / "none.db"}"\n')
    assert said(tmp_path, "policy", "list").exit_code == 2


def test_a_version_is_posted_to_the_service(installation: Path) -> None:
    path = file_of(installation, "2", "2126-01-01T00:00:00Z")
    result = said(installation, "policy", "publish", path, "--by", "the authority", "--wait", "0")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "policy: posted; no service took it within 0 s, the next one that runs will\n"
    again = said(installation, "policy", "publish", "england-wales", "--by", "the authority")
    assert "england-wales@1 is published already" in again.stdout


@pytest.mark.parametrize(
    ("new_version", "effective_at", "problem"),
    [
        ("1", "2126-01-01T00:00:00Z", "version: england-wales@1 is published with another content"),
        ("2", "2020-03-01T00:00:00Z", "effective_at: 2020-03-01T00:00:00.000Z is past"),
    ],
)
def test_what_cannot_be_published_is_refused_before_it_is_posted(
    installation: Path, new_version: str, effective_at: str, problem: str
) -> None:
    path = file_of(installation, new_version, effective_at, curfew__absence__alert_after_s=900)
    result = said(installation, "policy", "publish", path, "--by", "the authority", "--wait", "0")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"emcheck: {path}: {problem}")
    assert result.stderr.count("\n") == 1


def test_a_past_version_with_its_reason_is_posted(installation: Path) -> None:
    path = file_of(installation, "2", "2020-03-01T00:00:00Z")
    words = ["policy", "publish", path, "--by", "the authority", "--wait", "0", "--retroactive", "a slip of the pen"]
    assert said(installation, *words).exit_code == 0
    nobody = said(installation, "policy", "publish", path, "--by", " ", "--wait", "0", "--retroactive", "a slip")
    assert nobody.exit_code == 2
    assert nobody.stderr.startswith(f"emcheck: {path}: by: ")


def test_a_register_that_names_no_published_policy_is_not_loaded(installation: Path) -> None:
    path = installation / "other.json"
    known = json.loads((installation / "register.json").read_text())
    known["orders"] = [order(policy="scotland")]
    path.write_text(json.dumps(known))
    result = said(installation, "register", "load", str(path))
    assert result.exit_code == 2
    problem = "orders.0.policy: no policy 'scotland' is published; there are england-wales. Publish it first"
    assert result.stderr.startswith(f"emcheck: {path}: {problem}")


def test_a_service_may_go_by_a_shipped_policy_by_its_name(tmp_path: Path) -> None:
    database = tmp_path / "em.db"
    (tmp_path / "emcheck.toml").write_text(
        f'[store]\nurl = "sqlite:///{database}"\n[service]\npolicy_file = "scotland"\n'
    )
    known = {"version": 1, "wearers": [], "orders": [], "installations": [], "fittings": []}
    (tmp_path / "register.json").write_text(json.dumps(known))
    assert said(tmp_path, "register", "load", str(tmp_path / "register.json")).exit_code == 0
    told = json.loads(said(tmp_path, "policy", "list", "--json").stdout)["policies"]
    assert [row["policy"] for row in told] == ["scotland@1"]


def test_an_order_is_held_against_the_limits_of_the_policy_that_it_names(tmp_path: Path) -> None:
    """Twelve hours a day is lawful in both countries, 84 h a week at most in Scotland; 13 h in England alone."""
    long = [{"from_day": day, "from_time": "06:00", "until_day": day, "until_time": "19:00"} for day in ("mon", "tue")]
    curfew = [{"address_id": "A-1", "windows": long}]
    path = tmp_path / "register.json"
    for policy, warned in ((None, ""), ("scotland", "make it at most 12 h on any one day")):
        path.write_text(json.dumps(KNOWN | {"orders": [order(curfew=curfew, policy=policy)]}))
        result = CliRunner().invoke(app, ["register", "check", str(path)])
        assert result.exit_code == 0
        assert (warned in result.stderr) if warned else result.stderr == ""
    assert "section 227ZF" in result.stderr
    assert "Sentencing Act" not in result.stderr
