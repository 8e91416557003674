"""A register into the store: what is judged on one side, personal data in a table of its own on the other."""

import json

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.register import Register
from emcheck.ports import Person, Store, StoredRegister


async def load_register(store: Store, register: Register, now: Ms) -> StoredRegister:
    """Put a register in force. The service judges by it from its next start."""
    stored = StoredRegister(register.sha256(), now, json.dumps(_instants_as_text(register.plain())).encode())
    people = [
        Person(wearer.wearer_id, wearer.name, json.dumps({"notes": wearer.notes, "contacts": wearer.contacts}).encode())
        for wearer in register.wearers
        if wearer.name or wearer.notes or wearer.contacts
    ]
    await store.save_register(stored, people)
    return stored


def _instants_as_text(value: object, key: str = "") -> object:
    """Instants as formats.md writes them, so that what is stored is a register again."""
    if isinstance(value, dict):
        return {name: _instants_as_text(inner, name) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_instants_as_text(inner) for inner in value]
    return format_ms(value) if key.endswith("_at") and isinstance(value, int) else value
