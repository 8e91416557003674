"""Instructions: a register of a register, or one line that names the field."""

import json
from typing import Any

import pytest

from emcheck.domain.amending import amended, as_text, name_after, touched_by
from emcheck.domain.findings import Span
from emcheck.domain.instructions import InstructionError, parse_instruction
from emcheck.domain.personal import impersonal
from emcheck.domain.register import Register, parse_register
from emcheck.domain.windows import absences, windows
from tests.support import at, nightly, order, register

TWO: dict[str, Any] = {
    "wearers": [{"wearer_id": "W-1"}, {"wearer_id": "W-2"}],
    "installations": [
        {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"},
        {"unit": "BU-0002", "address_id": "A-2", "installed_at": "2026-03-01T00:00:00Z"},
    ],
    "fittings": [
        {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"},
        {"tag": "T-2", "wearer_id": "W-2", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"},
    ],
}
KNOWN = register(order(), order(order_id="O-2", wearer_id="W-2", curfew=nightly(address="A-2")), **TWO)
BY = {"by": "the court"}


def after(known: Register, **act: Any) -> Register:
    return amended(known, parse_instruction(act), at("18:00"))


def nights(known: Register, order_id: str = "O-1") -> list[tuple[Span, str]]:
    """Windows from noon of the 24th to noon of the 26th of March."""
    [found] = [one for one in known.orders if one.order_id == order_id]
    return [(Span(w.start, w.end), w.address_id) for w in windows(found, at("12:00"), at("12:00", "2026-03-26"))]


def test_a_variation_holds_from_its_effective_time_on() -> None:
    curfew = nightly("21:00", "06:00", "A-2")
    varied = after(KNOWN, type="variation", order_id="O-1", effective_at="2026-03-25T12:00:00Z", curfew=curfew, **BY)
    assert nights(varied) == [
        (Span(at("19:00"), at("07:00", "2026-03-25")), "A-1"),
        (Span(at("21:00", "2026-03-25"), at("06:00", "2026-03-26")), "A-2"),
    ]
    assert nights(varied, "O-2") == nights(KNOWN, "O-2")


def test_a_suspension_lasts_until_it_is_resumed_or_the_order_ends() -> None:
    suspended = after(KNOWN, type="suspension", order_id="O-1", **{"from": "2026-03-24T22:00"}, reason="ward", **BY)
    assert nights(suspended) == [(Span(at("19:00"), at("22:00")), "A-1")]
    assert windows(suspended.orders[0], at("22:00"), at("00:00", "2026-12-31")) == []
    resumed = after(suspended, type="resumption", order_id="O-1", at="2026-03-25T23:00", **BY)
    assert nights(resumed) == [
        (Span(at("19:00"), at("22:00")), "A-1"),
        (Span(at("23:00", "2026-03-25"), at("07:00", "2026-03-26")), "A-1"),
    ]


LEAVE = {"from": "2026-03-24T20:00", "until": "2026-03-24T22:00"}
GRANTED = {"order_id": "O-1", **LEAVE, "reason": "medical", "approved_by": "A. Officer"}
SPAN = "2026-03-24T20:00 to 2026-03-24T"
WRONG = {"type": "revocation", "order_id": "O-1", "by": "A. Clerk", "reason": "of another order"}


def test_leave_that_is_revoked_excuses_nothing_and_stays_on_record() -> None:
    granted = after(KNOWN, type="authorised_absence", **GRANTED)
    assert absences(granted.orders[0]) == [Span(at("20:00"), at("22:00"))]
    revoked = after(granted, **WRONG, revokes="authorised_absence", **{"from": "2026-03-24T20:00:00"})
    assert absences(revoked.orders[0]) == []
    kept = as_text(revoked.plain())["orders"][0]["authorised_absences"]
    said = {"at": "2026-03-24T18:00:00.000Z", "by": "A. Clerk", "reason": "of another order"}
    assert kept == [LEAVE | {"reason": "medical", "approved_by": "A. Officer", "revoked": said}]
    assert parse_register(json.dumps(as_text(revoked.plain()))) == revoked
    again = after(revoked, type="authorised_absence", **GRANTED)
    assert absences(again.orders[0]) == absences(granted.orders[0])


def test_leave_that_was_entered_with_wrong_times_gets_the_right_ones() -> None:
    right = {"from": "2026-03-24T21:00", "until": "2026-03-24T23:00"}
    granted = after(KNOWN, type="authorised_absence", **GRANTED)
    mended = after(granted, **WRONG, revokes="authorised_absence", **LEAVE, instead=right).orders[0]
    assert absences(mended) == [Span(at("21:00"), at("23:00"))]
    assert [(held.reason, held.revoked is None) for held in mended.authorised_absences] == [
        ("medical", False), ("medical", True)
    ]  # fmt: skip


def test_a_suspension_that_was_entered_in_error_takes_no_window_away() -> None:
    suspended = after(KNOWN, type="suspension", order_id="O-1", **{"from": "2026-03-24T22:00"}, **BY)
    lifted = after(suspended, **WRONG, revokes="suspension", **{"from": "2026-03-24T22:00"})
    assert nights(lifted) == nights(KNOWN)
    with pytest.raises(InstructionError, match="is not suspended"):
        after(lifted, type="resumption", order_id="O-1", at="2026-03-25T23:00", **BY)


def test_a_variation_that_is_revoked_leaves_the_windows_before_it_and_may_be_given_again() -> None:
    varied = {"order_id": "O-1", "effective_at": "2026-03-24T18:55:00Z", "curfew": nightly("21:00", "06:00")}
    changed = after(KNOWN, type="variation", **varied, **BY)
    assert nights(changed) != nights(KNOWN)
    named = {"revokes": "variation", "effective_at": "2026-03-24T18:55:00Z"}
    back = after(changed, **WRONG, **named)
    assert nights(back) == nights(KNOWN)
    assert [held.revoked is None for held in back.orders[0].variations] == [False]
    assert parse_register(json.dumps(as_text(back.plain()))) == back
    assert nights(after(back, type="variation", **varied, **BY)) == nights(changed)
    with pytest.raises(InstructionError, match="no variation of O-1 that holds takes effect then; there are none"):
        after(back, **WRONG, **named)
    with pytest.raises(InstructionError, match="effective_at: missing; say when the variation takes effect"):
        after(changed, **WRONG, revokes="variation", **{"from": "2026-03-24T18:55"})
    with pytest.raises(InstructionError, match="instead: a variation has no other times"):
        after(changed, **WRONG, **named, instead=LEAVE)
    with pytest.raises(InstructionError, match="from: missing; say where what is revoked begins"):
        after(changed, **WRONG, revokes="suspension")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"from": "2026-03-24T19:00"},
         f"from: no authorised absence of O-1 that holds begins so; there are {SPAN}22:00, {SPAN}23:00"),
        ({"from": "2026-03-24T20:00", "until": "2026-03-24T21:00"}, "from: no authorised absence of O-1 that holds"),
        ({"from": "2026-03-24T20:00"},
         "until: several begin then, until 2026-03-24T22:00 and 2026-03-24T23:00; say which"),
        ({"from": "2026-03-24T20:00", "until": "2026-03-24T22:00", "instead": {"from": "2026-03-24T22:00",
          "until": "2026-03-24T20:00"}}, "until 2026-03-24T20:00 is not after from 2026-03-24T22:00"),
    ],
)  # fmt: skip
def test_what_is_revoked_is_named_without_doubt(said: dict[str, Any], message: str) -> None:
    granted = after(KNOWN, type="authorised_absence", **GRANTED)
    granted = after(granted, type="authorised_absence", **(GRANTED | {"until": "2026-03-24T23:00"}))
    with pytest.raises(InstructionError) as error:
        after(granted, **WRONG, revokes="authorised_absence", **said)
    assert str(error.value).startswith(message)


