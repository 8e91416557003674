"""What is told of an instruction before it is carried out: what it brings beyond a limit, and what is likely a slip."""

from typing import Any

import pytest

from emcheck.domain.amending import amended
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.policy import Policy, parse_policy
from emcheck.domain.register import Register
from emcheck.domain.remarks import Remarks, of_act, slips
from emcheck.shipped import shipped_config
from tests.support import at, england, nightly, order, register

TEXT = (shipped_config() / "policy" / "england-wales.toml").read_text()
STRICT = parse_policy(TEXT.replace('[order.court.action]\nvalue = "warn"', '[order.court.action]\nvalue = "refuse"'))
LONG = nightly("02:00", "23:00")
BY = {"by": "the court"}
VARIED: dict[str, Any] = {
    "type": "variation",
    "order_id": "O-1",
    "effective_at": "2026-04-01T12:00:00Z",
    "by": "the court",
}
TORN = "orders O-1 and O-2 want W-1 at A-1 and at A-2 at one time, first at "
TWO_PLACES: dict[str, Any] = {
    "installations": [
        {"unit": f"BU-000{number}", "address_id": f"A-{number}", "installed_at": "2026-03-01T00:00:00Z"}
        for number in (1, 2)
    ]
}


def said(known: Register, policy: Policy | None = None, **act: Any) -> Remarks:
    parsed = parse_instruction(act)
    return of_act(parsed, known, amended(known, parsed, at("18:00")), lambda _: policy or england())


def test_a_variation_beyond_a_limit_is_told_or_refused_with_its_clause() -> None:
    told = said(register(), **VARIED, curfew=LONG)
    assert told.refused == []
    assert told.told[0] == (
        "order O-1: 21 h of curfew on Thu 02 Apr 2026 and on 27 more of the days looked at "
        "(Sentencing Act 2020 Sch 9 para 9(4)(b)); make it at most 20 h on any one day"
    )
    assert "Sch 9 para 9(4)(c)" in told.told[1]
    assert said(register(), STRICT, **VARIED, curfew=LONG) == Remarks(told.told, [])


def test_an_order_that_is_beyond_may_be_varied_back_and_suspended_in_peace() -> None:
    beyond = register(order(curfew=LONG))
    assert said(beyond, STRICT, **VARIED, curfew=nightly("19:00", "07:00")) == Remarks([], [])
    suspended: dict[str, Any] = {"type": "suspension", "order_id": "O-1", "from": "2026-03-25T12:00", **BY}
    assert said(beyond, STRICT, **suspended) == Remarks([], [])
    longer: dict[str, Any] = {
        "type": "order_end",
        "order_id": "O-1",
        "ends_at": "2026-06-01T00:00:00Z",
        "by": "the court",
    }
    assert len(said(beyond, STRICT, **longer).refused) == 2
    sooner = longer | {"ends_at": "2026-04-01T02:30:00Z"}
    assert said(register(), STRICT, **sooner) == Remarks([], [])  # half an hour on its last day


def test_a_new_order_and_a_whole_register_are_judged_as_files_are() -> None:
    new: dict[str, Any] = {"type": "order", "order": order(order_id="O-2", curfew=LONG), **BY}
    assert len(said(register(), STRICT, **new).refused) == 2
    assert said(register(), STRICT, **(new | {"order": order(kind="bail", curfew=nightly())})) == Remarks([], [])
    whole: dict[str, Any] = {"version": 1, "wearers": [{"wearer_id": "W-1"}], "installations": [], "fittings": []}
    act: dict[str, Any] = {
        "type": "register",
        "register": whole | {"orders": [order(), order(order_id="O-2", curfew=LONG)]},
        "by": "A",
    }
    found = said(register(), STRICT, **act)
    assert {text.partition(":")[0] for text in found.refused} == {"order O-2"}
    assert any("O-1: no base unit" in text for text in found.told)


def test_an_address_without_a_base_unit_is_told() -> None:
    found = said(register(), **VARIED, curfew=nightly(address="A-9"))
    line = (
        "order O-1: no base unit is installed at A-9, where it wants W-1 from 2026-04-01T12:00:00.000Z on: nobody is "
        "heard there; install one, or correct the address"
    )
    assert found == Remarks([], [line])
    assert said(register(installations=[]), **VARIED, curfew=nightly("20:00")).told == []  # nothing that it brings


def test_a_unit_that_is_gone_by_then_is_none() -> None:
    gone = register(installations=[
        {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z",
         "removed_at": "2026-04-01T00:00:00Z"}
    ])  # fmt: skip
    assert list(slips(gone, gone.orders)) == []
    assert len(said(gone, **VARIED, curfew=nightly("20:00")).told) == 1


@pytest.mark.parametrize(
    ("curfew", "changes", "first"),
    [
        (nightly(address="A-2"), {}, "2026-03-01T00:00:00.000Z"),
        (nightly("06:00", "08:00", "A-2"), {}, "2026-03-01T06:00:00.000Z"),
        (nightly("08:00", "10:00", "A-2"), {}, None),
        (nightly(address="A-1"), {}, None),
        (nightly("08:00", "10:00", "A-2"), {"variations": [{"effective_at": "2026-04-09T12:00:00Z",
         "curfew": nightly(address="A-2")}]}, "2026-04-09T19:00:00.000Z"),
        (nightly("08:00", "10:00", "A-2"),
         {"first_night": {"from": "2026-03-19T17:00", "until": "2026-03-19T20:00"}}, "2026-03-19T19:00:00.000Z"),
        (nightly(address="A-2"), {"starts_at": "2026-05-01T00:00:00Z", "ends_at": "2026-06-01T00:00:00Z"}, None),
    ],
)  # fmt: skip
def test_two_orders_that_want_their_wearer_at_two_places_are_told(
    curfew: list[dict[str, Any]], changes: dict[str, Any], first: str | None
) -> None:
    second = order(order_id="O-2", kind="bail", curfew=curfew) | changes
    known = register(order(), second, **TWO_PLACES)
    end = ": each is judged; vary or end one of them"
    assert list(slips(known, known.orders)) == ([] if first is None else [TORN + first + end])
    brought = said(register(order(), **TWO_PLACES), type="order", order=second, by="A")
    assert brought.told == list(slips(known, known.orders))
