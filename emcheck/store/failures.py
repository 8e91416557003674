"""What can go wrong with what is stored, in words: message, remedy, whether trying again may help.

Without a driver: `emcheck replay`, which needs none, does not wait for one to load.
"""

import errno

from emcheck.ports import INBOX_KINDS, StoreError

Words = tuple[str, str, bool]
"""Message, remedy, transient."""

LOCKED: Words = (
    "is locked by another process",
    "end the process that holds it (a backup, a shell); it goes on by itself",
    True,
)
FULL: Words = ("cannot grow: the disk is full", "free space on the disk; the service goes on by itself", True)
READ_ONLY: Words = ("is read-only", "give the service's user write access to the file and its folder", False)
NOT_OPENED: Words = (
    "cannot be opened",
    "create the folder and give the service's user access to it and the file",
    False,
)
DAMAGED: Words = ("is damaged", "stop the service, keep the file as it is, and restore the last backup", False)
FOREIGN: Words = (
    "is not a database",
    "point store.url at emcheck's own file; a new one is made where there is none",
    False,
)
DISK: Words = ("could not be read or written", "look at the disk and the system's log; it is tried again", True)
REFUSED: Words = (
    "refused a row that contradicts what it holds",
    "report this with the log: it is a fault in emcheck",
    False,
)
UNREACHED: Words = ("cannot be reached", "start the database server or mend store.url; it is tried again", True)
NOT_ALLOWED: Words = (
    "refused our login or a right we need",
    "mend user and password in store.url, or grant the rights",
    False,
)
UNKNOWN: Words = ("failed", "see the message; if it persists, report it with the log", False)


def os_words(error: OSError) -> Words:
    """What the system raised."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    if error.errno == errno.EROFS:
        return READ_ONLY
    if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return NOT_OPENED
    return DISK if error.errno == errno.EIO else UNREACHED


def unknown_kind(kind: str) -> StoreError:
    """Kinds are kept as numbers; a new one needs its place first."""
    return StoreError(
        f"an inbox row cannot be of kind {kind!r}",
        remedy=f"the kinds are {', '.join(INBOX_KINDS)}; add to INBOX_KINDS in emcheck/ports.py",
        transient=False,
    )


def temporary_failure(error: OSError) -> StoreError:
    """The temporary file behind a store in memory could not be written or read."""
    what, remedy, transient = os_words(error)
    return StoreError(f"the database in memory {what} ({error.strerror or error})", remedy=remedy, transient=transient)
