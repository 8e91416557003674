"""What is said of a tag and the body it is on: what sensors and fitters told, and what that does not mean."""

from emcheck.domain.findings import Finding
from emcheck.domain.instants import parse_ms
from emcheck.present.times import clock, day

_CHANNELS = {"skin_c": "skin side", "ambient_c": "outward side", "motion": "motion", "proximity": "proximity"}


def not_attached(f: Finding) -> str:
    """The strap is closed and the body check says off; or a sensor of it cannot be used."""
    told, since = dict(f.detail), clock(f.start, f.zone)
    tag, readings = told["tag"], str(told["readings"])
    if f.class_ == "unusable":
        until = f"since {since}" if f.end is None else f"from {since} until {clock(f.end, f.zone)}"
        named = ", ".join(_CHANNELS[channel] for channel in readings.split(", "))
        return (
            f"What tag {tag} tells of the body it is on cannot be relied on {until} ({f.zone}): {named} frozen, broken "
            "or silent. This accuses nobody: whether the tag is on a limb may be unknown. A visit is to see to it."
        )
    if f.class_ == "silent_sensors":
        accuses = "This accuses nobody: whether the tag"
        if f.end is not None:
            return (
                f"From {since} until {clock(f.end, f.zone)} ({f.zone}) tag {tag} was heard and told nothing of the "
                "body it is on, as it had before: all its sensors were silent at once. "
                f"{accuses} was on a limb then is unknown."
            )
        return (
            f"Since {since} ({f.zone}) tag {tag} is heard and tells nothing of the body it is on, as it did before: "
            f"all its sensors are silent at once. {accuses} is on a limb is unknown. A visit is to see to it."
        )
    if f.class_ == "cool":
        until = "and still is not" if f.end is None else f"until {clock(f.end, f.zone)}"
        return (
            f"The strap of tag {tag} is closed, and from {since} the tag was not as warm as on a limb, {until} "
            f"({f.zone}). It tells no proximity, and a cool limb at rest may look so: a question, no accusation. "
            f"Read then: {readings}."
        )
    if f.class_ == "unsure":
        until = "and still cannot" if f.end is None else f"until {clock(f.end, f.zone)}"
        return (
            f"The strap of tag {tag} is closed, and from {since} the body check could not tell any longer that the tag "
            f"is on the limb, {until} ({f.zone}). A strap that sits loose may look so, or a tag that was slipped into "
            f"a worn shoe: a question, no accusation. Read then: {readings}."
        )
    until = "and has not been said to be on one since" if f.end is None else f"until {clock(f.end, f.zone)}"
    return (
        f"The strap of tag {tag} is closed, and yet from {since} the tag was on no living limb, {until} ({f.zone}). "
        f"Read then: {readings}."
    )


def no_motion(f: Finding) -> str:
    """The tag is heard, and neither moves nor warms."""
    told, since = dict(f.detail), clock(f.start, f.zone)
    until = "and still does not" if f.end is None else f"until {clock(f.end, f.zone)}"
    what = {"still": "does not move", "room": "is no warmer than the room"}[f.class_ or ""]
    return (
        f"Tag {told['tag']} is heard with its strap closed and {what} from {since}, {until} ({f.zone}). A prosthesis "
        f"or a thing may wear it. Read meanwhile: {told['readings']}. Whether it is on a living limb is to be asked."
    )


def unvalidated(f: Finding) -> str:
    """Nothing shows that the tag sits on a living limb, or not any more."""
    told = dict(f.detail)
    since, until = clock(f.start, f.zone), "" if f.end is None else f", until {clock(f.end, f.zone)}"
    not_shown = "that it sits on a living limb has not been shown"
    if f.class_ == "revalidate":
        fitted, due = clock(parse_ms(str(told["fitted_at"])), f.zone), day(parse_ms(str(told["due"])), f.zone)
        what = {"still": "did not move", "room": "was no warmer than the room"}[str(told["shown"])]
        about = f"Tag {told['tag']} {what} from {since} on ({f.zone}): a prosthesis or a thing may have worn it."
        if f.end is not None:
            ended = clock(f.end, f.zone)
            return f"{about} Its fitting of {fitted} was to be validated anew by {due}, and ended at {ended}."
        return (
            f"{about} Its fitting of {fitted} is to be validated anew by {due}. What the tag did since shows nothing: "
            "only a fitter sees what it sits on."
        )
    if f.class_ == "overridden":
        return (
            f"Tag {told['tag']} was fitted at {since}{until} ({f.zone}), and {told['by']} let the fitting stand though "
            f"it was not validated ({told['reason']}): {not_shown}."
        )
    return (
        f"Tag {told['tag']} was fitted at {since}{until} ({f.zone}) and its fitting is not validated "
        f"({told['validation']}): {not_shown}."
    )
