"""Why something is told late, in words."""

from emcheck.domain.findings import Span
from emcheck.domain.instants import format_ms


def lateness(down: Span | None, *, judged_anew: bool) -> str | None:
    """`detected late because the service was down from .. to ..`; None where it is not late."""
    if down is None:
        return None
    span = f"the service was down from {format_ms(down.start)} to {format_ms(down.end)}"
    if judged_anew:
        return f"found at a start with another register or policy than before; {span}"
    return f"detected late because {span}"
