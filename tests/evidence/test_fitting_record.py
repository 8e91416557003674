"""The record of a fitting: the file as it was agreed, and its pages."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.instants import SECOND, format_ms
from emcheck.evidence.fitting_record import RecordError, record_pdf, record_pictures
from tests.domain.visited import VisitStory, on_foam
from tests.pictures import BASELINE, PROGRESSIVE

GOLDEN = Path(__file__).with_name("expected") / "fitting-record.json"


def document(story: VisitStory, outcome: str | None = "success", **personal: Any) -> dict[str, Any]:
    """As `emcheck fit record` writes it."""
    told, at = record(story.record_of()), format_ms(story.now)
    signed = outcome == "success"
    return {
        "version": 1, "record": told, "sha256": record_sha256(told),
        "outcome": outcome, "signed_sha256": record_sha256(told) if signed else None,
        "signatures": [{"role": "fitter", "name": "A. Fitter", "at": at}] if signed else [],
        "closed_at": None if outcome is None else format_ms(story.now + SECOND), "range_dbm": -75 if signed else None,
        "note": None, "personal": {"name": "W. Earer", "limb_note": None} | personal,
    }  # fmt: skip


def test_the_record_is_the_file_that_was_agreed() -> None:
    """A change of a shipped policy, of the check or of words changes it; look at the difference."""
    told = json.loads(json.dumps(document(VisitStory().whole())))
    told["record"]["policy"]["sha256"] = told["sha256"] = told["signed_sha256"] = "0" * 64
    told["record"]["body"] = told["record"]["body"][::20]
    if os.environ.get("UPDATE_STORIES"):
        GOLDEN.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    assert told == json.loads(GOLDEN.read_text())


def test_the_same_record_gives_the_same_pages_bit_for_bit() -> None:
    of = document(VisitStory().whole())
    pages = record_pdf(of)
    assert pages.startswith(b"%PDF-1.")
    assert pages.rstrip().endswith(b"%%EOF")
    assert pages == record_pdf(json.loads(json.dumps(of)))
    assert pages != record_pdf(of | {"range_dbm": -80})


def test_a_visit_seldom_ends_on_a_whole_second() -> None:
    story = VisitStory().prepares()
    story.now += 123
    assert record_pdf(document(story, "cannot_validate")).startswith(b"%PDF")


@pytest.mark.parametrize("outcome", ["success", "cannot_validate", "no_show", None])
def test_whatever_the_end_there_are_whole_pages(outcome: str | None) -> None:
    stories: dict[str | None, Callable[[], VisitStory]] = {
        "success": lambda: VisitStory().whole(),
        "cannot_validate": lambda: VisitStory(physics=on_foam(Random(1))).prepares().checks_limb().passes(60),
        "no_show": VisitStory,
        None: lambda: VisitStory().prepares(),
    }
    story = stories[outcome]()
    pictures = record_pictures(document(story, outcome), dots_per_inch=36)
    assert 1 <= len(pictures) <= 3
    for picture in pictures:
        assert picture[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", picture[16:24])
        assert (width, height) == (298, 421), "A4 upright"


def photographed(name: str = "ab" * 32) -> dict[str, Any]:
    said = {"caption": "whole_leg", "at": "2026-03-24T10:00:00.000Z", "by": "A. Fitter"}
    held = {"sha256": name, **said, "is_held": True, "deleted_at": None, "kept_days": None}
    gone = {"sha256": "cd" * 32, **said, "is_held": False, "deleted_at": "2026-09-24T10:00:00.000Z", "kept_days": 90}
    return document(VisitStory().whole()) | {"photos": [held, gone]}


def test_photos_stand_at_the_end_and_a_broken_one_keeps_no_record_from_being_printed() -> None:
    of, name = photographed(), "ab" * 32
    with_it, without = record_pdf(of, {name: BASELINE}), record_pdf(of)
    assert BASELINE[-40:-2] in with_it
    assert BASELINE[-40:-2] not in without
    assert with_it == record_pdf(of, {name: BASELINE})
    assert record_pdf(of, {name: b"\xff\xd8\xff no picture"}) == without
    assert len(record_pictures(of, {name: PROGRESSIVE})) >= len(record_pictures(document(VisitStory().whole())))


def test_what_people_write_stands_as_text_whatever_it_holds() -> None:
    """Markup, code, long words, other scripts: nothing is run, nothing breaks the page."""
    hostile = '#panic("run") $x^2 *bold* \\ ]] "quoted" <tag> @ref ' + "m" * 120 + " Łukasz 李 עברית"
    story = VisitStory(strap_batch=hostile[:60]).prepares().checks_limb()
    story.marks("room", room='#read("x")').passes(20).marks("room", room="Küche_2").passes(20).marks("walk_over")
    story.says("call", "cannot", reason=hostile[:200]).overridden(by=hostile[:40], reason=hostile[:150])
    of = document(story.stands().passes(2), limb_note=hostile, name=hostile) | {"note": hostile[:200]}
    assert record_pdf(of).startswith(b"%PDF")


@pytest.mark.parametrize("broken", [{}, {"record": {}}, {"record": None}, {"record": {"as_of": "x", "body": []}}])
def test_what_is_no_record_is_told_in_one_line(broken: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="no fitting record of version 1: "):
        record_pdf(broken)


def test_a_record_is_json_or_pdf(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["fit", "record", "FS-1", "-o", str(tmp_path / "r.docx")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("r.docx: a record is a .json or a .pdf file; name one of them\n")
