"""Reads the recordings that data/README lists; each folder's SOURCE.txt says what it is."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from emcheck.domain.body import Sample

SKIN_COUNTS, FREE_COUNTS = 129.0, 210.0
"""Capacitive counts snug on skin (123 to 135) and in free air (196 to 228), as data/README has them."""


class Record(NamedTuple):
    """A recording: its name, the sensor it was made with, its readings, and per reading 1 worn, 0 off, -1 not known."""

    name: str
    device: str
    samples: list[Sample]
    worn: list[int]


def wrists(data: Path) -> list[Record]:
    """26 wrists, a reading a minute, skin side and outward; not labelled."""
    return [condor(path) for path in sorted((data / "guidolin2025_acttrust_actlumus/acttrust").glob("*.txt.gz"))]


def loggers(data: Path) -> list[Record]:
    """Loggers that were never on a body."""
    rooms = sorted((data / "guidolin2025_acttrust_actlumus/ambient").glob("*.txt.gz"))
    halls = sorted((data / "melidos_capsense_wrist_vs_ambient").glob("*_e.txt.gz"))
    return [condor(path) for path in (*rooms, *halls)]


def capacitive(data: Path) -> list[Record]:
    """A snug wrist, a loose wrist and a collar."""
    folder = data / "melidos_capsense_wrist_vs_ambient"
    return [condor(folder / f"{name}.txt.gz") for name in ("BAUA007_w", "S016_w", "BAUA007_c")]


def spectacles(data: Path) -> list[Record]:
    """Nine people's spectacles with labels, and one more without."""
    records: dict[str, Record] = {}
    with gzip.open(data / "hilden2025_tum_glasses/tum_1min_labelled.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            record = records.setdefault(row["Id"], Record(row["Id"], row["Id"], [], []))
            at = datetime.fromisoformat(row["t"]).replace(tzinfo=UTC)
            counts = float(row["CAP_SENS_1"]) if row["CAP_SENS_1"] else None
            record.samples.append(_sample(at, float(row["TEMPERATURE"]), None, float(row["PIM"]), counts))
            record.worn.append({"1": 1, "0": 0, "2": 0}.get(row["lab"], -1))
    archive = next((data / "guidolin2025_acttrust_actlumus").glob("*.zip"))
    with zipfile.ZipFile(archive) as zipped:
        name = next(each for each in zipped.namelist() if not each.startswith("__"))
        with zipped.open(name) as file:
            more = _condor(io.TextIOWrapper(file, errors="replace"), "205")
    return [*records.values(), more]


def condor(path: Path) -> Record:
    """A log of Condor Instruments."""
    with gzip.open(path, "rt", errors="replace") as file:
        return _condor(file, path.name.split(".")[0].split("_Log")[0])


def _condor(file: Iterator[str] | io.TextIOBase, name: str) -> Record:
    device = ""
    for line in file:
        if line.startswith("DEVICE_ID"):
            device = line.split(":")[1].strip()
        if line.startswith("DATE/TIME"):
            columns = line.rstrip().split(";")
            break
    where = {each: columns.index(each) for each in columns}
    outward = where.get("EXT TEMPERATURE")
    samples = []
    for line in file:
        cells = line.rstrip().split(";")
        if len(cells) < len(columns):
            continue
        at = datetime.strptime(cells[0], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
        ambient = float(cells[outward]) if outward is not None else 0.0
        counts = float(cells[where["CAP_SENS_1"]])
        samples.append(
            _sample(at, float(cells[where["TEMPERATURE"]]), ambient or None, float(cells[where["PIM"]]), counts or None)
        )
    return Record(name, device, samples, [-1] * len(samples))


def _sample(at: datetime, skin: float, ambient: float | None, motion: float, counts: float | None) -> Sample:
    ms = round(at.timestamp() * 1000)
    return Sample(ms, skin, ambient, motion, None if counts is None else proximity(counts))


def proximity(counts: float) -> float:
    """Counts as contact: 1 as on skin, 0 as in free air."""
    return min(1.0, max(0.0, (FREE_COUNTS - counts) / (FREE_COUNTS - SKIN_COUNTS)))
