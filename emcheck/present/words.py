"""What a finding says to a person: plain, exact, no blame. "Not heard at home", never "absconded"."""

from collections.abc import Callable

from emcheck.domain.findings import Finding
from emcheck.domain.instants import parse_ms
from emcheck.present.body_words import no_motion, not_attached, unvalidated
from emcheck.present.devices import REFUSED
from emcheck.present.times import clock, day, duration


def explain(finding: Finding) -> str:
    """One sentence or two that an operator and a lawyer both understand."""
    return _SENTENCES[finding.rule](finding)


def _absence(f: Finding) -> str:
    since, length = clock(f.start, f.zone), duration((f.absent_ms or 0) + (f.excluded_ms or 0))
    until = clock(f.end, f.zone) if f.end is not None else ""
    window = f"{clock(f.window.start, f.zone)} to {clock(f.window.end, f.zone)}" if f.window else ""
    sentence = {
        "late_return": f"Not heard at home when the curfew began at {since}; heard again at {until}, {length} late.",
        "left_during": f"Not heard at home from {since} to {until}, {length}.",
        "out_at_end": f"Not heard at home from {since} to the end of the curfew at {until}, {length}.",
        "out_whole": f"Not heard at home for the whole curfew, {since} to {until}, {length}.",
    }[f.class_ or ""]
    if f.is_left_open:
        when = f"when the curfew began at {since}, nor" if f.class_ == "late_return" else f"from {since}"
        sentence = f"Not heard at home {when} until {until}, {length}; nothing tells what came after."
    if f.end is None:
        sentence = f"Not heard at home since {since}, {length} so far."
    excused = f" Of this {duration(f.excluded_ms)} is authorised." if f.excluded_ms else ""
    doubts = f" In doubt, for in this time {', and '.join(_DOUBTS[doubt] for doubt in f.doubts)}." if f.doubts else ""
    return f"{sentence}{excused} Curfew {window}, {f.zone}.{doubts}"


_DOUBTS = {
    "interference": "the radio noise at the base unit was high",
    "tag_battery": "the tag's battery was all but empty",
    "clock": "the base unit's clock was off",
    "our_clock": "the monitoring service's own clock was set or not synchronised",
}


def _accumulated(f: Finding) -> str:
    allowed, total = duration(int(dict(f.detail)["allowance_s"]) * 1000), duration(f.absent_ms or 0)
    beyond = "" if total == allowed else f" Unexcused absences of this order add up to {total}."
    return (
        f"The allowance of {allowed} of unexcused absence was used up at {clock(f.start, f.zone)} ({f.zone}).{beyond}"
    )


def _silent(f: Finding) -> str:
    start = f"{_last_heard(f)} {clock(f.start, f.zone)}"
    if f.end is None:
        return f"{start} ({f.zone}), and nothing has come since. Whether anyone is at home is unknown."
    return f"{start}, until something came at {clock(f.end, f.zone)} ({f.zone}), {duration(f.end - f.start)}."


def _last_heard(f: Finding) -> str:
    heard = dict(f.detail).get("last_received_at")
    if heard is None:  # found by an older version and not judged again
        return f"Base unit {f.unit} counts as silent from"
    if heard == "never":
        never = "has not been heard from at all" if f.end is None else "had not been heard from"
        return f"Base unit {f.unit} {never} since it was installed; it counts as silent from"
    last = parse_ms(str(heard))
    later = duration(f.start - last)
    return f"Base unit {f.unit} was last heard from at {clock(last, f.zone)}; it counts as silent from {later} later,"


def _until(f: Finding, comma: str = "") -> str:
    """Where it ends, if it has; to follow where it begins."""
    return "" if f.end is None else f"{comma} until {clock(f.end, f.zone)}"


def _strap(f: Finding) -> str:
    what = "cut" if f.class_ == "strap_cut" else "open"
    return (
        f"The strap of tag {dict(f.detail)['tag']} was reported {what} at {clock(f.start, f.zone)} ({f.zone}). "
        "Only a fitter's visit clears this: a strap that is closed again proves nothing."
        + (" In doubt, for straps of its batch are reported far oftener than others." if f.doubts else "")
    )


