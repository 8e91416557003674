"""emcheck: an open-source curfew checker for electronic monitoring.

Importing it sets the time zone search path to the locked `tzdata` wheel: otherwise the system's files would win and
the version that a finding names would not be the one that was used.
"""

from pathlib import Path

import tzdata
from whenever import reset_tzpath

__version__ = "0.1.0"

TZ_FOLDER = str(Path(tzdata.__file__).parent / "zoneinfo")
"""Where the locked tz database lies."""

reset_tzpath((TZ_FOLDER,))
