"""`make bench-range DATA=FOLDER`: in or out by the level of frames, and the walk test, on real recordings.

Corridor (UCI Machine Learning Repository, dataset 586): tags carried inside, and outside, two receivers; the one by
the street is the good place here. Each figure asks how often a level from inside and one from outside fall on the right
sides of each other (the area under the curve): for single frames, and for what each filter makes of the last minute.
The drift of our filter is set so that it looks back as far as the mean of a minute does; the threshold behind "right"
is that of the other tags, each tag left out once.

Flat (Kolakowski 2021): six receivers, each taken for a base unit. The robot's survey of the rooms, lowered by what a
body takes, is the walk test; then a person walks, and the unit's own rule is applied to the suggested setting.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from rich.console import Console

from bench.figures import Figure, as_json, at_least, at_most, plain, table
from bench.progress import teller
from emcheck.domain.walk import Reading, Smoother, suggest, survey

LOOK_BACK_S = 60.0
LEAVE_S, FRAME_S = 60, 5
BODY_DB = 6.6
"""What a body takes on the mean, by data/README."""
EXIT_DB = (14.0, 31.0)
"""From inside to outside: old walls, and insulated ones, by data/README."""
_ROOMS: dict[str, Callable[[float, float], bool]] = {
    "west": lambda x, y: x < 2.64 and y >= 2.1,
    "south": lambda x, y: y < 2.1,
    "middle": lambda x, y: 2.64 <= x < 6.3 and y >= 2.1,
    "east": lambda x, y: x >= 6.3 and y >= 2.1,
}
"""The rooms of the flat, by layout.csv."""

Frames = list[tuple[float, float]]
"""Seconds and dBm, in order of time."""


class Tag(NamedTuple):
    """One carried tag, as one receiver heard it."""

    name: str
    inside: bool
    frames: Frames


def corridor(data: Path, receiver: str) -> list[Tag]:
    """The tags that stayed inside, and those that stayed outside (the vestibule between is neither)."""
    found: dict[tuple[str, bool], Frames] = {}
    with (data / "uci586_ble_inout/uci586_filtered_rssi.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["locationStatus"] in ("INSIDE", "OUTSIDE"):
                key = row["name"], row["locationStatus"] == "INSIDE"
                found.setdefault(key, []).append((int(row["timestamp"]) / 1000, float(row[receiver])))
    return [Tag(name, inside, sorted(frames)) for (name, inside), frames in sorted(found.items())]


def single(frames: Frames) -> list[float]:
    """Each frame by itself."""
    return [level for _, level in frames]


def kalman(frames: Frames) -> list[float]:
    """Our filter (`emcheck.domain.walk.Smoother`), from the first minute on."""
    smoother = Smoother()
    levels = [smoother.take(round(at * 1000), level) for at, level in frames]
    return [level for level, (at, _) in zip(levels, frames, strict=True) if at - frames[0][0] >= LOOK_BACK_S]


def over_the_last_minute(fold: Callable[[Sequence[float]], float]) -> Callable[[Frames], list[float]]:
    """Mean, median or another of the frames of the last minute, from the first minute on."""

    def filtered(frames: Frames) -> list[float]:
        first, out = 0, []
        for last, (at, _) in enumerate(frames):
            while frames[first][0] < at - LOOK_BACK_S:
                first += 1
            if at - frames[0][0] >= LOOK_BACK_S:
                out.append(fold([level for _, level in frames[first : last + 1]]))
        return out

    return filtered


FILTERS = {
    "single frames": single,
    "median of 60 s": over_the_last_minute(median),
    "mean of 60 s": over_the_last_minute(fmean),
    "Kalman (ours)": kalman,
}


def area(above: Sequence[float], below: Sequence[float]) -> float:
    """The chance that one of `above` is higher than one of `below`; equal ones count half."""
    marked = sorted([(level, 1) for level in above] + [(level, 0) for level in below])
    ranks, first = 0.0, 0
    while first < len(marked):
        last = first
        while last < len(marked) and marked[last][0] == marked[first][0]:
            last += 1
        ranks += (first + last + 1) / 2 * sum(mark for _, mark in marked[first:last])
        first = last
    return (ranks - len(above) * (len(above) + 1) / 2) / (len(above) * len(below))


def left_out(tags: Sequence[Tag], levels: Sequence[Sequence[float]], *, sign: int) -> float:
    """Accuracy, both sides weighing alike: each tag judged by the threshold that is best on the others."""
    right = []
    for out, tag in enumerate(tags):
        others = [(each.inside, levels[at]) for at, each in enumerate(tags) if at != out]
        marked = sorted((sign * level, inside) for inside, said in others for level in said)
        totals = [sum(mark is side for _, mark in marked) for side in (False, True)]
        best, threshold, below = -1.0, 0.0, [0, 0]
        for level, inside in marked:
            below[inside] += 1
            got = below[False] / totals[False] + 1 - below[True] / totals[True]
            if got > best:
                best, threshold = got, level
        hits = [(sign * level > threshold) is tag.inside for level in levels[out]]
        right.append(fmean(hits))
    return fmean(
        [fmean([hit for hit, tag in zip(right, tags, strict=True) if tag.inside is side]) for side in (True, False)]
    )


def on_the_corridor(data: Path) -> Iterator[Figure]:
    """Both receivers, all filters."""
    # The receiver by the street hears those outside better, so there the weaker level is the one inside.
    for receiver, sign, place, wanted in (
        ("rssiOne", -1, "good place", {"single frames": 0.82, "Kalman (ours)": 0.99}),
        ("rssiTwo", 1, "bad place", {"Kalman (ours)": 0.83}),
    ):
        tags = corridor(data, receiver)
        group = f"corridor, {place}: {len(tags)} tags, inside from outside"
        for name, filtered in FILTERS.items():
            levels = [filtered(tag.frames) for tag in tags]
            sides = [
                [sign * v for tag, said in zip(tags, levels, strict=True) if tag.inside is side for v in said]
                for side in (True, False)
            ]
            got, what = area(sides[0], sides[1]), f"{name}: area under the curve"
            yield at_least(group, what, got, wanted[name], "") if name in wanted else plain(group, what, got, "")
            yield plain(group, "... right, by the other tags' threshold", left_out(tags, levels, sign=sign), "")


def flat(data: Path, name: str, anchor: int) -> list[tuple[float, float, float, float | None]]:
    """Seconds, place (NaN where the recording has none) and level of one receiver, None where nothing was heard."""
    rows = []
    with (data / f"kolakowski2021_flat_ble/{name}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            level = row[f"rssi_{anchor}"]
            place = float(row.get("x") or "nan"), float(row.get("y") or "nan")
            rows.append((float(row["ts"]) / 1e9, *place, float(level) if level else None))
    return sorted(rows, key=lambda row: row[0])


def false_absences(levels: Sequence[tuple[float, float | None]], range_dbm: float) -> tuple[int, int]:
    """Stretches of a leave time with no frame at the setting, of all; a tag that sends one frame in five seconds."""
    missed = stretches = 0
    thin = max(1, round(FRAME_S / ((levels[-1][0] - levels[0][0]) / len(levels))))
    for phase in range(thin):
        frames = levels[phase::thin]
        for begin, _ in frames:
            if begin + LEAVE_S > frames[-1][0]:
                break
            stretch = [level for at, level in frames if begin <= at < begin + LEAVE_S]
            stretches += 1
            missed += all(level is None or level < range_dbm for level in stretch)
    return missed, stretches


def on_the_flat(data: Path) -> Iterator[Figure]:
    """Each receiver a base unit: the walk test by the robot, then a person walks."""
    group = "flat, six places for the unit: walk test by robot, then a person's walk"
    missed = stretches = dead = weak = 0
    ranges, margins, chances, bodies = [], [], [], []
    areas: dict[float, list[float]] = {loss: [] for loss in EXIT_DB}
    for anchor in range(1, 7):
        walked = flat(data, "calibration_df", anchor)
        rooms = []
        for name, inside in _ROOMS.items():
            here = [level for _, x, y, level in walked if inside(x, y)]
            readings = [
                Reading(second * 1000, None if level is None else level - BODY_DB, heard=int(level is not None))
                for second, level in enumerate(here)
            ]
            rooms.append(survey(name, readings, leave_time_s=LEAVE_S))
        got = suggest(rooms, leave_time_s=LEAVE_S, frame_s=FRAME_S)
        dead, weak = dead + len(got.dead), weak + len(got.weak)
        if got.range_dbm is None or got.margin_db is None:
            continue
        ranges.append(got.range_dbm)
        margins.append(got.margin_db)
        chances.append(max(got.false_absence.values()))
        person = [(at, level) for at, _, _, level in flat(data, "test_walk_df", anchor)]
        robot = [level for *_, level in flat(data, "test_robot_df", anchor) if level is not None]
        bodies.append(fmean(level for _, level in person if level is not None) - fmean(robot))
        more, of = false_absences(person, got.range_dbm)
        missed, stretches = missed + more, stretches + of
        frames = [(at, level) for at, level in person if level is not None]
        indoors = kalman(frames)
        for loss, found in areas.items():
            found.append(area(indoors, [level - loss for level in indoors]))
    yield plain(group, "person against robot, mean (6.6 dB in data/README)", fmean(bodies), "dB")
    yield at_most(group, "rooms called dead, of 24", dead, 0, "")
    yield at_most(group, f"minutes of the walk put outside, of {stretches}", missed, 0, "")
    yield plain(group, "suggested settings, lowest", min(ranges), "dBm")
    yield plain(group, "suggested settings, highest", max(ranges), "dBm")
    yield plain(group, "margin under the weakest room, mean", fmean(margins), "dB")
    yield plain(group, "rooms called weak: a chance of a false absence over 1 in 1,000", weak, "")
    yield plain(group, "the largest such chance", max(chances) * 1000, "in 1,000")
    for loss, found in areas.items():
        yield plain(group, f"the same walk outside a wall of {loss:.0f} dB: area under the curve", fmean(found), "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench-range")
    parser.add_argument("data", type=Path, help="the folder of the recordings")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    say = teller()
    say("the corridor, two receivers, four filters")
    figures = [*on_the_corridor(given.data)]
    say("the flat, six places")
    figures += on_the_flat(given.data)
    if given.json:
        print(json.dumps(as_json(figures), indent=1))
    else:
        Console(width=130).print(table(figures))


if __name__ == "__main__":
    main()
