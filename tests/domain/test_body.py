"""What the body check says of a tag in each situation of the rule book (emcheck/domain/body)."""

import json

import pytest

from emcheck.domain.body import ATTACHED, DETACHED, UNCERTAIN, BodyCheck, Sample
from tests.domain.bodies import (
    ALL,
    BEGIN,
    MINUTE,
    asleep,
    bag,
    carbon,
    cool_leg,
    heat,
    judged,
    limb,
    near,
    prosthesis,
    sock,
    states,
    table,
    trace,
)

NO_CONTACT_YET = ("skin_c", "motion", "proximity")


def test_a_limb_is_attached_within_minutes_and_stays_so() -> None:
    said = states(trace((limb, 240)))
    assert ATTACHED in said[:6]
    assert set(said[6:]) == {ATTACHED}


@pytest.mark.parametrize("every_s", [1, 5, 20, 60, 120, 300])
def test_a_removal_is_noticed_at_every_distance_of_samples(every_s: float) -> None:
    samples = trace((limb, 300), (table, 120), (limb, 60), every_s=every_s)
    said = states(samples)
    off_at, on_at = BEGIN + 300 * MINUTE, BEGIN + 420 * MINUTE
    noticed = next(s.at for s, state in zip(samples, said, strict=True) if state == DETACHED)
    assert off_at <= noticed <= off_at + max(12, every_s / 20) * MINUTE
    assert {state for s, state in zip(samples, said, strict=True) if noticed <= s.at < on_at} == {DETACHED}
    assert said[-1] == ATTACHED


def test_a_sleeper_is_not_accused() -> None:
    assert DETACHED not in states(trace((limb, 600), (asleep, 480), (limb, 60)))


def test_what_lies_about_from_the_start_is_detached() -> None:
    assert states(trace((table, 240)))[60:] == [DETACHED] * 180


def test_a_bag_and_a_prosthesis_move_and_are_never_attached() -> None:
    for place in (bag, prosthesis):
        for channels in (ALL, ("skin_c", "ambient_c", "motion")):
            said = judged(trace((place, 300), channels=channels))
            assert ATTACHED not in [each.state for each in said]
            assert said[-1].state == DETACHED
            assert max(each.hypotheses["moving"] for each in said) > 0.9


def test_what_conducts_is_never_attached_while_no_heat_comes_through() -> None:
    for every_s in (1, 60):
        said = judged(trace((table, 30), (carbon, 60), every_s=every_s, channels=ALL))
        assert ATTACHED not in [each.state for each in said]
        assert "not yet warmed as by a limb" in said[-1].words


def test_what_was_warmed_by_a_limb_is_so_no_more_after_it_was_off() -> None:
    said = states(trace((limb, 60), (table, 60), (carbon, 120), channels=ALL))
    assert said[59] == ATTACHED
    assert ATTACHED not in said[75:]


def test_a_limb_long_worn_is_attached_though_it_warms_no_more() -> None:
    samples = trace((limb, 120), channels=ALL)[60:]
    assert states(samples)[-1] == ATTACHED


def test_a_strap_that_is_seen_to_close_begins_anew() -> None:
    lay = [s._replace(strap="open") for s in trace((table, 60), channels=ALL)]
    worn = [s._replace(at=s.at + 60 * MINUTE, strap="closed") for s in trace((limb, 3), every_s=1, channels=ALL)]
    said = states([*lay, *worn])
    assert said[59] == DETACHED
    assert ATTACHED in said[60 : 60 + 120]


def test_contact_while_it_is_held_off_is_no_evidence_of_a_limb_or_against_it() -> None:
    samples = trace((limb, 3), every_s=1, channels=ALL)
    lifts = range(60, 72)
    check = BodyCheck()
    said = [
        check.take(s._replace(proximity=0.02) if n in lifts else s, lifted=n in lifts) for n, s in enumerate(samples)
    ]
    assert [each.state for each in said[72:]] == [ATTACHED] * 108


def test_without_proximity_a_cool_leg_is_not_accused() -> None:
    said = states(trace((cool_leg, 600)), BodyCheck(bias_c=0.0))
    assert DETACHED not in said


