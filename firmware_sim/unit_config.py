"""A base unit's configuration: the installer's at first, then whatever the service sends with a higher `rev`."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from emcheck.domain.canonical import sha256_of
from emcheck.domain.ids import Ms, TagId
from emcheck.domain.instants import parse_ms


class Fitting(BaseModel):
    """While a fitter is on site reports come more often."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    session: str
    report_s: int = Field(default=1, ge=1, le=300)
    until: Ms

    @field_validator("until", mode="before")
    @classmethod
    def _instant(cls, value: object) -> object:
        return parse_ms(value) if isinstance(value, str) else value


class UnitConfig(BaseModel):
    """What protocol.md's `config` holds, as far as the firmware acts on it. `rev` 0 is the installer's."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    rev: int = Field(default=0, ge=0)
    heartbeat_s: int = Field(default=60, ge=1, le=300)
    report_s: int = Field(default=30, ge=1, le=300)
    range_dbm: float = Field(default=-84, allow_inf_nan=False)
    leave_time_s: int = Field(default=60, ge=1, le=3600)
    tags: tuple[TagId, ...] = ()
    schedule: tuple[dict[str, Any], ...] = ()
    schedule_sha256: str | None = None
    fitting: Fitting | None = None

    @property
    def leave_time_ms(self) -> Ms:
        """Silence after which a tag is out of range."""
        return self.leave_time_s * 1000

    def report_ms(self, now: Ms) -> Ms:
        """How often a tag in range is reported now."""
        if self.fitting is not None and now < self.fitting.until:
            return self.fitting.report_s * 1000
        return self.report_s * 1000

    def updated(self, raw: Mapping[str, Any]) -> Self | None:
        """The configuration after the service's changes; None where they make no sense. A fitting must be renewed.

        A schedule whose hash is another is none: the hash that is echoed says which curfew the unit holds.
        """
        try:
            config = self.model_validate(self.model_dump(exclude={"fitting"}) | dict(raw))
            whole = "schedule" not in raw or sha256_of(raw["schedule"]) == config.schedule_sha256
        except (ValidationError, ValueError):
            return None
        return config if whole else None
