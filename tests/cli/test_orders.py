"""`emcheck order`: what goes where, what is refused before anything is written, and a week as a person sees it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.domain.register import parse_register
from emcheck.domain.windows import windows
from tests.exchange.test_moj import document
from tests.support import nightly, order

EXPECTED = Path(__file__).parent / "expected"
SET = ["--wearer-id", "W-1", "--address-id", "A-1"]
CALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:e1\nLOCATION:A-2\n"
    "DTSTART;TZID=UTC:20260401T200000\nDTEND;TZID=UTC:20260402T060000\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n"
)


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "wearers": [{"wearer_id": "W-1", "name": "Given Family"}],
        "orders": [order()],
        "installations": [
            {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"},
            {"unit": "BU-0002", "address_id": "A-2", "installed_at": "2026-03-01T00:00:00Z"},
        ],
        "fittings": [],
    } | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "register.json").write_text(json.dumps(plain()))
    (tmp_path / "moj.json").write_text(json.dumps(document()))
    (tmp_path / "nights.ics").write_text(CALENDAR)
    return tmp_path


def run(*words: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(app, ["order", *(str(word) for word in words)], env=environment)


def refused(result: Result, message: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"emcheck: {message}\n"


def test_an_order_on_standard_output_and_the_report_beside_it(folder: Path) -> None:
    result = run("import", folder / "moj.json", *SET)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["order_id"] == "7f5c"
    assert result.stderr.splitlines()[:2] == ["understood:", "  zone: Europe/London, from the service's country"]
    assert "not used:\n  case_id\n" in result.stderr


def test_the_whole_for_programs(folder: Path) -> None:
    made = json.loads(run("import", folder / "moj.json", *SET, "--json").stdout)
    assert made["order"]["curfew"][0]["address_id"] == "A-1"
    assert made["report"].keys() == {"understood", "assumed", "not_used"}
    assert {"where": "case_id", "said": ""} in made["report"]["not_used"]


def test_into_a_register_that_is_else_as_it_was(folder: Path) -> None:
    path = folder / "register.json"
    path.chmod(0o640)
    result = run("import", folder / "moj.json", *SET, "--into", path)
    assert result.exit_code == 0, result.stderr
    after = json.loads(path.read_text())
    assert after["orders"].pop()["order_id"] == "7f5c"
    assert after == plain()
    assert path.stat().st_mode & 0o777 == 0o640
    assert result.stdout == f"{path}: 7f5c put in; sha256 {parse_register(path.read_text()).sha256()}\n"
    assert sorted(each.name for each in folder.iterdir()) == ["moj.json", "nights.ics", "register.json"]


def test_a_wearer_and_an_address_that_are_new_are_told(folder: Path) -> None:
    result = run(
        "import", folder / "moj.json", "--wearer-id", "W-9", "--address-id", "A-9", "--into", folder / "register.json"
    )
    assert "  wearer_id: W-9 is new in the register, without a name\n" in result.stderr
    assert "order 7f5c: no base unit is installed at A-9, where it wants W-9 from 2026-03-20" in result.stderr
    assert json.loads((folder / "register.json").read_text())["wearers"][-1] == {"wearer_id": "W-9"}


def test_a_calendar_whose_places_are_addresses_of_the_register_varies_an_order(folder: Path) -> None:
    path = folder / "register.json"
    words = ("import", folder / "nights.ics", "--order-id", "O-1", "--varies-at", "2026-04-01T12:00:00Z")
    result = run(*words, "--into", path)
    assert result.exit_code == 0, result.stderr
    [varied] = json.loads(path.read_text())["orders"][0]["variations"]
    assert varied["effective_at"] == "2026-04-01T12:00:00.000Z"
    assert varied["curfew"][0]["address_id"] == "A-2"
    assert len(varied["curfew"][0]["windows"]) == 7
    for name, said in (("zone", "UTC"), ("wearer_id", "W-1"), ("ends_at", "2026-05-01T00:00:00.000Z")):
        assert f"  {name}: {said}, as order O-1 in the register has it\n" in result.stderr
    assert "  starts_at: 2026-04-01T12:00:00.000Z, as --varies-at says\n" in result.stderr
    assert "a variation changes windows only" not in result.stderr
    refused(
        run(*words, "--into", path),
        f"{folder / 'nights.ics'}: varies_at: a variation from 2026-04-01T12:00:00.000Z is in the register; "
        "take it out or vary later",
    )


TWO_PLACES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//EN
BEGIN:VEVENT
UID:e1
LOCATION:Home
DTSTART:20260401T200000
DTEND:20260402T060000
RRULE:FREQ=DAILY
EXDATE:20260405T200000
END:VEVENT
BEGIN:VEVENT
UID:e2
LOCATION:Work
DTSTART:20260420T100000
DTEND:20260420T120000
END:VEVENT
END:VCALENDAR
"""


