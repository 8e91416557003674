"""What `make bench-body` counts by: intervals, simulated fittings, removals and lives, and Choi's rule."""

from math import inf

import pytest

from bench.body.intervals import at_most, quantile, rate, share
from bench.body.lives import DAYS, lives
from bench.body.published import choi, detectors
from bench.body.reference import OFF, WORN, runs
from bench.body.sections import Row, Section, as_plain
from bench.body.simulated import KINDS, Size, fit, remove
from emcheck.domain.body import Sample
from firmware_sim.body import PARAMETERS, shaken
from firmware_sim.body.situations import BEGIN


def test_none_of_a_thousand_proves_three_in_a_thousand_at_most() -> None:
    assert at_most(0, 1000) == pytest.approx(0.003, abs=0.0001)
    assert at_most(1000, 1000) == 1


def test_intervals_are_the_exact_ones() -> None:
    """Clopper and Pearson for 5 of 10, Garwood for 3: both from their tables."""
    assert share(5, 10) == pytest.approx((0.1871, 0.8129), abs=0.0001)
    assert share(0, 20)[0] == 0
    assert share(20, 20)[1] == 1
    assert share(2500, 5000) == pytest.approx((0.486, 0.514), abs=0.001)
    assert rate(3, 1) == pytest.approx((0.6187, 8.7673), abs=0.001)
    assert rate(0, 200) == pytest.approx((0, 3.6889 / 200), abs=0.0001)


def test_a_median_counts_what_never_came() -> None:
    assert quantile([1.0, 2.0, 3.0, inf, inf], 0.5)[1] == 3
    low, middle, high = quantile([float(n) for n in range(200)], 0.5)
    assert low < middle < high
    assert quantile([inf] * 20, 0.5) == (inf, inf, inf)


def still(*lengths: int) -> list[Sample]:
    """Minutes without motion and with it by turns."""
    moved = [n % 2 for n, length in enumerate(lengths) for _ in range(length)]
    return [Sample(60_000 * n, 30.0, 29.0, float(each)) for n, each in enumerate(moved)]


@pytest.mark.parametrize(
    ("lengths", "off"),
    [
        ((89,), 0),
        ((90,), 90),
        ((60, 2, 60), 122),
        ((60, 3, 60), 0),
        ((29, 2, 70), 0),
        ((5, 1, 95, 4), 95),
    ],
)
def test_choi_is_read_as_it_is_written(lengths: tuple[int, ...], off: int) -> None:
    assert sum(choi(still(*lengths))) == off


def test_every_detector_says_of_each_minute_whether_it_was_off_or_that_it_is_not_there() -> None:
    [life] = lives(1, ("table",), Size().tag)
    for name, detector in detectors():
        if detector is not None:
            assert len(detector(life.samples)) == len(life.samples), name


def test_a_life_is_labelled_where_the_tag_was_taken_off() -> None:
    known = lives(4, ("table",), Size().tag)
    again = lives(4, ("table",), Size().tag)
    assert known == again
    removals = [run for life in known for run in runs(life.worn, OFF)]
    assert all(len(life.samples) == len(life.worn) == DAYS * 1440 for life in known)
    assert len(removals) >= 3
    assert all(5 <= end - start <= 361 for start, end in removals)
    assert all(life.worn[-1] == WORN for life in known)
    for label, low, high in ((WORN, 0.8, 1.0), (OFF, 0.0, 0.4)):
        told = [
            s.proximity or 0.0 for each in known for s, m in zip(each.samples, each.worn, strict=True) if m == label
        ]
        assert low < sum(told) / len(told) < high


def test_a_leg_is_fitted_and_foam_is_not() -> None:
    assert fit(Size(), "skin", 1) < 300
    assert fit(Size(), "prosthesis-foam", 1) == inf
    assert fit(Size(), "sock", 1, closeness=0.1) == inf


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_tag_left_on_a_table_is_noticed_and_the_time_is_counted_from_its_removal(kind: object) -> None:
    assert isinstance(kind, type(KINDS[0]))
    table = remove(Size(), "table", "a", kind)
    assert 0 < table.asked == table.noticed < 60
    assert not table.late


def test_a_tag_in_a_worn_shoe_is_asked_about_where_it_tells_proximity() -> None:
    shoes = [remove(Size(), "shoe", "a", kind) for kind in KINDS]
    assert [shoe.noticed for shoe in shoes] == [inf] * 3
    assert shoes[0].asked == 15
    assert [shoe.asked for shoe in shoes[1:]] == [inf] * 2


def test_a_row_for_programs_names_its_columns() -> None:
    section = Section("some", ("on", "median"), [Row(("skin", "4"), "under 5", True)])
    assert as_plain([section]) == [
        {"section": "some", "on": "skin", "median": "4", "target": "under 5", "reached": True}
    ]


def test_another_world_has_other_ranges_of_what_is_swept_and_of_nothing_else() -> None:
    other = shaken(PARAMETERS, 1)
    assert shaken(PARAMETERS, 0) is PARAMETERS
    assert other == shaken(PARAMETERS, 1) != shaken(PARAMETERS, 2)
    for name, parameter in PARAMETERS.items():
        assert (other[name] != parameter) == parameter.swept, name
        assert other[name].low <= other[name].high, name
        assert parameter.low < 0 or other[name].low >= 0, name
    assert Size(world=1).tag("a", "sock").reading(BEGIN) != Size().tag("a", "sock").reading(BEGIN)
