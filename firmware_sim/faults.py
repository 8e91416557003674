"""Faults as data: what goes wrong, with whose unit, when and for how long. All in scenario files, none in code.

`wearers` names whose base units are meant; empty means every unit. Times are local unless they carry an offset.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_sim.times import LocalOrInstant

_Wearers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field()]
_Minutes = Annotated[float, Field(gt=0, le=20_160)]
_Share = Annotated[float, Field(gt=0, le=1)]


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    wearers: _Wearers = ()
    at: LocalOrInstant


class PowerCut(_Fault):
    """Mains fails; the unit's battery carries on, unless `battery` is false: then it is dead until mains returns."""

    kind: Literal["power_cut"]
    minutes: _Minutes
    battery: bool = True


class UplinkOutage(_Fault):
    """No connection to the broker; the unit stores and forwards."""

    kind: Literal["uplink_outage"]
    minutes: _Minutes


class Reboot(_Fault):
    """The unit restarts and is away for `down_s`."""

    kind: Literal["reboot"]
    down_s: Annotated[int, Field(ge=1, le=3600)] = 40


class ClockFault(_Fault):
    """The unit's clock is stepped by `offset_s` and from then on gains `drift_ppm`."""

    kind: Literal["clock"]
    offset_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0
    drift_ppm: Annotated[float, Field(ge=-10_000, le=10_000)] = 0


class EventLoss(_Fault):
    """The first envelope sent from `at` on is lost on the way, and every repeat of its events, for `minutes`."""

    kind: Literal["event_loss"]
    minutes: _Minutes = 3


class Duplicates(_Fault):
    """A `share` of messages arrives twice, the copy up to `delay_s` later."""

    kind: Literal["duplicates"]
    minutes: _Minutes
    share: _Share
    delay_s: Annotated[float, Field(gt=0, le=3600)] = 5


class Reordered(_Fault):
    """A `share` of messages is overtaken: it arrives up to `delay_s` late."""

    kind: Literal["reordered"]
    minutes: _Minutes
    share: _Share
    delay_s: Annotated[float, Field(gt=0, le=3600)] = 60


Fault = Annotated[
    PowerCut | UplinkOutage | Reboot | ClockFault | EventLoss | Duplicates | Reordered, Field(discriminator="kind")
]
