"""All that a step is judged by: what the fitter said and did, what the unit told, and by which thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from emcheck.domain.fitting.acts import AnswerStep, MarkFitting, OverrideFitting
from emcheck.domain.fitting.heard import Heard, Report
from emcheck.domain.fitting.limb_note import no_other, other_limb
from emcheck.domain.fitting.visits import Visit
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy

PASSED, FAILED, MISSING, CANNOT = "passed", "failed", "missing", "cannot"
"""Missing evidence is as good as failed: nothing passes without positive evidence."""


class Result(NamedTuple):
    """What a step comes to: its state, in words what was seen or what to do next, and the readings it rests on."""

    state: str
    words: str
    readings: Mapping[str, object]


def passed(words: str, /, **readings: object) -> Result:
    """Positive evidence."""
    return Result(PASSED, words, readings)


def failed(words: str, /, **readings: object) -> Result:
    """Evidence against it, or evidence that is stale or cannot be read."""
    return Result(FAILED, words, readings)


def missing(words: str, /, **readings: object) -> Result:
    """No evidence yet."""
    return Result(MISSING, words, readings)


class Answer(NamedTuple):
    """An answer, and when it was given."""

    at: Ms
    said: AnswerStep


class Lift(NamedTuple):
    """From when to when the tag was held off the limb."""

    start: Ms
    end: Ms


@dataclass(frozen=True)
class Seen:
    """One session as it stands at `now`.

    `note` is the wearer's limb note: empty where there is none, None where it is not to be known, as for a record.
    """

    visit: Visit
    acts: Sequence[tuple[Ms, object]]
    heard: Heard
    policy: Policy
    now: Ms
    schedule_sha256: str | None
    note: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict, compare=False)
    """Those that were asked for, to stand in the record."""

    def number(self, key: str) -> float:
        """A threshold of fittings; the record names each that was used."""
        self.thresholds[f"fitting.{key}"] = value = self.policy.number(f"fitting.{key}")
        return value

    def ms(self, key: str) -> Ms:
        """A span of fittings, in milliseconds."""
        return round(self.number(key) * 1000)

    @cached_property
    def answers(self) -> Mapping[str, Answer]:
        """The last answer to each step, by when it was given: what a phone tells late takes no newer one's place."""
        told = [Answer(at if act.at is None else act.at, act) for at, act in self.acts if isinstance(act, AnswerStep)]
        return {answer.said.step: answer for answer in sorted(told, key=lambda answer: answer.at)}

    @cached_property
    def marks(self) -> Sequence[tuple[Ms, MarkFitting]]:
        """What the fitter did, by time."""
        marks = [(at if act.at is None else act.at, act) for at, act in self.acts if isinstance(act, MarkFitting)]
        return sorted(marks, key=lambda mark: mark[0])

    @property
    def override(self) -> OverrideFitting | None:
        """A supervisor's word, where there is one."""
        return next((act for _, act in reversed(self.acts) if isinstance(act, OverrideFitting)), None)

    @property
    def other_limb(self) -> str:
        """What to do where the limb that was answered last will not do."""
        return other_limb(self.note, self._answered)

    @property
    def is_only_limb(self) -> bool:
        """Whether the limb note bars the other one."""
        return no_other(self.note, self._answered)

    @property
    def _answered(self) -> str | None:
        answer = self.answers.get("limb")
        return None if answer is None else answer.said.limb

    @property
    def limb(self) -> Answer | None:
        """The limb that was chosen last, where it was said to be a natural one."""
        answer = self.answers.get("limb")
        return answer if answer is not None and answer.said.answer == "yes" else None

    @property
    def reports(self) -> tuple[Report, ...]:
        """What was heard of the session's tag up to now."""
        return tuple(report for report in self.heard.of(self.visit.tag) if report.at <= self.now)

    @cached_property
    def opened_at(self) -> Ms:
        """When the strap was last said not to be closed; long ago where it never was."""
        told = [report.at for report in self.reports if report.strap in ("open", "cut")]
        told += [at for at, tag, kind in self.heard.tampers if tag == self.visit.tag and kind.startswith("strap")]
        return max(told, default=-FOREVER)

    @cached_property
    def worn(self) -> tuple[Report, ...]:
        """What was heard since the strap was closed last."""
        return tuple(r for r in self.reports if r.strap == "closed" and r.at > self.opened_at)

    @cached_property
    def lifts(self) -> tuple[Lift, ...]:
        """When the tag was held off since the strap was closed; the last may go on."""
        begin = self.worn[0].at if self.worn else FOREVER
        found: list[Lift] = []
        start: Ms | None = None
        for at, mark in self.marks:
            if mark.what == "lifted" and start is None:
                start = at
            elif mark.what == "lowered" and start is not None:
                found.append(Lift(start, at))
                start = None
        if start is not None:
            found.append(Lift(start, FOREVER))
        return tuple(lift for lift in found if lift.end > begin)
