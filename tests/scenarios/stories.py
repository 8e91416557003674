"""What the units of the scenarios tell, one function for each."""

import random

from emcheck.domain.instants import HOUR, MINUTE, SECOND
from tests.support import BOOT, UnitStory, at

TUESDAY, WEDNESDAY = "2026-03-24", "2026-03-25"


def unit_name(n: int) -> str:
    return f"BU-{n:04}"


def evening(n: int = 1, day: str = TUESDAY) -> UnitStory:
    """Home from 18:30, a heartbeat each minute until 18:59."""
    told = UnitStory(unit_name(n)).boots(at("18:30", day), heartbeat_s=60).hears(at("18:30", day), tag=f"T-{n}")
    return told.beats(at("18:31", day), at("18:59", day))


def night_on(told: UnitStory, since: str, until: int = at("07:59", WEDNESDAY)) -> UnitStory:
    """Heartbeats each minute from then on."""
    return told.beats(at(since), until)


def out(told: UnitStory, left: str, back: str, *, tag: str = "T-1") -> UnitStory:
    """Not heard from `left` (noticed a minute later) until `back`, whole minutes."""
    told.loses(at(left) + MINUTE, last_heard=at(left), tag=tag)
    told.beats(at(left) + 2 * MINUTE, at(back) - MINUTE)
    return told.hears(at(back), tag=tag)


# --- equipment --------------------------------------------------------------------------------------------


def strap_rejoined() -> UnitStory:
    """Cut at 20:30 out of range; joined by 21:10, when the tag is heard again and tells it from its memory."""
    told = out(night_on(evening(), "19:00", at("19:59")), "20:00", "21:10")
    told.tell(at("20:30"), "tag_tamper", tag="T-1", kind="strap_cut", received=at("21:10:04"))
    told.tell(at("21:11"), "report", tag="T-1", interval_s=60, heard=9, expected=10, strap="closed")
    return night_on(told, "21:12")


def straps_open() -> tuple[UnitStory, ...]:
    """Ten homes; the straps of five are told open from 20:10 on, every half an hour, and that of the sixth at 20:20."""
    stories = []
    for n in range(1, 11):
        told = night_on(evening(n), "19:00", at("20:00"))
        minute = {6: 20}.get(n, 10 + 30 * (n - 1))
        if n <= 6:
            told.beats(at("20:01"), at("20:00") + (minute - 1) * MINUTE)
            told.tell(at("20:00") + minute * MINUTE, "tag_tamper", tag=f"T-{n}", kind="strap_open")
            told.beats(at("20:00") + (minute + 1) * MINUTE, at("07:59", WEDNESDAY))
        else:
            night_on(told, "20:01")
        stories.append(told)
    return tuple(stories)


def carried_out() -> UnitStory:
    """Unplugged and moved at 20:00, it goes with the wearer on a power bank, and is set down again at 23:00."""
    told = night_on(evening(), "19:00", at("19:59"))
    told.tell(at("20:00"), "unit_status", power="battery", battery_pct=96, moved=True, tags={"T-1": "in"})
    for minute in range(1, 180):
        told.tell(at("20:00") + minute * MINUTE, "unit_status", power="battery", battery_pct=95, tags={"T-1": "in"})
    told.tell(at("23:00"), "unit_status", power="mains", moved=False, tags={"T-1": "in"})
    return night_on(told, "23:01")


def silent_all_night() -> UnitStory:
    """Last heard at 18:59, and again at 07:30 with a boot that knows nothing of the night."""
    told = evening().reboots(at("07:30", WEDNESDAY), "01JD0000010000000000000000", heartbeat_s=60, boot_n=2)
    return told.hears(at("07:30", WEDNESDAY)).beats(at("07:31", WEDNESDAY), at("07:59", WEDNESDAY))


def old_frame() -> UnitStory:
    """At 22:00 recorded frames are played near the unit while the wearer is out."""
    told = night_on(evening(), "19:00", at("21:29")).loses(at("21:31"), last_heard=at("21:30"))
    told.beats(at("21:32"), at("21:59"))
    for minute in range(3):
        told.tell(
            at("22:00") + minute * MINUTE, "report", tag="T-1", interval_s=60, heard=0, expected=10, strap="closed",
            replayed=7,
        )  # fmt: skip
    told.beats(at("22:03"), at("22:29")).hears(at("22:30"))
    told.tell(at("22:31"), "report", tag="T-1", interval_s=60, heard=9, expected=10, strap="closed")
    return night_on(told, "22:32")


