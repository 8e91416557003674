"""Where a tag may be, as physics: what its skin side is coupled to, what the air does, what its electrode sees.

Heat flows from a source through a contact, the tag and the air (resistances in m2K/W), so that at rest
flow = (source - air) / (contact + tag + air), skin side = source - flow x contact, outward = air + flow x air's.
A place without a source is as warm as its air on both sides. Every number comes from parameters.toml, drawn for one
wearer and one tag by `Surroundings`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from firmware_sim.body.motion import ASKED, ASLEEP, AWAKE, BAG, GAIT, STILL, Motion
from firmware_sim.body.parameters import PARAMETERS, Parameters

Truth = Literal["skin", "covered", "elsewhere", "off"]
"""On bare skin; on a limb, over cloth; moving, on no limb; off and still."""
ON_LIMB = ("skin", "covered")
_OPEN_R = 50.0
"""Nothing touches the skin side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place; temperatures in degC, resistances in m2K/W, closeness 1 as snug skin and 0 as free air."""

    truth: Truth
    air_c: float
    air_r: float
    motion: Motion
    source_c: float | None = None
    contact_r: float = _OPEN_R
    closeness: float = 0.0
    outward_c: float = 0.0
    """What radiation (sun) or drying adds to the outward side."""
    both_c: float = 0.0
    """What they add to both sides."""
    fades_min: float = 0.0
    """The time constant with which the source cools to the air and drying ends; 0: never."""
    loose_share: float = 0.0
    name: str = ""

    def at_rest(self, tag_r: float, *, contact_r: float, left: float, air_c: float) -> tuple[float, float]:
        """Skin side and outward side at last.

        `contact_r` is what lies between source and skin side now, `left` what has not faded, `air_c` how far the air
        has wandered.
        """
        air = self.air_c + air_c
        both, outward = left * self.both_c, left * self.outward_c
        if self.source_c is None:
            return air + both, air + both + outward
        source = self.source_c if self.truth in ON_LIMB else air + left * (self.source_c - air)
        passing = (source - air) / (contact_r + tag_r + self.air_r)
        return source - passing * contact_r + both, air + passing * self.air_r + both + outward


class Surroundings:
    """One wearer, one room, one tag's electrode: what all the places of a simulation have in common."""

    def __init__(self, parameters: Parameters, chance: Random) -> None:
        self._parameters = parameters
        self._chance = chance
        self.room_c = self.draw("room.normal_c")
        self.film_r = 1 / self.draw("air.film_w_m2k")
        self.wind_r = 1 / self.draw("air.wind_w_m2k")
        self.trousers_r = self.draw("air.trousers_r")
        self.duvet_r = self.draw("air.duvet_r")
        self.deep_c = self.draw("limb.deep_c")
        self.tissue_r = self._tissue("limb.skin_c")
        self.cold_tissue_r = self._tissue("limb.cold_c")
        self.reach_mm = self.draw("part.reach_mm")

    def draw(self, name: str) -> float:
        """A parameter's value."""
        return self._parameters[name].draw(self._chance)

    def one_of_two(self) -> int:
        """0 or 1, as it falls."""
        return self._chance.randrange(2)

    def _tissue(self, name: str) -> float:
        """From deep in the limb to bare skin of the drawn temperature in this room."""
        skin = max(self.draw(name), self.room_c + self.draw("limb.over_room_c"))
        return max(0.02, self.film_r * (self.deep_c - skin) / max(0.5, skin - self.room_c))

    def apart(self, thickness_mm: float, permittivity: float) -> float:
        """How close skin is to the electrode through so much of something."""
        return self.reach_mm / (self.reach_mm + thickness_mm / permittivity)

    def place(self, name: str) -> Place:
        """A place by name, drawn anew; KeyError where there is none."""
        return replace(PLACES[name](self), name=name)


def _skin(here: Surroundings) -> Place:
    return Place(
        truth="skin",
        source_c=here.deep_c,
        contact_r=here.tissue_r,
        closeness=1.0,
        air_c=here.room_c,
        air_r=here.film_r + here.trousers_r,
        motion=AWAKE,
    )


def _loose(here: Surroundings) -> Place:
    return replace(_skin(here), loose_share=here.draw("strap.loose_share"))


def _cold_feet(here: Surroundings) -> Place:
    return replace(_skin(here), contact_r=here.cold_tissue_r)


