"""What somebody did about an alert, in words for whoever comes after them."""

from collections.abc import Mapping

from emcheck.domain.alerts import Disposition

DISPOSITIONS: Mapping[str, str] = {
    Disposition.AUTHORISED_ABSENCE: "leave was granted",
    Disposition.EQUIPMENT_FAULT: "a fault of the equipment",
    Disposition.CONTACTED_AND_RETURNED: "wearer contacted, and returned",
    Disposition.CONTACTED_AND_REFUSED: "wearer contacted, and refused",
    Disposition.NO_ANSWER: "no answer",
    Disposition.BREACH_REPORTED: "breach, reported",
    Disposition.TEST_OR_VISIT: "a test or a visit",
    Disposition.FALSE: "a false alarm",
}
"""Why an alert was closed."""

_DID = {
    "handed_over": "handed it over", "noted": "wrote a note on it", "escalated": "passed it on",
    "unacknowledged": "took the acknowledgement back", "unclaimed": "gave it back",
    "unshelved": "took it off the shelf",
}  # fmt: skip


def did(action: str) -> str:
    """`acknowledged it`: to stand after a name."""
    return _DID.get(action, f"{action} it")