def outage() -> tuple[UnitStory, ...]:
    """Twelve units fall silent at 21:00 and are back at 22:30; one wearer was out before, one is still after."""
    stories = []
    for n in range(1, 13):
        told = night_on(evening(n), "19:00", at("20:59"))
        if n == 7:
            told = out(night_on(evening(n), "19:00", at("19:29")), "19:30", "20:00", tag="T-7")
            told.beats(at("20:01"), at("20:59"))
        for minute in range(90):
            told.tell(at("21:00") + minute * MINUTE, "unit_status", power="mains", received=at("22:30") + n * SECOND)
        stories.append(night_on(told, "22:31", at("23:00")))
    return tuple(stories)


def opened() -> UnitStory:
    """The unit's case is open from 20:00 to 20:20, the tag's was opened at 21:00."""
    told = night_on(evening(), "19:00", at("19:59")).tell(at("20:00"), "unit_status", power="mains", case="open")
    told.beats(at("20:01"), at("20:19"), case="open").tell(at("20:20"), "unit_status", power="mains", case="closed")
    told.beats(at("20:21"), at("20:59")).tell(at("21:00"), "tag_tamper", tag="T-1", kind="case_open")
    return night_on(told, "21:01")


def batteries() -> UnitStory:
    """The tag's battery runs low at 20:00; the unit's is low though it is on mains."""
    told = night_on(evening(), "19:00", at("19:59"))
    told.tell(at("20:00"), "report", tag="T-1", interval_s=60, heard=9, expected=10, strap="closed", battery_pct=18)
    told.tell(at("20:01"), "unit_status", power="mains", battery_pct=12)
    return night_on(told, "20:02")


def noise() -> UnitStory:
    """A transmitter nearby drowns the tag from 21:00 to 21:30; the unit's clock is 95 s ahead, and it says so."""
    told = night_on(evening(), "19:00", at("20:58"))
    told.tell(at("20:59"), "unit_status", power="mains", noise_dbm=-80, clock_offset_ms=95_000)
    told.tell(at("21:00"), "report", tag="T-1", interval_s=60, heard=1, expected=10, strap="closed")
    told.loses(at("21:01"), last_heard=at("21:00")).beats(at("21:02"), at("21:29"))
    told.hears(at("21:30")).tell(at("21:31"), "unit_status", power="mains", noise_dbm=-110, clock_offset_ms=0)
    return night_on(told, "21:32")


def cloned() -> tuple[UnitStory, ...]:
    """One number with two contents, an event that cannot be read, a hole, and a unit that nobody knows."""
    told = night_on(evening(), "19:00", at("20:29"))
    told.loses(at("20:30"), last_heard=at("20:29"), seq=told.seq)
    told.tell(at("20:31"), "presence", tag="T-1", in_range="perhaps")
    told.beats(at("20:32"), at("20:59")).skips(3).tell(at("21:05"), "unit_status", power="mains", tags={"T-1": "in"})
    stranger = UnitStory("BU-9999").boots(at("20:00")).hears(at("20:00"))
    return night_on(told, "21:06"), stranger


def street() -> tuple[UnitStory, ...]:
    """Four homes of a postcode are without mains from 20:00 to 21:00."""
    stories = []
    for n in range(1, 5):
        told = night_on(evening(n), "19:00", at("19:59"))
        told.tell(at("20:00") + n * SECOND, "unit_status", power="battery", battery_pct=97)
        for minute in range(1, 60):
            told.tell(at("20:00") + minute * MINUTE, "unit_status", power="battery", battery_pct=95)
        stories.append(night_on(told, "21:00"))
    return tuple(stories)


# --- the record -------------------------------------------------------------------------------------------


def thirty_hours_offline() -> UnitStory:
    """No link from 18:00 on Monday; at midnight on Tuesday 2,500 events come, each two or three times and shuffled.

    On Tuesday the wearer was out from 17:30 and came home at 19:40.
    """
    chance = random.Random(30)
    start, told = at("18:00", "2026-03-23"), UnitStory()
    told.boots(start - HOUR, heartbeat_s=60).hears(start - HOUR).beats(start - HOUR + MINUTE, start)
    came, first_seq = list(told.messages), told.seq + 1
    told.messages.clear()
    left, back = 23 * HOUR + 30 * MINUTE, 25 * HOUR + 40 * MINUTE
    for number in range(2500):
        after = number * 43_200
        if after <= left < after + 43_200:
            told.loses(start + left + MINUTE, last_heard=start + left)
        elif after <= back < after + 43_200:
            told.hears(start + back)
        else:
            told.tell(start + after + MINUTE, "unit_status", power="mains")
    events = [envelope["events"][0] for _, envelope in told.messages]
    envelopes = [
        {"v": 1, "boot": BOOT, "first_seq": first_seq + place, "events": events[place : place + 25]}
        for place in range(0, 2500, 25)
    ]
    burst = [envelope for envelope in envelopes for _ in range(chance.choice([2, 3]))]
    chance.shuffle(burst)
    midnight = at("00:00", WEDNESDAY)
    told.messages = came + [(midnight + 200 * place, envelope) for place, envelope in enumerate(burst)]
    return told.beats(midnight + 2 * MINUTE, midnight + HOUR)


