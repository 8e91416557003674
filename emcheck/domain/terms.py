"""What the tracks of a register and policy are read on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emcheck.domain.channels import Levels, TagSpan
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, TagId

Fitted = Callable[[TagId], Iterable[Span]]
"""The fittings of a tag. What is said of a tag that has none stays in the inbox until a register knows it."""


@dataclass(slots=True)
class Terms:
    """What every track of a register and policy asks; one value for all of them."""

    tag_span: TagSpan
    fitted: Fitted
    vouch_factor: float
    heartbeat_default_ms: Ms
    offset_max_ms: Ms
    levels: Levels