def _gap(f: Finding) -> str:
    numbers = dict(f.detail)
    missing = f"Events {numbers['from']} to {numbers['to']} of base unit {f.unit}"
    if f.class_ != "lost":
        return f"{missing} did not come although asked for; their time is unknown."
    if "periodic_only" in numbers:
        return f"{missing} were declared lost by the unit: periodic reports only, no change was among them."
    return f"{missing} were declared lost by the unit; their time is unknown."


def _rejected(f: Finding) -> str:
    told = dict(f.detail)
    count, what = told["count"], f"; of the first: {told['what']}" if "what" in told else ""
    if f.class_ == "bad_receipt":
        return (
            f"{count} receipt(s) of a consumer of the monitoring queue could not be used{what}. They are kept in quarantine "
            f"and confirm nothing: what they were for counts as not delivered by them. No base unit is concerned."
        )
    return (
        f"{count} message(s) of base unit {f.unit} could not be used: {REFUSED.get(f.class_ or '', 'of an unknown kind')} "
        f"({f.class_}{what}). They are kept in quarantine."
    )


def _unknown(f: Finding) -> str:
    count = dict(f.detail)["count"]
    if f.class_ == "bad_topic":
        return f"{count} message(s) came on {f.unit}, which is no unit's topic (em/v1/UNIT/up); kept in quarantine."
    return f"{count} message(s) from {f.unit}, which is not in the register; kept in quarantine, not acknowledged."


def _power(f: Finding) -> str:
    told, since = dict(f.detail), clock(f.start, f.zone)
    if f.end is not None:
        ended = f"until {clock(f.end, f.zone)} ({f.zone}), {duration(f.end - f.start)}"
        return f"Base unit {f.unit} ran on its battery, without mains, from {since} {ended}."
    held = f"which held {told['battery_pct']} % then" if "battery_pct" in told else "how full is not known"
    lasts = clock(parse_ms(str(told["lasts_until"])), f.zone)
    return (
        f"Base unit {f.unit} has been without mains since {since}, by its own last word. It runs on its battery, {held}; "
        f"that lasts until about {lasts} ({f.zone}). Then it falls silent. This says nothing of the wearer."
    )


def _unit_battery(f: Finding) -> str:
    told = dict(f.detail)
    return f"The battery of base unit {f.unit} is low though it is on mains: {_battery(f, told)}"


def _tag_battery(f: Finding) -> str:
    told = dict(f.detail)
    return f"The battery of tag {told['tag']} is low: {_battery(f, told)}"


def _battery(f: Finding, told: dict[str, str | int]) -> str:
    until = _until(f, ",")
    due = day(parse_ms(str(told["visit_due"])), f.zone)
    return f"{told['battery_pct']} % at {clock(f.start, f.zone)}{until} ({f.zone}). A visit is due by {due}."


def _tag_case(f: Finding) -> str:
    return (
        f"The case of tag {dict(f.detail)['tag']} was reported open at {clock(f.start, f.zone)} ({f.zone}). "
        "Only a fitter's visit clears this."
    )


def _unit_case(f: Finding) -> str:
    until = "and has not said that it is closed since" if f.end is None else f"until {clock(f.end, f.zone)}"
    return f"Base unit {f.unit} reported its case open at {clock(f.start, f.zone)}, {until} ({f.zone})."


def _unit_clock(f: Finding) -> str:
    offset_ms = int(dict(f.detail)["offset_ms"])
    way = "ahead" if offset_ms > 0 else "behind"
    until = _until(f)
    return (
        f"The clock of base unit {f.unit} was {duration(abs(offset_ms))} {way} from {clock(f.start, f.zone)}{until} "
        f"({f.zone}). The times that it tells are corrected by what it measures itself."
    )


def _unit_moved(f: Finding) -> str:
    shown = {
        "with_power": "within two minutes its mains went or came back, too",
        "with_link": "within two minutes it lost or found its link, too",
        "repeated": "it had been moved again and again within a day",
    }[f.class_ or ""]
    return f"Base unit {f.unit} was moved at {clock(f.start, f.zone)} ({f.zone}), and {shown}."


def _interference(f: Finding) -> str:
    told = dict(f.detail)
    until = _until(f)
    return (
        f"Radio noise at base unit {f.unit} was high ({told['noise_dbm']} dBm) and most frames of tag {told['tag']} were "
        f"missed from {clock(f.start, f.zone)}{until} ({f.zone}). An absence in this time is in doubt."
    )