def _hot_room(here: Surroundings) -> Place:
    return replace(_skin(here), air_c=here.draw("room.hot_c"), air_r=here.film_r, contact_r=0.5 * here.tissue_r)


def _outdoors(here: Surroundings) -> Place:
    return replace(
        _skin(here),
        air_c=here.draw("room.outdoors_c"),
        air_r=here.wind_r + 0.02 + here.trousers_r,
        motion=GAIT,
    )


def _sunny(here: Surroundings) -> Place:
    return replace(
        _skin(here),
        outward_c=here.draw("room.sun_gap_c"),
        both_c=here.draw("room.sun_warms_c") / 2,
        air_r=here.film_r,
    )


def _bed(here: Surroundings) -> Place:
    return replace(
        _skin(here),
        contact_r=here.draw("limb.bed_share") * here.tissue_r,
        air_r=here.film_r + here.duvet_r,
        motion=ASLEEP,
    )


def _bed_bottle(here: Surroundings) -> Place:
    return replace(_bed(here), air_c=here.draw("room.bed_bottle_c"), air_r=0.05 + here.film_r)


def _shower(here: Surroundings) -> Place:
    return replace(_skin(here), air_c=here.draw("thing.shower_c"), air_r=here.draw("thing.water_r"), motion=GAIT)


def _wet(here: Surroundings) -> Place:
    return replace(
        _skin(here),
        outward_c=-here.draw("thing.wet_c"),
        both_c=-here.draw("thing.wet_c") / 2,
        fades_min=here.draw("thing.dries_min"),
    )


def _over(here: Surroundings, thickness_mm: float) -> Place:
    return replace(
        _skin(here),
        truth="covered",
        contact_r=here.tissue_r + thickness_mm / 1000 / here.draw("cover.fabric_w_mk"),
        closeness=here.apart(thickness_mm, here.draw("cover.fabric_permittivity")),
    )


def _sock(here: Surroundings) -> Place:
    return _over(here, here.draw("cover.sock_mm"))


def _bandage(here: Surroundings) -> Place:
    return _over(here, here.draw("cover.bandage_mm"))


def _foam(here: Surroundings) -> Place:
    """A shank's foam cover, as warm as the room."""
    return Place(
        truth="elsewhere",
        source_c=here.room_c,
        contact_r=here.draw("prosthesis.foam_r"),
        closeness=here.draw("prosthesis.foam_closeness"),
        air_c=here.room_c,
        air_r=here.film_r + here.trousers_r,
        motion=GAIT,
    )


def _socket(here: Surroundings) -> Place:
    """A plastic socket, warmed through liner and wall by the limb that is in it."""
    return replace(
        _foam(here),
        source_c=here.draw("prosthesis.stump_c"),
        contact_r=here.draw("prosthesis.liner_r") + here.draw("prosthesis.socket_r"),
        closeness=here.draw("prosthesis.plastic_closeness"),
    )


def _carbon(here: Surroundings) -> Place:
    """A shank of carbon fibre: to an electrode it is a body, to a thermometer it is the room."""
    return replace(_foam(here), contact_r=0.02, closeness=here.draw("prosthesis.carbon_closeness"))


def _sock_on_prosthesis(here: Surroundings) -> Place:
    """Over a sock on foam or plastic: dry cloth over what conducts nothing."""
    under = here.draw("prosthesis.plastic_closeness")
    thickness_mm = here.draw("cover.sock_mm")
    return replace(
        _foam(here),
        contact_r=here.draw("prosthesis.foam_r") + thickness_mm / 1000 / here.draw("cover.fabric_w_mk"),
        closeness=under * here.apart(thickness_mm, here.draw("cover.fabric_permittivity")),
    )


def _hand_warmed(here: Surroundings) -> Place:
    return replace(
        _foam(here),
        source_c=here.draw("prosthesis.hand_c"),
        contact_r=0.1 * here.draw("prosthesis.foam_r"),
        fades_min=here.draw("prosthesis.foam_cools_min"),
    )


def _heat_pack(here: Surroundings) -> Place:
    """A heat pack under the sock of a prosthesis."""
    return replace(
        _sock_on_prosthesis(here),
        source_c=here.draw("prosthesis.pack_c"),
        contact_r=here.draw("prosthesis.pack_r"),
        fades_min=here.draw("room.bottle_cools_min"),
    )


