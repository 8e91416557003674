"""From the lines of a stream to what each unit was heard to say under each number, before anything is judged.

Presence 6: order of arrival, repetition and batching change nothing, so what is kept is a set: for every number its
contents and the first time each came, and whether it was ever refused.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from firmware_sim.auditor.instants import parse_utc
from firmware_sim.auditor.schema import instant, is_well_formed, sequence_number, text, whole

ENVELOPE_BYTES_MAX = 64 * 1024

Number = tuple[str, int]
"""A boot and a sequence number: with the unit it names an event for ever."""


@dataclass(slots=True)
class Received:
    """What came from one unit. `contents` is by number, then by canonical text: (event, first received at)."""

    contents: dict[Number, dict[str, tuple[dict[str, Any], int]]] = field(default_factory=dict)
    refused: set[Number] = field(default_factory=set)

    def add(self, number: Number, event: Any, received_ms: int) -> None:
        """Keep one event under its number; one that is not in the schema refuses the number."""
        if not is_well_formed(event):
            self.refused.add(number)
            return
        # 'Different bytes' is taken as different JSON: spaces and the order of keys say nothing.
        canonical = json.dumps(event, sort_keys=True)
        copies = self.contents.setdefault(number, {})
        first_ms = copies[canonical][1] if canonical in copies else received_ms
        copies[canonical] = (event, min(first_ms, received_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known at `until_ms`: the units of the register, and absences by order that hold."""

    until_ms: int
    units: dict[str, Received]
    absences: dict[str, list[dict[str, Any]]]


def read_stream(lines: Iterable[dict[str, Any]], register: dict[str, Any], until_ms: int | None) -> Known:
    """Read everything received up to and including `until_ms` (None: up to the last line's `received_at`)."""
    timed = [(parse_utc(line["received_at"]), line) for line in lines]
    until = max((at for at, _ in timed), default=0) if until_ms is None else until_ms
    units = {installation["unit"]: Received() for installation in register["installations"]}
    absences = {
        order["order_id"]: [absence for absence in order.get("authorised_absences") or [] if "revoked" not in absence]
        for order in register["orders"]
    }
    for received_ms, line in timed:
        if received_ms > until:
            continue  # formats.md: facts received after T are not yet known
        instruction = line.get("instruction", {})
        if instruction.get("type") == "authorised_absence":
            absences[instruction["order_id"]].append(instruction)
        elif instruction.get("type") == "revocation" and instruction["revokes"] == "authorised_absence":
            held = absences[instruction["order_id"]]
            absences[instruction["order_id"]] = [absence for absence in held if not _is_named(absence, instruction)]
            absences[instruction["order_id"]] += [instruction["instead"]] if instruction.get("instead") else []
        level = line.get("topic", "").split("/")
        if level[:2] == ["em", "v1"] and level[3:] == ["up"] and level[2] in units:
            _read_envelope(level[2], line.get("payload"), received_ms, units[level[2]])
    return Known(until_ms=until, units=units, absences=absences)


def _is_named(absence: dict[str, Any], revocation: dict[str, Any]) -> bool:
    """Whether a revocation is about this absence."""
    return absence["from"] == revocation["from"] and revocation.get("until") in (None, absence["until"])


def _read_envelope(unit: str, envelope: Any, received_ms: int, received: Received) -> None:
    """Number the events of one envelope; of a refused one, what can be read of its numbers is refused."""
    if not isinstance(envelope, dict):
        return
    boot, first_seq, events = envelope.get("boot"), envelope.get("first_seq"), envelope.get("events")
    if not (isinstance(boot, str) and text(boot) and isinstance(first_seq, int) and sequence_number(first_seq)):
        return  # no number can be read: nothing is refused, and nothing is known
    if not isinstance(events, list) or _is_over_size(envelope):
        return  # an envelope over size cannot be read at all: the unit halves it, and its numbers still come
    acceptable = _envelope_is_acceptable(unit, envelope)
    for seq, event in enumerate(events, start=first_seq):
        if acceptable:
            received.add((boot, seq), event, received_ms)
        else:
            received.refused.add((boot, seq))


def _envelope_is_acceptable(unit: str, envelope: dict[str, Any]) -> bool:
    """Right version, right unit and a time of sending."""
    return (
        whole(envelope.get("v"))
        and envelope["v"] == 1
        and envelope.get("unit") in (None, unit)
        and instant(envelope.get("sent_at"))
    )


def _is_over_size(envelope: dict[str, Any]) -> bool:
    """Over 64 KiB even when written as tightly as can be."""
    tight = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
    return len(tight.encode("utf-8", "surrogatepass")) > ENVELOPE_BYTES_MAX