def _replayed(f: Finding) -> str:
    told = dict(f.detail)
    until = _until(f)
    return (
        f"Frames of tag {told['tag']} came whose counter had gone back, from {clock(f.start, f.zone)}{until} ({f.zone}); "
        f"{told['frames']} in the first report. Somebody may be playing recorded frames, or the tag lost its memory."
    )


def _overdue(f: Finding) -> str:
    until = "and still has none" if f.end is None else f"until {clock(f.end, f.zone)}"
    if f.class_ == "failed_attempts":
        visits, tag = (
            dict(f.detail)["visits"],
            "no tag is on" if f.end is None else f"a tag is on from {clock(f.end, f.zone)}",
        )
        return f"Visits to fit {f.wearer_id} for order {f.order_id} failed ({visits}), the last at {clock(f.start, f.zone)}; {tag} ({f.zone}). Tell the authority."
    return f"Order {f.order_id} has begun and {f.wearer_id} had no tag when it was due, {clock(f.start, f.zone)}, {until} ({f.zone})."


def _removal(f: Finding) -> str:
    until = "and is still on" if f.end is None else f"and was taken off at {clock(f.end, f.zone)}"
    return (
        f"The last order of {f.wearer_id} has ended. Tag {dict(f.detail)['tag']} is due to come off from "
        f"{clock(f.start, f.zone)} on, {until} ({f.zone})."
    )


def _not_producing(f: Finding) -> str:
    told = dict(f.detail)
    whom, since = f"the equipment of {f.wearer_id} at {told['address']}", clock(f.start, f.zone)
    why = _NOTHING_COMES[f.class_ or ""].format(
        wearer=f.wearer_id,
        told_until=_told_until(told, f.zone),
        **{key: told[key] for key in ("address", "units", "tags")},
    )
    if f.end is not None:
        until = clock(f.end, f.zone)
        return f"Nothing usable came from {whom} from {since} until {until} ({f.zone}), order {f.order_id}. The reason at the last check: {why}."
    return (
        f"Order {f.order_id} is in force, and nothing usable has come from {whom} since {since} ({f.zone}): {why}. "
        "Whether anyone is at home is unknown."
    )


def _told_until(told: dict[str, str | int], zone: str) -> str:
    at = str(told["told_until"])
    return "" if at == "never" else f" than {clock(parse_ms(at), zone)}"


_NOTHING_COMES = {
    "no_tag": "{wearer} wore a tag in this order and has none on now",
    "no_unit": "no base unit is installed at {address}",
    "never_heard": "{units} has not been heard from since it was installed",
    "unit_silent": "{units} is silent",
    "all_refused": "{units} is heard, but all that it sends is refused",
    "late": "{units} is heard, but tells of no time later{told_until}",
    "tag_not_named": "{units} is heard, but never names {tags}",
    "not_vouched": "{units} is heard and names {tags}, but numbers are missing, so that nothing vouches for it",
}


def _conflict(f: Finding) -> str:
    if f.class_ == "older_boot":
        return (
            f"Base unit {f.unit} had started anew, and yet events of an earlier run came dated after that start, from "
            f"{clock(f.start, f.zone)} on ({f.zone}). They measure nothing. A clone, a restored unit or a clock that was "
            "set is possible."
        )
    return (
        f"Event {f.evidence[0].seq} of base unit {f.unit} came with two different contents and counts as missing. "
        "A clone or a restored unit is possible."
    )


def _fleet(f: Finding) -> str:
    told = dict(f.detail)
    return (
        f"Of {told['worn']} straps of batch {told['batch']} {told['reported']} were reported cut or open by "
        f"{clock(f.start, f.zone)} ({f.zone}), of {told['others_worn']} others {told['others_reported']}. The straps may be "
        "faulty: no wearer is to be accused by one of them before a fitter has seen it."
    )


