"""PUBLISH packets at QoS 0, many in one piece of bytes (MQTT 3.1.1 and 5, chapter 3.3)."""

from collections.abc import Iterable

_PUBLISH_QOS0 = 0x30
SIZE_MAX = (1 << 28) - 1
"""Four bytes of seven bits is the longest length there is (2.2.3)."""


def published(messages: Iterable[tuple[str, bytes]], *, is_v5: bool) -> bytes:
    """Topics and payloads as packets, one after the other; none is retained. ValueError for what is too long."""
    return b"".join([_publish(topic.encode(), payload, b"\x00" if is_v5 else b"") for topic, payload in messages])


def _publish(topic: bytes, payload: bytes, properties: bytes) -> bytes:
    size = 2 + len(topic) + len(properties) + len(payload)
    if size > SIZE_MAX or len(topic) > 0xFFFF:
        raise ValueError(f"a packet of {size} bytes, topic {len(topic)}: too long for MQTT")
    return b"%b%b%b%b%b" % (_header(size), len(topic).to_bytes(2, "big"), topic, properties, payload)


def _header(size: int) -> bytes:
    """Packet type and remaining length: seven bits a byte, the lowest first."""
    header = bytearray((_PUBLISH_QOS0,))
    while size > 0x7F:
        header.append(size & 0x7F | 0x80)
        size >>= 7
    header.append(size)
    return bytes(header)
