"""Looks and ages that do not fit: eyes and hair of two colours, a lost hand that is used."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.colours import differ, hair_differs
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Person, digest
from arboris.bible.types.findings import Appearance, Observed
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

NEAR = 4  # chapters within which nobody ages by years, unless the text says how many went by
# What goes with a part of the body that is lost.
_PARTS_OF = {
    "arm": ("arm", "hand", "finger", "thumb", "little finger", "index finger"),
    "hand": ("hand", "finger", "thumb", "little finger", "index finger"),
    "leg": ("leg", "foot"),
}
# Where on the body a mark is, roughly: "face" may be any part of the head.
_REGIONS = {
    part: region
    for region, parts in {
        "head": "face cheek brow forehead eye temple jaw chin ear 眼角 眼下 眼皮 嘴角 鼻梁 鼻尖 "
        "下巴 下颌 耳垂 耳后",
        "arm": "arm forearm hand wrist palm elbow shoulder 手腕 肩头 肩",
        "leg": "leg thigh knee ankle foot shin 膝 脚踝",
    }.items()
    for part in [*parts.split(), *(["between the brows"] if region == "head" else [])]
}
_KINDS = {"age": "age", "at": "two_places"}  # of notices; else looks


def look(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Appearance,
) -> None:
    """Note what does not fit to what was shown of the person before, and remember it."""
    if not finding.observed:
        return
    person = people.find(finding.name)
    if person is None:
        return
    moved_on = _move_on(store, person, placed, finding)
    for one in finding.observed:
        if one.aspect not in ("acts", "elapsed"):
            is_told = not (moved_on and one.aspect == "age")
            _compare(store, rules, placed, person, one, is_told=is_told)


def _move_on(
    store: MemoryEntryStore, person: Person, placed: PlacedFinding, finding: Appearance
) -> bool:
    """Whether the story has moved on by nobody knows how many years; what is known of ages goes.

    Years that can be counted are given to the ages, as "age:19@3+2".
    """
    leaps = [one.value for one in finding.observed if one.aspect == "elapsed"]
    known = next((name for name in person.traits if name.startswith("elapsed:")), "")
    moved_on = False
    for leap in leaps:
        store.touch(person)
        years = _years_between(known.removeprefix("elapsed:"), leap) if known else None
        if years is None or years < 0:
            moved_on = True
            person.traits = {
                name: fact
                for name, fact in person.traits.items()
                if not name.startswith(("age:", "elapsed:"))
            }
        elif years:
            person.traits = {
                f"{name}+{years}" if name.startswith("age:") else name: fact
                for name, fact in person.traits.items()
                if name != known
            }
        if leap:
            person.traits.setdefault(f"elapsed:{leap}", fact_of(placed))
    return moved_on


def _years_between(one: str, other: str) -> int | None:
    """From one year to the other, "景和7" and "景和9"; None if they are not counted alike."""
    (era, number), (other_era, other_number) = (
        (year.rstrip("0123456789"), year[len(year.rstrip("0123456789")) :]) for year in (one, other)
    )
    if era != other_era or not number or not other_number:
        return None
    return int(other_number) - int(number)


def _compare(
    store: MemoryEntryStore,
    rules: Rules,
    placed: PlacedFinding,
    person: Person,
    one: Observed,
    *,
    is_told: bool,
) -> None:
    is_dated = one.aspect in ("age", "at")
    value = f"{one.value}@{placed.chapter_number}" if is_dated else one.value
    name = f"{one.aspect}:{value}"
    name = name.removesuffix("/that")
    if any(known.partition("@")[0] == name.partition("@")[0] for known in person.traits):
        return
    against = next(_against(person, one.aspect, value), None) if is_told else None
    if against is not None:
        kind = _KINDS.get(one.aspect, "looks")
        ref = digest(kind, placed.chapter_id, person.natural_key, name, key(one.evidence.quote))
        note(store, rules, placed, kind, person.name, ref, against, later=one.evidence)
    elif one.aspect == "uses":
        return  # everybody has two hands: only what was told need be remembered
    store.touch(person)
    tier, confidence = placed.tier, placed.finding.confidence
    person.traits[name] = Fact(
        placed.chapter_id, one.evidence.quote, confidence, True, tier, placed.ref
    )


def _against(person: Person, aspect: str, value: str) -> Iterator[Fact]:
    """What was shown before and does not fit, unless the like of it was told already."""
    for name, fact in sorted(person.traits.items()):
        before, _, was = name.partition(":")
        if before == aspect and aspect in _CLASHES:
            if _CLASHES[aspect](was, value):
                yield fact
        elif (before, aspect) == ("lost", "uses") and _uses_lost(was, value):
            yield fact


def _moved(was: str, value: str) -> bool:
    """The same mark somewhere else: "scar on brow/left", "/that" behind it if it is a known one.

    On another place it may be a second one, unless the text says "that", or it is one by which a
    person is known: a mole of such a colour.
    """
    (mark, _, place), (other, _, other_place) = was.partition(" on "), value.partition(" on ")
    if mark != other:
        return False
    part, side, *_ = place.split("/")
    other_part, other_side, *that = other_place.split("/")
    sides_differ = bool(side and other_side) and side != other_side
    if part == other_part:
        return sides_differ
    is_the_one = "that" in that or (mark.endswith("mole") and mark != "mole")
    if not is_the_one:
        return False
    regions = {_REGIONS.get(one, one) for one in (part, other_part)}
    return (
        len(regions) > 1
        or sides_differ
        or (mark.endswith("mole") and "face" not in (part, other_part))
    )


def _uses_lost(lost: str, used: str) -> bool:
    (part, _, side), (other, _, other_side) = lost.rpartition("/"), used.rpartition("/")
    if other not in _PARTS_OF.get(part, (part,)):
        return False
    if other_side == "both":
        return True
    return side == other_side and side != ""


def _ages(was: str, value: str) -> bool:
    """Younger than before, or older by more than the years that went by, within a few chapters."""
    (age, _, when), (other, _, now) = was.partition("@"), value.partition("@")
    chapter, *passed = when.split("+")
    older = int(other) - int(age)
    too_old = older > 1 + sum(map(int, passed))
    return older < 0 or (too_old and int(now) - int(chapter) <= NEAR)


def _elsewhere(was: str, value: str) -> bool:
    """In two buildings, or two towns, at one time: "friday night|town:leeds@3"."""
    (before, _, chapter), (now, _, other_chapter) = was.rpartition("@"), value.rpartition("@")
    (time, _, place), (other_time, _, other_place) = before.partition("|"), now.partition("|")
    (level, _, name), (other_level, _, other) = place.partition(":"), other_place.partition(":")
    if level != other_level or int(other_chapter) - int(chapter) >= NEAR:
        return False
    return _at_once(time, other_time) and name not in other and other not in name


def _at_once(one: str, other: str) -> bool:
    """The same part of the same day; or one of the two is told of the whole day."""
    (day, _, part), (other_day, _, other_part) = one.partition("/"), other.partition("/")
    if day != other_day:
        return False
    return "whole" in (part, other_part) or (part == other_part and part != "")


_CLASHES = {
    "eyes": differ,
    "hair": hair_differs,
    "mark": _moved,
    "age": _ages,
    "at": _elsewhere,
}
