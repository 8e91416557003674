"""What an operator does about an alert, as an instruction says it; the life cycle says what is allowed when (`alerts`).

1. `acknowledge`: I saw it, for the length of a lease. `confirm`: I acted. `shelve`: not now, `until` a time. `close`:
   done, by a `disposition`.
2. `claim`: it is mine. `hand_over`: it is somebody else's, `to` whom. Neither stops the clock of one that waits.
3. `note`: words alone. They are never too late: they overwrite nothing.
4. `escalate`: the next step of its tree is made at once, for the reason in `note`; it waits for whom it calls.
5. `undo`: what I did last, notes aside, was a mistake; for a while (`alert.undo_s`), and while nobody acted since.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from emcheck.domain.acts import Act, By
from emcheck.domain.alerts import Disposition
from emcheck.domain.ids import AlertId
from emcheck.domain.problems import Misplaced
from emcheck.domain.written import Instant

_WHY_NOTE = {"note": "say what is to be known", "escalate": "say why it is passed on"}


class ActOnAlert(Act):
    """What an operator does about an alert; the life cycle says what is allowed when."""

    type: Literal["alert"]
    """Which act it is."""
    alert_id: AlertId
    """Which alert."""
    act: Literal["acknowledge", "confirm", "shelve", "close", "claim", "hand_over", "note", "escalate", "undo"]
    """I saw it; I acted; not now, until a time; done, and why; it is mine; it is theirs; to be known; passed on now;
    what I did last was a mistake."""
    until: Instant | None = None
    """Until when it is shelved."""
    disposition: Disposition | None = None
    """Why it is closed."""
    to: Annotated[str, Field(pattern=r"\S", max_length=80)] | None = None
    """Who has it after a hand-over."""
    note: str = ""
    """What else is to be known of it; of an escalation why."""
    seen_revision: Annotated[int, Field(ge=1)] | None = None
    """The revision that was looked at: refused where somebody has acted on the alert since."""
    by: By
    """Who said so."""

    @model_validator(mode="after")
    def _complete(self) -> "ActOnAlert":
        if self.act == "shelve" and self.until is None:
            raise Misplaced("until", "missing; say until when it is shelved")
        if self.act == "close" and self.disposition is None:
            raise Misplaced("disposition", f"missing; say why it is closed: {', '.join(Disposition)}")
        if self.act == "hand_over" and self.to is None:
            raise Misplaced("to", "missing; say who is to have it")
        if self.act in _WHY_NOTE and not self.note.strip():
            raise Misplaced("note", f"missing; {_WHY_NOTE[self.act]}")
        if self.act != "shelve" and self.until is not None:
            raise Misplaced("until", f"only a shelf has one; leave it out of {self.act}")
        if self.act != "close" and self.disposition is not None:
            raise Misplaced("disposition", f"only a closed alert has one; leave it out of {self.act}")
        if self.act != "hand_over" and self.to is not None:
            raise Misplaced("to", f"only a hand-over has one; leave it out of {self.act}")
        return self
