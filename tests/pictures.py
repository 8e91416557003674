"""Photos for tests: 32 by 24 pixels, red to blue, and what a camera would write beside them."""

from base64 import b64decode

BASELINE = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a"
    "YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAAR"
    "CAAYACADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAQG/8QAFRABAQAAAAAAAAAAAAAAAAAAABP/xAAWAQEBAQAAAAAAAAAAAAAA"
    "AAAABgP/xAAaEQABBQEAAAAAAAAAAAAAAAAAAhMVUWEU/9oADAMBAAIRAxEAPwDN0KJaFG8ZhWyOlVCiWhQjMEjpJQoC550URr67FCgHOig+"
    "uz//2Q=="
)
PROGRESSIVE = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a"
    "YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wgAR"
    "CAAYACADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAMF/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAUC/9oADAMBAAIQAxAAAAHNSbrV"
    "SERdjAf/xAAVEAEBAAAAAAAAAAAAAAAAAAAAEf/aAAgBAQABBQKqqqqqqqr/xAAXEQEAAwAAAAAAAAAAAAAAAAAAARIU/9oACAEDAQE/AdDQ"
    "vK8v/8QAFxEBAAMAAAAAAAAAAAAAAAAAAAETFP/aAAgBAgEBPwHMzK4Vw//EABQQAQAAAAAAAAAAAAAAAAAAADD/2gAIAQEABj8CT//EABQQ"
    "AQAAAAAAAAAAAAAAAAAAADD/2gAIAQEAAT8hQAD/2gAMAwEAAgADAAAAEAw/ff/EABYRAQEBAAAAAAAAAAAAAAAAAABhcf/aAAgBAwEBPxDb"
    "a67/xAAWEQEBAQAAAAAAAAAAAAAAAAAAYXH/2gAIAQIBAT8Qyyii/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABPxBAAP/Z"
)


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def beside(picture: bytes, *segments: bytes, behind: bytes = b"") -> bytes:
    """The same picture with segments after its first marker, and something behind its end."""
    return picture[:2] + b"".join(segments) + picture[2:] + behind


def sized(picture: bytes, width: int, height: int) -> bytes:
    """The same with a frame that says another size."""
    at = max(picture.find(b"\xff\xc0"), picture.find(b"\xff\xc2"))
    return picture[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + picture[at + 9 :]


EXIF = segment(0xE1, b"Exif\0\0II*\0 51.5007 N 0.1246 W")
COMMENT = segment(0xFE, b"taken by a phone")