def test_a_cool_leg_is_attached_once_its_usual_gap_is_known() -> None:
    said = states(trace((limb, 10), (cool_leg, 900), channels=ALL), BodyCheck(bias_c=0.0))
    assert DETACHED not in said
    assert said[-1] == ATTACHED


def test_a_sock_is_warm_and_never_attached_where_proximity_says_no() -> None:
    said = judged(trace((table, 30), (sock, 300), channels=ALL))
    assert ATTACHED not in [each.state for each in said]
    assert max(said[-1].hypotheses, key=said[-1].hypotheses.__getitem__) == "covered"
    assert said[-1].p_attached < 0.05
    assert "over sock or bandage" in said[-1].words


def test_warm_and_moving_without_contact_is_never_attached() -> None:
    said = judged(trace((table, 30), (near, 600), channels=ALL))
    assert ATTACHED not in [each.state for each in said]
    assert said[-1].p_attached < 0.05


def test_a_limb_with_contact_is_surer_than_temperature_alone() -> None:
    with_contact = judged(trace((table, 30), (limb, 120), channels=ALL))[-1]
    without = judged(trace((table, 30), (limb, 120)))[-1]
    assert without.p_attached <= 0.985 < 0.995 < with_contact.p_attached
    assert with_contact.state == without.state == ATTACHED


def test_a_loose_strap_bars_attached_but_accuses_nobody() -> None:
    said = states(trace((limb, 120), (near, 12), (limb, 30), channels=ALL))
    assert DETACHED not in said
    assert UNCERTAIN in said[121:132]
    assert said[-1] == ATTACHED


def test_surroundings_as_warm_as_a_body_leave_it_uncertain() -> None:
    said = judged(trace((limb, 300), (heat, 60)))[-1]
    assert said.state != DETACHED


def test_a_bias_that_was_measured_is_used() -> None:
    samples = [sample._replace(ambient_c=(sample.ambient_c or 0) - 1.0) for sample in trace((table, 120))]
    assert states(samples, BodyCheck(bias_c=1.1))[-1] == DETACHED
    assert states(samples)[20] != DETACHED


def test_a_bias_is_learned_where_it_was_not() -> None:
    samples = [
        s._replace(ambient_c=(s.ambient_c or 0) - 0.4)
        for s in trace((limb, 600), (table, 240), (limb, 600), (table, 60))
    ]
    said = states(samples)
    assert set(said[620:840]) == {DETACHED}
    assert said[1470] == DETACHED
    assert set(said[860:1440]) == {ATTACHED}


def test_with_nothing_that_can_say_no_it_never_says_yes() -> None:
    for channels in (("motion",), ("skin_c", "motion"), ("skin_c",), (), ("ambient_c", "motion"), NO_CONTACT_YET):
        assert ATTACHED not in states(trace((limb, 300), channels=channels)), channels


def test_motion_alone_accuses_nobody() -> None:
    assert DETACHED not in states(trace((limb, 120), (table, 900), channels=("motion",)))


def test_a_proximity_that_has_said_no_may_say_yes() -> None:
    assert states(trace((table, 5), (limb, 60), channels=NO_CONTACT_YET))[-1] == ATTACHED


def test_a_sensor_that_says_contact_while_it_is_held_off_is_faulty() -> None:
    check = BodyCheck()
    for sample in trace((limb, 10), every_s=5, channels=ALL):
        check.take(sample)
    at = BEGIN + 10 * MINUTE
    said = [check.take(Sample(at + n * 5000, 30.0, 29.0, 800.0, 0.97), lifted=True) for n in range(6)]
    assert "the proximity sensor is faulty" in said[-1].words
    assert said[-1].reading.contact_fault


def test_a_sensor_that_says_no_while_it_is_held_off_is_proven() -> None:
    check = BodyCheck()
    for n in range(12):
        said = check.take(Sample(BEGIN + n * 5000, 27.0, 24.0, 800.0, 0.02), lifted=True)
    assert said.reading.proven
    assert not said.reading.contact_fault


