"""Scenario files: what is shipped loads; what is wrong is refused in one line that says what would be right."""

from datetime import date
from pathlib import Path

import pytest

from firmware_sim.scenario import ScenarioError, load_scenario, on_date

SHIPPED = sorted((Path(__file__).parents[2] / "config" / "scenarios").glob("*.toml"))
GOOD = """
name = "small"
starts_at = "2026-03-24T18:30"
ends_at = "2026-03-25T07:30"
[town]
wearers = 3
[[story]]
kind = "slip"
wearers = [2]
at = "2026-03-24T21:00"
minutes = 7
[[fault]]
kind = "reboot"
wearers = [1]
at = "2026-03-24T22:00"
"""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_loads_under_its_own_name(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.name == path.stem
    assert scenario.about


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("minutes = 7", "minuts = 7", ["story #1.minutes: missing"]),
        ("minutes = 7", "minutes = 7\nminute = 7", ["story #1.minute: unknown key", "did you mean minutes?"]),
        ("minutes = 7", "minutes = -7", ["story #1.minutes", "greater than 0", "-7"]),
        ("minutes = 7", 'minutes = "seven"', ["story #1.minutes", "number", "seven"]),
        ('kind = "slip"', 'kind = "slide"', ["story #1", "slide", "'slip'"]),
        ('kind = "reboot"', 'kind = "rebooot"', ["fault #1", "rebooot", "'reboot'"]),
        ("wearers = [2]", "wearers = [4]", ["story #1 names wearer 4", "wearers 1 to 3"]),
        ("wearers = [2]", "wearers = []", ["story #1.wearers", "at least 1"]),
        ('at = "2026-03-24T21:00"', 'at = "21:00"', ["story #1.at", "'21:00' is no time", "2026-03-24T19:19"]),
        ('at = "2026-03-24T21:00"', 'at = "2026-02-30T21:00"', ["story #1.at", "is no time"]),
        ("wearers = 3", 'wearers = 3\ntimezone = "Europe/Londn"', ["town.timezone", "Europe/Londn", "Europe/London"]),
        ("wearers = 3", "wearers = 3\nshared_homes = [[1, 2], [2, 3]]", ["town.shared_homes", "twice"]),
        ("2026-03-25T07:30", "2026-03-24T07:30", ["ends_at 2026-03-24T07:30 is not after starts_at"]),
        ('name = "small"', "", ["name: missing"]),
        ("[town]", "[town", ["not TOML", "line"]),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_line(tmp_path: Path, was: str, becomes: str, told: list[str]) -> None:
    assert was in GOOD
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(was, becomes, 1))
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    line = str(refused.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    for part in told:
        assert part in line


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.toml: cannot be read"):
        load_scenario(tmp_path / "nowhere.toml")


def test_a_scenario_moves_to_another_day_with_all_its_times() -> None:
    town = load_scenario(next(path for path in SHIPPED if path.stem == "town"))
    moved = on_date(town, date(2026, 6, 1))
    assert (moved.starts_at, moved.ends_at) == ("2026-06-01T18:45", "2026-06-02T07:15")
    assert [story.kind for story in moved.stories] == [story.kind for story in town.stories]
    assert on_date(moved, date(2026, 3, 24)) == town
