"""emcheck against the auditor on malicious nights: the same findings, timelines and instants of alerts.

The seeds are fixed, so that a red build is the change's and not the day's; `differ` tries thousands by hand.
"""

import pytest

from firmware_sim.auditor.instants import parse_utc
from tests.firmware_sim.adversary import Night, night
from tests.firmware_sim.differ import difference, known_time
from tests.firmware_sim.named_nights import NAMED, REGISTER

UNTIL = parse_utc("2026-03-24T23:00:00Z")


@pytest.mark.parametrize("seed", range(20, 32))
def test_a_malicious_night_is_judged_alike(seed: int) -> None:
    case = night(seed)
    for until in case.untils:
        assert difference(case, until) == []


@pytest.mark.parametrize("seed", [3, 7])
def test_alerts_are_raised_at_the_instants_the_document_names(seed: int) -> None:
    case = night(seed)
    assert difference(case, case.untils[-1], raised=True) == []


@pytest.mark.parametrize("name", NAMED)
def test_a_night_that_once_was_judged_wrongly(name: str) -> None:
    rows, known = NAMED[name]
    case = Night(rows=rows, untils=[UNTIL], register=REGISTER)
    assert difference(case, UNTIL, raised=True) == []
    spans = [span.split() for span in known]
    assert known_time(case, "W-1", "A-1", UNTIL) == [f"{_instant(a)} {_instant(b)} {state}" for a, b, state in spans]


def _instant(time: str) -> str:
    return f"2026-03-24T{time}.000Z"
