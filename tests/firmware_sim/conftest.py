"""Simulated nights, each played once for all tests of a run."""

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emcheck.settings import shipped_config
from firmware_sim.run import Simulated, simulate_to_stream
from firmware_sim.scenario import Scenario, load_scenario


class Night(NamedTuple):
    """A scenario and the files that it was played into."""

    scenario: Scenario
    files: Simulated


Play = Callable[[str, int | None], Night]


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Plays a shipped scenario with a seed (None: its own)."""

    @cache
    def played(name: str, seed: int | None) -> Night:
        scenario = load_scenario(shipped_config() / "scenarios" / f"{name}.toml")
        return Night(scenario, simulate_to_stream(scenario, seed, tmp_path_factory.mktemp(name), compress=False))

    return played


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, packed or not."""
    packed = path.read_bytes()
    text = gzip.decompress(packed) if path.suffix == ".gz" else packed
    return [json.loads(line) for line in text.splitlines()]
