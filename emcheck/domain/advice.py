"""What to do next about an alert: one table, a step for each rule, with where it comes from.

The steps are the model's practice (domain.md); an authority's own instructions go before them. `CLASSES` holds what is
otherwise for one class of a rule's findings, `OVER` what remains once the cause is over.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from emcheck.domain.alerts import Alert, AlertState


class Advice(NamedTuple):
    """What a duty operator does next, in a sentence or two, and the place in domain.md that says so.

    `command` does or shows it in a terminal; the words do without it.
    """

    do: str
    source: str
    command: str = ""


_ALERTS, _RULES, _FITTING = "docs/domain.md, Alerts", "docs/domain.md, Rules", "docs/domain.md, Fitting"
_PRESENCE, _WRONG, _PROTOCOL = (
    "docs/domain.md, Presence",
    "docs/domain.md, What has gone wrong elsewhere",
    "docs/protocol.md, Bad input",
)

RULES: Mapping[str, Advice] = MappingProxyType(
    {
        "curfew.absence": Advice(
            "Call the wearer and close the alert with what was said. No answer within 30 min: escalate it, which calls "
            "whoever is to know next. Leave that was granted is entered as an authorised absence.",
            _ALERTS,
        ),
        "curfew.accumulated": Advice(
            "Look through the absences that add up. If it is a breach, close the alert as a breach that is reported, "
            "and refer it before it is overdue.",
            _ALERTS,
            "emcheck alerts refer",
        ),
        "tag.strap": Advice(
            "Call the wearer and send a fitter: only a visit clears it. Where the strap's batch is in doubt, accuse "
            "nobody before that.",
            _RULES,
        ),
        "tag.case": Advice("Call the wearer and send a fitter, who looks at the tag and clears it.", _RULES),
        "unit.case": Advice("Call the wearer, and plan a visit: somebody may have opened the base unit.", _RULES),
        "body.not_attached": Advice(
            "Call the wearer and send a fitter, who fits and validates the tag anew: a closed strap proves nothing "
            "about a limb.",
            _WRONG,
        ),
        "body.no_motion": Advice(
            "Call the wearer and have the fitting validated anew: a tag that lies at home is heard as one that is "
            "worn.",
            _FITTING,
        ),
        "unit.moved": Advice(
            "Call the wearer: the base unit must stand where it was installed. If it was carried elsewhere, send a "
            "fitter, for its range is no longer that of the walk test.",
            _FITTING,
        ),
        "unit.silent": Advice(
            "Call the wearer: is the base unit on mains and in its place? Until it is heard again whether anyone is "
            "at home is unknown, which is no absence. If many are silent, look for what they share.",
            _RULES,
        ),
        "unit.power": Advice(
            "Call the wearer: the base unit is to be back on mains before its battery is empty.", _RULES
        ),
        "unit.clock": Advice(
            "Ask nothing of the wearer. If it stays, have the base unit started anew or exchanged: absences "
            "meanwhile are in doubt.",
            _PRESENCE,
        ),
        "unit.battery": Advice("Plan a visit by the day that the alert names, to exchange the base unit.", _RULES),
        "tag.battery": Advice(
            "Plan a visit by the day that the alert names, to charge or exchange the tag.",
            _RULES,
        ),
        "rf.interference": Advice(
            "Accuse nobody by this time alone. If it stays, send a fitter to find what disturbs, or another place "
            "for the base unit.",
            _PRESENCE,
        ),
        "fitting.overdue": Advice("Arrange the fitting. After two attempts that failed, tell the authority.", _RULES),
        "fitting.unvalidated": Advice(
            "Send a fitter to validate the fitting, or have a supervisor override it with a reason.",
            _FITTING,
            "emcheck fit",
        ),
        "monitoring.not_producing": Advice(
            "Nobody is monitored here: mend what the alert names as the reason, and tell the authority since when.",
            _WRONG,
        ),
        "monitoring.removal_due": Advice(
            "Arrange for the tag to be taken off, and enter when it was.",
            _RULES,
        ),
        "evidence.gap": Advice(
            "Ask nothing of the wearer: the time is unknown, which is no absence. The base unit is asked again by "
            "itself; if it happens often, have it exchanged.",
            "docs/protocol.md, Gap",
        ),
        "evidence.rejected": Advice(
            "Ask nothing of the wearer. Have what was refused read and handed to who makes or runs the base unit.",
            _PROTOCOL,
            "emcheck quarantine list",
        ),
        "evidence.unknown_device": Advice(
            "Find out what sends. If it is ours, enter its installation; if not, have its access to the broker "
            "withdrawn.",
            _PROTOCOL,
            "emcheck quarantine list",
        ),
        "evidence.conflict": Advice(
            "Accuse nobody by these numbers. Have the base unit exchanged and examined: it may be a clone or have "
            "been restored.",
            _RULES,
        ),
        "evidence.replayed": Advice(
            "Call the wearer and send a fitter: frames that are played back would show somebody at home who is not.",
            _RULES,
        ),
        "service.undecided": Advice(
            "For operations: read the error in the log and mend it. Until then this wearer is watched by people.",
            _RULES,
        ),
        "service.clock": Advice(
            "For operations: synchronise the machine's clock. Absences in this time need another proof.", _RULES
        ),
        "service.audit": Advice(
            "For operations: see whether the service runs and its publishers and contacts answer, and what was "
            "not passed on.",
            _RULES,
            "emcheck alerts audit",
        ),
        "fleet.batch": Advice(
            "For a supervisor: stop accusing by straps of this batch, have a fitter look at those reported, and tell "
            "the maker.",
            _WRONG,
        ),
        "incident.silent": Advice(
            "Work on this one, not on the alerts under it: call who runs the network, the broker or the power named "
            "here. Everybody's own curfew is judged when the stored facts arrive.",
            _ALERTS,
        ),
        "incident.power": Advice(
            "Work on this one, not on the alerts under it: ask the power company how long it lasts, and plan for "
            "batteries that run out before.",
            _ALERTS,
        ),
    }
)
CLASSES: Mapping[tuple[str, str], Advice] = MappingProxyType(
    {
        ("body.not_attached", "cool"): Advice(
            "Call the wearer and ask where the tag sits: a cool leg at rest may look so. If it goes on, have the "
            "fitting validated anew; nobody is accused by it.",
            _FITTING,
        ),
        ("body.not_attached", "unsure"): Advice(
            "Call the wearer: ask where the tag sits and to push it onto bare skin. If it goes on, have the fitting "
            "validated anew, for the strap may be loose; nobody is accused by it.",
            _FITTING,
        ),
        ("body.not_attached", "unusable"): Advice(
            "Plan a visit and exchange the tag: a sensor of it is broken. The wearer has done nothing.",
            _FITTING,
        ),
        ("body.not_attached", "silent_sensors"): Advice(
            "Plan a visit and exchange the tag: it is heard, and its sensors are not. Until then nothing shows that it "
            "is on a limb. The wearer has done nothing.",
            _FITTING,
        ),
        ("evidence.rejected", "bad_receipt"): Advice(
            "For operations: tell who runs that consumer of the monitoring queue what is wrong with its receipts; "
            "until it is mended, alerts that it has count as not delivered.",
            "docs/domain.md, Alerts",
        ),
        ("fitting.overdue", "failed_attempts"): Advice(
            "Tell the authority, with the outcome of each visit. Whether another is tried is for them to say.",
            _RULES,
            "emcheck fit list",
        ),
        ("fitting.unvalidated", "revalidate"): Advice(
            "Arrange a visit that validates the fitting anew, by the day that the alert names. That the tag moves "
            "again does not show what it sits on.",
            _FITTING,
            "emcheck fit",
        ),
        ("fitting.unvalidated", "overridden"): Advice(
            "See that the reason holds, and arrange a visit that validates the fitting: until then nothing shows that "
            "the tag sits on a limb.",
            _FITTING,
            "emcheck fit",
        ),
    }
)


_CLEARED = Advice("Close the alert with what the fitter found.", _RULES)
_HEARD_AGAIN = Advice(
    "Close the alert. What the base unit had stored has been judged: an absence in it has an alert of its own.", _RULES
)
_RIGHT_AGAIN = Advice("Close the alert; if it comes back, plan a visit. Ask nothing of the wearer.", _RULES)
_DONE = Advice("Close the alert: what was to be done is done.", _RULES)
_INCIDENT_OVER = Advice("Close it with what it was; what it leaves behind stands in the queue.", _ALERTS)
OVER: Mapping[str, Advice] = MappingProxyType(
    {
        "curfew.absence": Advice(
            "Ask the wearer about it and close the alert with what was said. Leave that was granted is entered as an "
            "authorised absence.",
            _ALERTS,
        ),
        "tag.strap": _CLEARED,
        "tag.case": _CLEARED,
        "unit.silent": _HEARD_AGAIN,
        "unit.power": _RIGHT_AGAIN,
        "unit.clock": _RIGHT_AGAIN,
        "unit.battery": _RIGHT_AGAIN,
        "tag.battery": _RIGHT_AGAIN,
        "rf.interference": Advice("Close the alert. Accuse nobody by this time alone.", _PRESENCE),
        "fitting.overdue": _DONE,
        "fitting.unvalidated": _DONE,
        "monitoring.removal_due": _DONE,
        "monitoring.not_producing": Advice(
            "Tell the authority from when until when nobody was monitored here, and close the alert.", _WRONG
        ),
        "service.undecided": Advice("Close the alert: what was stored has been judged.", _RULES),
        "service.clock": Advice("Close the alert. Absences in this time need another proof.", _RULES),
        "incident.silent": _INCIDENT_OVER,
        "incident.power": _INCIDENT_OVER,
    }
)
"""What remains of an alert whose cause is over; of a rule that is not here the step stays as it was."""


def is_over(alert: Alert) -> bool:
    """Whether what raised it lasts no longer, and something else remains to be done than while it lasted."""
    return alert.ended_at is not None and alert.rule in OVER


def next_step(alert: Alert) -> Advice | None:
    """What is to be done about an alert; None where it is closed or withdrawn, and nothing is."""
    if alert.withdrawn or alert.state is AlertState.CLOSED:
        return None
    if is_over(alert):
        return OVER[alert.rule]
    return CLASSES.get((alert.rule, alert.class_ or "")) or RULES.get(alert.rule)
