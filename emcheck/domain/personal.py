"""Personal data in instructions: kept in a table that can be erased, and not where what was said is kept for ever."""

from typing import Any

from emcheck.domain.instructions import Instruction, PutRegister, PutWearer
from emcheck.domain.register import Wearer

PERSONAL = ("name", "notes", "contacts")
"""Fields of a wearer that are personal data."""


def impersonal(raw: Any) -> Any:
    """An instruction without personal data, as it is kept for ever: names stand in a table that can be erased."""

    def bare(wearer: Any) -> Any:
        return {key: value for key, value in wearer.items() if key not in PERSONAL}

    if raw["type"] == "wearer":
        return raw | {"wearer": bare(raw["wearer"])}
    if raw["type"] == "register":
        register = raw["register"]
        return raw | {"register": register | {"wearers": [bare(wearer) for wearer in register["wearers"]]}}
    return raw


def told_of(act: Instruction) -> tuple[Wearer, ...]:
    """The wearers of whom an act may tell personal data."""
    if isinstance(act, PutRegister):
        return act.register_.wearers
    return (act.wearer,) if isinstance(act, PutWearer) else ()
