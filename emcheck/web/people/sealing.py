"""Sealed text: what only this installation can read, and only for what it was sealed for.

AES-256-GCM; the purpose is authenticated with the text, so that what was sealed for one account is of no use for
another. A key for what is kept stands in a file beside the database and not in it; one for what a browser carries for
minutes is made at each start.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_KEY = 32


class SealError(Exception):
    """The key cannot be used; the words say which file, and what would be right."""


class Seal:
    """Seals and opens with one key."""

    def __init__(self, key: bytes | None = None) -> None:
        self._cipher = AESGCM(secrets.token_bytes(_KEY) if key is None else key)

    def close(self, text: str, purpose: str) -> str:
        """The text, sealed."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, purpose: str) -> str | None:
        """What was sealed for this purpose with this key; None for anything else."""
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return None


class KeyFile:
    """A key in a file that is made when it is first needed, for the service only to read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seal(self) -> Seal:
        """With the key of the file; SealError where there is none, or no key in it."""
        try:
            key = base64.b64decode(self.path.read_bytes().strip(), validate=True)
        except FileNotFoundError:
            raise SealError(f"{self.path}: no such file; put the key back that was there (web.key_file)") from None
        except (OSError, ValueError) as error:
            raise SealError(f"{self.path}: cannot be read as a key: {error}") from None
        if len(key) != _KEY:
            raise SealError(f"{self.path}: holds no key of {_KEY} bytes in Base64; put the one back that was there")
        return Seal(key)

    def seal_or_make(self) -> Seal:
        """The same; the file is made where there is none."""
        try:
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return self.seal()
        except OSError as error:
            raise SealError(f"{self.path}: cannot be made: {error.strerror} (web.key_file)") from None
        with os.fdopen(number, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return self.seal()
