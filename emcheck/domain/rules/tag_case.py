"""tag.case: a tag's case was opened.

Rule book (domain.md, Rules):
1. At once, from a `tag_tamper` of kind `case_open`, with its true time, even told later from the tag's memory. P1.
2. Latched, like tag.strap: the first word stands until a fitter's visit, that is, until the fitting ends.
3. A tag's events dated outside its fitting are not used: a fitter's visit accuses nobody.
"""

from collections.abc import Iterable, Mapping

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.rules import tag_strap
from emcheck.domain.track import Track

RULE = RuleId("tag.case")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting whose case was reported open, by any unit."""
    return tag_strap.latched(RULE, "case", wearer_id, fittings, tracks, now, policy)