def test_an_order_ends_when_it_is_told_to() -> None:
    ended = after(KNOWN, type="order_end", order_id="O-1", ends_at="2026-03-24T23:30:00Z", **BY)
    assert nights(ended) == [(Span(at("19:00"), at("23:30")), "A-1")]


def test_what_has_a_name_is_put_in_its_place_and_what_has_none_is_added() -> None:
    new = order(order_id="O-3", curfew=nightly("12:00", "13:00"))
    added = after(KNOWN, type="order", order=new, **BY)
    assert [one.order_id for one in added.orders] == ["O-1", "O-2", "O-3"]
    put = after(added, type="order", order=new | {"atv_allowance_min": 5}, **BY)
    assert [one.atv_allowance_min for one in put.orders] == [120, 120, 5]
    moved = TWO["installations"][0] | {"removed_at": "2026-03-10T00:00:00Z"}
    swapped = after(KNOWN, type="installation", installation=moved, **BY)
    swapped = after(swapped, type="installation", installation={**TWO["installations"][0], "unit": "BU-0003"}, **BY)
    assert [(one.unit, one.removed_at is None) for one in swapped.installations] == [
        ("BU-0001", False), ("BU-0002", True), ("BU-0003", True)
    ]  # fmt: skip
    retagged = after(KNOWN, type="fitting", fitting={**TWO["fittings"][0], "tag": "T-9"}, **BY)
    assert [one.tag for one in retagged.fittings] == ["T-1", "T-2", "T-9"]
    whole = after(KNOWN, type="register", register=as_text(register().plain()), **BY)
    assert whole == parse_register(json.dumps(as_text(register().plain())))


