"""The record of a fitting, version 1 (docs/formats.md): what was signed, and why it could be.

A function of the session's acts and of the facts received before `as_of`, judged at `as_of`: whoever holds the inbox
computes the same bytes. Personal data (name, limb note) is no part of it, so that it survives an erasure.
"""

from collections.abc import Mapping
from typing import Any

from emcheck.domain.canonical import sha256_of
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, CloseFitting, MarkFitting, OpenFitting, OverrideFitting
from emcheck.domain.fitting.judging import Standing
from emcheck.domain.fitting.limb_check import judged, since_chosen
from emcheck.domain.fitting.seen import Seen
from emcheck.domain.fitting.steps import STEPS
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms

VERSION = 1
_LEFT_OUT = {"type", "session", "tag", "warnings", "at", "key", "found"}


def record(it: Standing) -> dict[str, Any]:
    """The record as JSON values; numbers that a step rests on stand in its readings."""
    seen, visit = it.seen, it.seen.visit
    steps = [
        {
            "step": step.id,
            "clause": step.clause,
            "title": step.title,
            "passes": step.passes,
            "evidence": step.evidence,
            "source": step.source,
            "state": it.results[step.id].state,
            "words": it.results[step.id].words,
            "readings": dict(it.results[step.id].readings),
        }
        for step in STEPS
    ]
    override = seen.override
    return {
        "version": VERSION,
        "session": visit.session,
        "order_id": visit.order_id,
        "wearer_id": visit.wearer_id,
        "address_id": visit.address_id,
        "tag": visit.tag,
        "unit": visit.unit,
        "fitter": visit.by,
        "fitter_tag": visit.fitter_tag,
        "strap_batch": visit.strap_batch,
        "limb": None if seen.limb is None else seen.limb.said.limb,
        "opened_at": format_ms(visit.opened_at),
        "as_of": format_ms(seen.now),
        "acts": len(seen.acts),
        "events": seen.heard.events,
        "state": it.state,
        "override": None if override is None else {"by": override.by, "reason": override.reason},
        "steps": steps,
        "policy": {
            "label": seen.policy.label,
            "sha256": seen.policy.sha256,
            "thresholds": {key: _threshold(seen, key) for key in sorted(seen.thresholds)},
        },
        "body": _body(seen),
        "history": [_said(at, act) for at, act in seen.acts],
    }


def record_sha256(of: Mapping[str, Any]) -> str:
    """What is signed: SHA-256 (hex) over the RFC 8785 form of a record."""
    return sha256_of(of)


def _threshold(seen: Seen, key: str) -> dict[str, Any]:
    threshold = seen.policy.thresholds[key]
    return {"value": threshold.value, "unit": threshold.unit, "reason": threshold.reason, "source": threshold.source}


def _body(seen: Seen) -> list[dict[str, Any]]:
    """The body check's readings, one by one, and what it said of each."""
    return [
        {
            "at": format_ms(sample.at),
            "skin_c": sample.skin_c,
            "ambient_c": sample.ambient_c,
            "motion": sample.motion,
            "proximity": sample.proximity,
            "strap": sample.strap,
            "lifted": lifted,
            "state": judgement.state,
            "p_attached": round(judgement.p_attached, 4),
        }
        for sample, judgement, lifted in judged(since_chosen(seen), seen.lifts)
    ]


_KINDS = {
    OpenFitting: "opened",
    AnswerStep: "answer",
    MarkFitting: "mark",
    AddPhoto: "photo",
    OverrideFitting: "override",
}


def _said(at: Ms, act: object) -> dict[str, Any]:
    """An act of the session, when it became known and, where that differs, when it was."""
    if not isinstance(act, (OpenFitting, AnswerStep, MarkFitting, AddPhoto, OverrideFitting, CloseFitting)):
        raise TypeError(f"{type(act).__name__} is no act of a session")
    said: dict[str, Any] = {"received_at": format_ms(at), "act": _KINDS.get(type(act), "closed")}
    if isinstance(act, (AnswerStep, MarkFitting, AddPhoto)) and act.at is not None:
        said["at"] = format_ms(act.at)
    told = act.model_dump(mode="json", exclude=_LEFT_OUT, exclude_none=True)
    return said | {key: value for key, value in told.items() if value != []}