def test_what_the_document_does_not_say_is_asked_for_at_once(folder: Path) -> None:
    (folder / "two.ics").write_text(TWO_PLACES)
    refused(
        run("import", folder / "two.ics"),
        f"{folder / 'two.ics'}: the document does not say zone, address_id, ends_at, order_id, wearer_id, kind; give "
        "--zone, --address-id PLACE=A-1, PLACE as event 1, LOCATION has it, --ends-at, "
        "--address-id PLACE=A-1, PLACE as event 2, LOCATION has it, --order-id, --wearer-id, --kind",
    )
    refused(
        run("import", folder / "two.ics", "--zone", "Mars/Base"),
        f"{folder / 'two.ics'}: zone: 'Mars/Base' is no IANA time zone; write it as in Europe/London",
    )


def test_a_document_on_standard_input(folder: Path) -> None:
    words = ["order", "import", "-", *SET]
    given = CliRunner().invoke(app, words, input=(folder / "moj.json").read_bytes())
    assert given.stdout == run("import", folder / "moj.json", *SET).stdout
    wrong = CliRunner().invoke(app, words, input=b"{}")
    refused(wrong, "standard input: neither a monitoring order (curfew_duration), curfew times (fromDay) nor iCalendar")


def test_a_calendar_varies_an_order_with_all_that_it_holds(folder: Path) -> None:
    """Also without a register: nothing of it is dropped in silence."""
    (folder / "two.ics").write_text(TWO_PLACES)
    places = ["--address-id", "Home=A-1", "--address-id", "Work=A-2", "--zone", "UTC"]
    places += ["--ends-at", "2026-05-01T00:00:00Z"]
    words: list[str | Path] = ["import", folder / "two.ics", "--order-id", "O-1", *places]
    words += ["--varies-at", "2026-04-01T12:00:00Z"]
    alone = run(*words, "--wearer-id", "W-1", "--kind", "community_order")
    varied = json.loads(alone.stdout)
    assert varied.keys() == {"variations", "suspensions"}
    assert varied["variations"][0]["effective_at"] == "2026-04-01T12:00:00.000Z"
    made = json.loads(run(*words, "--wearer-id", "W-1", "--kind", "community_order", "--json").stdout)
    assert {key: made[key] for key in varied} == varied
    assert made["variation"] == varied["variations"][0]
    assert run(*words, "--into", folder / "register.json").exit_code == 0
    [order, *_] = json.loads((folder / "register.json").read_text())["orders"]
    assert {key: order[key] for key in varied} == varied


def test_what_a_variation_cannot_change_is_told_without_a_register_too(folder: Path) -> None:
    words = (*SET, "--varies-at", "2026-04-01T00:00:00Z", "--atv-allowance-min", "60")
    told = run("import", folder / "moj.json", *words).stderr
    assert "  atv_allowance_min: a variation changes windows only\n" in told


