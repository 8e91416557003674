"""`emcheck fit` used wrongly, and where there is nothing: one line that names the remedy."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.cli.visit import read_script
from emcheck.domain.fitting.steps import STEPS
from emcheck.domain.instructions import parse_instruction
from emcheck.service.enrolment import load_policy, load_register
from emcheck.store.sql import SqlStore
from tests.domain.visited import unfitted
from tests.support import england


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a database with a register and a policy, which no service serves."""
    file = tmp_path / "emcheck.toml"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "em.db"}"\n')

    async def make() -> None:
        store = SqlStore(f"sqlite:///{tmp_path / 'em.db'}")
        await store.open()
        await load_policy(store, england(), 0, shipped=True)
        await load_register(store, unfitted(), 0)
        await store.close()

    asyncio.run(make())
    return file


def run(*words: str, config: Path, told: str | None = None) -> Result:
    return CliRunner().invoke(app, ["fit", *words, "--config", str(config)], input=told)


@pytest.mark.parametrize(
    ("words", "told", "message"),
    [
        ([], None, "say which order with --order, or which session goes on with --session"),
        (["--order", "O-1"], None, "a new one needs --tag, --unit, --fitter"),
        (["--session", "FS-9"], None, "a new one needs --order, --tag, --unit, --fitter"),
        (["--order", "O-1", "--answers", "-"], "[{]", "standard input: not JSON"),
        (["--order", "O-1", "--answers", "-"], '{"step":"skin"}\n3', "answer 2: no JSON object"),
        (["--order", "O-1", "--answers", "-"], '[{"steps":"skin"}]', "answer 1: has none of step, what, until"),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], told: str | None, message: str, config: Path) -> None:
    result = run(*words, config=config, told=told)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_where_no_service_runs_it_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emcheck.cli.visit._POST_WAIT_S", 0.1)
    opening = ["--order", "O-1", "--tag", "T-1", "--unit", "BU-0001", "--fitter", "A. Fitter"]
    result = run(*opening, config=config)
    assert result.exit_code == 2
    assert "is `emcheck serve` running on this database?" in result.stderr


@pytest.mark.parametrize("words", [["show", "FS-1"], ["record", "FS-1"]])
def test_a_session_that_is_not_there(words: list[str], config: Path) -> None:
    result = run(*words, config=config)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no session 'FS-1'; the last ones are: none (`emcheck fit list`)" in result.stderr


def test_the_answers_file_of_the_documents_is_a_whole_visit() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text().split("**Answers.**")[1]
    items = read_script(text.split("```json\n")[1].split("```")[0], "docs/formats.md")
    said = {"session": "FS-1", "tag": "T-7", "by": "A. Fitter"}
    for item in items:
        if "step" in item:
            parse_instruction({"type": "fitting_answer", **said, **item})
        elif "what" in item:
            parse_instruction({"type": "fitting_mark", **said, **item})
    named = {item.get("step", item.get("until")) for item in items}
    assert {step.id for step in STEPS} | {"lift"} == named - {None}
    assert items[-1]["close"] == "success"


def test_no_visit_is_on_record(config: Path) -> None:
    assert run("list", config=config).stdout == "No fitter's visit is on record.\n"
    assert run("list", "--json", config=config).stdout == ""
    assert [json.loads(line) for line in run("list", "--json", config=config).stdout.splitlines()] == []
