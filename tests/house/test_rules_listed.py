"""The README's list of rules: every rule is in it, and what it links to is there and says so."""

import re
from pathlib import Path

import pytest

from emcheck.domain.queue import RULES
from emcheck.domain.rules import evidence

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| `([a-z_.]+)` \| .+ \| \[.+?\]\((.+?)\) \| \[.+?\]\((.+?)\) \|$", re.MULTILINE)
LISTED = {rule: links for rule, *links in _ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
SCENARIOS = ROOT / "tests" / "scenarios" / "told"


def told(path: Path) -> list[str]:
    """The rules among the findings of a scenario that is told there."""
    findings = path.read_text(encoding="utf-8").split("\nFindings\n")[1].split("\n\n")[0]
    return re.findall(r"^  P\d  ([a-z_.]+)", findings, re.MULTILINE)


def files() -> set[str]:
    """The rules that have a file of their own, and those of `evidence.py`."""
    own = {path.stem.replace("_", ".", 1) for path in (ROOT / "emcheck" / "domain" / "rules").glob("[a-z]*_*.py")}
    return own | {evidence.GAP, evidence.REJECTED, evidence.UNKNOWN_DEVICE, evidence.CONFLICT}


def test_every_rule_is_listed() -> None:
    assert files() | set(RULES) == set(LISTED)


@pytest.mark.parametrize("rule", LISTED)
def test_what_a_rule_links_to_is_there_and_says_so(rule: str) -> None:
    for link, speaks in zip(LISTED[rule], (True, False), strict=True):
        name, _, test = link.partition("#")
        target = ROOT / name
        assert target.is_file(), link
        if test:
            assert f"def {test}(" in target.read_text(encoding="utf-8"), link
        else:
            assert target.parent == SCENARIOS
            assert (rule in told(target)) is speaks, link