def test_what_a_variation_cannot_change_is_named_once(folder: Path) -> None:
    path = folder / "register.json"
    words = ("--address-id", "A-1", "--order-id", "O-1", "--varies-at", "2026-04-01T00:00:00Z", "--zone", "UTC")
    result = run("import", folder / "moj.json", *words, "--ends-at", "2026-06-01T00:00:00Z", "--into", path)
    assert result.exit_code == 0, result.stderr
    told = [line for line in result.stderr.splitlines() if "otherwise" in line or "changes windows only" in line]
    assert told == [
        "  the service's country: --zone says otherwise",
        "  curfew_start: --varies-at says otherwise",
        "  curfew_end: --ends-at says otherwise",
        "  order_id: --order-id says otherwise",
        "  condition_type: order O-1 in the register says otherwise",
        "  ends_at: a variation changes windows only",
    ]


def test_shapes_are_told_apart_with_or_without_a_byte_order_mark(folder: Path) -> None:
    times = {"fromDay": "MONDAY", "fromTime": "19:00", "untilDay": "TUESDAY", "untilTime": "07:00"}
    span = ("--starts-at", "2026-03-20T00:00:00Z", "--ends-at", "2026-04-20T00:00:00Z")
    (folder / "licence.json").write_text("\ufeff" + json.dumps({"curfewTimes": [times]}))
    (folder / "nights.ics").write_text("\ufeff" + CALENDAR.replace("TZID=UTC", "TZID=Europe/London"))
    licence = run("import", folder / "licence.json", *SET, "--order-id", "O-2", *span)
    assert json.loads(licence.stdout)["kind"] == "home_detention_curfew"
    nights = run("import", folder / "nights.ics", *SET, "--order-id", "O-2", "--kind", "bail", *span)
    assert json.loads(nights.stdout)["starts_at"] == "2026-03-20T00:00:00.000Z"


def test_a_variation_alone_is_what_the_register_holds_of_one(folder: Path) -> None:
    varied = document(order_request_type="Variation", order_variation_date="2026-04-01 12:00:00")
    (folder / "moj.json").write_text(json.dumps(varied))
    made = json.loads(run("import", folder / "moj.json", *SET).stdout)
    assert made.keys() == {"effective_at", "curfew"}
    assert made["effective_at"] == "2026-04-01T11:00:00.000Z"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--address-id", "A-1"], "wearer_id: the document does not say; give --wearer-id"),
        (
            [*SET, "--order-id", "O-1"],
            "order_id: 'O-1' is in the register; give another --order-id, or --varies-at to vary it",
        ),
        (
            [*SET, "--varies-at", "2026-04-01T00:00:00Z"],
            "order_id: no order '7f5c' in the register to vary",
        ),
        (
            [*SET, "--order-id", "O-1", "--varies-at", "2026-04-01T00:00:00Z", "--zone", "Europe/Paris"],
            "timezone: 'Europe/Paris', but the order that is varied has 'UTC'",
        ),
        (
            [*SET, "--starts-at", "2026-07-01T00:00:00Z"],
            ("ends_at: 2026-06-20T22:59:00.000Z is not after starts_at 2026-07-01T00:00:00.000Z; "
            "let the order end after it starts"),
        ),
    ],
)  # fmt: skip
def test_nothing_is_written_where_anything_is_missing(folder: Path, words: list[str], message: str) -> None:
    path = folder / "register.json"
    refused(run("import", folder / "moj.json", "--into", path, *words), f"{folder / 'moj.json'}: {message}")
    assert json.loads(path.read_text()) == plain()


