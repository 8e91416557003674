"""Policy: every threshold with its unit, reason and source (config/policy/*.toml). Rules hold no numbers.

A policy has a name, a version and an effective time; findings keep `name@version`. `sign_off` marks a
number that an authority must still decide.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from emcheck.domain.defaults import HOLIDAYS, RULES
from emcheck.domain.escalation import PRIORITIES, EscalationError, Plan, Tree, parse_trees
from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms


class PolicyError(ValueError):
    """A policy that cannot be used; one line naming file, key, what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number, priority or yes or no of a policy and where it comes from."""

    value: float | str | bool
    unit: str
    reason: str
    source: str
    sign_off: bool = False


class Action(StrEnum):
    """What is done about an order beyond a limit."""

    WARN = "warn"
    REFUSE = "refuse"


class Dates(str):
    """Dates as text, a space between two: `2026-12-25 2026-12-28`."""

    __slots__ = ()


KEYS: dict[str, type] = {
    "presence.leave_time_s": float,
    "presence.vouch_factor": float,
    "presence.heartbeat_default_s": float,
    "clock.offset_max_s": float,
    "clock.future_max_s": float,
    "curfew.absence.alert_after_s": float,
    "curfew.absence.priority": str,
    "curfew.absence.long_after_s": float,
    "curfew.absence.priority_long": str,
    "curfew.absence.priority_out_whole": str,
    "curfew.accumulated.allowance_default_min": float,
    "curfew.accumulated.priority": str,
    "unit.silent.priority": str,
    "unit.silent.long_after_s": float,
    "unit.silent.priority_long": str,
    "unit.silent.curfew_priority": str,
    "unit.silent.curfew_long_after_s": float,
    "unit.silent.repeat_within_s": float,
    "unit.silent.repeat_count": float,
    "tag.strap.priority": str,
    "order.court.day_min_h": float,
    "order.court.day_max_h": float,
    "order.court.day_max_older_h": float,
    "order.court.older_before": date,
    "order.court.week_max_h": float,
    "order.court.action": Action,
    "order.home_detention_curfew.day_min_h": float,
    "order.home_detention_curfew.action": Action,
    "order.restriction_of_liberty.day_max_h": float,
    "order.restriction_of_liberty.action": Action,
    "order.windows.per_day_max": float,
    "order.windows.action": Action,
    "order.breach.referral_due_s": float,
    "order.breach.restriction_of_liberty_due_working_days": float,
    "order.breach.holidays": Dates,
    "evidence.gap.open_after_s": float,
    "evidence.gap.resend_every_s": float,
    "evidence.gap.priority": str,
    "evidence.rejected.quiet_s": float,
    "evidence.rejected.priority": str,
    "evidence.unknown_device.quiet_s": float,
    "evidence.unknown_device.priority": str,
    "evidence.conflict.priority": str,
    "service.undecided.priority": str,
    "alert.lease_s": float,
    "alert.undo_s": float,
    "wire.signature.required": bool,
    "unit.config.heartbeat_s": float,
    "unit.config.report_s": float,
    "unit.config.leave_time_s": float,
}
"""Every threshold that is asked for: a number, a priority (`str`), yes or no, dates or what is done about it."""
KEYS |= {key: str if isinstance(default.value, str) else float for key, default in RULES.items()}


_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VALIDATORS = "emcheck domain model, Curfew windows, Validators"
_ALERTS = "emcheck domain model, Alerts"
_SIGN_OFF = "warn or refuse", "The authority is asked; meanwhile what the order says is judged.", _VALIDATORS, True
_WHY = "The policy was written before this threshold and does not name it.", "emcheck domain model, Rules: its default"
DEFAULTS: dict[str, Threshold] = {
    key: Threshold(default.value, default.unit, *_WHY, default.sign_off) for key, default in RULES.items()
} | {
    "order.court.day_min_h": Threshold(
        2, "h", "A day with curfew has this much.", "Sentencing Act 2020 Sch 9 para 9(4)"
    ),
    "order.court.day_max_h": Threshold(
        20, "h", "At most this on any day.", "Sentencing Act 2020 Sch 9 para 9(4), (4A)"
    ),
    "order.court.day_max_older_h": Threshold(16, "h", "Older convictions.", "Sentencing Act 2020 Sch 9 para 9(4A)"),
    "order.court.older_before": Threshold(
        "2022-06-28",
        "date",
        "Convictions before have the older limit.",
        "Police, Crime, Sentencing and Courts Act 2022 s 150",
    ),
    "order.court.week_max_h": Threshold(112, "h", "At most this in 7 days.", "Sentencing Act 2020 Sch 9 para 9(4)"),
    "order.court.action": Threshold("warn", *_SIGN_OFF),
    "order.home_detention_curfew.day_min_h": Threshold(
        9, "h", "At least this on every day save the first and last.", "Criminal Justice Act 2003 s 253(2)"
    ),
    "order.home_detention_curfew.action": Threshold("warn", *_SIGN_OFF),
    "order.restriction_of_liberty.day_max_h": Threshold(
        12, "h", "At most this on any one day.", "Criminal Procedure (Scotland) Act 1995 s 245A"
    ),
    "order.restriction_of_liberty.action": Threshold("warn", *_SIGN_OFF),
    "order.windows.per_day_max": Threshold(3, "windows", "More are a slip of the pen.", _VALIDATORS),
    "order.windows.action": Threshold("warn", *_SIGN_OFF),
    "order.breach.referral_due_s": Threshold(86400, "s", "From a breach's identification.", _ALERTS, True),
    "order.breach.restriction_of_liberty_due_working_days": Threshold(
        2, "working days", "Scottish restricted movement; 0: as all others.", _ALERTS, True
    ),
    "order.breach.holidays": Threshold(HOLIDAYS, "dates", "No working days.", _ALERTS, True),
    "alert.undo_s": Threshold(300, "s", "A slip is noticed within minutes.", _ALERTS, True),
}
"""What a younger threshold is where a policy does not name it: a policy written before it came loads as before."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A published set of thresholds; `ms` and `text` look one up by its dotted key."""

    name: str
    version: str
    effective_at: Ms
    thresholds: dict[str, Threshold]
    sha256: str
    spans_ms: dict[str, Ms]
    """The spans among the thresholds, in milliseconds."""
    trees: dict[str, Tree]
    """Whom alerts are passed on to, by priority; empty where nobody is named."""
    body: str
    """The file, whole: what the hash is of."""

    @property
    def label(self) -> str:
        """`name@version`, as findings carry it."""
        return f"{self.name}@{self.version}"

    def number(self, key: str) -> float:
        """The number under `key`, in the unit its name ends in."""
        return float(self.thresholds[key].value)

    def ms(self, key: str) -> Ms:
        """A span in milliseconds from a key that ends in `_s` or `_min`."""
        return self.spans_ms[key]

    def plan(self) -> Plan:
        """How alerts are passed on."""
        receipts = {priority: f"alert.receipt.{priority}_s" for priority in PRIORITIES}
        return Plan(self.trees, {name: self.ms(key) for name, key in receipts.items() if key in self.spans_ms})

    def targets_ms(self) -> dict[str, Ms]:
        """Within what time an alert is to be acknowledged, by priority; none for planned work."""
        keys = {priority: f"alert.target.{priority}_s" for priority in PRIORITIES}
        return {name: self.ms(key) for name, key in keys.items() if key in self.spans_ms}

    def flag(self, key: str) -> bool:
        """The yes or no under `key`."""
        return bool(self.thresholds[key].value)

    def text(self, key: str) -> str:
        """The priority, dates (`2022-06-28`) or action under `key`."""
        return str(self.thresholds[key].value)


