"""A tree that reaches nobody is refused before anything starts, with file, key and remedy."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.policy import parse_policy
from emcheck.service.reaching import UnreachableError, contacts_of
from emcheck.settings import load_settings, shipped_config

ENGLAND = (shipped_config() / "policy" / "england-wales.toml").read_text()
PAGED = ENGLAND.replace('who = "supervisor"\nby = "queue"', 'who = "supervisor"\nby = "page"', 1)
GOOD = '[alerting.contacts.supervisor]\npage = "json://127.0.0.1:9/x json://127.0.0.1:8"\n'


def reached(folder: Path, policy: str, settings: str) -> list[tuple[str, list[str]]]:
    """Whom the service could call, and by which channels."""
    path = folder / "emcheck.toml"
    path.write_text(settings)
    contacts = contacts_of(load_settings(path), parse_policy(policy), name="mine.toml")
    return [(contact.name, list(contact.ways)) for contact in contacts]


def test_contacts_are_those_that_the_policy_names_by_a_channel(tmp_path: Path) -> None:
    assert reached(tmp_path, ENGLAND, GOOD) == []
    unused = GOOD + '[alerting.contacts.other]\nmail = "json://127.0.0.1:7"\n'
    assert reached(tmp_path, PAGED, unused) == [("supervisor", ["page"])]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("", "mine.toml: escalation.P1[2].who: the settings know no contact 'supervisor'; set alerting"),
        (GOOD.replace("supervisor", "boss"), "no contact 'supervisor'; set alerting.contacts.supervisor.page, or"),
        (GOOD.replace("page", "mail"), "escalation.P1[2].by: the contact 'supervisor' has no channel 'page'; set"),
        (GOOD.replace("json://127.0.0.1:8", "jsn://geheim"), "emcheck.toml:2: alerting.contacts.supervisor.page: "),
        (GOOD + "[alerting.mqtt]\nenabled = false\n", "mine.toml: escalation.P1[1].by: nobody can watch the"),
    ],
)  # fmt: skip
def test_who_cannot_be_reached_is_told(tmp_path: Path, settings: str, problem: str) -> None:
    with pytest.raises(UnreachableError, match=re.escape(problem)) as caught:
        reached(tmp_path, PAGED, settings)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_serve_refuses_and_doctor_says_so(tmp_path: Path) -> None:
    policy, settings = tmp_path / "mine.toml", tmp_path / "emcheck.toml"
    policy.write_text(PAGED)
    settings.write_text(f'[service]\npolicy_file = "{policy}"\n[store]\nurl = "sqlite:///{tmp_path}/em.db"\n')
    served = CliRunner().invoke(app, ["serve", "--config", str(settings)])
    assert served.exit_code == 2
    assert served.stderr.startswith(
        f"emcheck: {policy}: england-wales@1: escalation.P1[2].who: the settings know no contact 'supervisor'"
    )
    assert not (tmp_path / "em.db").exists()
    looked = CliRunner().invoke(app, ["doctor", "--config", str(settings)])
    assert f"WRONG  escalation   {policy}: escalation.P1[2].who" in looked.stdout
    settings.write_text(settings.read_text() + GOOD)
    looked = CliRunner().invoke(app, ["doctor", "--config", str(settings)])
    assert "ok     escalation   supervisor by page" in looked.stdout


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            '[alerting.contacts]\nboss = "json://geheim"\n',
            ":2: alerting.contacts.boss: no table of channels; write it as",
        ),
        ('[alerting.contacts.Boss]\npage = "json://geheim"\n', ": alerting.contacts: 'Boss' is no name of a contact"),
        ('[alerting.contacts.boss]\nqueue = "json://geheim"\n', ": alerting.contacts: queue is the monitoring queue"),
        ("[alerting.contacts.boss]\npage = 7\n", ":2: alerting.contacts.boss.page: input should be a valid string"),
    ],
)
def test_settings_of_contacts_that_cannot_be_used(tmp_path: Path, said: str, problem: str) -> None:
    path = tmp_path / "emcheck.toml"
    path.write_text(said)
    result = CliRunner().invoke(app, ["config", "show", "--config", str(path)])
    assert result.exit_code == 2
    assert problem in result.stderr
    assert "geheim" not in result.stderr


def test_addresses_come_from_the_environment_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMCHECK_ALERTING__CONTACTS__SUPERVISOR__PAGE", "json://127.0.0.1:9/geheim")
    assert reached(tmp_path, PAGED, "") == [("supervisor", ["page"])]
    shown = CliRunner().invoke(app, ["config", "show"]).stdout
    [line] = [line for line in shown.splitlines() if "contacts" in line]
    assert line.split() == ["alerting.contacts.supervisor.page", "********", "environment"]
    monkeypatch.setenv("EMCHECK_ALERTING__CONTACTS__SUPERVISOR__PAGE", "geheim")
    with pytest.raises(UnreachableError, match=r"^environment: alerting\.contacts\.supervisor\.page: Apprise cannot"):
        reached(tmp_path, PAGED, "")
