"""What somebody did about an alert, in words for whoever comes after them."""

_DID = {
    "handed_over": "handed it over", "noted": "wrote a note on it", "escalated": "passed it on",
    "unacknowledged": "took the acknowledgement back", "unclaimed": "gave it back",
    "unshelved": "took it off the shelf",
}  # fmt: skip


def did(action: str) -> str:
    """`acknowledged it`: to stand after a name."""
    return _DID.get(action, f"{action} it")
