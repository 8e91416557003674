"""Scenarios: a town, its nights, its stories and its faults, as data in `config/scenarios/*.toml`.

A scenario that is wrong is refused whole, with one line that names the file, the key, what is wrong and
what would be right. Unknown keys are errors.
"""

import re
import tomllib
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from whenever import ZonedDateTime

from emcheck.domain.ids import Ms
from firmware_sim.body import PLACES
from firmware_sim.faults import Fault
from firmware_sim.times import LocalOrInstant, instant


class ScenarioError(ValueError):
    """A scenario that cannot be used; one line for a person."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    try:
        ZonedDateTime(2026, 1, 1, tz=name)
    except (KeyError, ValueError):
        raise ValueError(f"{name!r} is no IANA time zone; write it as in Europe/London") from None
    return name


_Wearers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
_TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_DATED = re.compile(r"\d{4}-\d\d-\d\d(T|$)")
_Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class Curfew(_Table):
    """Other curfew hours for some wearers: every day `from` until the next `until`."""

    wearers: _Wearers
    from_: _TimeOfDay = Field(alias="from")
    until: _TimeOfDay


class InCommon(_Table):
    """What the units in the homes of some wearers have in common: the network that carries them, or the district."""

    wearers: _Wearers
    uplink: str | None = None
    postcode: str | None = None


class Town(_Table):
    """Who lives where. Everyone has a home and a unit of their own but for those named here."""

    wearers: int = Field(ge=1, le=100_000)
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    curfew_from: _TimeOfDay = "19:00"
    curfew_until: _TimeOfDay = "07:00"
    other_curfews: tuple[Curfew, ...] = ()
    shared_homes: tuple[_Wearers, ...] = ()
    two_units: tuple[int, ...] = ()
    in_common: tuple[InCommon, ...] = ()
    restless_share: float = Field(default=0.7, ge=0, le=1)
    atv_allowance_min: int = Field(default=120, ge=0)


class Units(_Table):
    """Configuration that the installer left in every base unit."""

    heartbeat_s: int = Field(default=60, ge=1, le=300)
    report_s: int = Field(default=30, ge=1, le=300)
    leave_time_s: int = Field(default=60, ge=15, le=600)
    store_events: int = Field(default=3_000, ge=600)


class NetworkSpec(_Table):
    """The way from unit to service: median delay, and how many messages come twice though nothing is wrong."""

    delay_ms: int = Field(default=300, ge=0, le=60_000)
    duplicate_share: float = Field(default=0.002, ge=0, le=1)


class Signing(_Table):
    """Signatures on the wire: of every unit's envelopes, and of what units are told (then they obey nothing else)."""

    units: bool = False
    service: bool = False


class _Story(_Table):
    wearers: _Wearers


class LateReturn(_Story):
    """Out when the window opens, home at `home_at`."""

    kind: Literal["late_return"]
    home_at: LocalOrInstant


class Slip(_Story):
    """Out for some minutes within the window."""

    kind: Literal["slip"]
    at: LocalOrInstant
    minutes: float = Field(gt=0, le=1440)


class Party(_Story):
    """Out from one time until another, perhaps several people at once."""

    kind: Literal["party"]
    at: LocalOrInstant
    until: LocalOrInstant


class OutWhole(_Story):
    """Away for the whole window that opens on the local date `night`."""

    kind: Literal["out_whole"]
    night: _Date


class OutAtEnd(_Story):
    """Leaves within the window and is still out when it ends."""

    kind: Literal["out_at_end"]
    at: LocalOrInstant


class Hospital(_Story):
    """Away with leave: an authorised absence, in the register at once or entered as an instruction at `entered_at`."""

    kind: Literal["hospital"]
    at: LocalOrInstant
    until: LocalOrInstant
    authorised_from: LocalOrInstant
    authorised_until: LocalOrInstant
    reason: str = "medical"
    approved_by: str = "duty manager"
    evidence: str = "discharge letter"
    entered_at: LocalOrInstant | None = None


class StrapCut(_Story):
    """Cuts the strap at `at`, wherever they are, and carries the tag in a pocket from then on."""

    kind: Literal["strap_cut"]
    at: LocalOrInstant


def _place(name: str) -> str:
    if name not in PLACES:
        raise ValueError(f"{name!r} is no place for a tag; there are {', '.join(PLACES)}")
    return name


class TagOn(_Story):
    """From `at` on the tag, strap closed, is on something else than the leg; or on it again (`skin`)."""

    kind: Literal["tag_on"]
    at: LocalOrInstant
    place: Annotated[str, AfterValidator(_place)]


Story = Annotated[
    LateReturn | Slip | Party | OutWhole | OutAtEnd | Hospital | StrapCut | TagOn, Field(discriminator="kind")
]


