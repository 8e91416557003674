"""Policies of a running service: read back at a start, and published by instruction."""

from collections.abc import Callable

from emcheck.domain.ids import Ms
from emcheck.domain.instructions import InstructionError, PutPolicy
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, parse_policy
from emcheck.domain.publishing import StoredPolicy, new_policy
from emcheck.ports import Commit, Store
from emcheck.service.enrolment import policies_in_force, stored_policy


class Publishing:
    """What is published while the service runs. What `take` returns is committed with the instruction."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._fresh: list[StoredPolicy] = []
        self.unreached: Callable[[Policy], str | None] = lambda policy: None
        """Asked of a new version of the service's own: what of its escalation would reach nobody."""

    async def known(self, now: Ms) -> Policies:
        """What is published; where nothing is, the service's own begins."""
        self._fresh = []
        known = await policies_in_force(self._store)
        if known is not None:
            return known
        await self._store.commit(Commit(policies=[stored_policy(self._policy, now, 0)]))
        return Policies(self._policy)

    def is_new(self, act: PutPolicy, policies: Policies, now: Ms) -> bool:
        """Whether it publishes anything; InstructionError where it cannot be, or would reach nobody."""
        policy = new_policy(act, policies, now)
        if policy is not None and policy.name == policies.own.name and (fault := self.unreached(policy)) is not None:
            raise InstructionError("policy", fault)
        return policy is not None

    def note(self, act: PutPolicy, now: Ms, row_id: int) -> None:
        """It was published by an inbox row."""
        self._fresh.append(stored_policy(parse_policy(act.policy), now, row_id))

    def take(self) -> list[StoredPolicy]:
        """What was published and not committed yet."""
        fresh, self._fresh = self._fresh, []
        return fresh
