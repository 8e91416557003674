"""A register into the store and out of it: what is judged on one side, personal data in a table of its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from emcheck.domain.amending import amended, as_text, name_after, touched_by
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, PolicyError, parse_policy
from emcheck.domain.publishing import StoredPolicy
from emcheck.domain.register import Register, RegisterError, Wearer, changed, parse_register
from emcheck.ports import Commit, Person, Store, StoredRegister

log = structlog.get_logger("emcheck.service")


async def load_register(store: Store, register: Register, now: Ms, *, replace: bool = False) -> StoredRegister:
    """Put a register in force. The service judges by it from its next start.

    The one that is loaded already stays, with what instructions made of it. RegisterError where another one would undo
    instructions, unless it is to `replace` them, and where an order names a policy that is not published.
    """
    policies = await policies_in_force(store)
    if policies is not None and (fault := policies.unpublished(register.orders)) is not None:
        raise RegisterError(f"orders.{fault[0]}.policy: {fault[1]}")
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

    def touched(self, wearers: Iterable[WearerId], row_id: int) -> None:
        """An instruction touched some wearers."""
        for wearer in wearers:
            self.touched_at[wearer] = max(self.touched_at.get(wearer, 0), row_id)


async def policies_in_force(store: Store) -> Policies | None:
    """Every policy that was published, the first of them the service's own; None where none ever was."""
    known = await store.policies()
    if not known:
        return None
    policies = Policies(_read(known[0]))
    for stored in known[1:]:
        policies.publish(_read(stored), stored.published_at if stored.as_of_row else -FOREVER)
    return policies


async def published(store: Store) -> list[tuple[Policy, Ms]]:
    """Every version that was published, in order, and when it became known."""
    return [(_read(stored), stored.published_at) for stored in await store.policies()]


def _read(stored: StoredPolicy) -> Policy:
    return parse_policy(stored.body.decode(), name=f"the stored {stored.name}@{stored.version}")


def stored_policy(policy: Policy, now: Ms, row_id: int) -> StoredPolicy:
    """A version as it is kept for ever; `row_id` is that of the instruction that published it."""
    return StoredPolicy(
        policy.name, policy.version, policy.sha256, policy.effective_at, now, policy.body.encode(), row_id
    )


async def load_policy(store: Store, policy: Policy, now: Ms, *, shipped: bool) -> None:
    """See that the service's own policy, as it is set, is published: the first at once, a later one by instruction.

    PolicyError where it cannot be: what is published never changes. One that is `shipped` gives way to what stands.
    """
    known = await policies_in_force(store)
    if known is None:
        await store.commit(Commit(policies=[stored_policy(policy, now, 0)]))
        return
    if policy.name != known.own.name:
        raise PolicyError(
            f"name: this database's own policy is {known.own.name!r}, not {policy.name!r}; publish "
            f"{policy.label} with `emcheck policy publish` and let orders name it, or give it that name "
            "and a new version"
        )
    stands = known.known(policy.name, policy.version)
    if shipped and (stands is None or stands.sha256 != policy.sha256):
        log.warning("policy.shipped_otherwise", shipped=policy.label, in_force=known.own.at(now).label)
        return
    if known.check(policy, now, retroactive=False):
        said = {"type": "policy", "policy": policy.body, "by": "emcheck serve"}
        await store.post(json.dumps(said, ensure_ascii=False).encode(), now)


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
        found.touched(touched_by(act, found.register, after).wearers, row.row_id)
        found.register, found.name = after, name_after(found.name, raw, after)
    return found