def _heated_carbon(here: Surroundings) -> Place:
    """A heat pack under a shank's carbon fibre: it conducts, warms and walks."""
    return replace(_heat_pack(here), closeness=here.draw("prosthesis.carbon_closeness"))


def _bag(here: Surroundings) -> Place:
    """Carried in a bag or a pocket, cloth about it."""
    closeness = here.apart(here.draw("cover.bandage_mm"), here.draw("cover.fabric_permittivity"))
    air = here.room_c + here.draw("room.bag_c")
    return Place(truth="elsewhere", air_c=air, air_r=here.film_r, closeness=closeness / 2, motion=BAG)


def _shoe(here: Surroundings) -> Place:
    """Strapped around a worn shoe or boot."""
    return replace(
        _foam(here),
        source_c=here.deep_c,
        contact_r=here.tissue_r + here.draw("thing.shoe_r"),
        closeness=here.draw("thing.leather_closeness"),
        air_r=here.film_r,
    )


def _table(here: Surroundings) -> Place:
    """On its back, or on its face, which is hollow as a leg is round."""
    closeness = here.draw("thing.wood_closeness") * here.apart(here.draw("thing.hollow_mm"), 1.0)
    return Place(
        truth="off",
        air_c=here.room_c,
        air_r=here.film_r,
        closeness=closeness * here.one_of_two(),
        motion=STILL,
    )


def _bed_post(here: Surroundings) -> Place:
    return replace(_table(here), closeness=here.draw("thing.wood_closeness"))


def _metal_post(here: Surroundings) -> Place:
    return replace(_table(here), closeness=here.draw("thing.metal_closeness"))


def _car(here: Surroundings) -> Place:
    return replace(_table(here), air_c=here.draw("room.car_c"), closeness=0.0)


def _sill(here: Surroundings) -> Place:
    """Lying in the sun."""
    return replace(_table(here), outward_c=here.draw("room.sun_gap_c"), both_c=here.draw("room.sun_warms_c"))


def _bottle(here: Surroundings) -> Place:
    """Lying with its skin side on a hot-water bottle's cover."""
    return replace(
        _table(here),
        source_c=here.draw("room.bottle_c"),
        contact_r=here.draw("prosthesis.pack_r"),
        closeness=here.draw("thing.leather_closeness"),
        fades_min=here.draw("room.bottle_cools_min"),
    )


def _warm_bed(here: Surroundings) -> Place:
    """Left in a bed in which nobody lies any more: warm at first."""
    return replace(
        _table(here),
        both_c=here.draw("room.sun_warms_c"),
        fades_min=here.draw("prosthesis.foam_cools_min") * 2,
        closeness=here.apart(here.draw("cover.bandage_mm"), here.draw("cover.fabric_permittivity")) / 2,
    )


def _held(here: Surroundings) -> Place:
    """In a fitter's hand, by its strap."""
    return replace(_table(here), truth="elsewhere", closeness=0.0, motion=ASKED)


PLACES: dict[str, Callable[[Surroundings], Place]] = {
    "skin": _skin,
    "loose-strap": _loose,
    "cold-feet": _cold_feet,
    "hot-room": _hot_room,
    "outdoors": _outdoors,
    "in-sun": _sunny,
    "in-bed": _bed,
    "in-bed-with-bottle": _bed_bottle,
    "shower": _shower,
    "wet": _wet,
    "sock": _sock,
    "bandage": _bandage,
    "prosthesis-foam": _foam,
    "prosthesis-socket": _socket,
    "prosthesis-carbon": _carbon,
    "prosthesis-sock": _sock_on_prosthesis,
    "prosthesis-hand-warmed": _hand_warmed,
    "prosthesis-heat-pack": _heat_pack,
    "prosthesis-carbon-heat-pack": _heated_carbon,
    "bag": _bag,
    "shoe": _shoe,
    "table": _table,
    "bed-post": _bed_post,
    "metal-post": _metal_post,
    "car": _car,
    "sun": _sill,
    "hot-bottle": _bottle,
    "warm-bed": _warm_bed,
    "held": _held,
}
"""How each place is made, by its name; the docstrings above say what is not plain from it."""


def is_on_limb(name: str) -> bool:
    """Whether a tag that is there is worn, on bare skin or over cloth."""
    return Surroundings(PARAMETERS, Random(0)).place(name).truth in ON_LIMB
