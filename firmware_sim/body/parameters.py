"""The numbers that situations are made of: parameters.toml, each with unit and source, the unknown ones swept."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

_P90 = 1.2816
"""Standard deviations from a normal curve's median to where nine in ten lie below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number with its spread: what a simulated tag may draw. `swept` says that nobody has published it."""

    unit: str
    source: str
    low: float = float("-inf")
    high: float = float("inf")
    mean: float | None = None
    spread: float = 0.0
    median: float | None = None
    p10: float = 0.0
    p90: float = 0.0
    swept: bool = False

    def draw(self, chance: Random) -> float:
        """One value."""
        if self.median is None and self.mean is None:
            return chance.uniform(self.low, self.high)
        while not self.low <= (value := self._bell(chance)) <= self.high:
            pass
        return value

    def _bell(self, chance: Random) -> float:
        if self.mean is not None:
            return chance.gauss(self.mean, self.spread)
        z, median = chance.gauss(0, 1), self.median or 0.0
        return median + z * (self.p90 - median if z > 0 else median - self.p10) / _P90


Parameters = Mapping[str, Parameter]


def load_parameters(path: Path) -> dict[str, Parameter]:
    """By `group.name`. ValueError names a parameter without what it needs."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    found = {}
    for group, named in raw.items():
        for name, fields in named.items():
            parameter = Parameter(**fields)
            if not parameter.source or (parameter.median is None and parameter.low > parameter.high):
                raise ValueError(f"{path}: {group}.{name} needs a source, and `low` no higher than `high`")
            found[f"{group}.{name}"] = parameter
    return found


def shaken(parameters: Parameters, world: int) -> Parameters:
    """Other ranges of what is swept, each end moved by up to a quarter of the range; world 0 is as written.

    What is judged only in the ranges that everyone knows may have been fitted to them.
    """
    if world == 0:
        return parameters
    chance = Random(f"world {world}")
    return {name: _shaken(each, chance) if each.swept else each for name, each in parameters.items()}


def _shaken(parameter: Parameter, chance: Random) -> Parameter:
    """Signs stay, and what is a share stays one."""
    width = parameter.high - parameter.low
    low, high = (end + chance.uniform(-0.25, 0.25) * width for end in (parameter.low, parameter.high))
    if parameter.low >= 0:
        low = max(low, parameter.low / 2)
    return replace(parameter, low=low, high=min(high, 1.0) if 0.5 <= parameter.high <= 1 else high)


PARAMETERS: Parameters = load_parameters(Path(__file__).with_name("parameters.toml"))
