"""What is taken of a photo's file, what is refused, and how many a visit has."""

from random import Random
from typing import Any

import pytest

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.photos import PhotoError, bare, gone, refuse_more
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.instructions import parse_instruction
from tests.domain.visited import VisitStory
from tests.pictures import BASELINE, COMMENT, EXIF, PROGRESSIVE, beside, segment, sized


@pytest.mark.parametrize("picture", [BASELINE, PROGRESSIVE])
def test_what_a_camera_writes_beside_and_behind_the_picture_is_left_out(picture: bytes) -> None:
    file = beside(picture, EXIF, segment(0xED, b"Photoshop"), COMMENT, behind=b"\xff\xd8 another picture")
    kept = bare(file)
    assert kept == bare(picture) == bare(kept)
    for trace in (b"Exif", b"51.5007", b"JFIF", b"Photoshop", b"phone", b"another"):
        assert trace not in kept
    assert (kept[:2], kept[-2:]) == (b"\xff\xd8", b"\xff\xd9")


def test_a_comment_between_two_scans_goes_too() -> None:
    second = PROGRESSIVE.rindex(b"\xff\xda")
    assert bare(PROGRESSIVE[:second] + COMMENT + PROGRESSIVE[second:]) == bare(PROGRESSIVE)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "it is no JPEG"),
        (b"\x89PNG\r\n\x1a\n" + BASELINE, "it is no JPEG"), (b"<svg onload=x>", "it is no JPEG"),
        (BASELINE[:-2], "it is cut off"), (BASELINE[:40], "it is cut off"), (b"\xff\xd8\xff", "it is cut off"),
        (b"\xff\xd8\xff\xd9", "there is no picture in it"), (b"\xff\xd8" + EXIF + b"\xff\xd9", "there is no picture"),
        (sized(BASELINE, 1601, 24), "it is 1601 by 24 pixels"),
        (sized(BASELINE, 32, 65535), "it is 32 by 65535 pixels"),
        (sized(BASELINE, 0, 24), "it is 0 by 24 pixels"),
        (BASELINE.replace(b"\xff\xc0", b"\xff\xc3"), "this kind of JPEG is not taken"),
        (BASELINE.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"), "this kind of JPEG is not taken"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_with_what_would_be_right(file: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words):
        bare(file)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_bytes_come_it_is_a_photo_or_a_line(seed: int) -> None:
    chance = Random(seed)
    file = bytearray(chance.choice((BASELINE, PROGRESSIVE)))
    for _ in range(chance.randint(1, 6)):
        file[chance.randrange(len(file))] = chance.choice((0x00, 0xD8, 0xD9, 0xDA, 0xE1, 0xFF, chance.randrange(256)))
    try:
        kept = bare(bytes(file[: chance.randint(0, len(file))] if seed % 2 else file))
    except PhotoError:
        return
    assert bare(kept) == kept


def photo(number: int, **changes: Any) -> dict[str, Any]:
    act = {"type": "fitting_photo", "session": "FS-1", "tag": "T-1", "by": "A. Fitter", "caption": "whole_leg"}
    return act | {"sha256": f"{number:064x}"} | changes


def test_a_visit_has_so_many_photos_and_each_once() -> None:
    acts = [parse_instruction(photo(number)) for number in range(2)]
    third: Any = parse_instruction(photo(2))
    refuse_more(acts, third, 3)
    with pytest.raises(InstructionError, match="the visit has 2 photos, and at most 2 are taken"):
        refuse_more(acts, third, 2)
    again: Any = parse_instruction(photo(1, caption="strap_and_skin"))
    with pytest.raises(InstructionError, match="in the visit already"):
        refuse_more(acts, again, 9)
    for wrong in (photo(1, caption="my holiday"), photo(1, sha256="AB" * 32)):
        with pytest.raises(InstructionError):
            parse_instruction(wrong)


def test_the_record_names_a_photo_and_is_the_same_when_its_picture_is_gone() -> None:
    story = VisitStory().whole()
    without = record_sha256(record(story.record_of()))
    story.acts.append((story.now, parse_instruction(photo(7))))
    told = record(story.passes(1).record_of())
    [named] = [each for each in told["history"] if each["act"] == "photo"]
    assert (named["sha256"], named["caption"]) == (f"{7:064x}", "whole_leg")
    assert record_sha256(told) != without
    assert story.judged().open_steps() == []
    assert (gone(90), gone(None)) == ("deleted after 90 days", "deleted with the wearer's personal data")
