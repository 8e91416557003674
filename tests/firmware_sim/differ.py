"""emcheck and the auditor on the same malicious night: where do they differ? Runs by hand over many seeds.

`python -m tests.firmware_sim.differ FIRST LAST` prints the first difference of each seed.
"""

import json
import sys
from itertools import groupby
from typing import Any

from emcheck.domain.register import parse_register
from emcheck.present import lines
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from firmware_sim.auditor import audit, audit_timeline
from firmware_sim.auditor.instants import format_utc, parse_utc
from tests.firmware_sim.adversary import Night, night
from tests.support import england

ABSENCE = ("rule", "class", "wearer_id", "order_id", "window", "start", "end", "seconds", "excluded_seconds", "state")
FIELDS = {"curfew.absence": ABSENCE, "curfew.accumulated": ("rule", "wearer_id", "order_id", "start")}


def as_lines(rows: list[dict[str, Any]], path: str) -> list[Line]:
    from pathlib import Path
    from emcheck.service.stream import read_stream
    Path(path).write_text("".join(json.dumps(r) + "\n" for r in rows))
    return list(read_stream(path))


def difference(case: Night, stream: list[Line], until: int | None) -> str | None:
    """What differs, as text."""
    known = parse_register(json.dumps(case.register))
    result = replay(stream, known, england(), until=until)
    ours = [_told(lines.as_json(f)) for f in lines.in_order(result.findings) if f.rule in FIELDS]
    theirs = [_told(f | {"state": "open" if f.get("end") is None else "closed"}) for f in audit(case.rows, case.register, until)]
    if ours != theirs:
        return _diff(ours, theirs)
    drawn: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for wearer in result.engine.cases.values():
        tracks = {unit: result.engine.units[unit].track for unit in wearer.units}
        for address in wearer.sources:
            spans = lines.intervals(wearer.wearer_id, address, wearer.timeline(address, tracks), result.until)
            told = [s["timeline"] for s in spans]
            drawn[wearer.wearer_id, address] = [(parse_utc(t["start"]), parse_utc(t["end"]), t["state"]) for t in told]
    audited = audit_timeline(case.rows, case.register, until)
    for key in sorted(drawn.keys() | audited.keys()):
        a = [s for s in drawn.get(key, []) if s[2] != "unknown"]
        b = [s for s in audited.get(key, []) if s[2] != "unknown"]
        if a != b:
            return f"timeline {key}\n" + _diff([_span(s) for s in a], [_span(s) for s in b])
    return None


def _span(s):
    return f"{format_utc(s[0])} {format_utc(s[1])} {s[2]}"

def _diff(ours: list[Any], theirs: list[Any]) -> str:
    out = [f"  engine only  {x}" for x in ours if x not in theirs] + [f"  auditor only {x}" for x in theirs if x not in ours]
    return "\n".join(out)


def _told(finding: dict[str, Any]) -> dict[str, Any]:
    return {key: finding.get(key) for key in FIELDS[finding["rule"]]}


def main() -> None:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    n = found = 0
    bad=[]
    for seed in range(first, last):
        case = night(seed)
        stream = as_lines(case.rows, f"/tmp/fz/s{first}.jsonl")
        n += 1
        for until in case.untils:
            try:
                d = difference(case, stream, until)
            except Exception as e:
                import traceback
                d = "EXC " + traceback.format_exc(limit=-3)
            if d:
                bad.append(seed)
                if len(bad) <= int(sys.argv[3]) if len(sys.argv) > 3 else 5:
                    print(seed, until and format_utc(until)); print(d)
                break
            found += 1
    print(n, "cases", len(bad), "bad", bad[:40])


if __name__ == "__main__":
    main()
