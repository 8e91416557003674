"""What a tag feels on this and that: the physics holds, and so do the measurements that it is made of."""

from math import exp
from random import Random
from statistics import median

import pytest

from emcheck.domain.instants import MINUTE
from firmware_sim.body import PARAMETERS, PLACES, Parameter, SimulatedBody, is_on_limb, known, play
from firmware_sim.body.places import ON_LIMB
from firmware_sim.body.situations import BEGIN

HOUR = 60 * MINUTE


def mean_gap(body: SimulatedBody, since_min: int, until_min: int) -> float:
    """Skin side less outward side less the bias, over some minutes."""
    readings = [body.reading(BEGIN + n * MINUTE) for n in range(since_min, until_min)]
    return sum(r.skin_c - r.ambient_c for r in readings) / len(readings) - body.bias_c


def test_every_number_has_a_unit_or_is_a_ratio_and_says_where_it_is_from() -> None:
    for name, parameter in PARAMETERS.items():
        assert parameter.source, name
        assert parameter.unit or name == "cover.fabric_permittivity", name
        published = any(word in parameter.source for word in ("README", "ISO", "WHO", "tog", "body", "shower"))
        assert parameter.swept or published or name.startswith(("cover.", "thing.")), name


def test_what_is_not_published_is_swept() -> None:
    for name in ("prosthesis.foam_closeness", "prosthesis.foam_r", "cover.fabric_permittivity", "part.reach_mm"):
        assert PARAMETERS[name].swept
        assert PARAMETERS[name].low < PARAMETERS[name].high


@pytest.mark.parametrize("place", ["table", "bed-post", "car", "held"])
def test_at_rest_and_without_a_source_both_sides_are_as_warm_as_the_air(place: str) -> None:
    for seed in range(5):
        body = SimulatedBody(seed=seed, at=BEGIN, place="skin")
        body.move_to(place, BEGIN)
        readings = [body.reading(BEGIN + 3 * HOUR + n * MINUTE) for n in range(30)]
        air = body.place.air_c
        assert sum(r.ambient_c for r in readings) / 30 == pytest.approx(air, abs=2)
        assert sum(r.skin_c - r.ambient_c for r in readings) / 30 == pytest.approx(body.bias_c, abs=0.1)


@pytest.mark.parametrize(("was", "becomes"), [("skin", "table"), ("table", "skin"), ("table", "prosthesis-foam")])
def test_the_skin_side_follows_as_an_exponential_does(was: str, becomes: str) -> None:
    """Two thirds of the way after the time constant that was drawn."""
    nothing = Parameter(unit="", source="", low=0, high=0)
    calm = {**PARAMETERS, **dict.fromkeys(("air.wander_c", "limb.wander", "part.sweat_c", "part.noise_c"), nothing)}
    for seed in range(10):
        body = SimulatedBody(seed=seed, at=BEGIN, place=was, parameters=calm)
        first = body.reading(BEGIN).skin_c
        body.move_to(becomes, BEGIN)
        tau = body._tau_min
        after = body.reading(BEGIN + round(tau * MINUTE)).skin_c
        last = body.reading(BEGIN + 12 * HOUR).skin_c
        assert after - first == pytest.approx((1 - exp(-1)) * (last - first), abs=0.05)


@pytest.mark.parametrize(
    ("name", "tau", "p10", "p90"), [("removal_tau_min", 9.1, 5.1, 11.6), ("put_on_tau_min", 5.2, 2.6, 12.7)]
)
def test_a_tag_cools_and_warms_as_fast_as_measured(name: str, tau: float, p10: float, p90: float) -> None:
    """README: removal 9.1 min (5.1 to 11.6), putting on 5.2 (2.6 to 12.7)."""
    chance = Random(1)
    found = sorted(PARAMETERS[f"part.{name}"].draw(chance) for _ in range(5000))
    assert [found[500], found[2500], found[4500]] == pytest.approx([p10, tau, p90], rel=0.1)


def test_a_removal_is_as_steep_as_measured() -> None:
    """README: steepest -0.60 +- 0.19 degC/min, from wrists in a cool room; legs are cooler."""
    steepest = []
    for seed in range(40):
        body = SimulatedBody(seed=seed, at=BEGIN, place="skin")
        body.reading(BEGIN)
        body.move_to("table", BEGIN)
        skins = [body.reading(BEGIN + n * MINUTE).skin_c for n in range(20)]
        steepest.append(min(b - a for a, b in zip(skins, skins[1:], strict=False)))
    assert -1.3 < median(steepest) < -0.3


def test_worn_the_gap_and_the_skin_side_are_as_measured() -> None:
    """README: gap 1.03 (0.31 to 1.61) with a bias of 0.28; lower-limb skin 24.6 +- 5.1 to 28.8 +- 5.8."""
    gaps, skins = [], []
    for seed in range(40):
        body = SimulatedBody(seed=seed, at=BEGIN, place="skin")
        gaps.append(mean_gap(body, 1, 60))
        skins.append(body.reading(BEGIN + HOUR).skin_c)
    assert 0.3 < median(gaps) + 0.28 < 1.3
    assert all(0 < gap < 2 for gap in gaps)
    assert 24 < median(skins) < 33
    assert min(skins) > 18
    assert max(skins) < 37


