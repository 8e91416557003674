"""emcheck: an open-source curfew checker for electronic monitoring.

Importing it sets the time zone search path to the locked `tzdata` wheel: otherwise the system's files would win and
the version that a finding names would not be the one that was used.
"""

from importlib.resources import files

from whenever import reset_tzpath

__version__ = "0.1.0"

TZ_FOLDER = str(files("tzdata") / "zoneinfo")
"""Where the locked tz database lies."""

reset_tzpath((TZ_FOLDER,))