@pytest.mark.parametrize(
    ("act", "wearers", "units"),
    [
        ({"type": "order_end", "order_id": "O-1", "ends_at": "2026-04-02T00:00:00Z", **BY}, {"W-1"}, set()),
        ({"type": "fitting", "fitting": TWO["fittings"][1] | {"limb": "left_ankle"}, **BY}, {"W-2"}, set()),
        (
            {"type": "installation", "installation": {**TWO["installations"][0], "unit": "BU-0003"}, **BY},
            {"W-1"}, {"BU-0003"},
        ),
        (
            {"type": "installation", "installation": TWO["installations"][0] | {"address_id": "A-2"}, **BY},
            {"W-1", "W-2"}, {"BU-0001"},
        ),
        ({"type": "wearer", "wearer": {"wearer_id": "W-2", "name": "Ann"}, **BY}, set(), set()),
        ({"type": "register", "register": as_text(KNOWN.plain()), **BY}, set(), set()),
        ({"type": "register", "register": as_text(register().plain()), **BY}, {"W-2"}, {"BU-0002"}),
    ],
)  # fmt: skip
def test_only_those_are_touched_whose_judgement_may_change(
    act: dict[str, Any], wearers: set[str], units: set[str]
) -> None:
    parsed = parse_instruction(act)
    touched = touched_by(parsed, KNOWN, amended(KNOWN, parsed, at("18:00")))
    assert (touched.wearers, touched.units) == (wearers, units)


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ({}, "type: "),
        ({"type": "pardon"}, "type: "),
        ({"type": "order_end", "order_id": "O-9", "ends_at": "2026-04-02T00:00:00Z", **BY}, "order_id: no order 'O-9'"),
        ({"type": "order_end", "order_id": "O-1", "ends_at": "2026-02-02T00:00:00Z", **BY}, "ends_at: .* is not after"),
        ({"type": "order_end", "order_id": "O-1", "ends_at": "2026-04-02T00:00:00Z"}, "by: "),
        ({"type": "order_end", "order_id": "O-1", "ends_at": "2026-04-02T00:00:00Z", "by": "  "}, "by: "),
        ({"type": "order_end", "order_id": "O-1", "ends_at": "2026-04-02T00:00:00Z", "when": 1, **BY}, "when: "),
        ({"type": "variation", "order_id": "O-1", "effective_at": "2026-02-01T00:00:00Z", "curfew": [], **BY},
         "is before the order starts at"),
        ({"type": "variation", "order_id": "O-1", "effective_at": "2026-03-25T00:00:00Z",
          "curfew": nightly() + nightly("20:00"), **BY}, "windows of one order overlap"),
        ({"type": "suspension", "order_id": "O-1", "from": "2026-03-25T12:00", "until": "2026-03-25T11:00", **BY},
         "is not after"),
        ({"type": "resumption", "order_id": "O-1", "at": "2026-03-25T12:00", **BY}, "at: the order is not suspended"),
        ({"type": "fitting", "fitting": TWO["fittings"][0] | {"wearer_id": "W-9"}, **BY},
         "^fitting.wearer_id: 'W-9' is not among"),
        ({"type": "order", "order": order(order_id="O-7", wearer_id="W-9"), **BY},
         "^order.wearer_id: 'W-9' is not among"),
        ({"type": "installation", "installation": TWO["installations"][0] | {"unit": "!"}, **BY},
         "installation.unit: "),
        ({"type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:00", "until": "2026-03-24T20:00",
          "reason": "court"}, "approved_by: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_the_register_is_as_it_was(act: dict[str, Any], problem: str) -> None:
    before = as_text(KNOWN.plain())
    with pytest.raises(InstructionError, match=problem.replace("(", r"\(")):
        after(KNOWN, **act)
    assert as_text(KNOWN.plain()) == before


def test_a_register_s_name_says_what_was_said_but_for_personal_data() -> None:
    act = {"type": "wearer", "wearer": {"wearer_id": "W-2", "name": "Ann", "notes": {"limb": "left"}}, **BY}
    assert impersonal(act) == act | {"wearer": {"wearer_id": "W-2"}}
    assert name_after("n", act, KNOWN) == name_after("n", impersonal(act), KNOWN)
    whole = {"type": "register", "register": {"wearers": [{"wearer_id": "W-1", "name": "Ann"}]}, **BY}
    assert impersonal(whole)["register"]["wearers"] == [{"wearer_id": "W-1"}]
    assert name_after("n", act, KNOWN) != name_after("n", act | {"by": "somebody else"}, KNOWN)
    assert name_after("n", whole, KNOWN) == KNOWN.sha256()
    assert name_after("m", act, KNOWN) != name_after("n", act, KNOWN)


ACTS = (
    "authorised_absence, variation, suspension, resumption, revocation, order_end, order, installation, fitting, "
    "wearer, register, policy, alert, audit, referral, fitting_opened, fitting_answer, fitting_mark, "
    "fitting_photo, fitting_override, fitting_closed"
)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ({"type": "absence"}, f"type: 'absence' is no instruction; there are {ACTS}"),
        ({}, f"type: missing; there are {ACTS}"),
        ([], "no JSON object; write it as in {...}"),
        ({"type": "wearer", "wearer": 3, "by": "A"}, "wearer: no JSON object; write it as in {...}"),
        (
            {"type": "variation", "order_id": "O-1", "effective_at": "2026-04-01T00:00:00Z", "curfew": 3, "by": "A"},
            "curfew: no list; write it as in [...]",
        ),
        (
            {"type": "order_end", "order_id": "O-1", "ends_at": "soon", "by": "A"},
            "ends_at: 'soon' is no instant; write it as in 2026-03-28T19:00:05.120Z",
        ),
        (
            {"type": "order_end", "order_id": 7, "ends_at": "2026-04-01T00:00:00Z", "by": "A"},
            "order_id: no text; write it in quotes",
        ),
    ],
)
def test_what_is_no_instruction_is_told_with_a_remedy(act: Any, message: str) -> None:
    with pytest.raises(InstructionError) as error:
        parse_instruction(act)
    assert str(error.value) == message
