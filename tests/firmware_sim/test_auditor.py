"""The service's rules against an auditor who reads the rule book for himself: the same night, the same findings."""

import json
from pathlib import Path

import pytest

from emcheck.domain.register import parse_register
from emcheck.present.lines import as_json
from emcheck.service.replay import replay
from emcheck.service.stream import read_stream
from emcheck.settings import shipped_config
from firmware_sim.auditor import audit
from firmware_sim.run import simulate_to_stream
from firmware_sim.scenario import load_scenario
from tests.support import england

FIELDS = ("rule", "class", "wearer_id", "order_id", "start", "end", "seconds", "excluded_seconds")


@pytest.mark.parametrize("name", ["town", "clock-change-spring", "clock-change-autumn", "outage-day", "shuffled-burst"])
def test_findings_equal_what_the_auditor_derives(name: str, tmp_path: Path) -> None:
    files = simulate_to_stream(
        load_scenario(shipped_config() / "scenarios" / f"{name}.toml"), None, tmp_path, compress=False
    )
    rows = [json.loads(line) for line in files.stream.read_text().splitlines()]
    known = json.loads(files.register.read_text())
    result = replay(read_stream(str(files.stream)), parse_register(json.dumps(known)), england())
    ours = [as_json(f) for f in result.findings if f.rule in ("curfew.absence", "curfew.accumulated")]
    audited = audit(rows, known, result.until)
    assert audited, "a scenario with nothing to find proves nothing"
    assert _told(ours) == _told(audited)


def _told(findings: list[dict[str, object]]) -> list[list[object]]:
    """What both say; of curfew.accumulated only its start."""
    wanted = {"curfew.absence": FIELDS, "curfew.accumulated": ("rule", "wearer_id", "order_id", "start")}
    return sorted(([f.get(key) for key in wanted[str(f["rule"])]] for f in findings), key=repr)
