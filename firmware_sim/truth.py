"""Ground truth: what people really did and what really failed, one JSON object a line, sorted.

`{"kind":"presence","wearer_id","order_id","tag","address_id","state":"home"|"away","start","end"}` covers the
scenario without holes; `{"kind":"tamper","wearer_id","tag","tamper":"strap_cut","at"}`;
`{"kind":"body","wearer_id","tag","place","on_limb","at"}` where a scenario puts a tag somewhere;
`{"kind":"fault","fault":{...as in the scenario...},"units":[...],"start","end"}`. Times are UTC, exact.
"""

import json
from collections.abc import Iterator
from typing import Any

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE, SECOND, format_ms
from firmware_sim.body import is_on_limb
from firmware_sim.faults import ClockFault, Fault, Reboot
from firmware_sim.town import Dwelling, TownPlan, Wearer


def truth_lines(town: TownPlan) -> list[str]:
    """The lines of `truth.jsonl`, by start."""
    records = [r for home in town.dwellings for wearer in home.wearers for r in _of_wearer(town, home, wearer)]
    records += [_of_fault(town, fault) for fault in town.scenario.faults]
    texts = [(r.get("start", r.get("at")), json.dumps(r, separators=(",", ":"), ensure_ascii=False)) for r in records]
    return [text for _, text in sorted(texts)]


def _of_wearer(town: TownPlan, home: Dwelling, wearer: Wearer) -> Iterator[dict[str, Any]]:
    at, until = town.scenario.start_ms, town.scenario.end_ms
    for stay in wearer.plan.away:
        if stay.start > at:
            yield _presence(home, wearer, "home", at, stay.start)
        yield _presence(home, wearer, "away", stay.start, stay.end)
        at = stay.end
    if at < until:
        yield _presence(home, wearer, "home", at, until)
    for cut in wearer.plan.cuts:
        yield {
            "kind": "tamper",
            "wearer_id": wearer.wearer_id,
            "tag": wearer.tag,
            "tamper": "strap_cut",
            "at": format_ms(cut),
        }
    for put in (move for move in wearer.plan.moves if move.kind == "put"):
        yield {
            "kind": "body",
            "wearer_id": wearer.wearer_id,
            "tag": wearer.tag,
            "place": put.place,
            "on_limb": is_on_limb(put.place),
            "at": format_ms(put.at),
        }


def _presence(home: Dwelling, wearer: Wearer, state: str, start: Ms, end: Ms) -> dict[str, Any]:
    return {
        "kind": "presence",
        "wearer_id": wearer.wearer_id,
        "order_id": wearer.order_id,
        "tag": wearer.tag,
        "address_id": home.address_id,
        "state": state,
        "start": format_ms(start),
        "end": format_ms(end),
    }


def _of_fault(town: TownPlan, fault: Fault) -> dict[str, Any]:
    start = town.scenario.instant(fault.at)
    end = town.scenario.end_ms
    if isinstance(fault, Reboot):
        end = start + fault.down_s * SECOND
    elif not isinstance(fault, ClockFault):
        end = start + round(fault.minutes * MINUTE)
    return {
        "kind": "fault",
        "fault": fault.model_dump(mode="json"),
        "units": town.units_of(fault.wearers),
        "start": format_ms(start),
        "end": format_ms(end),
    }
