"""What holds of the body check whatever a tag says."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.domain.body import ATTACHED, BodyCheck, Sample
from tests.domain.bodies import BEGIN

anything = st.one_of(st.none(), st.floats(-60, 90), st.sampled_from([20.0, 31.5, 45.0, float("nan"), float("inf")]))
readings = st.lists(
    st.builds(
        lambda after, *fields: (after, Sample(0, *fields)),
        st.integers(-2_000, 900_000),
        anything,
        anything,
        st.one_of(st.none(), st.just(0.0), st.floats(0, 1e6)),
        st.one_of(st.none(), st.floats(-1, 2)),
        st.sampled_from([None, "closed", "open", "cut", "?"]),
    ),
    max_size=40,
)


def dated(read: list[tuple[int, Sample]]) -> list[Sample]:
    at, samples = BEGIN, []
    for after, sample in read:
        at += after
        samples.append(sample._replace(at=at))
    return samples


@settings(max_examples=60)
@given(readings)
def test_probabilities_are_probabilities(read: list[tuple[int, Sample]]) -> None:
    check = BodyCheck()
    for sample in dated(read):
        said = check.take(sample)
        assert 0 <= said.p_attached <= 1
        assert all(0 <= p <= 1 for p in said.hypotheses.values())
        assert abs(sum(said.hypotheses.values()) - 1) < 1e-9
        assert said.words


@settings(max_examples=60)
@given(readings, st.integers(0, 40))
def test_no_row_depends_on_later_ones_and_a_checkpoint_changes_nothing(
    read: list[tuple[int, Sample]], cut: int
) -> None:
    samples = dated(read)
    check = BodyCheck()
    whole = [(each.state, each.p_attached, each.words) for each in map(check.take, samples)]
    again = BodyCheck()
    first = [(each.state, each.p_attached, each.words) for each in map(again.take, samples[:cut])]
    assert first == whole[:cut]
    again = BodyCheck.restored(json.loads(json.dumps(again.plain())))
    assert [(each.state, each.p_attached, each.words) for each in map(again.take, samples[cut:])] == whole[cut:]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 600), st.floats(15, 40), st.floats(0, 5000)), max_size=60))
def test_skin_and_motion_alone_never_say_yes(read: list[tuple[int, float, float]]) -> None:
    check, at = BodyCheck(), BEGIN
    for after_s, skin, motion in read:
        at += after_s * 1000
        assert check.take(Sample(at, skin, None, motion)).state != ATTACHED


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 600), st.floats(15, 40), st.floats(0, 3), st.floats(0, 0.4)), max_size=60))
def test_proximity_that_says_no_is_never_overruled(read: list[tuple[int, float, float, float]]) -> None:
    check, at = BodyCheck(), BEGIN
    for after_s, skin, gap, proximity in read:
        at += after_s * 1000
        assert check.take(Sample(at, skin, skin - gap, 900.0, proximity)).state != ATTACHED
