"""Breaches and their referral to the authority: what makes one, until when it is due, and what ends it."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.amending import amended, name_after
from emcheck.domain.ids import AlertId, OrderId, RuleId, UnitId, WearerId
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms
from emcheck.domain.instructions import InstructionError, ReferBreach, parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, PolicyError, parse_policy
from emcheck.domain.referrals import Referral, check, due_at, referrals
from emcheck.shipped import shipped_config
from tests.support import at, england, order, register

KNOWN = register()
ALERT = Alert(
    alert_id=AlertId("AL-1"), rule=RuleId("curfew.absence"), subject="W-1", priority="P2", happened_at=at("19:00"),
    raised_at=at("19:05"), wearer_id=WearerId("W-1"), order_id=OrderId("O-1"),
)  # fmt: skip
STRAP = replace(ALERT, alert_id=AlertId("AL-2"), rule=RuleId("tag.strap"), order_id=None)
UNIT = replace(
    ALERT, alert_id=AlertId("AL-3"), rule=RuleId("unit.case"), wearer_id=None, order_id=None, unit=UnitId("BU-1")
)
REFERRED = {"type": "referral", "order_id": "O-1", "alerts": ["AL-1"], "to": "Probation Service", "by": "B. Officer"}


def act(kind: str, alert: str = "AL-1", **fields: Any) -> dict[str, Any]:
    return {"type": "alert", "alert_id": alert, "act": kind, "by": "op-1", **fields}


def found(*given: tuple[int, dict[str, Any]], alerts: tuple[Alert, ...] = (ALERT, STRAP, UNIT)) -> list[Referral]:
    told = [(when, parse_instruction(raw)) for when, raw in given]
    return referrals(alerts, told, KNOWN, Policies(england()))


def test_a_finding_alone_is_no_breach_nor_is_one_that_was_only_seen() -> None:
    assert found() == []
    assert found((at("19:06"), act("acknowledge"))) == []


def test_a_breach_is_identified_when_it_is_first_confirmed_and_due_a_day_later() -> None:
    [one] = found((at("19:10"), act("confirm")), (at("20:00"), act("confirm")))
    assert (one.alert, one.identified_at, one.identified_by, one.due_at) == (
        ALERT,
        at("19:10"),
        "op-1",
        at("19:10") + DAY,
    )
    assert (one.order, one.referred, one.is_overdue(one.due_at), one.is_overdue(one.due_at + 1)) == (
        KNOWN.orders[0], None, False, True
    )  # fmt: skip


@pytest.mark.parametrize(("class_", "breaches"), [("off", 1), ("unsure", 0), ("cool", 0), ("silent_sensors", 0)])
def test_what_only_asks_a_question_identifies_no_breach(class_: str, breaches: int) -> None:
    asked = replace(STRAP, rule=RuleId("body.not_attached"), class_=class_)
    assert len(found((at("19:10"), act("confirm", "AL-2")), alerts=(asked,))) == breaches


def test_equipment_that_is_confirmed_accuses_nobody_until_it_is_closed_as_a_breach() -> None:
    assert found((at("19:10"), act("confirm", "AL-3"))) == []
    closed = replace(UNIT, state=AlertState.CLOSED, disposition="breach_reported")
    [one] = found((at("19:20"), act("close", "AL-3", disposition="breach_reported")), alerts=(closed,))
    assert (one.identified_at, one.order) == (at("19:20"), None)


def test_an_alert_of_no_order_is_about_the_only_one_that_ran_then() -> None:
    [one] = found((at("19:10"), act("confirm", "AL-2")))
    assert one.order == KNOWN.orders[0]
    two = register(order(), order(order_id="O-2", kind="bail"))
    [one] = referrals([STRAP], [(at("19:10"), parse_instruction(act("confirm", "AL-2")))], two, Policies(england()))
    assert one.order is None


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({"withdrawn": True}, 0),
        ({"state": AlertState.CLOSED, "disposition": "equipment_fault"}, 0),
        ({"state": AlertState.CLOSED, "disposition": "breach_reported"}, 1),
        ({"state": AlertState.RETURNED}, 1),
    ],
)
def test_none_is_owed_where_a_person_or_the_facts_decided_otherwise(changes: dict[str, Any], owed: int) -> None:
    told = (at("19:10"), act("confirm"))
    assert len(found(told, alerts=(replace(ALERT, **changes),))) == owed
    made = found(told, (at("21:00"), REFERRED), alerts=(replace(ALERT, **changes),))
    assert [one.referred_at for one in made] == [at("21:00")]  # what was referred stays on record


def test_a_referral_ends_it_and_the_first_one_counts() -> None:
    [one] = found((at("19:10"), act("confirm")), (at("21:00"), REFERRED), (at("22:00"), REFERRED | {"to": "the court"}))
    assert one.referred is not None
    assert (one.referred.to, one.referred_at, one.is_overdue(at("19:11") + 7 * DAY)) == (
        "Probation Service", at("21:00"), False
    )  # fmt: skip
    [alone] = found((at("21:00"), REFERRED))
    assert (alone.identified_at, alone.identified_by) == (at("21:00"), "B. Officer")


@pytest.mark.parametrize(
    ("identified", "due"),
    [
        ("2026-03-24T10:00", "2026-03-27T00:00"),  # Tuesday: Wednesday and Thursday
        ("2026-03-26T10:00", "2026-03-30T23:00"),  # Thursday: Friday and, by then in summer time, Monday
        ("2026-03-28T10:00", "2026-03-31T23:00"),  # Saturday: Monday and Tuesday
        ("2026-04-02T22:30", "2026-04-07T23:00"),  # Thursday before Good Friday: Monday (no holiday there) and Tuesday
        ("2026-12-24T10:00", "2026-12-31T00:00"),  # Christmas Eve: Tuesday and Wednesday
    ],
)
def test_restriction_of_liberty_is_due_at_the_end_of_the_second_working_day(identified: str, due: str) -> None:
    [scottish] = register(order(kind="restriction_of_liberty", timezone="Europe/London")).orders
    assert format_ms(due_at(at(identified), scottish, england()))[:16] == due


def policy(holidays: str, days: int = 2) -> Policy:
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    head, mark, rest = text.partition("[order.breach.restriction_of_liberty_due_working_days]\nvalue = ")
    text = head + mark + str(days) + rest[1:]
    head, mark, rest = text.partition('[order.breach.holidays]\nvalue = "')
    return parse_policy(head + mark + holidays + rest[rest.index('"') :])


def test_holidays_are_the_policy_s_and_working_days_may_be_none() -> None:
    [scottish] = register(order(kind="restriction_of_liberty")).orders
    assert due_at(at("10:00"), scottish, policy("")) == at("00:00", "2026-03-27")
    assert due_at(at("10:00"), scottish, policy("2026-03-25 2026-03-27")) == at("00:00", "2026-03-31")
    assert due_at(at("10:00"), scottish, policy("", 0)) == at("10:00") + 24 * HOUR
    with pytest.raises(PolicyError, match=r"order\.breach\.holidays: '2026-13-01' is no dates"):
        policy("2026-13-01")


def test_a_policy_that_was_written_before_has_the_usual_day() -> None:
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    start, end = text.index("[order.breach.referral_due_s]"), text.index("# unit.power")
    old = parse_policy(text[:start] + text[end:])
    assert due_at(at("10:00"), None, old) == at("10:00") + DAY


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"order_id": "O-9"}, "order_id: no order 'O-9' in the register"),
        ({"alerts": ["AL-1", "AL-9"]}, "alerts.1: no alert 'AL-9'; `emcheck alerts list --all` shows them"),
        ({"order_id": "O-2"}, "alerts.0: AL-1 is about order O-1; refer it under that order"),
        ({"order_id": "O-2", "alerts": ["AL-2"]}, "alerts.0: AL-2 is about W-1, and O-2 of W-2"),
        ({"at": "2026-03-24T20:01:00Z"}, "at: it lies ahead; a referral is told once it is made"),
        ({"at": "2026-03-24T20:00:00Z", "alerts": ["AL-1", "AL-2", "AL-3"]}, None),
    ],
)
def test_a_referral_names_alerts_of_its_order(changes: dict[str, Any], problem: str | None) -> None:
    known = register(
        order(), order(order_id="O-2", wearer_id="W-2"), wearers=[{"wearer_id": "W-1"}, {"wearer_id": "W-2"}]
    )
    said = parse_instruction(REFERRED | changes)
    assert isinstance(said, ReferBreach)
    with contextlib.nullcontext() if problem is None else pytest.raises(InstructionError) as error:
        check(said, [ALERT, STRAP, UNIT], known, at("20:00"))
    assert problem is None or str(error and error.value) == problem


def test_a_referral_changes_no_register_and_not_what_it_is_called() -> None:
    said = parse_instruction(REFERRED)
    assert amended(KNOWN, said, at("20:00") + MINUTE) is KNOWN
    assert name_after("n", REFERRED, KNOWN) == "n"
    for missing in ("alerts", "to", "by"):
        with pytest.raises(InstructionError, match=f"^{missing}: "):
            parse_instruction({key: value for key, value in REFERRED.items() if key != missing})
    with pytest.raises(InstructionError, match=r"^alerts: "):
        parse_instruction(REFERRED | {"alerts": []})
