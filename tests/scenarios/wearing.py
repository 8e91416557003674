"""What the units of the scenarios about bodies tell: a tag on skin, in bed, on a bed post, on a prosthesis, broken."""

from collections.abc import Callable
from typing import Any

from emcheck.domain.instants import MINUTE, SECOND
from firmware_sim.body import SimulatedBody
from tests.support import UnitStory, at

Spoil = Callable[[int, dict[str, Any]], dict[str, Any]]
"""What becomes of the body channels of a report at an instant."""
WEDNESDAY = "2026-03-25"
SATURDAY = "2026-03-28"
CHANNELS = ("proximity", "skin_c", "ambient_c", "motion_mg")
_END = at("07:59", WEDNESDAY)


def worn(
    *moves: tuple[int, str], seed: int = 1, until: int = _END, spoil: Spoil = lambda when, said: said, home: int = 1,
    every_s: int = 60,
) -> UnitStory:  # fmt: skip
    """Home from 18:30; a report every so often of a tag on skin since the afternoon that `moves` put elsewhere."""
    body, tag = SimulatedBody(seed=seed, at=at("17:00"), place="skin", strap="closed"), f"T-{home}"
    told = UnitStory(f"BU-000{home}").boots(at("18:30"), heartbeat_s=every_s).hears(at("18:30"), tag=tag)
    left = list(moves)
    for when in range(at("18:31"), until + 1, every_s * SECOND):
        while left and left[0][0] <= when:
            body.move_to(left[0][1], left[0][0])
            left.pop(0)
        felt = body.reading(when)
        said: dict[str, Any] = {name: getattr(felt, name) for name in CHANNELS} | {"strap": "closed"}
        frames = {"interval_s": every_s, "heard": 6, "expected": 6, "rssi_dbm": -61}
        told.tell(when, "report", tag=tag, **frames, **spoil(when, said))
    return told


def bias_c(seed: int = 1) -> float:
    """What a fitter measured of the tag that these nights are told of."""
    return round(SimulatedBody(seed=seed, at=at("17:00"), place="skin").bias_c, 2)


def prosthesis_at_home() -> UnitStory:
    """At 19:30 the tag is pushed over to a prosthesis, which walks about now and then."""
    return worn((at("19:30"), "prosthesis-foam"))


def on_a_bed_post() -> UnitStory:
    """Pulled off over the foot at 22:00, strap closed, and hung on the bed post; back on at 06:30."""
    return worn((at("22:00"), "bed-post"), (at("06:30", WEDNESDAY), "skin"))


def in_a_shoe() -> UnitStory:
    """Slipped off at 20:30, strap closed, into a shoe that somebody else at home wears; back on at 23:00."""
    return worn((at("20:30"), "shoe"), (at("23:00"), "skin"))


def asleep() -> UnitStory:
    """In bed from 22:30 to 06:45, all night on the limb."""
    return worn((at("22:30"), "in-bed"), (at("06:45", WEDNESDAY), "skin"))


def dead_sensor() -> UnitStory:
    """From 21:00 the skin side says what it said then, whatever happens; the wearer sleeps."""
    frozen: dict[str, Any] = {}

    def spoil(when: int, said: dict[str, Any]) -> dict[str, Any]:
        if when >= at("21:00"):
            frozen.setdefault("skin_c", said["skin_c"])
        return said | frozen

    return worn((at("22:30"), "in-bed"), (at("06:45", WEDNESDAY), "skin"), spoil=spoil)


def all_sensors_dead() -> UnitStory:
    """From 21:00 the tag is heard as ever and tells of no sensor any more; the wearer sleeps."""
    return worn(
        (at("22:30"), "in-bed"), (at("06:45", WEDNESDAY), "skin"),
        spoil=lambda when, said: said if when < at("21:00") else {"strap": said["strap"]},
    )  # fmt: skip


def pulled_and_cut() -> UnitStory:
    """Cut at 22:00 and left on the table: the strap tells it, and the body need not tell it again."""
    told = worn((at("22:00"), "table"), spoil=lambda when, said: said | cut_from(when))
    return told.tell(at("22:00"), "tag_tamper", tag="T-1", kind="strap_cut", received=at("22:00:02"))


def cut_from(when: int) -> dict[str, Any]:
    return {"strap": "cut"} if when >= at("22:00") else {}


def only_motion() -> UnitStory:
    """A tag that tells nothing but motion lies at home from the evening to the next night."""
    return worn(
        (at("19:30"), "table"), until=at("21:30", WEDNESDAY),
        spoil=lambda when, said: {"strap": "closed", "motion_mg": said["motion_mg"] if when < at("19:32") else 0.0},
    )  # fmt: skip


def still_for_a_day(home: int) -> UnitStory:
    """A tag that tells nothing but motion lies at home for a day from Tuesday evening on, and is worn again."""
    since, until = at("19:30"), at("19:30", WEDNESDAY)

    def spoil(when: int, said: dict[str, Any]) -> dict[str, Any]:
        lies = since + 5 * MINUTE <= when < until
        return {"strap": "closed", "motion_mg": 0.0 if lies else said["motion_mg"]}

    return worn((since, "table"), (until, "skin"), until=at("20:00", SATURDAY), home=home, every_s=300, spoil=spoil)
