"""A register that instructions changed is rested on as one that was loaded whole; only what they touch is looked at."""

import random
from typing import Any

import pytest

from emcheck.domain import amending
from emcheck.domain.amending import amended, touched_by
from emcheck.domain.ids import TagId
from emcheck.domain.instructions import InstructionError, parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from tests.support import england, nightly, order, register

FIRST, LATER = "2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z"


def town() -> Register:
    """Four wearers, two of them in one home, one with two units, one without any."""
    homes = {"W-1": "A-1", "W-2": "A-1", "W-3": "A-2", "W-4": "A-3"}
    units = {"BU-0001": "A-1", "BU-0002": "A-2", "BU-0003": "A-2"}
    return register(
        *(order(order_id=f"O-{w}", wearer_id=w, curfew=nightly(address=home)) for w, home in homes.items()),
        wearers=[{"wearer_id": w} for w in (*homes, "W-5")],
        installations=[{"unit": u, "address_id": home, "installed_at": FIRST} for u, home in units.items()],
        fittings=[{"tag": f"T-{w}", "wearer_id": w, "fitted_at": FIRST} for w in homes],
    )


def some_act(chance: random.Random) -> dict[str, Any]:
    wearer, address = chance.choice(["W-1", "W-2", "W-3", "W-4", "W-5"]), chance.choice(["A-1", "A-2", "A-3", "A-4"])
    unit, since = f"BU-000{chance.randint(1, 5)}", chance.choice([FIRST, LATER])
    ended = {"removed_at": "2026-03-09T00:00:00Z"} if since == FIRST and chance.random() < 0.5 else {}
    return {
        0: {"installation": {"unit": unit, "address_id": address, "installed_at": since, **ended}},
        1: {"fitting": {"tag": f"T-{wearer}", "wearer_id": wearer, "fitted_at": since, **ended}},
        2: {"order": order(order_id=f"O-{wearer}", wearer_id=wearer, curfew=nightly(address=address))},
        3: {"wearer": {"wearer_id": wearer}},
    }[chance.randrange(4)]


def whole(roster: Roster) -> dict[str, Any]:
    """What a roster says of cases, units, ties and tags."""
    return {
        "units": {name: unit.installations for name, unit in roster.units.items()},
        "cases": {name: (case.fittings, case.units, case.addresses) for name, case in roster.cases.items()},
        "cases_of": {name: {case.wearer_id for case in on} for name, on in roster.cases_of.items()},
        "tied": {name: sorted(group) for name, group in roster.tied.items()},
        "fitted": {tag: tuple(roster.fitted(tag)) for tag in map(TagId, (f"T-W-{n}" for n in range(1, 6)))},
    }


@pytest.mark.parametrize("seed", range(40))
def test_a_roster_that_is_amended_is_that_of_the_register_it_came_to(seed: int) -> None:
    chance = random.Random(seed)
    roster = Roster(town(), Policies(england()))
    done = 0
    for _ in range(12):
        said = some_act(chance)
        act = parse_instruction({"type": next(iter(said)), "by": "the court", **said})
        try:
            made = amended(roster.register, act, 0)
        except InstructionError:
            continue
        roster.amend(made, "changed", touched_by(act, roster.register, made))
        assert whole(roster) == whole(Roster(made, Policies(england())))
        done += 1
    assert done


def test_what_is_put_is_held_against_what_it_is_near_and_told_by_its_place() -> None:
    known = town()
    clash = {"unit": "BU-0003", "address_id": "A-3", "installed_at": LATER}
    with pytest.raises(InstructionError) as error:
        amended(known, parse_instruction({"type": "installation", "by": "x", "installation": clash}), 0)
    assert str(error.value) == (
        "installation.installed_at: BU-0003 overlaps installations.2 in time; "
        "give installations.2 a removed_at of 2026-03-10T00:00:00.000Z or earlier"
    )
    nobody = {"tag": "T-9", "wearer_id": "W-9", "fitted_at": FIRST}
    with pytest.raises(InstructionError, match=r"fitting\.wearer_id: 'W-9' is not among the wearers"):
        amended(known, parse_instruction({"type": "fitting", "by": "x", "fitting": nobody}), 0)
    key = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="[-44:]
    keyed = {"unit": "BU-0001", "address_id": "A-1", "installed_at": FIRST, "public_key": key}
    held = amended(known, parse_instruction({"type": "installation", "by": "x", "installation": keyed}), 0)
    other = keyed | {"unit": "BU-0009", "address_id": "A-4"}
    with pytest.raises(InstructionError, match="its public_key is that of BU-0001"):
        amended(held, parse_instruction({"type": "installation", "by": "x", "installation": other}), 0)


def test_only_what_an_act_is_near_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A country's register would take tenths of a second, in which no message is read."""
    known = town()
    validated: list[int] = []

    def counted(*, version: int, **parts: Any) -> Register:
        validated.append(sum(map(len, parts.values())))
        return Register(version=version, **parts)  # type: ignore[arg-type]  # as it is given

    monkeypatch.setattr(amending, "Register", counted)
    for said in (
        {"installation": {"unit": "BU-0003", "address_id": "A-2", "installed_at": FIRST, "removed_at": LATER}},
        {"fitting": {"tag": "T-W-1", "wearer_id": "W-1", "fitted_at": FIRST, "removed_at": LATER}},
        {"order": order(order_id="O-W-1", wearer_id="W-1", curfew=nightly("20:00"))},
        {"wearer": {"wearer_id": "W-1", "name": "Ann Other"}},
    ):
        made = amended(known, parse_instruction({"type": next(iter(said)), "by": "the court", **said}), 0)
        assert made != known
    assert validated == [1, 2, 2, 1]
