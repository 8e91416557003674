"""The demo's night, end to end: a simulated town over a real broker, the service and a new database."""

import re
from pathlib import Path

from emcheck.domain.findings import Finding
from emcheck.settings import shipped_config
from firmware_sim.scenario import load_scenario, parse_scenario
from firmware_sim.worlds.night import Night, Watcher, run_night
from tests.support import england, england_signed

README = Path(__file__).resolve().parents[2] / "README.md"
_ALERT = re.compile(r"\d\d:\d\d:\d\d  (P\d)  (\w+) +(\S+)  (.+)")
_WEARER = re.compile(r"(W-\d+) (.+)  \(Europe/London\)")


def readme_says() -> list[str]:
    """What the README shows of this night: lines of alerts and of wearers."""
    shown = README.read_text(encoding="utf-8").partition("```\nBroker on ")[2].partition("```")[0]
    found = [line for line in shown.splitlines() if _ALERT.fullmatch(line) or _WEARER.fullmatch(line)]
    assert len(found) > 3
    return found


def is_so(line: str, night: Night) -> bool:
    """Whether the night says what the README does, `...` for what it leaves out."""
    if wearer := _WEARER.fullmatch(line):
        return (wearer[1], wearer[2]) in [(each.wearer_id, each.name) for each in night.register.wearers]
    alert = _ALERT.fullmatch(line)
    assert alert is not None
    priority, change, whom, text = alert.groups()
    pattern = re.escape(text).replace(r"\.\.\.", ".*")
    return any(
        event["type"] == f"emcheck.alert.{change}"
        and (event["data"]["priority"], event["data"].get("wearer_id")) == (priority, whom)
        and re.fullmatch(pattern, event["data"]["text"]) is not None
        for event in night.alerts
    )


async def test_the_town_s_night_tells_its_stories(tmp_path: Path) -> None:
    scenario = load_scenario(shipped_config() / "scenarios" / "town.toml")
    night = await run_night(scenario, england(), tmp_path, watcher=Watcher())
    absences: dict[tuple[str | None, str | None], Finding] = {
        (f.wearer_id, f.class_): f for f in night.findings if f.rule == "curfew.absence"
    }
    late, whole = absences["W-0003", "late_return"], absences["W-0009", "out_whole"]
    assert abs((late.absent_ms or 0) - 19 * 60_000) <= 15_000
    assert (whole.absent_ms, whole.priority) == (12 * 3_600_000, "P1")
    assert absences["W-0020", "left_during"].absent_ms == 0
    assert absences["W-0020", "left_during"].excluded_ms
    assert any(f.rule == "unit.silent" and f.unit == "BU-0018" for f in night.findings)
    assert absences["W-0018", "left_during"].raised_at, "stored facts of the outage show an absence"
    raised = [event["data"]["alert_id"] for event in night.alerts if event["type"] == "emcheck.alert.raised"]
    assert len(raised) == len(set(raised))
    assert night.service_troubles == []
    assert night.events > 20_000
    assert readme_says() == [line for line in readme_says() if is_so(line, night)]


async def test_a_night_in_which_everything_is_signed(tmp_path: Path) -> None:
    """Units obey the service's signature only, and the service takes signed envelopes only: neither is left waiting."""
    scenario = parse_scenario(
        {
            "name": "signed",
            "starts_at": "2026-02-10T18:30",
            "ends_at": "2026-02-10T19:30",
            "town": {"wearers": 3, "two_units": [2], "restless_share": 0},
            "signing": {"units": True, "service": True},
        },
        source="test",
    )
    night = await run_night(scenario, england_signed(), tmp_path, watcher=Watcher())
    assert night.findings == []
    assert night.service_troubles == []
    assert night.events > 100
