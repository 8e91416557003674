"""What an instruction is held against beside the register: leave that stands already, alerts that a referral names."""

from emcheck.domain.ids import Ms
from emcheck.domain.instructions import GrantAbsence, Instruction, ReferBreach
from emcheck.domain.referrals import check
from emcheck.domain.register import Register
from emcheck.ports import AlertChange, Store
from emcheck.service.attending import Publish
from emcheck.service.given import is_in_force, refuse_twice
from emcheck.service.referring import named_in, referred


def asks_the_record(act: Instruction, register: Register) -> bool:
    """Whether the store is to be asked; what is not committed yet is to be there before."""
    return isinstance(act, ReferBreach) or (isinstance(act, GrantAbsence) and is_in_force(act, register))


async def admit(act: Instruction, store: Store, register: Register, now: Ms, publish: Publish) -> list[AlertChange]:
    """InstructionError where it is not to be carried out; else what is to be told of alerts that it names."""
    if isinstance(act, GrantAbsence):
        await refuse_twice(store, act)
    if not isinstance(act, ReferBreach):
        return []
    alerts = await named_in(store, act)
    check(act, alerts, register, now)
    return referred(act, alerts, now, publish)
