"""Topics of protocol version 1. `{unit}` is a base unit's id, equal to its MQTT client id."""

import re

from emcheck.domain.ids import UnitId

UP_FILTER = "em/v1/+/up"
LINK_FILTER = "em/v1/+/link"
HOST = "em/v1/host"
ALERTS_PREFIX = "em/v1/alerts/"
RECEIPT = "em/v1/alerts/receipt"

UNIT_PATTERN = r"[A-Z0-9][A-Z0-9-]{3,31}"
_UP = re.compile(rf"em/v1/({UNIT_PATTERN})/up")


def unit_of_up(topic: str) -> UnitId | None:
    """The unit that a topic `em/v1/{unit}/up` names; None where it is no such topic."""
    match = _UP.fullmatch(topic)
    return UnitId(match[1]) if match else None


def up(unit: str) -> str:
    """Topic of a unit's envelopes."""
    return f"em/v1/{unit}/up"


def down(unit: str) -> str:
    """Topic on which a unit is answered."""
    return f"em/v1/{unit}/down"
