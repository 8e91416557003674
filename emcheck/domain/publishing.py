"""A policy is published by an instruction: what it says, and whom it makes judged again (policies, 4)."""

from typing import NamedTuple

from emcheck.domain.amending import Touched
from emcheck.domain.ids import Ms
from emcheck.domain.instructions import Instruction, InstructionError, PutOrder, PutPolicy, PutRegister
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, PolicyError, parse_policy
from emcheck.domain.register import Register


class StoredPolicy(NamedTuple):
    """A version of a policy that was published: its file, when it became known, and by which inbox row.

    `as_of_row` is 0 for the one that the service first started with: it is the service's own, and the first of all.
    """

    name: str
    version: str
    sha256: str
    effective_at: Ms
    published_at: Ms
    body: bytes
    as_of_row: int = 0


def new_policy(act: PutPolicy, policies: Policies, at: Ms) -> Policy | None:
    """The version that an instruction known from `at` publishes, None where it stands; InstructionError."""
    try:
        policy = parse_policy(act.policy, name="policy")
        return policy if policies.check(policy, at, retroactive=act.retroactive is not None) else None
    except PolicyError as error:
        raise InstructionError("policy", str(error).removeprefix("policy: ")) from None


def naming_published(act: Instruction, policies: Policies) -> Instruction:
    """The same act, if every order that it brings names a policy that is published, or none; InstructionError."""
    brought = act.register_.orders if isinstance(act, PutRegister) else [act.order] if isinstance(act, PutOrder) else ()
    if (fault := policies.unpublished(brought)) is not None:
        path = "order.policy" if isinstance(act, PutOrder) else f"register.orders.{fault[0]}.policy"
        raise InstructionError(path, fault[1])
    return act


def touched_by_policy(policy: Policy, policies: Policies, register: Register, at: Ms) -> Touched:
    """Whom a version that is not published yet makes judged again: nobody if it begins later.

    A unit's clock may be ahead, so that facts are known of a time a little after `at`.
    """
    if policy.effective_at >= at + policies.own.most_ms("clock.future_max_s"):
        return Touched(set(), set())
    is_own = policy.name == policies.own.name
    wearers = {order.wearer_id for order in register.orders if (order.policy or policies.own.name) == policy.name}
    if not is_own:
        return Touched(wearers, set())
    everybody = {order.wearer_id for order in register.orders}
    return Touched(everybody, {installation.unit for installation in register.installations})
