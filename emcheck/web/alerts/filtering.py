"""Filters of the queue: as they stand in an address, so that they can be kept as a bookmark or under a name."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from emcheck.desk import Asked
from emcheck.domain.ids import UnitId
from emcheck.domain.queue import RULES
from emcheck.domain.register import Register
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who

KEYS = ("priority", "waiting", "mine", "words", "rule", "site", "incident")
_LONGEST = 80


class Filter:
    """What somebody wants to see of the queue; what cannot be meant is left out."""

    def __init__(self, given: Mapping[str, str]) -> None:
        said = {key: given.get(key, "").strip()[:_LONGEST] for key in KEYS}
        said["priority"] = said["priority"] if said["priority"] in ("P1", "P2", "P3", "P4") else ""
        said["rule"] = said["rule"] if said["rule"] in RULES else ""
        for key in ("waiting", "mine"):
            said[key] = "1" if said[key] == "1" else ""
        self.said = said
        self.query = urlencode({key: value for key, value in said.items() if value})

    @property
    def is_plain(self) -> bool:
        """Whether only what always stands open is asked."""
        return not any(self.said[key] for key in ("rule", "site", "incident"))

    def asked(self, parts: Parts, who: Who) -> Asked:
        """The same for the store: `mine` is whoever asks, a site is whom the register has there."""
        said = self.said
        return Asked(
            said["priority"] or None, said["waiting"] == "1", said["words"], rule=said["rule"] or None,
            holder=who.name if said["mine"] else None, incident=said["incident"] or None,
            subjects=_at(parts, said["site"]) if said["site"] else None, heard_by=_heard_by(parts, said["words"]),
        )  # fmt: skip


def filter_of(query: str) -> Filter:
    """The filter that stands in a query, `priority=P1&mine=1`."""
    return Filter(dict(parse_qsl(query, max_num_fields=50)))


def _at(parts: Parts, site: str) -> tuple[str, ...]:
    known = parts.known()
    return () if known is None else subjects_at(known.engine.roster.register, site)


def _heard_by(parts: Parts, words: str) -> dict[str, tuple[str, ...]]:
    """Of each word that is a unit's name, the wearers whom it may hear: rows show that unit beside them."""
    known = parts.known()
    cases = {} if known is None else known.engine.roster.cases_of
    found = {word: cases.get(UnitId(word.upper()), ()) for word in words.lower().split()}
    return {word: tuple(str(case.wearer_id) for case in there) for word, there in found.items() if there}


def subjects_at(register: Register, site: str) -> tuple[str, ...]:
    """Units and wearers at a site: an address, a unit or a postcode, however it is written."""
    wanted = " ".join(site.upper().split())
    there = [
        each
        for each in register.installations
        if wanted in (each.address_id.upper(), each.unit.upper(), " ".join((each.postcode or "").upper().split()))
    ]
    addresses, units = {each.address_id for each in there}, {str(each.unit) for each in there}
    wearers = {
        str(order.wearer_id)
        for order in register.orders
        for place in (*order.curfew, *(place for change in order.variations for place in change.curfew))
        if place.address_id in addresses or place.address_id.upper() == wanted
    }
    return tuple(sorted(units | wearers))