def test_an_order_that_the_policy_refuses_is_not_written(folder: Path) -> None:
    from emcheck.shipped import shipped_config

    policy = (shipped_config() / "policy" / "england-wales.toml").read_text()
    change = '[order.home_detention_curfew.action]\nvalue = "warn"'
    (folder / "strict.toml").write_text(policy.replace(change, change.replace("warn", "refuse")))
    document_ = document(hdc="Yes", curfew_duration=[{"location": "primary", "schedule": [
        {"day": "Mo", "start": "22:00", "end": "23:00"}]}])  # fmt: skip
    (folder / "moj.json").write_text(json.dumps(document_))
    words: list[str | Path] = ["import", folder / "moj.json", *SET, "--into", folder / "register.json"]
    result = run(*words, "--policy", folder / "strict.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Criminal Justice Act 2003 s 253(2)" in result.stderr
    assert json.loads((folder / "register.json").read_text()) == plain()
    assert run(*words).exit_code == 0


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (
            "{",
            [],
            "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); correct it there",
        ),
        *((" \n", ["--format", shape], "empty; give a file with a monitoring order, curfew times or a calendar in it")
          for shape in ("auto", "moj", "ical")),
        ("{}", [], "neither a monitoring order (curfew_duration), curfew times (fromDay) nor iCalendar"),
        ("[]", ["--format", "moj"], "the document: not a JSON object, as this shape has here"),
        ("{}", ["--format", "ical"], "no iCalendar: line 1 is no property; write it as in LOCATION:A-1"),
    ],
)  # fmt: skip
def test_documents_that_are_none(folder: Path, text: str, words: list[str], message: str) -> None:
    (folder / "moj.json").write_text(text)
    refused(run("import", folder / "moj.json", *SET, *words), f"{folder / 'moj.json'}: {message}")


@pytest.mark.parametrize("shape", ["auto", "moj", "curfew-times", "ical"])
@pytest.mark.parametrize("broken", [False, True])
def test_no_error_repeats_what_a_document_says_of_people(folder: Path, shape: str, broken: bool) -> None:
    person = "Given Family of 1 High Street, 07700 900123"
    bare = document(device_wearer=person, order_request_type=person, curfew_start=person)
    text = json.dumps(bare)[: -1 if broken else None]
    (folder / "moj.json").write_text(text)
    calendar = CALENDAR.replace("A-2", person).replace("UID:e1", f"UID:{person}")
    (folder / "nights.ics").write_text(calendar.replace("DTEND;TZID=UTC:2026", person) if broken else calendar)
    for name in ("moj.json", "nights.ics"):
        result = run("import", folder / name, "--format", shape)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
        assert [word for word in ("Given", "Family", "High Street", "07700") if word in result.stderr] == []


def test_options_that_are_none(folder: Path) -> None:
    path, register = folder / "moj.json", folder / "register.json"
    refused(run("import", path, "--format", "csv"), "--format: 'csv' is none of auto, moj, curfew-times, ical")
    refused(run("export", "O-1", "--register", register, "--format", "csv"), "--format: 'csv' is not written; ical is")
    refused(run("show", "O-9", "--register", register), f"{register}: no order 'O-9'; there are O-1")
    late = run("show", "O-1", "--register", register, "--week", "tomorrow")
    refused(late, "--week: 'tomorrow' is no date; write it as in 2026-03-23")
    assert run("show", "O-1", "--register", register, "--week", "9999-12-31").exit_code == 2


def test_a_calendar_goes_out_and_comes_in_again(folder: Path) -> None:
    out = folder / "o.ics"
    result = run("export", "O-1", "--register", folder / "register.json", "-o", out)
    assert result.stdout == f"{out}: 62 windows of O-1\n"
    again = run("export", "O-1", "--register", folder / "register.json", "-o", out)
    refused(again, f"{out}: is there already; name another with --out, or say --force")
    assert run("export", "O-1", "--register", folder / "register.json", "-o", out, "--force").exit_code == 0
    words = (
        "--order-id",
        "O-2",
        "--wearer-id",
        "W-1",
        "--kind",
        "community_order",
        "--zone",
        "UTC",
        "--into",
        folder / "register.json",
    )
    assert run("import", out, *words).exit_code == 0
    first, second = parse_register((folder / "register.json").read_text()).orders
    assert windows(second, 0, second.ends_at) == windows(first, 0, first.ends_at)


