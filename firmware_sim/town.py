"""Builds a town: who lives where with which units and tags, the register that follows, and everyone's plan."""

from dataclasses import dataclass
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.domain.ids import AddressId, OrderId, TagId, UnitId, WearerId
from emcheck.domain.instants import DAY, format_ms
from emcheck.wire.signing import public_text
from firmware_sim.people import Plan, hours_of, plan
from firmware_sim.radio import Site, survey
from firmware_sim.scenario import Hospital, Scenario

_FIRST_NAMES = (
    "Amara Ben Chloe Dev Ewan Farida Gareth Hannah Idris Joanne Kwame Leila Marek Niamh Owen Priya "
    "Quentin Rosa Samir Tegan Uzma Viktor Wendy Xiulan Yusuf Zoe Alun Bronwen Callum Danuta Emeka Fiona"
)
_LAST_NAMES = (
    "Adeyemi Barker Chowdhury Davies Ellis Fofanah Griffiths Hussain Iqbal Jones Kaur Lewandowski Murphy "
    "Nowak Okafor Patel Quinn Roberts Singh Taylor Umar Vaughan Williams Xu Yilmaz Zielinski Ashworth "
    "Brennan Clarke"
)
_FIRST, _LAST = tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split())
_KINDS = ("community_order", "suspended_sentence", "bail", "home_detention_curfew", "licence", "youth")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Wearer:
    """One person under curfew, with what was fitted and ordered."""

    number: int
    wearer_id: WearerId
    order_id: OrderId
    tag: TagId
    name: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Dwelling:
    """One address: who lives there and which units stand where."""

    address_id: AddressId
    wearers: tuple[Wearer, ...]
    units: tuple[tuple[UnitId, Site], ...]


@dataclass(frozen=True, slots=True)
class TownPlan:
    """Everything that is settled before the clock starts."""

    scenario: Scenario
    seed: int
    dwellings: tuple[Dwelling, ...]

    @property
    def wearers(self) -> list[Wearer]:
        """All wearers by number."""
        return sorted((w for home in self.dwellings for w in home.wearers), key=lambda w: w.number)

    def units_of(self, wearers: tuple[int, ...]) -> list[UnitId]:
        """Units in the homes of these wearers; every unit where none is named."""
        homes = [d for d in self.dwellings if not wearers or any(w.number in wearers for w in d.wearers)]
        return [unit for home in homes for unit, _ in home.units]


def build_town(scenario: Scenario, seed: int) -> TownPlan:
    """Houses, people and plans of a scenario; the same seed gives the same town."""
    dwellings: list[Dwelling] = []
    shared = {number: home for home in scenario.town.shared_homes for number in home}
    for number in range(1, scenario.town.wearers + 1):
        household = shared.get(number, (number,))
        if min(household) == number:
            dwellings.append(_dwelling(scenario, seed, household))
    return TownPlan(scenario, seed, tuple(dwellings))


def _dwelling(scenario: Scenario, seed: int, household: tuple[int, ...]) -> Dwelling:
    number = min(household)
    names = [f"BU-{number:04d}"]
    if any(wearer in scenario.town.two_units for wearer in household):
        names.append(f"BU-{number:04d}B")
    units = tuple((UnitId(name), survey(Random(f"{seed}/site/{name}"))) for name in names)
    wearers = tuple(_wearer(scenario, seed, wearer) for wearer in sorted(household))
    return Dwelling(AddressId(f"A-{number:04d}"), wearers, units)