class Scenario(_Table):
    """One simulated stretch of time in one town. `seed` decides all that is not written down."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str = ""
    seed: int = 1
    starts_at: LocalOrInstant
    ends_at: LocalOrInstant
    town: Town
    units: Units = Units()
    network: NetworkSpec = NetworkSpec()
    signing: Signing = Signing()
    stories: tuple[Story, ...] = Field(default=(), alias="story")
    faults: tuple[Fault, ...] = Field(default=(), alias="fault")

    def instant(self, text: str, reading: Literal["earlier", "later"] = "earlier") -> Ms:
        """The instant of a time in this scenario, local times read in the town's zone."""
        return instant(text, self.town.timezone, reading)

    @property
    def start_ms(self) -> Ms:
        """When the simulation begins and units boot."""
        return self.instant(self.starts_at)

    @property
    def end_ms(self) -> Ms:
        """When it ends."""
        return self.instant(self.ends_at, "later")

    @model_validator(mode="after")
    def _whole(self) -> "Scenario":
        if self.end_ms <= self.start_ms:
            raise ValueError(f"ends_at {self.ends_at} is not after starts_at {self.starts_at}")
        for where, numbers in self._named_wearers():
            strangers = [number for number in numbers if not 1 <= number <= self.town.wearers]
            if strangers:
                raise ValueError(f"{where} names wearer {strangers[0]}; the town has wearers 1 to {self.town.wearers}")
        housed = [number for home in self.town.shared_homes for number in home]
        if len(set(housed)) < len(housed):
            raise ValueError("town.shared_homes houses one wearer twice; each belongs to one home")
        return self

    def _named_wearers(self) -> list[tuple[str, tuple[int, ...]]]:
        named = [(f"story #{i}", story.wearers) for i, story in enumerate(self.stories, 1)]
        named += [(f"fault #{i}", fault.wearers) for i, fault in enumerate(self.faults, 1)]
        named += [("town.shared_homes", home) for home in self.town.shared_homes]
        named += [("town.other_curfews", curfew.wearers) for curfew in self.town.other_curfews]
        return [*named, ("town.two_units", self.town.two_units)]


def on_date(scenario: Scenario, first_day: date) -> Scenario:
    """The same scenario with its first day moved to `first_day`, every time of day as it was."""
    days = first_day - date.fromisoformat(scenario.starts_at[:10])
    moved = _moved(scenario.model_dump(mode="json", by_alias=True), days)
    return parse_scenario(moved, source=f"{scenario.name} on {first_day}")


def _moved(value: Any, days: timedelta) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, days) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, days) for item in value]
    if isinstance(value, str) and _DATED.match(value):
        return f"{date.fromisoformat(value[:10]) + days}{value[10:]}"
    return value


def load_scenario(path: Path) -> Scenario:
    """The scenario in a TOML file; ScenarioError says in one line what is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}); give the path of a scenario file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from None
    return parse_scenario(raw, source=str(path))


def parse_scenario(raw: dict[str, Any], *, source: str) -> Scenario:
    """The scenario in a parsed table; `source` is named in errors."""
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError(f"{source}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = _key_path(problem["loc"])
    told = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        close = get_close_matches(str(problem["loc"][-1]), sorted(_KEYS), n=1)
        told = "unknown key; " + (f"did you mean {close[0]}?" if close else "remove it or see the annotated town.toml")
    elif problem["type"] == "missing":
        told = "missing; this key must be given"
    else:
        told = f"{told} (it is {problem['input']!r:.60})" if not told.startswith(repr(problem["input"])) else told
    return f"{where}: {told}" if where else told.split(" (it is {")[0]


def _key_path(loc: tuple[int | str, ...]) -> str:
    """`story #3.minutes` of pydantic's place; tables of an array are counted from 1, and the kind is left out."""
    path = ""
    for index, part in enumerate(loc):
        if isinstance(part, int):
            path += f" #{part + 1}"
        elif not (index and isinstance(loc[index - 1], int) and part in _KINDS):
            path += f".{part}" if path else part
    return path


_STORY_KINDS, _FAULT_KINDS = (get_args(get_args(union)[0]) for union in (Story, Fault))
_TABLES: tuple[type[BaseModel], ...] = (
    Scenario,
    Town,
    Curfew,
    Units,
    NetworkSpec,
    Signing,
    *_STORY_KINDS,
    *_FAULT_KINDS,
)
_KEYS = {field.alias or name for table in _TABLES for name, field in table.model_fields.items()}
_KINDS = {get_args(table.model_fields["kind"].annotation)[0] for table in (*_STORY_KINDS, *_FAULT_KINDS)}