WEEKS = {
    "spring": ("2026-03-23", "80"),
    "autumn": ("2026-10-25", "120"),
    "first-night": ("2026-03-20", "80"),
    "after-the-end": ("2027-01-01", "80"),
}
VARIED = order(
    timezone="Europe/London", starts_at="2026-03-19T12:00:00Z", ends_at="2026-12-20T00:00:00Z",
    first_night={"from": "2026-03-20T17:00", "until": "2026-03-21T07:00"},
    curfew=[
        {"address_id": "A-1", "windows": nightly()[0]["windows"][:4]},
        {"address_id": "A-2", "windows": nightly()[0]["windows"][4:]},
    ],
    variations=[{"effective_at": "2026-03-26T12:00:00Z", "curfew": nightly("21:00", "06:00", address="A-3")}],
    suspensions=[{"from": "2026-03-24T00:00", "until": "2026-03-25T00:00", "reason": "hospital"}],
    authorised_absences=[
        {"from": "2026-03-25T19:00", "until": "2026-03-25T22:00", "reason": "medical", "approved_by": "A. Clerk"}
    ],
)  # fmt: skip


@pytest.mark.parametrize("name", WEEKS)
def test_a_week_is_drawn_as_a_person_reads_it(folder: Path, name: str) -> None:
    (folder / "register.json").write_text(json.dumps(plain(orders=[VARIED])))
    week, columns = WEEKS[name]
    result = run("show", "O-1", "--register", folder / "register.json", "--week", week, COLUMNS=columns)
    assert result.exit_code == 0
    assert max(len(line) for line in result.stdout.splitlines()) <= int(columns)
    assert result.stdout == (EXPECTED / f"week-{name}.txt").read_text()


def test_what_was_revoked_is_not_drawn_in_a_week(folder: Path) -> None:
    path, revoked = folder / "register.json", {"at": "2026-03-23T12:00:00Z", "by": "the court", "reason": "in error"}
    span = {"from": "2026-03-24T00:00", "until": "2026-03-25T00:00"}
    words = ("show", "O-1", "--register", path, "--week", "2026-03-23")
    never = run(*words).stdout
    path.write_text(json.dumps(plain(orders=[order(suspensions=[span])])))
    assert "suspended until" in run(*words).stdout
    path.write_text(json.dumps(plain(orders=[order(suspensions=[span | {"revoked": revoked}])])))
    assert run(*words).stdout == never


def test_a_week_for_programs_has_its_real_hours(folder: Path) -> None:
    (folder / "register.json").write_text(json.dumps(plain(orders=[VARIED])))
    words = ("show", "O-1", "--register", folder / "register.json", "--json", "--week")
    spring, autumn = (json.loads(run(*words, week).stdout) for week in ("2026-03-29", "2026-10-25"))
    assert [day["seconds"] // 3600 for day in spring["days"]] == [24, 24, 24, 24, 24, 24, 23]
    assert [day["seconds"] // 3600 for day in autumn["days"]] == [24, 24, 24, 24, 24, 24, 25]
    assert [window["seconds"] // 3600 for window in spring["windows"][-3:]] == [9, 8, 9]
    assert [window["seconds"] // 3600 for window in autumn["windows"][-3:]] == [9, 10, 9]
    assert spring["curfew_seconds"] == sum(day["curfew_seconds"] for day in spring["days"])
    assert [window["leave_seconds"] for window in spring["windows"] if window["leave_seconds"]] == [3 * 3600]
    assert [window["start"] for window in spring["suspended"]] == [
        "2026-03-24T00:00:00.000Z",
        "2026-03-24T19:00:00.000Z",
    ]


def test_this_week_where_none_is_named_and_no_colour_anywhere(folder: Path) -> None:
    result = run("show", "O-1", "--register", folder / "register.json", FORCE_COLOR="1")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
