"""Whom or what an alert is about, as a person reads it."""

_INCIDENTS = {
    "all": "all base units",
    "uplink": "base units on uplink {}",
    "firmware": "base units with firmware {}",
    "postcode": "base units in postcode {}",
}
_OURS = {"service": "this service", "audit": "this service"}


def whom(subject: str) -> str:
    """`W-1` and `BU-0001` as they are; `all base units` for what an incident calls `incident all`."""
    kind, _, rest = subject.partition(" ")
    if kind != "incident":
        return _OURS.get(subject, subject)
    group, _, name = rest.partition(" ")
    return _INCIDENTS.get(group, subject).format(name)
