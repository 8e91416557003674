"""The curfew cases that lie beside the project, where they do: exact, whatever other rules add."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emcheck.cli import app

_CASES = sorted((Path(__file__).parents[3] / "shared" / "cases").glob("*/expected.jsonl"))


@pytest.mark.parametrize("expected", _CASES, ids=lambda path: path.parent.name)
def test_findings_are_exactly_the_expected(expected: Path) -> None:
    folder = expected.parent
    until = (folder / "until").read_text().strip()
    options = [
        "--register",
        str(folder / "register.json"),
        "--until",
        until,
        "--format",
        "jsonl",
        "--expect",
        str(expected),
    ]
    result = CliRunner().invoke(app, ["replay", str(folder / "stream.jsonl.gz"), *options])
    assert result.exit_code == 0, result.stderr