def great_numbers() -> UnitStory:
    """Numbers pass 2^31 and 2^53; what lies between was declared lost, periodic only. Out from 20:00 to 20:30."""
    told = evening()
    for low in (2**31 - 2, 2**53 - 2):
        missing = {"from": told.seq + 1, "to": low - 1}
        told.seq = low - 1
        since = at("19:00") if low < 2**32 else at("20:40")
        told.tell(since, "unit_status", power="mains", tags={"T-1": "in"})
        told.tell(since + 1, "lost", boot=BOOT, periodic_only=True, **missing)
        if low < 2**32:
            out(told.beats(since + MINUTE, at("19:59")), "20:00", "20:30").beats(at("20:31"), at("20:39"))
    return night_on(told, "20:41")


# --- the curfew -------------------------------------------------------------------------------------------


def clocks_change(day: str, following: str, said: dict[int, tuple[tuple[str, str], ...]]) -> tuple[UnitStory, ...]:
    """Two homes over a night on which clocks change; out (UTC, with day) as `said` for each."""
    stories = []
    for n, outings in said.items():
        told, now = UnitStory(unit_name(n)).boots(at("17:00", day), heartbeat_s=60), at("17:00", day)
        told.hears(now, tag=f"T-{n}")
        for left, back in outings:
            told.beats(now + MINUTE, at(left)).loses(at(left) + MINUTE, last_heard=at(left), tag=f"T-{n}")
            told.beats(at(left) + 2 * MINUTE, at(back) - MINUTE).hears(at(back), tag=f"T-{n}")
            now = at(back)
        stories.append(told.beats(now + MINUTE, at("07:30", following)))
    return tuple(stories)


def to_the_second() -> tuple[UnitStory, ...]:
    """One second late; gone one second before the end; 299 s; 301 s; the whole night."""
    stories = [UnitStory(unit_name(n)).boots(at("18:00"), heartbeat_s=60) for n in range(1, 6)]
    for n, (left, back) in enumerate(
        (
            ("2026-03-24T18:20:00", "2026-03-24T19:00:01"),
            ("2026-03-25T06:59:59", "2026-03-25T07:30:00"),
            ("2026-03-24T21:00:00", "2026-03-24T21:04:59"),
            ("2026-03-24T21:00:00", "2026-03-24T21:05:01"),
            ("2026-03-24T18:20:00", "2026-03-25T07:20:00"),
        ),
        start=1,
    ):
        told, tag, gone, home = stories[n - 1], f"T-{n}", at(left), at(back)
        told.hears(at("18:00"), tag=tag).beats(at("18:01"), gone - SECOND)
        told.loses(gone + MINUTE, last_heard=gone, tag=tag).beats(gone + 2 * MINUTE, home - SECOND)
        told.hears(home, tag=tag).beats(home + MINUTE, at("07:59", WEDNESDAY))
    return tuple(stories)


def two_on_one_unit() -> UnitStory:
    """Frames of two tags collide: one is missed for 40 s now and then. W-2 goes out from 22:00 to 22:30."""
    told = UnitStory().boots(at("18:30"), heartbeat_s=60).hears(at("18:30")).hears(at("18:30"), tag="T-2")
    now = at("18:31")
    for hour in ("19:10", "20:25", "21:40"):
        told.beats(now, at(hour))
        told.loses(at(hour) + 35 * SECOND, last_heard=at(hour), tag="T-1").hears(at(hour) + 40 * SECOND, tag="T-1")
        told.loses(at(hour) + 45 * SECOND, last_heard=at(hour) + 5 * SECOND, tag="T-2")
        told.hears(at(hour) + 50 * SECOND, tag="T-2")
        now = at(hour) + MINUTE
    told.beats(now, at("21:59"))
    return night_on(out(told, "22:00", "22:30", tag="T-2"), "22:31")


def home_at_ten_past_eight() -> UnitStory:
    """Out from 18:50 to 20:10; at 19:20 the unit says that it holds the new curfew."""
    told = evening().loses(at("18:59:30"), last_heard=at("18:50"))
    told.beats(at("19:00"), at("19:19"))
    told.tell(at("19:20"), "unit_status", power="mains", config_rev=2, tags={"T-1": "out"})
    return night_on(told.beats(at("19:21"), at("20:09")).hears(at("20:10")), "20:11")


def away_all_night(n: int) -> UnitStory:
    told = evening(n).loses(at("18:59:30"), last_heard=at("18:45"), tag=f"T-{n}")
    return night_on(told, "19:00")
