"""Limits of orders by their kind: each can be broken and kept, and each names path, clause and what would be right."""

import json
import re
from typing import Any

import pytest

from emcheck.domain.limits import excesses
from emcheck.domain.policy import DEFAULTS, KEYS, PolicyError, parse_policy
from emcheck.shipped import shipped_config
from tests.support import england, nightly, order, register

POLICY = (shipped_config() / "policy" / "england-wales.toml").read_text()
DAY_OF_FOUR = [
    {"from_day": "mon", "from_time": f"{hour:02}:00", "until_day": "mon", "until_time": f"{hour + 1:02}:00"}
    for hour in (1, 4, 7, 10)
]


def said(**changes: Any) -> list[str]:
    return [str(excess) for excess in excesses(register(order(**changes)), lambda _: england())]


@pytest.mark.parametrize("zone", ["UTC", "Europe/London"])
@pytest.mark.parametrize(
    ("kind", "hours", "older"),
    [
        ("community_order", ("19:00", "07:00"), None),
        ("community_order", ("16:00", "08:00"), "2022-06-27"),  # 16 h and 112 h
        ("suspended_sentence", ("16:00", "08:00"), None),
        ("youth", ("22:00", "00:00"), None),
        ("home_detention_curfew", ("22:00", "07:00"), None),
        ("restriction_of_liberty", ("19:00", "07:00"), None),  # also on the long autumn night
        ("bail", ("01:00", "00:30"), None),  # no limit is known for bail
    ],
)
def test_at_a_limit_nothing_is_said(kind: str, hours: tuple[str, str], older: str | None, zone: str) -> None:
    changes = {"ends_at": "2026-12-01T00:00:00Z", "kind": kind, "timezone": zone, "curfew": nightly(*hours)}
    assert said(**changes, convicted_on=older) == []


@pytest.mark.parametrize(
    ("kind", "hours", "older", "clause", "named"),
    [
        ("community_order", ("23:00", "23:30"), None, "Sch 9 para 9(4)(a)", "0.5 h"),
        ("community_order", ("04:00", "00:30"), None, "Sch 9 para 9(4)(b)", "at most 20 h"),
        ("suspended_sentence", ("15:59", "08:00"), "2022-06-27", "Sch 9 para 9(4)(b)", "at most 16 h"),
        ("suspended_sentence", ("15:59", "08:00"), "2022-06-28", "Sch 9 para 9(4)(c)", "at most 112 h"),
        ("youth", ("15:59", "08:00"), None, "Sch 6 para 18(4)(c)", "112.12 h"),
        ("home_detention_curfew", ("22:01", "07:00"), None, "2003 s 253(2)", "at least 9 h"),
        ("restriction_of_liberty", ("18:59", "07:00"), None, "1995 s 245A", "12.02 h"),
    ],
)
def test_beyond_a_limit_path_clause_and_remedy_are_named(
    kind: str, hours: tuple[str, str], older: str | None, clause: str, named: str
) -> None:
    found = said(kind=kind, curfew=nightly(*hours), convicted_on=older)
    assert any(clause in line and named in line for line in found), found
    assert all(line.startswith("orders.0.curfew: order O-1: ") for line in found)


def test_the_first_and_last_day_of_home_detention_may_be_short() -> None:
    hdc = {"kind": "home_detention_curfew", "starts_at": "2026-03-02T22:00:00Z", "ends_at": "2026-03-20T02:00:00Z"}
    assert said(**hdc) == []
    weekend = [{"address_id": "A-1", "windows": [w for w in nightly()[0]["windows"] if w["from_day"] != "wed"]}]
    assert "5 h of curfew on Thu 05 Mar" not in said(**hdc, curfew=weekend)[0]
    assert said(**hdc, curfew=weekend)[0].startswith("orders.0.curfew: order O-1: 7 h of curfew on Wed 04 Mar 2026")


def test_a_variation_is_looked_at_and_named() -> None:
    varied = [{"effective_at": "2026-03-24T12:00:00Z", "curfew": nightly("03:00", "00:30")}]
    [day, week] = said(variations=varied)
    assert day.startswith("orders.0.variations.0.curfew: order O-1: 21.5 h of curfew on ")
    assert week.startswith("orders.0.variations.0.curfew: order O-1: ")


def test_a_long_first_night_is_looked_at() -> None:
    [found] = said(first_night={"from": "2026-03-02T01:00", "until": "2026-03-02T23:00"})
    assert "Mon 02 Mar 2026" in found
    assert "Sch 9 para 9(4)(b)" in found


def test_suspensions_make_no_day_too_short() -> None:
    assert (
        said(kind="home_detention_curfew", suspensions=[{"from": "2026-03-10T00:00", "until": "2026-03-12T00:00"}])
        == []
    )


def test_a_fourth_window_on_a_day_is_told() -> None:
    curfew = [{"address_id": "A-1", "windows": DAY_OF_FOUR}]
    [found] = said(kind="bail", curfew=curfew)
    assert found == (
        "orders.0.curfew: order O-1: 4 windows start on mon (emcheck domain model, Curfew windows); "
        "let at most 3 windows start on one day"
    )
    assert said(kind="bail", curfew=[{"address_id": "A-1", "windows": DAY_OF_FOUR[:3]}]) == []


def test_the_policy_decides_what_is_refused() -> None:
    strict = parse_policy(
        POLICY.replace('[order.court.action]\nvalue = "warn"', '[order.court.action]\nvalue = "refuse"')
    )
    [lenient] = excesses(register(order(curfew=nightly("23:00", "23:30"))), lambda _: england())
    [refused] = excesses(register(order(curfew=nightly("23:00", "23:30"))), lambda _: strict)
    assert (lenient.refused, refused.refused) == (False, True)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('[order.court.action]\nvalue = "warn"', '[order.court.action]\nvalue = "shout"', "use warn or refuse"),
        ('value = "2022-06-28"', 'value = "June 2022"', "is no date"),
        ('value = "2022-06-28"', "value = 2022", "is no date"),
    ],
)
def test_a_policy_says_warn_or_refuse_and_writes_dates(before: str, after: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        parse_policy(POLICY.replace(before, after))


def test_a_policy_older_than_the_limits_loads_and_warns() -> None:
    older = re.sub(r"\[order\.[\w.]+\]\n(\w+ = .*\n)+", "", POLICY)
    assert "[order." not in older
    found = excesses(register(order(curfew=nightly("23:00", "23:30"))), lambda _: parse_policy(older))
    assert [str(excess) for excess in found] == said(curfew=nightly("23:00", "23:30"))
    assert not any(excess.refused for excess in found)


def test_defaults_are_what_the_shipped_policy_says() -> None:
    shipped = england().thresholds
    assert DEFAULTS.keys() <= KEYS.keys()
    for key, default in DEFAULTS.items():
        assert (default.value, default.unit, default.sign_off) == (
            shipped[key].value, shipped[key].unit, shipped[key].sign_off,
        ), key  # fmt: skip
        assert default.source, key


def test_an_order_that_names_no_conviction_keeps_its_register_s_hash() -> None:
    assert '"convicted_on"' not in json.dumps(register().plain())
    named = register(order(convicted_on="2022-06-27"))
    assert named.plain()["orders"][0]["convicted_on"] == "2022-06-27"
    assert named.sha256() != register().sha256()