def _service_clock(f: Finding) -> str:
    since = clock(f.start, f.zone)
    if f.class_ == "unsynchronised":
        until = "and it is still not" if f.end is None else f"until {clock(f.end, f.zone)}"
        return (
            f"The clock of the monitoring service has not been synchronised with any time source from {since}, {until} "
            f"({f.zone}). When alerts are raised is told by this clock; absences in this time are in doubt."
        )
    stepped_ms = int(dict(f.detail)["stepped_ms"])
    what = f"{duration(abs(stepped_ms))} {'forward' if stepped_ms > 0 else 'back'}"
    twice = "was skipped" if stepped_ms > 0 else "came twice"
    return (
        f"The clock of the monitoring service was set {what}: the time from {since} to {clock(f.end or f.start, f.zone)} "
        f"({f.zone}) {twice}. Silences and alerts in it are dated by a wrong clock; absences in it are in doubt."
    )


def _incident(f: Finding, what: str, cause: str, goes_on: str) -> str:
    told = dict(f.detail)
    where = {
        "all": "",
        "uplink": f" on uplink {told['group']}",
        "firmware": f" with firmware {told['group']}",
        "postcode": f" in postcode {told['group']}",
    }[f.class_ or ""]
    last = parse_ms(str(told["last_began"]))
    span = (
        f"between {clock(f.start, f.zone)} and {clock(last, f.zone)}" if last > f.start else f"at {clock(last, f.zone)}"
    )
    shared = f" Nearly all of them share {told['shared']}." if "shared" in told else ""
    still = f"{told['lasting']} of them {goes_on}" if f.end is None else f"It was over at {clock(f.end, f.zone)}"
    return (
        f"{told['units']} of {told['of']} base units{where} {what} {span} "
        f"({f.zone}). {still}.{shared} One cause is likely: {cause}. Nobody is accused by it."
    )


def _incident_silent(f: Finding) -> str:
    cause = {
        "all": "this service, its broker or the network before it",
        "uplink": "the network that carries their messages",
        "firmware": "a fault of this firmware",
        "postcode": "the power or the network of the district",
    }[f.class_ or ""]
    return _incident(f, "fell silent", cause, "are silent still, and whether anyone is at home there is unknown")


def _incident_power(f: Finding) -> str:
    return _incident(f, "lost their mains", "a power cut", "run on their batteries still")


def _undecided(f: Finding) -> str:
    return (
        f"The curfew of {f.wearer_id} could not be judged since {clock(f.start, f.zone)} ({f.zone}): a rule failed "
        f"({dict(f.detail)['error']}). All facts are stored and what was said before stands; it is tried again."
    )


def _audit(f: Finding) -> str:
    told = dict(f.detail)
    since = clock(parse_ms(str(told["since"])), f.zone)
    named = f" ({told['alerts']})" if "alerts" in told else ""
    return {
        "step_overdue": f"{told['count']} alert(s) should have been passed on and were not, the first at {since} ({f.zone}){named}. The escalation does not work as the policy wants.",
        "undelivered": f"Nobody has confirmed to have {told['count']} alert(s), though everybody whom the policy names was called; the first is missed since {since} ({f.zone}){named}. Perhaps nobody is there.",
        "publisher_behind": f"The publisher {told.get('publisher')} owes {told['count']} deliveries or more, the first since {since} ({f.zone}). What it should tell, nobody hears from it.",
    }[f.class_ or ""]


_SENTENCES: dict[str, Callable[[Finding], str]] = {
    "curfew.absence": _absence,
    "curfew.accumulated": _accumulated,
    "unit.silent": _silent,
    "tag.strap": _strap,
    "evidence.gap": _gap,
    "evidence.rejected": _rejected,
    "evidence.unknown_device": _unknown,
    "evidence.conflict": _conflict,
    "fitting.unvalidated": unvalidated,
    "fitting.overdue": _overdue,
    "monitoring.removal_due": _removal,
    "monitoring.not_producing": _not_producing,
    "evidence.replayed": _replayed,
    "body.not_attached": not_attached,
    "body.no_motion": no_motion,
    "unit.power": _power,
    "unit.battery": _unit_battery,
    "unit.case": _unit_case,
    "unit.clock": _unit_clock,
    "unit.moved": _unit_moved,
    "rf.interference": _interference,
    "tag.battery": _tag_battery,
    "tag.case": _tag_case,
    "service.undecided": _undecided,
    "fleet.batch": _fleet,
    "service.audit": _audit,
    "service.clock": _service_clock,
    "incident.silent": _incident_silent,
    "incident.power": _incident_power,
}
