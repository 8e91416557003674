"""A register into the store and out of it: what is judged on one side, personal data in a table of its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from emcheck.domain.amending import amended, as_text, name_after, touched_by
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.register import Register, RegisterError, Wearer, changed, parse_register
from emcheck.ports import Commit, Person, Store, StoredRegister


async def load_register(store: Store, register: Register, now: Ms, *, replace: bool = False) -> StoredRegister:
    """Put a register in force. The service judges by it from its next start.

    The one that is loaded already stays, with what instructions made of it. RegisterError where another one would undo
    instructions, unless it is to `replace` them.
    """
    loaded = await store.register()
    if loaded is not None and loaded.sha256 == register.sha256() and not replace:
        await store.commit(Commit(people=people_of(register.wearers)))
        return loaded
    told = [] if loaded is None else await store.instructions_after(loaded.as_of_row)
    if told and not replace:
        last = format_ms(told[-1].received_at)
        raise RegisterError(
            f"it would undo {len(told)} instruction{'s' if len(told) > 1 else ''} given since the one in force was "
            f"loaded, the last one at {last}. Put them into the file and say `emcheck register load --replace`"
        )
    stored = StoredRegister(register.sha256(), now, json.dumps(as_text(register.plain())).encode())
    await store.save_register(stored, people_of(register.wearers))
    return stored


def people_of(wearers: Iterable[Wearer]) -> list[Person]:
    """The personal data of those of whom any is known."""
    return [
        Person(wearer.wearer_id, wearer.name, json.dumps({"notes": wearer.notes, "contacts": wearer.contacts}).encode())
        for wearer in wearers
        if wearer.name or wearer.notes or wearer.contacts
    ]


async def named_register_in_force(store: Store) -> tuple[Register, str]:
    """The register in force with the personal data that is held, and what findings call it."""
    found, known = await register_in_force(store), {person.wearer_id: person for person in await store.people()}

    def named(wearer: Wearer) -> Wearer:
        person = known.get(wearer.wearer_id)
        return wearer if person is None else changed(wearer, name=person.name, **json.loads(person.notes))

    return changed(found.register, wearers=tuple(map(named, found.register.wearers))), found.name


@dataclass(slots=True)
class InForce:
    """The register in force: the one that was loaded, and what instructions made of it since."""

    register: Register
    name: str
    base: str = ""
    """The hash of the one that was loaded."""
    touched_at: dict[WearerId, int] = field(default_factory=dict)
    """The row of the last instruction that touched a wearer."""


async def register_in_force(store: Store) -> InForce:
    """Read it back; an empty one where none was ever loaded."""
    stored = await store.register()
    if stored is None:
        empty = Register(version=1, wearers=(), orders=(), installations=(), fittings=())
        found = InForce(empty, empty.sha256())
    else:
        found = InForce(parse_register(stored.body, name="the stored register"), stored.sha256, stored.sha256)
    for row in await store.instructions_after(0 if stored is None else stored.as_of_row):
        raw = json.loads(row.payload)
        act = parse_instruction(raw)
        after = amended(found.register, act, row.received_at)
        for wearer in touched_by(act, found.register, after).wearers:
            found.touched_at[wearer] = row.row_id
        found.register, found.name = after, name_after(found.name, raw, after)
    return found
