"""What the body check says of each situation, in the costly direction: no living limb is called off, nothing else skin.

`uncertain` is never wrong. Few seeds; `make bench-body` counts over many.
"""

from math import inf

import pytest

from bench.body.simulated import FITTERS_S, KINDS, Size, fit, remove
from emcheck.domain.body import ATTACHED, DETACHED, BodyCheck, Sample
from emcheck.domain.instants import MINUTE
from firmware_sim.body import PLACES, Told, play, removal
from firmware_sim.body.situations import BEGIN, ON_TABLE_MIN, perform
from firmware_sim.body.tag_body import SimulatedBody

SEEDS = (1, 2, 3)
LONGEST_MIN = 30
"""After a removal `attached` has ended by then."""
SOON_MIN = 5
"""What was said of the table it lay on may stand for so long after it was put on."""

CANNOT_TELL = {"prosthesis-carbon-heat-pack": "it conducts, walks and is as warm as a leg"}
"""What is called skin and is not: a ratchet, from which an entry goes once the check can tell."""


def states(told: list[Told]) -> list[tuple[Told, str]]:
    check = BodyCheck()
    return [(each, check.take(Sample(*each.reading)).state) for each in told]


def wrong(place: str, seed: int) -> list[str]:
    """States that should not have been said."""
    said = states(list(play(place, seed=seed)))
    since = BEGIN + round((ON_TABLE_MIN + SOON_MIN) * MINUTE)
    there = [(each.truth, state) for each, state in said if each.reading.at >= since]
    return [
        state
        for truth, state in there
        if (truth == "skin" and state == DETACHED) or (truth != "skin" and state == ATTACHED)
    ]


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_limb_is_called_off_and_nothing_else_is_called_skin(place: str) -> None:
    assert any(wrong(place, seed) for seed in SEEDS) == (place in CANNOT_TELL)


@pytest.mark.parametrize("place", ["sock", "prosthesis-carbon", "prosthesis-foam", "metal-post", "bed-post", "bag"])
def test_what_is_no_bare_skin_is_never_validated(place: str) -> None:
    assert [fit(Size(), place, seed) for seed in SEEDS] == [inf] * len(SEEDS)


def test_a_leg_is_validated_in_two_minutes_more_often_than_not() -> None:
    assert sorted(fit(Size(), "skin", seed) for seed in range(9))[4] < FITTERS_S


@pytest.mark.parametrize(("to", "most_min"), [("table", 10), ("bed-post", 10), ("bag", 15)])
def test_a_removal_with_the_strap_closed_is_noticed_most_minutes_more_often_than_not(to: str, most_min: int) -> None:
    after = sorted(remove(Size(), to, f"judged/{seed}", KINDS[0])[0] for seed in range(45))
    assert after[22] <= most_min


@pytest.mark.parametrize("to", ["table", "bag", "car", "sun", "warm-bed", "bed-post", "prosthesis-foam"])
@pytest.mark.parametrize("strap", ["closed", "cut"])
def test_a_tag_that_was_taken_off_does_not_stay_attached(to: str, strap: str) -> None:
    for seed in SEEDS:
        body = SimulatedBody(seed=f"{seed}/{to}", at=BEGIN, place="table")
        told = list(perform(body, removal(to, strap=strap), begin=BEGIN, minutes=240))
        assert all(
            state != ATTACHED for each, state in states(told) if each.reading.at >= BEGIN + (120 + LONGEST_MIN) * MINUTE
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_wear_is_never_called_off(seed: int) -> None:
    assert all(state != DETACHED for _, state in states(list(play("day", seed=seed))))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leg_that_is_fitted_is_attached_after_the_lift_off_test(seed: int) -> None:
    told = states(list(play("lift-off", seed=seed, every_ms=1000, minutes=10)))
    assert told[-1][1] == ATTACHED
