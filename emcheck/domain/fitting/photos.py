"""Photos of a visit: what is taken of a file, and what is refused (docs/adr/0034).

1. A photo is a JPEG by its bytes: one picture from its first marker to its last, 8 bits, grey or colour, coded by
   Huffman, no side longer than `SIDE_MAX`. So nothing has to be decoded to know what a decoder may meet.
2. What stands beside the picture (APPn: place, time, camera, thumbnail; COM) and behind it is left out.
3. An act names it by the SHA-256 of what is kept and by its caption. The picture is no part of the record and may go.
4. A visit has at most `fitting.photo.most`.
"""

from collections.abc import Iterable, Iterator

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import AddPhoto

SIDE_MAX = 1_600
"""Pixels. A strap's pin can be told at it, and a page of the record holds no more."""
CAPTIONS = {
    "strap_and_skin": "Strap and skin",
    "whole_leg": "The whole leg",
    "unit_and_place": "The unit and its place",
}
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_OTHER_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_RESTARTS = frozenset(range(0xD0, 0xD8))
_BESIDE = frozenset({*range(0xE0, 0xF0), 0xFE})
_FRAME_MIN = 9
"""Bytes of a frame's head: length, bits, height, width, number of components, and one of them at least."""


class PhotoError(ValueError):
    """What is no photo that can be taken; the message says why and what would be right."""


def bare(file: bytes) -> bytes:
    """The picture alone (1, 2), as it is kept and hashed; PhotoError."""
    kept, framed, scanned = bytearray(b"\xff\xd8"), False, False
    for marker, part in _parts(file):
        if marker in _OTHER_FRAMES:
            raise PhotoError("this kind of JPEG is not taken; send a baseline or progressive one")
        if marker in _FRAMES:
            _heed_frame(part)
            framed = True
        scanned |= marker == _SCAN
        if marker not in _BESIDE:
            kept += part
    if not (framed and scanned):
        raise PhotoError("there is no picture in it; send a JPEG")
    return bytes(kept + b"\xff\xd9")


def _parts(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker by marker what is between the first and the last, each with its bytes; a scan with what it codes."""
    if file[:3] != b"\xff\xd8\xff":
        raise PhotoError("it is no JPEG; send a photo as JPEG")
    at = 2
    while True:
        if file[at : at + 1] != b"\xff":
            raise PhotoError("it is cut off or broken; send it again")
        while file[at + 1 : at + 2] == b"\xff":  # fill bytes
            at += 1
        marker = file[at + 1] if at + 1 < len(file) else 0
        if marker == _END:
            return
        length = int.from_bytes(file[at + 2 : at + 4], "big")
        end = at + 2 + length
        if marker in (0, 1, _START) or marker in _RESTARTS or length < 2 or end > len(file):
            raise PhotoError("it is cut off or broken; send it again")
        if marker == _SCAN:
            end = _end_of_scan(file, end)
        yield marker, file[at:end]
        at = end


def _end_of_scan(file: bytes, at: int) -> int:
    """Where the next marker stands that is none of a scan's own."""
    while (at := file.find(b"\xff", at)) >= 0:
        after = file[at + 1] if at + 1 < len(file) else 0
        if after != 0 and after not in _RESTARTS:
            return at
        at += 2
    raise PhotoError("it is cut off or broken; send it again")


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of what `bare` took, in pixels; PhotoError where it is none."""
    for marker, part in _parts(picture):
        if marker in _FRAMES:
            return int.from_bytes(part[7:9], "big"), int.from_bytes(part[5:7], "big")
    raise PhotoError("there is no picture in it; send a JPEG")


def _heed_frame(part: bytes) -> None:
    """PhotoError where a decoder would need more than a photo does."""
    body = part[2:]
    if len(body) < _FRAME_MIN or body[2] != 8 or body[7] not in (1, 3):
        raise PhotoError("this kind of JPEG is not taken; send one of 8 bits, grey or colour")
    height, width = int.from_bytes(body[3:5], "big"), int.from_bytes(body[5:7], "big")
    if not (0 < height <= SIDE_MAX and 0 < width <= SIDE_MAX):
        raise PhotoError(f"it is {width} by {height} pixels; send it with at most {SIDE_MAX} on each side")


def photos_of(acts: Iterable[object]) -> list[AddPhoto]:
    """The photos among acts, in order."""
    return [act for act in acts if isinstance(act, AddPhoto)]


def refuse_more(acts: Iterable[object], act: AddPhoto, most: float) -> None:
    """InstructionError where a visit has all the photos that it may have (4), or this one."""
    known = photos_of(acts)
    if act.sha256 in {photo.sha256 for photo in known}:
        raise InstructionError("sha256", "this photo is in the visit already")
    if len(known) >= most:
        raise InstructionError("sha256", f"the visit has {len(known)} photos, and at most {most:g} are taken")


def gone(kept_days: int | None) -> str:
    """Why a picture is held no more: after how many days it went, or None where an erasure took it."""
    return "deleted with the wearer's personal data" if kept_days is None else f"deleted after {kept_days} days"
