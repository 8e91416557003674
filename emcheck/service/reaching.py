"""Whether everybody whom a policy's escalation names can be reached as the settings are; else nothing is started."""

from collections.abc import Iterable, Iterator

from emcheck.alerting.apprising import AddressError, Channel
from emcheck.alerting.notifying import Contact, Way, targets_of
from emcheck.domain.escalation import QUEUE, Call, target
from emcheck.domain.policy import Policy
from emcheck.settings import Settings


class UnreachableError(ValueError):
    """A step that would reach nobody, or an address that cannot be used; one line with what helps."""


def contacts_of(settings: Settings, policy: Policy, *, name: str) -> list[Contact]:
    """The contacts with the channels that the policy's trees use; `name` is the policy's file. UnreachableError."""
    known = {who: {by: _channel(settings, who, by) for by in channels} for who, channels in _given(settings).items()}
    used: dict[str, dict[str, Channel]] = {}
    for path, call in _calls(policy):
        if call.by == QUEUE:
            if not settings.alerting.mqtt.enabled and settings.alerting.webhook.url is None:
                raise UnreachableError(
                    f"{name}: {path}.by: nobody can watch the queue while alerting.mqtt is off and alerting.webhook "
                    "has no address; turn one on, or name another channel"
                )
            continue
        here = f"{name}: {path}"
        if call.who not in known:
            told = (
                f"set alerting.contacts.{call.who}.{call.by}, or name one of {', '.join(known) or 'those that you set'}"
            )
            raise UnreachableError(f"{here}.who: the settings know no contact {call.who!r}; {told}")
        if call.by not in known[call.who]:
            told = f"set alerting.contacts.{call.who}.{call.by}, or name one of {', '.join((*known[call.who], QUEUE))}"
            raise UnreachableError(f"{here}.by: the contact {call.who!r} has no channel {call.by!r}; {told}")
        used.setdefault(call.who, {})[call.by] = known[call.who][call.by]
    return [Contact(who, ways) for who, ways in used.items()]


def contacts_of_all(settings: Settings, policies: Iterable[Policy]) -> list[Contact]:
    """The same for several policies; each is named as findings name it."""
    ways: dict[str, dict[str, Way]] = {}
    for policy in policies:
        for contact in contacts_of(settings, policy, name=policy.label):
            ways.setdefault(contact.name, {}).update(contact.ways)
    return [Contact(name, channels) for name, channels in ways.items()]


def unreached(policy: Policy, contacts: Iterable[Contact]) -> str | None:
    """The first step of a policy that reaches none of the contacts of a running service, and what helps."""
    reached = {name for targets in targets_of(list(contacts)).values() for name in targets}
    for path, call in _calls(policy):
        if (name := target(call)) is not None and name not in reached:
            return f"{path}: this service reaches nobody by {name!r}; set alerting.contacts and start it again first"
    return None


def _given(settings: Settings) -> dict[str, list[str]]:
    return {who: list(channels) for who, channels in settings.alerting.contacts.items()}


def _channel(settings: Settings, who: str, by: str) -> Channel:
    key = f"alerting.contacts.{who}.{by}"
    try:
        return Channel(settings.alerting.contacts[who][by].get_secret_value())
    except AddressError as error:
        raise UnreachableError(f"{settings.source_of(key)}: {key}: {error}") from None


def _calls(policy: Policy) -> Iterator[tuple[str, Call]]:
    """Every step with where it stands in the policy."""
    for tree, calls in policy.trees.items():
        for number, call in enumerate(calls, start=1):
            yield f"escalation.{tree}[{number}]", call