def _wearer(scenario: Scenario, seed: int, number: int) -> Wearer:
    first = _FIRST[(number * 7 + seed) % len(_FIRST)]
    last = _LAST[(number * 11 + seed // 7) % len(_LAST)]
    return Wearer(
        number=number,
        wearer_id=WearerId(f"W-{number:04d}"),
        order_id=OrderId(f"O-{number:04d}"),
        tag=TagId(f"T-{number:04d}"),
        name=f"{first} {last}",
        plan=plan(scenario, number, Random(f"{seed}/person/{number}")),
    )


def unit_key(town: TownPlan, unit: UnitId) -> Ed25519PrivateKey | None:
    """What a unit signs with; None in a scenario whose units do not sign."""
    return _key(f"{town.seed}/key/{unit}") if town.scenario.signing.units else None


def service_key(town: TownPlan) -> Ed25519PrivateKey | None:
    """What the service signs with, whose public half every unit is enrolled with; None where it does not sign."""
    return _key(f"{town.seed}/key") if town.scenario.signing.service else None


def _key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(Random(seed).randbytes(32))


def _person(wearer: Wearer) -> dict[str, Any]:
    """Whom to call: numbers that Ofcom keeps for drama; of every ninth wearer none is held, as it happens."""
    told: dict[str, Any] = {"wearer_id": wearer.wearer_id, "name": wearer.name}
    if wearer.number % 9 != 5:
        told["contacts"] = {"phone": f"07700 {900_000 + wearer.number % 1_000}"}
    return told


def register(town: TownPlan) -> dict[str, Any]:
    """The town's `register.json` (formats.md)."""
    began_at = format_ms(town.scenario.start_ms)  # orders, fittings and units alike: from here on silence is news
    homes = {w.number: home for home in town.dwellings for w in home.wearers}
    return {
        "version": 1,
        "wearers": [_person(w) for w in town.wearers],
        "orders": [_order(town.scenario, w, homes[w.number].address_id) for w in town.wearers],
        "installations": [
            {
                "unit": unit,
                "address_id": home.address_id,
                "order_id": home.wearers[0].order_id,
                "installed_at": began_at,
                "removed_at": None,
                "range_dbm": site.range_dbm,
            }
            | _enrolled(town, unit)
            | _in_common(town.scenario, home)
            for home in town.dwellings
            for unit, site in home.units
        ],
        "fittings": [
            {
                "tag": w.tag,
                "wearer_id": w.wearer_id,
                "limb": "left_ankle" if w.number % 3 == 0 else "right_ankle",
                "strap_batch": f"S-24-{w.number % 5 + 9:02d}",
                "fitted_at": began_at,
                "removed_at": None,
                "validation": "validated",
            }
            for w in town.wearers
        ],
    }


def _in_common(scenario: Scenario, home: Dwelling) -> dict[str, str]:
    """What the register says that units of a home have in common with others."""
    found: dict[str, str] = {}
    for common in scenario.town.in_common:
        if any(wearer.number in common.wearers for wearer in home.wearers):
            named = {"uplink": common.uplink, "postcode": common.postcode}
            found |= {key: name for key, name in named.items() if name is not None}
    return found


def _enrolled(town: TownPlan, unit: UnitId) -> dict[str, str]:
    key = unit_key(town, unit)
    return {} if key is None else {"public_key": public_text(key)}


def _order(scenario: Scenario, wearer: Wearer, address_id: AddressId) -> dict[str, Any]:
    opens, closes = hours_of(scenario, wearer.number)
    ahead = int(closes <= opens)
    order: dict[str, Any] = {
        "order_id": wearer.order_id,
        "wearer_id": wearer.wearer_id,
        "kind": _KINDS[wearer.number % len(_KINDS)],
        "timezone": scenario.town.timezone,
        "starts_at": format_ms(scenario.start_ms),
        "ends_at": format_ms(scenario.end_ms + 60 * DAY),
        "atv_allowance_min": scenario.town.atv_allowance_min,
        "curfew": [
            {
                "address_id": address_id,
                "windows": [
                    {"from_day": day, "from_time": opens, "until_day": _DAYS[(i + ahead) % 7], "until_time": closes}
                    for i, day in enumerate(_DAYS)
                ],
            }
        ],
    }
    absences = [_leave(story) for story in _leaves(scenario, wearer) if story.entered_at is None]
    return order | ({"authorised_absences": absences} if absences else {})


def _leaves(scenario: Scenario, wearer: Wearer) -> list[Hospital]:
    return [s for s in scenario.stories if isinstance(s, Hospital) and wearer.number in s.wearers]


def _leave(story: Hospital) -> dict[str, str]:
    return {
        "from": story.authorised_from,
        "until": story.authorised_until,
        "reason": story.reason,
        "approved_by": story.approved_by,
        "evidence": story.evidence,
    }


def instructions(town: TownPlan) -> list[tuple[int, dict[str, Any]]]:
    """Operators' instructions of the scenario with the instants at which they are entered, by instant."""
    entered = [
        (
            town.scenario.instant(story.entered_at),
            {"type": "authorised_absence", "order_id": wearer.order_id} | _leave(story),
        )
        for wearer in town.wearers
        for story in _leaves(town.scenario, wearer)
        if story.entered_at is not None
    ]
    return sorted(entered, key=lambda item: item[0])
