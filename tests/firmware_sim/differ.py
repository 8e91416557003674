"""emcheck and the auditor on the same malicious night: where do they differ?

Over many seeds, by hand: `python -m tests.firmware_sim.differ FIRST LAST [--raised]` prints what differs.
"""

import argparse
import json
import sys
from typing import Any

from emcheck.domain.ids import AddressId, WearerId
from emcheck.domain.register import parse_register
from emcheck.present import lines
from emcheck.service.replay import Replayed, replay
from emcheck.service.stream import Line, parse_lines
from firmware_sim.auditor import audit, audit_alarms, audit_timeline
from firmware_sim.auditor.instants import format_utc, parse_utc
from tests.firmware_sim.adversary import Night, dumps, night
from tests.support import england

ABSENCE = ("rule", "class", "wearer_id", "order_id", "window", "start", "end", "seconds", "excluded_seconds", "state")
FIELDS = {"curfew.absence": ABSENCE, "curfew.accumulated": ("rule", "wearer_id", "order_id", "start")}


def judged(case: Night, until: int | None, *, whole_timeline: bool = False) -> Replayed:
    """emcheck's judgement, from the bytes of a stream file."""
    register = parse_register(json.dumps(case.register))
    return replay(stream(case), register, england(), until=until, whole_timeline=whole_timeline)


def stream(case: Night) -> list[Line]:
    """The rows as emcheck reads them."""
    return list(parse_lines(dumps(case.rows).encode().splitlines(), "stream"))


def difference(case: Night, until: int | None, *, raised: bool = False) -> list[str]:
    """What only one of the two says of findings and timelines, and with `raised` of when alerts were raised."""
    result = judged(case, until)
    findings = [lines.as_json(f) for f in lines.in_order(result.findings) if f.rule in FIELDS]
    ours = [_told(finding) for finding in findings]
    theirs = [_told(finding) for finding in audit(case.rows, case.register, until)]
    if ours != theirs:
        return _unlike(ours, theirs) or ["the same findings in another order"]
    return _timelines(case, until) or (_alarms(case, findings, until) if raised else [])


def _told(finding: dict[str, Any]) -> str:
    state = "open" if finding.get("end") is None else "closed"
    return json.dumps({key: ({"state": state} | finding).get(key) for key in FIELDS[finding["rule"]]})


def _unlike(ours: list[str], theirs: list[str]) -> list[str]:
    engine = [f"engine only   {x}" for x in ours if x not in theirs]
    return engine + [f"auditor only  {x}" for x in theirs if x not in ours]


def known_time(case: Night, wearer: str, address: str, until: int | None = None) -> list[str]:
    """emcheck's known time of a wearer at an address: start, end and state."""
    result = judged(case, until, whole_timeline=True)
    known = result.timeline(WearerId(wearer), AddressId(address))
    drawn = [line["timeline"] for line in lines.intervals(wearer, address, known, result.until)]
    return [f"{t['start']} {t['end']} {t['state']}" for t in drawn if t["state"] != "unknown"]


def _timelines(case: Night, until: int | None) -> list[str]:
    unlike = []
    for (wearer, address), spans in sorted(audit_timeline(case.rows, case.register, until).items()):
        theirs = [f"{format_utc(low)} {format_utc(high)} {state}" for low, high, state in spans if state != "unknown"]
        unlike += _unlike(known_time(case, wearer, address, until), theirs)
    return unlike


def _alarms(case: Night, findings: list[dict[str, Any]], until: int | None) -> list[str]:
    alarms = audit_alarms(case.rows, case.register, until)
    unlike = []
    for finding in findings:
        allowed = alarms[finding["order_id"]].allowed(finding)
        raised_ms = None if finding["raised_at"] is None else parse_utc(finding["raised_at"])
        if raised_ms not in allowed and (raised_ms is not None or allowed):
            unlike.append(f"raised_at {finding['raised_at']}, not {sorted(map(format_utc, allowed))}: {_told(finding)}")
    return unlike


def main() -> None:
    """Compare over a range of seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--raised", action="store_true", help="compare raised_at too (slow)")
    options = parser.parse_args()
    differing = []
    for seed in range(options.first, options.last):
        case = night(seed)
        for until in case.untils:
            try:
                unlike = difference(case, until, raised=options.raised)
            except (LookupError, TypeError, ValueError, AssertionError) as error:
                unlike = [f"{type(error).__name__}: {error}"]
            if unlike:
                differing.append(seed)
                said = "\n  ".join(unlike[:6])
                sys.stdout.write(f"{seed} until {until and format_utc(until)}\n  {said}\n")
                sys.stdout.flush()
                break
    sys.stdout.write(f"{options.last - options.first} nights, {len(differing)} differ: {differing}\n")


if __name__ == "__main__":
    main()