def test_a_sensor_that_says_contact_long_after_all_else_said_off_is_faulty() -> None:
    stuck = [s._replace(proximity=0.97) for s in trace((limb, 300), (table, 240), channels=ALL)]
    said = judged(stuck)
    assert said[-1].state == DETACHED
    assert "the proximity sensor is faulty" in said[-1].words


def test_an_open_strap_bars_attached() -> None:
    samples = [s._replace(strap="closed" if n < 100 else "cut") for n, s in enumerate(trace((limb, 200)))]
    said = judged(samples)
    assert said[99].state == ATTACHED
    assert ATTACHED not in [each.state for each in said[100:]]
    assert "strap cut" in said[-1].words


def test_a_closed_strap_says_nothing() -> None:
    samples = trace((limb, 30), (table, 60))
    assert [j.p_attached for j in judged(samples)] == [
        j.p_attached for j in judged(s._replace(strap="closed") for s in samples)
    ]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("skin_c", 80.0, "skin_c was not used: 80 degC cannot be"),
        ("ambient_c", -90.0, "ambient_c was not used: -90 degC cannot be"),
        ("proximity", 7.0, "proximity was not used: 7 cannot be"),
        ("motion", -1.0, "motion was not used: -1 cannot be"),
        ("motion", float("nan"), "motion was not used: nan cannot be"),
        ("strap", "off", "strap was not used: 'off' is not known"),
        ("skin_c", 50.0, "the skin side is at 50 degC, too hot for a limb, and is not used"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_not_used_and_that_is_said(field: str, value: float | str, said: str) -> None:
    check = BodyCheck()
    judged(trace((limb, 60)), check)
    told = check.take(Sample(BEGIN + 60 * MINUTE, 31.5, 30.6, 500.0)._replace(**{field: value}))  # type: ignore[arg-type] # wrong on purpose
    assert [remark for remark in told.remarks if remark.startswith(said)]
    assert said in told.words


def test_a_reading_from_before_is_not_used() -> None:
    check = BodyCheck()
    before = judged(trace((limb, 60)), check)[-1]
    told = check.take(Sample(BEGIN, 20.0, 20.0, 0.0))
    assert told.remarks == ("a reading 3540 s back in time was not used",)
    assert (told.state, told.hypotheses) == (before.state, before.hypotheses)


def test_a_frozen_skin_side_is_no_evidence() -> None:
    frozen = [s._replace(skin_c=31.25) if n > 60 else s for n, s in enumerate(trace((limb, 60), (prosthesis, 400)))]
    said = judged(frozen)
    assert "the skin side has frozen and is not used" in said[-1].remarks
    assert said[-1].state != ATTACHED


def test_frozen_motion_is_no_evidence() -> None:
    stuck = [s._replace(motion=812.0) for s in trace((limb, 60))]
    assert "motion has frozen and is not used" in judged(stuck)[-1].remarks


def test_it_explains_itself() -> None:
    check = BodyCheck()
    judged(trace((table, 10), (limb, 4), every_s=20, channels=ALL), check)
    words = check.take(Sample(BEGIN + 14 * MINUTE, 29.5, 28.4, 700.0, 0.94)).words
    assert "degC above ambient and rising" in words
    assert "contact 0.8" in words
    assert "of 10 min: on a limb (p over 0.999)" in words


def test_a_check_that_was_written_down_goes_on_as_if_nothing_had_been() -> None:
    samples = trace((limb, 120), (table, 60), (sock, 60), every_s=7, channels=ALL)
    whole = [each.words for each in judged(samples)]
    check, said = BodyCheck(bias_c=None), []
    for n, sample in enumerate(samples):
        if n % 97 == 0:
            check = BodyCheck.restored(json.loads(json.dumps(check.plain())))
        said.append(check.take(sample).words)
    assert said == whole


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="begin anew"):
        BodyCheck.restored(BodyCheck().plain() | {"v": 0})


def test_the_state_stays_small() -> None:
    check = BodyCheck()
    judged(trace((limb, 600), (table, 600), channels=ALL), check)
    assert len(json.dumps(check.plain())) < 1_000
