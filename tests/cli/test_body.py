"""`emcheck body`: a state for every row, bad input named by line and column, and the drawing."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.domain.body import Sample
from tests.domain.bodies import ALL, limb, table, trace

HEADER = "at,skin_c,ambient_c,motion"


def row(s: Sample) -> str:
    return f"{s.at // 1000},{s.skin_c},{s.ambient_c},{s.motion:g}"


def written(samples: list[Sample], *, proximity: bool = False) -> str:
    rows = [row(s) + (f",{s.proximity:.3f}" if proximity else "") for s in samples]
    return "\n".join([HEADER + (",proximity" if proximity else ""), *rows, ""])


def run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["body", *words], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leg.csv"
    path.write_text(written(trace((limb, 120), (table, 60), (limb, 30))))
    return path


def test_every_row_gets_a_state_with_its_instant_as_given(file: Path) -> None:
    done = run("assess", str(file), "--format", "csv")
    header, *rows = done.stdout.splitlines()
    assert (done.exit_code, header, len(rows)) == (0, "at,state,p_attached", 210)
    cells = [row.split(",") for row in rows]
    given = [line.split(",")[0] for line in file.read_text().splitlines()[1:]]
    assert [at for at, _, _ in cells] == given
    assert {state for _, state, _ in cells} == {"attached", "detached", "uncertain"}
    assert all(0 <= float(p) <= 1 for _, _, p in cells)
    assert [cells[n][1] for n in (119, 179, 209)] == ["attached", "detached", "attached"]


def test_no_row_depends_on_later_ones(file: Path) -> None:
    whole = run("assess", str(file)).stdout.splitlines()
    lines = file.read_text().splitlines()
    for cut in (1, 2, 60, 130, 185):
        assert run("assess", "-", stdin="\n".join(lines[: cut + 1])).stdout.splitlines() == whole[: cut + 1]


def test_standard_input_json_and_rfc_3339(file: Path) -> None:
    text = f"{HEADER},proximity,strap\n2026-03-28T19:00:00+00:00,31.2,30.1,12,0.9,closed\n2026-03-28T19:01:00.5Z,,,,,\n"
    done = run("assess", "-", "--json", stdin=text)
    first, second = json.loads(done.stdout)
    assert first["at"] == "2026-03-28T19:00:00+00:00"
    assert set(first) == {"at", "state", "p_attached", "hypotheses", "words"}
    assert sum(second["hypotheses"].values()) == pytest.approx(1)
    assert run("assess", str(file), "--format", "json").stdout == run("assess", str(file), "--json").stdout


def test_a_table_without_a_reading_says_so() -> None:
    done = run("assess", "-", stdin="at,skin_c,ambient_c,motion\n")
    assert (done.exit_code, done.stdout) == (0, "at,state,p_attached\n")
    assert done.stderr == "standard input: the table has no reading\n"


def test_columns_stand_in_any_order_and_a_header_alone_is_an_empty_answer() -> None:
    swapped = "motion,at,ambient_c,skin_c\n12,0,30.1,31.2\n"
    assert run("assess", "-", stdin=swapped).stdout == run("assess", "-", stdin=f"{HEADER}\n0,31.2,30.1,12\n").stdout
    assert run("assess", "-", stdin=HEADER + "\n").stdout == "at,state,p_attached\n"
    assert run("assess", "-", stdin=b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n0,31.2,30.1,12\r\n").exit_code == 0


def test_a_measured_bias_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "biased.csv"
    path.write_text(written([s._replace(ambient_c=(s.ambient_c or 0) - 1) for s in trace((table, 120))]))
    assert run("assess", str(path), "--bias-c", "1.1").stdout.splitlines()[-1].split(",")[1] == "detached"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, at: the column is missing; begin with the header at,skin_c,ambient_c,motion"),
        ("at,skin_c,motion\n", "line 1, ambient_c: the column is missing"),
        (HEADER + ",pulse\n", "line 1, 'pulse': no such column; there are at, skin_c,"),
        (HEADER + ",skin_c\n", "line 1, skin_c: the column stands there twice"),
        (HEADER + "\n0,31,30\n", "line 2, row: 3 cells under a header of 4"),
        (HEADER + "\n0,31,30,0\n60,warm,30,0\n", "line 3, skin_c: 'warm' is no number"),
        (HEADER + "\n0,80,30,0\n", "line 2, skin_c: 80 degC cannot be"),
        (HEADER + "\n0,nan,30,0\n", "line 2, skin_c: nan degC cannot be"),
        (HEADER + "\n0,31,30,-4\n", "line 2, motion: -4 cannot be"),
        (HEADER + "\n0,31,30,inf\n", "line 2, motion: inf cannot be"),
        (HEADER + ",proximity\n0,31,30,0,7\n", "line 2, proximity: 7 cannot be; 0 (free) to 1 (contact) can"),
        (HEADER + ",strap\n0,31,30,0,loose\n", "line 2, strap: 'loose' is not known; closed, open, cut are"),
        (HEADER + "\n60,31,30,0\n0,31,30,0\n", "line 3, at: '0' is before the row above"),
        (HEADER + "\nnoon,31,30,0\n", "line 2, at: 'noon' is no instant"),
        (HEADER + "\n2026-03-28T19:00,31,30,0\n", "line 2, at: '2026-03-28T19:00' has no UTC offset"),
        (HEADER + "\nnan,31,30,0\n", "line 2, at: 'nan' are no epoch seconds"),
        (HEADER + "\n1e300,31,30,0\n", "line 2, at: '1e300' are no epoch seconds"),
        (HEADER + '\n0,"31,30,0\n', "line 2, row: no CSV"),
        (HEADER + "\n0,31\x00,30,0\n", "line 2, "),
    ],
)
def test_bad_input_is_named_by_line_and_column(text: str, said: str) -> None:
    done = run("assess", "-", stdin=text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"emcheck: standard input: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes(HEADER.encode() + b"\n0,31,30,\xe9\n")
    for words, said in (
        ("none.csv", "none.csv: No such file"),
        (str(tmp_path), "Is a directory"),
        (str(latin), "not UTF-8 text"),
    ):
        done = run("assess", words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
    assert run("assess", "-", stdin=b"\xff\xfe").exit_code == 2
    assert run("assess", "-", "--bias-c", "nan", stdin=HEADER).exit_code == 2


def test_the_drawing_shows_channels_evidence_and_state_and_says_the_same_in_words(tmp_path: Path) -> None:
    source, out = tmp_path / "leg & sock.csv", tmp_path / "leg.svg"
    source.write_text(written(trace((limb, 120), (table, 60), channels=ALL), proximity=True))
    done = run("plot", str(source), "-o", str(out))
    root = ET.fromstring(out.read_text())
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    for title in (
        "Temperature, degC",
        "Skin above ambient",
        "Motion",
        "Proximity",
        "How likely",
        "State",
        "leg & sock.csv",
    ):
        assert [text for text in texts if text.startswith(title)], title
    described = root.find("{http://www.w3.org/2000/svg}desc")
    assert described is not None
    assert described.text == "\n".join(done.stdout.splitlines()[1:])
    assert "detached; at its end" in done.stdout
    numbers = [float(n) for d in re.findall(r' d="([^"]*)"', out.read_text()) for n in re.findall(r"-?[\d.]+", d)]
    assert all(-100 <= n <= 1200 for n in numbers)


def test_a_drawing_is_not_written_over_nor_made_of_nothing(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "there.svg"
    out.write_text("mine")
    assert run("plot", str(file), "-o", str(out)).exit_code == 2
    assert out.read_text() == "mine"
    assert run("plot", str(file), "-o", str(out), "--force").exit_code == 0
    none = run("plot", "-", "-o", str(tmp_path / "none.svg"), stdin=HEADER + "\n")
    assert (none.exit_code, "no readings to draw" in none.stderr) == (2, True)


def test_one_reading_and_missing_channels_are_drawn(tmp_path: Path) -> None:
    for number, rows in enumerate(("0,,,", "0,31.2,30.4,5", "0,31.2,,\n1,31.2,,")):
        out = tmp_path / f"{number}.svg"
        assert run("plot", "-", "-o", str(out), stdin=f"{HEADER}\n{rows}\n").exit_code == 0
        ET.fromstring(out.read_text())


def test_the_published_schema_and_the_reader_agree() -> None:
    shape = json.loads(CliRunner().invoke(app, ["schema", "body"]).stdout)
    assert sorted(shape["properties"]) == sorted(["at", "skin_c", "ambient_c", "motion", "proximity", "strap"])


def test_a_situation_is_simulated_as_samples_that_can_be_judged(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    words = ("simulate", "taken-off", "--seed", "4", "--every-s", "60")
    done, again = run(*words, "--truth", str(truth)), run(*words)
    assert (done.exit_code, again.exit_code) == (0, 0)
    assert done.stdout == again.stdout
    header, *rows = done.stdout.splitlines()
    assert (header, len(rows)) == ("at,skin_c,ambient_c,motion,proximity,strap", 240)
    assert run("assess", "-", stdin=done.stdout).exit_code == 0
    told = truth.read_text().splitlines()
    assert told[0] == "at,truth,place"
    assert [told[1], told[-1]] == [f"{rows[0].split(',')[0]},skin,skin", f"{rows[-1].split(',')[0]},off,table"]


def test_a_situation_that_is_not_known_and_a_truth_that_is_there_are_refused(tmp_path: Path) -> None:
    there = tmp_path / "truth.csv"
    there.write_text("kept")
    unknown, kept = run("simulate", "sok"), run("simulate", "sock", "--truth", str(there))
    assert (unknown.exit_code, kept.exit_code) == (2, 2)
    assert "no situation 'sok'" in unknown.stderr
    assert "prosthesis-foam" in unknown.stderr
    assert there.read_text() == "kept"
