"""What is wrong with a message, in words: the field, and what would be right there."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import ValidationError

from emcheck.wire.topics import UNIT_PATTERN

AT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)$"
BOOT = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
TAG = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
UNIT = rf"^{UNIT_PATTERN}$"
EVENT_ID = r"^[A-Z]{2}-[A-Z0-9]{1,32}\.[1-9][0-9]{0,17}$"
NOT_BLANK = r"\S"
_SHOWN: Mapping[str, str] = MappingProxyType(
    {
        AT: "a time in UTC, such as 2026-03-24T19:00:00Z",
        BOOT: "a ULID, 26 letters and digits, such as 01JQ3V5K8M0000000000000000",
        TAG: "up to 64 letters, digits and _.:-, such as T-1",
        UNIT: "4 to 32 capital letters, digits and hyphens, such as BU-0001",
        EVENT_ID: "the id of an event of the monitoring queue, such as AL-01JQ3V5K8M.3",
        NOT_BLANK: "more than blanks",
    }
)
"""What each of these patterns wants, for those who do not read patterns."""


def first_problem(error: ValidationError, whole: str) -> str:
    """The first field that is wrong, `whole` where it is the message itself, and what would be right."""
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or whole
    pattern = problem.get("ctx", {}).get("pattern") if problem["type"] == "string_pattern_mismatch" else None
    wanted = problem["msg"] if pattern is None else f"should be {_SHOWN[pattern]}"
    return f"{where}: {wanted}"[:200]
