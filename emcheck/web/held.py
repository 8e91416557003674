"""What is held of a person: name, contacts and notes. Whoever shows it has logged the look before."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from emcheck.desk import Desk

_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")


class Held(NamedTuple):
    """As far as it is held: everything is empty where nothing is, or where it was erased."""

    wearer_id: str
    name: str
    contacts: Mapping[str, str]
    notes: Mapping[str, str]

    @property
    def calls(self) -> list[tuple[str, str, str]]:
        """Each contact with the number that a telephone dials for it, empty where it is no number."""
        return [(key.replace("_", " "), said, dialled(said)) for key, said in self.contacts.items()]


async def held_of(desk: Desk, wearer_id: str) -> Held:
    """What the register told of a wearer (docs/formats.md, Register)."""
    person = next(iter(await desk.people(wearer_id)), None)
    if person is None:
        return Held(wearer_id, "", {}, {})
    told = json.loads(person.notes or b"{}")
    contacts, notes = told.get("contacts", {}), told.get("notes", {})
    return Held(
        wearer_id,
        person.name or "",
        {str(key): _plainly(said) for key, said in contacts.items()},
        {str(key): _plainly(said) for key, said in notes.items()},
    )


def dialled(said: str) -> str:
    """`+442079460000` of `+44 20 7946 0000`; empty of what is no telephone number."""
    return re.sub(r"[^+0-9]", "", said) if _NUMBER.fullmatch(said.strip()) else ""


def _plainly(said: Any) -> str:
    """What stands under a key: text as it is, anything else as JSON."""
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
