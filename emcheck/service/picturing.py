"""An alert's story as timelines, one for each address: for `explain --svg` and for the console alike."""

from emcheck.domain.ids import Ms
from emcheck.present.timeline_svg import Bar, Mark, Timeline
from emcheck.service.explaining import Story


def timelines_of(it: Story, now: Ms) -> list[Timeline]:
    """What is drawn of a story; empty where it is about no wearer with a curfew."""
    bars = [
        Bar(lane=f.rule.split(".")[0], start=f.start, end=f.end, text=f.rule + (f", {f.class_}" if f.class_ else ""))
        for f in it.beside
        if not f.rule.startswith("curfew.")
    ]
    raised = [c for c in it.history if c.action == "raised"]
    marks = [Mark(at=c.at, text=f"{c.alert.priority} {c.alert.rule} raised") for c in raised]
    return [
        Timeline(
            title=f"{it.alert.wearer_id or it.alert.unit} at {place.address_id}", zone=place.zone,
            windows=place.windows, known=place.known, until=now, now=now, excused=place.excused, bars=bars, marks=marks,
        )
        for place in it.places
    ]  # fmt: skip
