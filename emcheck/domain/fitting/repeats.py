"""An act that came twice: a phone that lost the network cannot know whether it was heard, and sends again.

Each act that a phone sends has a `key` of its own. The second one of a key does nothing; a key that stands for another
act already is refused, so that nothing is lost in silence.
"""

from collections.abc import Iterable
from typing import Any

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import FittingAct, OpenFitting
from emcheck.domain.register import Register

_MAY_DIFFER: Any = {"at": True, "warnings": True, "found": True, "signatures": {"__all__": {"at"}}}


def is_repeat(acts: Iterable[object], act: FittingAct) -> bool:
    """Whether one of a session's acts is this one, sent before; InstructionError where its key is another act's."""
    key = getattr(act, "key", None)
    if key is None:
        return False
    for known in acts:
        if isinstance(known, FittingAct) and getattr(known, "key", None) == key:
            if known.model_dump(exclude=_MAY_DIFFER) != act.model_dump(exclude=_MAY_DIFFER):
                raise InstructionError("key", "stands for another act of this session; take a new one")
            return True
    return False


def refuse_old_name(register: Register, act: OpenFitting) -> None:
    """InstructionError where a visit that is over has the name: its record is found by it for ever."""
    for order in register.orders:
        if any(made.session == act.session for made in order.visits):
            raise InstructionError("session", f"{act.session} is a visit that is over; take another name")


def refuse_repeat(acts: Iterable[object], act: FittingAct) -> None:
    """InstructionError where the act was carried out before."""
    if is_repeat(acts, act):
        raise InstructionError("key", "this act was carried out before; nothing is done twice")
