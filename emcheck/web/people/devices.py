"""A browser with which somebody signed in before is known again, so that a stranger's tries keep nobody out.

It has a mark in a cookie of its own for each account: a random part, and a proof of it that only who has the hash of
the account's password can make. So nothing more is kept, a mark is of no use for another account, and it is over with
the password. A mark lets nobody in. It only says whose tries are counted together: those of this browser, apart from
all others (OWASP, Device cookies).
"""

import hashlib
import hmac
import secrets

LASTS_S = 180 * 86_400
_MOST = 200


def cookie_of(name: str, *, is_secure: bool) -> str:
    """The cookie that has the mark of an account."""
    named = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{'__Host-' if is_secure else ''}emcheck-known-{named}"


def new_mark(name: str, password: str) -> str:
    """A mark for an account, by the hash of its password."""
    device = secrets.token_hex(16)
    return f"{device}.{_proof(device, name, password)}"


def device_of(mark: str, name: str, password: str | None) -> str:
    """Which browser it is; empty where the mark is none of this account and its password of now."""
    device, _, proof = mark[:_MOST].partition(".")
    if password is None or not hmac.compare_digest(
        proof.encode("utf-8", "replace"), _proof(device, name, password).encode()
    ):
        return ""
    return device


def _proof(device: str, name: str, password: str) -> str:
    said = f"emcheck device {device} of {name}".encode("utf-8", "surrogatepass")
    return hmac.new(password.encode(), said, hashlib.sha256).hexdigest()
