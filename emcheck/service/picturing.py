"""An alert's story as timelines, one for each address: for `explain --svg` and for the console alike."""

from emcheck.domain.ids import Ms
from emcheck.present.timeline_svg import Timeline, bar_of, mark_of
from emcheck.service.explaining import Story


def timelines_of(it: Story, now: Ms) -> list[Timeline]:
    """What is drawn of a story; empty where it is about no wearer with a curfew."""
    bars = [bar_of(finding) for finding in it.beside if not finding.rule.startswith("curfew.")]
    marks = [mark_of(change.alert, change.at) for change in it.history if change.action == "raised"]
    return [
        Timeline(
            title=f"{it.alert.wearer_id or it.alert.unit} at {place.address_id}", zone=place.zone,
            windows=place.windows, known=place.known, until=now, now=now, excused=place.excused, bars=bars, marks=marks,
        )
        for place in it.places
    ]  # fmt: skip