def parse_policy(text: str, *, name: str = "policy") -> Policy:
    """The policy in TOML `text`; PolicyError names the key: unknown, missing without a default, or bad."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not TOML: {error}") from None
    head = _head(raw, name)
    thresholds: dict[str, Threshold] = {}
    escalation = raw.pop("escalation", {})
    _collect(raw, "", thresholds, name)
    thresholds = DEFAULTS | thresholds
    missing = sorted(KEYS.keys() - thresholds.keys())
    if missing:
        raise PolicyError(f"{name}: {missing[0]}: missing; a policy sets every threshold that has no default")
    try:
        effective_at = parse_ms(head["effective_at"])
    except ValueError as error:
        raise PolicyError(f"{name}: effective_at: {error}") from None
    try:
        trees = parse_trees(escalation, {str(t.value) for key, t in thresholds.items() if KEYS[key] is str})
    except EscalationError as error:
        raise PolicyError(f"{name}: {error}") from None
    digest = hashlib.sha256(text.encode()).hexdigest()
    spans_ms = {
        key: round(float(threshold.value) * (60_000 if key.endswith("_min") else 1_000))
        for key, threshold in thresholds.items()
        if key.endswith(("_s", "_min"))
    }
    return Policy(head["name"], head["version"], effective_at, thresholds, digest, spans_ms, trees, text)


def _head(raw: dict[str, Any], name: str) -> dict[str, str]:
    """Takes what stands before the thresholds, as text."""
    head = {key: raw.pop(key, None) for key in ("name", "version", "effective_at")}
    for key, value in head.items():
        if value is None:
            raise PolicyError(f"{name}: {key}: missing; every policy has a name, a version and an effective_at")
        if key != "effective_at" and not _WORD.fullmatch(str(value)):
            told = "a word of letters, digits, full stops and hyphens, for findings carry name@version"
            raise PolicyError(f"{name}: {key}: {value!r} cannot be used; write {told}")
    return {key: str(value) for key, value in head.items()}


def _collect(table: dict[str, Any], path: str, into: dict[str, Threshold], name: str) -> None:
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        if here in KEYS:
            into[here] = _threshold(value, here, name)
        elif isinstance(value, dict) and any(known.startswith(f"{here}.") for known in KEYS):
            _collect(value, here, into, name)
        else:
            raise PolicyError(f"{name}: {here}: unknown key; `emcheck policy show` lists those there are")


def _threshold(value: object, key: str, name: str) -> Threshold:
    fields = {"value", "unit", "reason", "source", "sign_off"}
    if not isinstance(value, dict) or not {"value", "reason", "source"} <= value.keys() <= fields:
        raise PolicyError(f"{name}: {key}: a threshold is a table of value, unit, reason and source")
    for field in ("reason", "source"):
        if not str(value[field]).strip():
            raise PolicyError(f"{name}: {key}.{field}: empty; say why the threshold is what it is, and who says so")
    number = _checked(value["value"], key, name)
    return Threshold(
        number, str(value.get("unit", "")), str(value["reason"]), str(value["source"]), bool(value.get("sign_off"))
    )


def _checked(number: Any, key: str, name: str) -> float | str | bool:
    """A threshold's value, if it is what its key asks for."""
    if KEYS[key] is str:
        if number not in ("P1", "P2", "P3", "P4"):
            raise PolicyError(f"{name}: {key}: {number!r} is no priority; use P1, P2, P3 or P4")
    elif KEYS[key] is Action:
        if number not in tuple(Action):
            raise PolicyError(f"{name}: {key}: {number!r} is nothing that is done; use warn or refuse")
    elif KEYS[key] is date:
        if not isinstance(number, str) or not _is_date(number):
            raise PolicyError(f'{name}: {key}: {number!r} is no date; write it as text, as in "2022-06-28"')
    elif KEYS[key] is Dates:
        if not isinstance(number, str) or not all(map(_is_date, number.split())):
            raise PolicyError(f'{name}: {key}: {number!r} is no dates; write them as in "2026-12-25 2026-12-28"')
    elif KEYS[key] is bool:
        if not isinstance(number, bool):
            raise PolicyError(f"{name}: {key}: {number!r} is neither true nor false")
    elif isinstance(number, bool) or not isinstance(number, (int, float)) or not least(key) <= number < 1e10:
        more = "" if least(key) < 0 else f" of {least(key):g} or more"
        raise PolicyError(f"{name}: {key}: {number!r} is no number{more}")
    checked: float | str | bool = number
    return checked


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_LEAST: dict[str, float] = {
    "body.no_motion.after_s": 21600,
    "body.no_motion.room_after_s": 3600,
    "body.not_attached.unsure_after_s": 600,
    "body.not_attached.untouched_after_s": 600,
    "body.not_attached.unusable_after_s": 1800,
    "body.not_attached.silent_after_s": 900,
}
"""What is over sooner is not kept (`worn`, LEAST_MS)."""


def least(key: str) -> float:
    """The least that a number may be: levels in dBm lie below 0, and what comes again and again takes a minute."""
    if key.endswith("_dbm"):
        return -300
    return 60 if key.endswith(".every_s") else _LEAST.get(key, 0)
