"""Published detectors of a device that is not worn, on the same readings as the body check. All of them look ahead.

1. DETACH (Vert 2022) as its authors publish it (`nimbaldetach`) and as scikit-digital-health has it, and the latter's
   CTA (Zhou 2015): they are given what they ask of raw acceleration, which is whether a minute is still. A minute with
   motion is a swing of 20 mg on all axes, one without is none; 15 samples a minute, temperature drawn out to them.
2. Choi 2011, written from the paper, for it works on counts a minute: 90 min without, in which up to 2 min may have
   some if 30 min before and after have none.
3. The packages are for this comparison only: `requirements/detectors.lock`, which `make bench-body` installs where DATA
   is named. Without them the rows are left out, and the table says so.
"""

import contextlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from emcheck.domain.body import Sample

Detector = Callable[[Sequence[Sample]], list[bool]]
"""Whether a tag was off, for each of readings a minute apart."""
A_MINUTE = 15
_HZ = A_MINUTE / 60
_SWING_G = 0.02
_WARM_C = 35.0
_CHOI_MIN, _CHOI_SOME_MIN, _CHOI_NONE_MIN = 90, 2, 30


def choi(samples: Sequence[Sample]) -> list[bool]:
    """Clause 2."""
    runs = [(moved, len(list(each))) for moved, each in groupby(bool(s.motion) for s in samples)]
    still = []
    for i, (moved, length) in enumerate(runs):
        around = [runs[j][1] for j in (i - 1, i + 1) if 0 <= j < len(runs)]
        excused = moved and length <= _CHOI_SOME_MIN and len(around) == 2 and min(around) >= _CHOI_NONE_MIN
        still.extend([not moved or excused] * length)
    found: list[bool] = []
    for off, each in groupby(still):
        length = len(list(each))
        found.extend([off and length >= _CHOI_MIN] * length)
    return found


def nimbal(samples: Sequence[Sample]) -> list[bool]:
    """DETACH by its authors."""
    from nimbaldetach import nimbaldetach

    _, accel, temperature = _raw(samples)
    x = accel[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, off = nimbaldetach(x, x, x, temperature, accel_freq=_HZ, temperature_freq=_HZ, quiet=True)
    return [bool(each) for each in off[::A_MINUTE]]


def skdh_detach(samples: Sequence[Sample]) -> list[bool]:
    """DETACH in scikit-digital-health, windows as the authors have them."""
    from skdh.preprocessing import DETACH

    return _skdh(DETACH(window_size=4), samples)


def skdh_cta(samples: Sequence[Sample]) -> list[bool]:
    """CTA in scikit-digital-health; a warm minute goes before, for it fails where one begins cool and moving."""
    from skdh.preprocessing import CtaWearDetection

    warm = samples[0]._replace(skin_c=_WARM_C)
    return _skdh(CtaWearDetection(), [warm, *samples])[1:]


def _skdh(process: Any, samples: Sequence[Sample]) -> list[bool]:
    time, accel, temperature = _raw(samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worn = process.predict(time=time, accel=accel, temperature=temperature, fs=_HZ)["wear"]
    off = [True] * len(samples)
    for start, stop in worn:
        begins, ends = round(start / A_MINUTE), round(stop / A_MINUTE)
        off[begins : ends + 1] = [False] * (min(len(off), ends + 1) - begins)
    return off


def _raw(samples: Sequence[Sample]) -> tuple[Any, Any, Any]:
    """Clause 1: seconds, three axes in g, and degC, `A_MINUTE` times a minute."""
    import numpy as np

    count = len(samples) * A_MINUTE
    moving = np.repeat([bool(s.motion) for s in samples], A_MINUTE)
    swing = np.where(np.arange(count) % 2 == 0, _SWING_G, -_SWING_G) * moving
    minutes = np.arange(len(samples)) * A_MINUTE + A_MINUTE - 1
    temperature = np.interp(np.arange(count), minutes, [s.skin_c or 0.0 for s in samples])
    return np.arange(count) / _HZ, np.column_stack([swing, swing, swing + 1.0]), temperature


_PACKAGED: tuple[tuple[str, str, Detector], ...] = (
    ("nimbaldetach", "DETACH, nimbaldetach", nimbal),
    ("skdh", "DETACH, scikit-digital-health", skdh_detach),
    ("skdh", "CTA, scikit-digital-health", skdh_cta),
)


def detectors() -> Iterator[tuple[str, Detector | None]]:
    """By name; None where the package is not installed (3)."""
    yield "Choi 2011, written from the paper", choi
    for package, name, detector in _PACKAGED:
        found = False
        with contextlib.suppress(ModuleNotFoundError):
            found = importlib.util.find_spec(package) is not None
        yield name, detector if found else None
