"""Breaches that were referred to the authority or should be, out of the database."""

import json
from collections.abc import Iterable
from dataclasses import replace

from emcheck.domain.alerts import Alert
from emcheck.domain.attending import ActOnAlert
from emcheck.domain.ids import Ms
from emcheck.domain.instructions import ReferBreach, parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.referrals import Referral, referrals
from emcheck.domain.register import Register
from emcheck.ports import AlertChange, Store
from emcheck.service.attending import Publish
from emcheck.service.enrolment import register_in_force

_TOLD_BY = (b'"alert"', b'"referral"')
"""What an instruction holds that may say something of a breach; all others need not be parsed."""


_IDENTIFIED_BY = (b'"confirm"', b'"breach_reported"')
_PAGE = 500
"""Alerts that the store is asked of at once."""


async def referrals_of(store: Store, policies: Policies, alerts: Iterable[Alert], register: Register) -> list[Referral]:
    """The breaches that some alerts told of, the earliest due first."""
    rows = await store.instructions_after(0)
    given = [
        (row.received_at, parse_instruction(json.loads(row.payload)))
        for row in rows
        if any(word in row.payload for word in _TOLD_BY)
    ]
    return referrals(alerts, given, register, policies)


async def all_referrals(store: Store, policies: Policies) -> list[Referral]:
    """Every breach that was referred or is to be, the earliest due first."""
    alerts = await store.alerts(open_only=False)
    return await referrals_of(store, policies, alerts, (await register_in_force(store)).register)


async def overdue_referrals(store: Store, policies: Policies, now: Ms) -> list[Referral]:
    """The breaches that should have been referred by now."""
    return [one for one in await owed_referrals(store, policies) if one.is_overdue(now)]


async def owed_referrals(store: Store, policies: Policies, register: Register | None = None) -> list[Referral]:
    """The breaches that are to be referred, the earliest due first, under the register in force where none is at hand.

    Only alerts that somebody confirmed or closed so are read.
    """
    rows = await store.instructions_after(0)
    acts = [parse_instruction(json.loads(r.payload)) for r in rows if any(w in r.payload for w in _IDENTIFIED_BY)]
    names = sorted({act.alert_id for act in acts if isinstance(act, ActOnAlert)})
    pages = [await store.alerts_named(names[first : first + _PAGE]) for first in range(0, len(names), _PAGE)]
    alerts = [alert for page in pages for alert in page]
    if not alerts:
        return []
    known = register or (await register_in_force(store)).register
    return [one for one in await referrals_of(store, policies, alerts, known) if one.referred is None]


def referred(act: ReferBreach, alerts: Iterable[Alert], at: Ms, published: Publish) -> list[AlertChange]:
    """What publishers are told of a referral, alert by alert; the alerts themselves stay as they are."""
    reference = f", reference {act.reference}" if act.reference else ""
    note = f"to {act.to}, for order {act.order_id}{reference}{f'; {act.note}' if act.note else ''}"
    after = [replace(alert, revision=alert.revision + 1) for alert in alerts]
    return [AlertChange(one, "referred", at, act.by, note, published(one, "referred", note)) for one in after]


async def named_in(store: Store, act: ReferBreach) -> list[Alert]:
    """The alerts that a referral names, as they stand, as far as they are there."""
    histories = [await store.alert_history(name) for name in act.alerts]
    return [history[-1].alert for history in histories if history]
