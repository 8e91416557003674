"""Which limbs a wearer's limb note bars, read clause by clause (formats.md, Limb notes).

1. A clause ends at a mark of punctuation, at `and`, `but` and their like, and before `fit`, `wear`, `use`.
2. A side that stands with a word of what bars it (prosthetic, wound, cast) is barred; one that stands with `fit`,
   `use`, `on` or `natural` is free; `not` before `fit` or before the side bars; before a wound it frees.
3. A side without such a word takes that of the clause after it ("left leg: prosthetic"), else of the one before it.
4. A note of one side without any such word bars that side; a note without a side bars every leg, or arm where it
   names arms.
5. Whatever else names sides cannot be told: it bars neither, and a supervisor is asked.
"""

import re
from dataclasses import dataclass

_CLAUSE = re.compile(r"[:;,.()/|\n]|(?:\s-+\s)|\b(?:and|or|but|so|while|therefore|hence|thus|because)\b")
_SIDE = re.compile(r"\b(left|right|both|either|neither)\b(?![- ]handed)")
_NOT_THAT = re.compile(r"\bnot (?:on )?(?:the )?(?:left|right|both|either)\b")
_FITS = r"(?:fit|fits|fitted|wear|wears|worn|use|uses|used|choose|chosen|put)"
_VERB = re.compile(rf"((?:\b(?:please|do|should|must|can|cannot|don't|dont|never|not|be|to)\s+)*\b{_FITS}\b)")
_FREES = re.compile(rf"\b(?:{_FITS}|on|natural|healthy|fine|good|sound|ok|okay)\b")
_PUTS_ON = re.compile(r"\b(?:fit|fits|fitted|choose|chosen|put)\b")
_BARS = re.compile(
    r"\b(?:prosthe\w*|amput\w*|artificial|stump|missing|wound\w*|ulcer\w*|sores?|swollen|swelling|oedema|edema|casts?"
    r"|plaster|bandag\w*|dressings?|brace|splint|burn\w*|broken|fractur\w*|infect\w*|numb|paraly\w*|varicose|rash"
    r"|eczema|cellulitis|thrombosis|surgery|operated|injur\w*|barred|avoid)\b"
)
_NOT = re.compile(r"\b(?:not|no|never|don't|dont|cannot|neither|without)\b")
_ARM = re.compile(r"\b(?:arm|arms|hand|hands|wrist|wrists|elbow)\b")
_LEG = re.compile(r"\b(?:leg|legs|foot|feet|ankle|ankles|knee|knees|shin|thigh|calf|heel|toe|toes)\b")
_SIDES = {"left": ("left",), "right": ("right",), "both": ("left", "right"), "either": ("left", "right")}
_ANKLES, _WRISTS = "ankle", "wrist"
UNCLEAR = "The limb note does not say plainly which side is barred: ask a supervisor before you choose a limb."


@dataclass(frozen=True, slots=True)
class LimbNote:
    """What a note comes to: limbs that it bars, and whether it names sides and cannot be told."""

    barred: frozenset[str] = frozenset()
    unclear: bool = False


def read_note(note: str | None) -> LimbNote:
    """The limbs that a note bars. None and an empty one bar nothing."""
    if note is None or not note.strip():
        return LimbNote()
    text = note.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    kinds = _kinds(text) or (_ANKLES,)
    named = _sides(text)
    if not named:
        return LimbNote(_limbs(("left", "right"), kinds))
    barred, free, unclear, marked = _told(text, kinds)
    if not marked and len(named) == 1:
        return LimbNote(_limbs(tuple(named), kinds))
    if unclear or not marked or barred & free:
        return LimbNote(unclear=True)
    return LimbNote(frozenset(barred), unclear=not barred and len(free) == 1)


def _told(text: str, kinds: tuple[str, ...]) -> tuple[set[str], set[str], bool, bool]:
    """Limbs that are barred, limbs that are free, whether a clause cannot be told, and whether one has a word."""
    limbs: dict[bool, set[str]] = {True: set(), False: set()}
    waiting: set[str] = set()
    before: tuple[bool, set[str]] | None = None
    unclear = marked = False
    for clause in _CLAUSE.split(_VERB.sub(r"|\1", text)):
        sides, said = _sides(clause), _word(clause)
        here = set(_limbs(tuple(sides), _kinds(clause) or kinds))
        if said is None:
            waiting |= here
            unclear |= bool(_BARS.search(clause)) and _PUTS_ON.search(clause) is not None
            continue
        marked = True
        unclear |= len(sides) > 1 and _SIDE.findall(clause) not in (["both"], ["either"], ["neither"])
        here |= waiting
        if not here and before is not None and before[0] is said:
            here = before[1]
        unclear |= not here and said
        limbs[said] |= here
        waiting, before = set(), (said, here)
    if waiting and before is not None:
        limbs[before[0]] |= waiting
    return limbs[True], limbs[False], unclear, marked


def _word(clause: str) -> bool | None:
    """Whether a clause bars (True) or frees (False) its sides; None where it has no word of either, or of both."""
    bars, frees, denied = (rule.search(clause) is not None for rule in (_BARS, _FREES, _NOT))
    if bars:
        if _PUTS_ON.search(clause) is not None and not denied:
            return None
        return not denied or frees
    return denied if frees else True if _NOT_THAT.search(clause) is not None else None


def _sides(text: str) -> set[str]:
    return {side for word in _SIDE.findall(text) for side in _SIDES.get(word, ("left", "right"))}


def _kinds(text: str) -> tuple[str, ...]:
    found = ((_LEG, _ANKLES), (_ARM, _WRISTS))
    return tuple(kind for rule, kind in found if rule.search(text) is not None)


def _limbs(sides: tuple[str, ...], kinds: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"{side}_{kind}" for side in sides for kind in kinds)


def instead(note: str | None, limb: str) -> str:
    """What to do where a note bars a limb."""
    if other_side(limb) not in read_note(note).barred:
        return f"choose the other {_part(limb)}"
    return "it bars the other one too, so end the visit and tell your supervisor"


def no_other(note: str | None, limb: str | None) -> bool:
    """Whether a note bars the limb on the other side of this one; where none was chosen, whether it bars any."""
    barred = read_note(note).barred
    return bool(barred) if limb is None else other_side(limb) in barred


def other_limb(note: str | None, limb: str | None) -> str:
    """What to do where a limb will not do. A `note` of None is one that is not to be known: a record says both."""
    part = _part(limb or _ANKLES)
    if note is None:
        return f"choose the other {part}, or where the limb note bars it, end the visit and tell your supervisor"
    if no_other(note, limb):
        return f"end the visit and tell your supervisor, for the limb note bars the other {part}"
    return f"choose the other {part}"


def other_side(limb: str) -> str:
    """The same limb on the other side."""
    side, _, kind = limb.partition("_")
    return f"{'right' if side == 'left' else 'left'}_{kind}"


def _part(limb: str) -> str:
    return "leg" if limb.endswith(_ANKLES) else "arm"
