"""Names of things. All are strings on the wire and in the store; the types keep them apart in the code.

Instants are `Ms`: whole milliseconds since 1970-01-01T00:00:00Z. They are exact, cheap to compare and
carry no zone; local time exists only in `windows`.
"""

from typing import NewType, TypeAlias

Ms: TypeAlias = int
"""An instant, or a span where the name says so: milliseconds (UTC epoch)."""

UnitId = NewType("UnitId", str)
TagId = NewType("TagId", str)
WearerId = NewType("WearerId", str)
OrderId = NewType("OrderId", str)
AddressId = NewType("AddressId", str)
BootId = NewType("BootId", str)
AlertId = NewType("AlertId", str)
RuleId = NewType("RuleId", str)