def test_the_sun_turns_the_gap_and_cold_feet_and_heat_close_it() -> None:
    typical = median(mean_gap(SimulatedBody(seed=seed, at=BEGIN, place="skin"), 1, 30) for seed in range(30))
    for place, most in (("hot-room", typical), ("cold-feet", typical), ("in-sun", 0.0), ("sun", 0.0)):
        assert median(mean_gap(SimulatedBody(seed=s, at=BEGIN, place=place), 1, 30) for s in range(30)) < most
    assert min(mean_gap(SimulatedBody(seed=seed, at=BEGIN, place="sun"), 1, 30) for seed in range(30)) > -3.4


def test_temperature_hardly_tells_skin_from_a_thin_sock() -> None:
    """README: AUC 0.56."""
    skin, sock = (
        [mean_gap(SimulatedBody(seed=f"{place}{s}", at=BEGIN, place=place), 1, 20) for s in range(60)]
        for place in ("skin", "sock")
    )
    auc = sum(a > b for a in skin for b in sock) / 3600
    assert 0.4 < auc < 0.7


def test_steep_falls_are_as_rare_on_a_worn_tag_as_measured() -> None:
    """README: 5-min slopes under -0.2 degC/min in 2.6 % of worn minutes."""
    steep = minutes = 0
    for seed in range(8):
        skins = [told.reading.skin_c for told in play("day", seed=seed)]
        slopes = [(b - a) / 5 for a, b in zip(skins, skins[5:], strict=False)]
        steep += sum(slope < -0.2 for slope in slopes)
        minutes += len(slopes)
    assert 0.005 < steep / minutes < 0.06


def zero_share(situation: str, seeds: int) -> float:
    """Of minutes, by readings a minute apart."""
    told = [t.reading.motion_mg == 0 for s in range(seeds) for t in play(situation, seed=s, minutes=1440)]
    return sum(told) / len(told)


def test_motion_is_as_rare_as_measured() -> None:
    """README: none in 26 % of worn minutes, 94 to 98 % of off minutes, 45 % in a bag; ankles are swept stiller."""
    assert 0.2 < zero_share("day", 6) < 0.45
    assert 0.93 < zero_share("table", 4) < 0.985
    assert zero_share("bag", 4) == pytest.approx(0.45, abs=0.03)


def test_a_prosthesis_walks() -> None:
    assert zero_share("prosthesis-foam", 4) < 0.3


def proximities(place: str, seeds: int = 20) -> list[float]:
    return [
        told.reading.proximity
        for seed in range(seeds)
        for told in play(place, seed=seed, minutes=60)
        if told.place == place
    ]


def test_contact_reads_as_counted_on_skin_and_in_air() -> None:
    assert min(proximities("skin")) > 0.8
    assert max(proximities("held")) < 0.4
    assert median(proximities("sock")) < median(proximities("skin"))
    assert median(proximities("prosthesis-foam")) < 0.3


def test_a_loose_strap_reads_as_free_air_up_to_a_quarter_of_the_time() -> None:
    readings = proximities("loose-strap", 40)
    assert 0.03 < sum(each < 0.5 for each in readings) / len(readings) < 0.27


def test_held_off_it_reads_no_contact_and_put_back_it_does() -> None:
    body = SimulatedBody(seed=3, at=BEGIN, place="skin", strap="closed")
    assert body.reading(BEGIN).proximity > 0.8
    body.lift(BEGIN + 1000)
    truths = [str(body.truth)]
    assert body.reading(BEGIN + 2000).proximity < 0.5
    body.put_back(BEGIN + 12_000)
    truths.append(body.truth)
    assert body.reading(BEGIN + 13_000).proximity > 0.8
    assert truths == ["elsewhere", "skin"]


def test_hand_warmth_fades_and_a_heat_pack_lasts() -> None:
    def falls(place: str) -> float:
        body = SimulatedBody(seed=2, at=BEGIN, place="table")
        body.move_to(place, BEGIN)
        trace = [body.reading(BEGIN + n * MINUTE).skin_c for n in range(120)]
        return max(trace) - trace[-1]

    assert falls("prosthesis-hand-warmed") > 1
    assert SimulatedBody(seed=2, at=BEGIN, place="prosthesis-heat-pack").reading(BEGIN + HOUR).skin_c > 24


@pytest.mark.parametrize("situation", known())
def test_the_same_seed_gives_the_same_readings_and_another_gives_others(situation: str) -> None:
    one, again, other = (list(play(situation, seed=seed, minutes=40)) for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_a_tag_lives_through_the_same_however_often_it_is_asked() -> None:
    seldom = list(play("taken-off", seed=4, every_ms=5 * MINUTE))
    often = {told.reading.at: told for told in play("taken-off", seed=4, every_ms=20_000)}
    for told in seldom:
        assert told.reading.skin_c == pytest.approx(often[told.reading.at].reading.skin_c, abs=0.4)
        assert told.truth == often[told.reading.at].truth


def test_instants_never_go_back() -> None:
    body = SimulatedBody(seed=1, at=BEGIN)
    body.reading(BEGIN + 1000)
    with pytest.raises(ValueError, match="never go back"):
        body.reading(BEGIN)


def test_a_situation_that_is_not_known_names_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'sok'.*sock"):
        list(play("sok", seed=1))


def test_who_is_on_a_limb_is_told_by_place() -> None:
    assert {name for name in PLACES if is_on_limb(name)} >= {"skin", "sock", "bandage", "in-bed", "shower"}
    assert not any(is_on_limb(name) for name in PLACES if name.startswith("prosthesis"))
    assert ON_LIMB == ("skin", "covered")
