"""How the command line behaves: completion, colours, pipes, JSON where a program reads, and what the README lists."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from emcheck.alerting.cloudevents import cloud_event
from emcheck.cli import app
from emcheck.cli.watching import describe, one_line
from emcheck.domain.alerts import Alert
from emcheck.domain.ids import AlertId, RuleId
from emcheck.domain.instructions import parse_instruction
from emcheck.settings import shipped_config

ROOT = Path(__file__).resolve().parents[2]
EMCHECK = str(Path(sys.executable).parent / "emcheck")
EXAMPLE = str(shipped_config() / "register.example.json")


def commands() -> list[str]:
    """Every command by its words."""
    found = []
    for name, command in sorted(vars(typer.main.get_command(app))["commands"].items()):
        inner = getattr(command, "commands", None)
        found += [name] if inner is None else [f"{name} {part}" for part in sorted(inner)]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 4


WRONG = [
    ("replay x", "missing option '--register'; see emcheck replay --help"),
    ("replay --register", "option '--register' requires an argument; see emcheck --help"),
    (
        "replay x --register x --format y",
        "invalid value for '--format': 'y' is not one of 'table', 'jsonl'; see emcheck replay --help",
    ),
    ("instruct x --wait z", "invalid value for '--wait': "),
    ("instruct x --wait -3", "invalid value for '--wait': "),
    ("order show O-1 --registr x", "no such option: --registr"),
    ("order show", "missing argument 'ORDER'; see emcheck order show --help"),
    ("order shwo", "no such command 'shwo'"),
    ("rplay", "no such command 'rplay'"),
    ("--colour", "no such option: --colour"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_a_command_used_wrongly_says_so_in_one_line(words: str, message: str) -> None:
    result = CliRunner().invoke(app, words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"emcheck: {message}")
    assert result.stderr.endswith(" --help\n")
    assert len(result.stderr.splitlines()) == 1


def test_the_real_command_says_the_same() -> None:
    words, message = WRONG[0]
    done = subprocess.run([EMCHECK, *words.split()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"emcheck: {message}\n")


def test_the_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| `emcheck ")]
    listed = set()
    for line in table:
        words = line.split("`")[1].replace("\\|", "|").split()[1:]
        parts = words[1].split("|") if len(words) > 1 and re.fullmatch(r"[a-z|]+", words[1]) else []
        listed |= {f"{words[0]} {part}" for part in parts} or {words[0]}
    assert listed == set(commands())


def test_the_readme_s_examples_are_read_as_they_stand(tmp_path: Path) -> None:
    times, *acts = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "times.json").write_text(times)
    span = ["--starts-at", "2026-03-20T00:00:00Z", "--ends-at", "2026-06-20T00:00:00Z"]
    words = ["--order-id", "O-1", "--wearer-id", "W-1", "--address-id", "A-1", *span]
    made = CliRunner().invoke(app, ["order", "import", str(tmp_path / "times.json"), *words])
    assert [len(place["windows"]) for place in json.loads(made.stdout)["curfew"]] == [2]
    assert [parse_instruction(json.loads(act)).type for act in acts if '"type"' in act] == [
        "authorised_absence",
        "variation",
        "revocation",
    ]


LOADED = """
import sys
from emcheck.cli import app
try:
    app(sys.argv[2:])
except SystemExit as left:
    loaded = {name.partition(".")[0] for name in sys.modules} | set(sys.modules)
    print(*sorted(loaded & set(sys.argv[1].split(","))), file=sys.stderr)
    sys.exit(left.code)
"""
HEAVY = ("aiomqtt", "aiosqlite", "alembic", "emcheck.settings", "emcheck.store.sql", "firmware_sim", "httpx", "rich",
         "sqlalchemy", "starlette", "structlog", "uvicorn")  # fmt: skip


def loaded(modules: tuple[str, ...], *command: str) -> list[str]:
    """Which of the modules a command loads in a process of its own."""
    asked = [sys.executable, "-c", LOADED, ",".join(modules), *command]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stderr.split()


@pytest.mark.parametrize("form", ["jsonl", "table"])
def test_a_replay_loads_no_driver_no_broker_and_no_simulator(tmp_path: Path, form: str) -> None:
    (tmp_path / "s.jsonl").write_text(
        '{"received_at":"2026-03-28T19:00:00Z","topic":"em/v1/BU-0001/up","payload":{}}\n'
    )
    command = ("replay", str(tmp_path / "s.jsonl"), "--register", EXAMPLE, "--format", form, "--timeline")
    assert loaded(HEAVY, *command) == []
    assert loaded(("emcheck.domain.engine", "pydantic"), *command) == ["emcheck.domain.engine", "pydantic"]


def test_help_loads_next_to_nothing() -> None:
    assert loaded((*HEAVY, "pydantic", "asyncio", "emcheck.domain"), "--help") == []


def test_completion_is_shown_to_the_shell_that_asks() -> None:
    asked = ["bash", "-c", f"{EMCHECK} --show-completion; true"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "complete" in done.stdout, done.stderr
    assert "emcheck" in done.stdout


def test_names_of_schemas_complete() -> None:
    words = {"_EMCHECK_COMPLETE": "complete_bash", "COMP_WORDS": "emcheck schema a", "COMP_CWORD": "2"}
    done = subprocess.run([EMCHECK], env=words, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["alert", "asyncapi"], done.stderr


def test_no_color_takes_the_colours_out_of_a_terminal() -> None:
    command = ["policy", "show"]
    assert "\x1b[" in CliRunner().invoke(app, command, env={"FORCE_COLOR": "1"}).stdout
    bare = CliRunner().invoke(app, command, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert re.findall(r"\x1b\[(?:\d+;)*[34]\d", bare) == []


def test_who_is_monitored_is_readable() -> None:
    result = CliRunner().invoke(app, ["register", "show", EXAMPLE])
    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if line.startswith("W-1"))
    assert "every day 19:00 to 07:00" in row
    assert "BU-0001 at A-1" in row
    assert "\x1b" not in result.stdout


def test_who_is_monitored_for_programs_and_at_an_instant() -> None:
    shown = json.loads(CliRunner().invoke(app, ["register", "show", EXAMPLE, "--json"]).stdout)
    assert [order["order_id"] for order in shown["orders"]] == ["O-1", "O-2"]
    later = CliRunner().invoke(app, ["register", "show", EXAMPLE, "--json", "--at", "2026-05-20T00:00:00Z"])
    assert [order["order_id"] for order in json.loads(later.stdout)["orders"]] == ["O-1"]
    assert CliRunner().invoke(app, ["register", "show", EXAMPLE, "--at", "noon"]).exit_code == 2


@pytest.mark.parametrize("command", [["policy", "show"], ["config", "show"], ["register", "show", EXAMPLE]])
def test_a_pipe_gets_plain_lines(command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert [line for line in result.stdout.splitlines() if line != line.rstrip()] == []


def test_alert_events_read_well() -> None:
    alert = Alert(
        alert_id=AlertId("AL-1"), rule=RuleId("curfew.absence"), subject="W-1", priority="P1", happened_at=0,
        raised_at=0, text="Not heard at home.",
    )  # fmt: skip
    body = cloud_event(alert, action="raised", at=0, source="emcheck/x", note="")
    assert describe(body) == "P1  00:00:00Z  raised     W-1  Not heard at home."
    assert json.loads(one_line(body))["subject"] == "W-1"


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"[1]", b'{"data":7}'])
def test_what_is_no_alert_event_does_not_end_the_watch(body: bytes) -> None:
    assert describe(body).startswith("??")
    assert len(one_line(body).splitlines()) == 1
