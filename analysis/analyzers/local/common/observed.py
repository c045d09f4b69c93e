"""What a chapter shows of its people that another one might contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.bible.types.findings import Aspect, Evidence, Observed

from .entities import Entity
from .marks import Marks
from .reading import Reading
from .speech import paragraph, speaker
from .whereabouts import whereabouts
from .who import opens_clause, subject, told_of

MOST = 60  # of one person in one chapter
_ADULT = 130  # years that nobody is older than
_AROUND = 14  # code points around a number that say what it counts

_MINE = re.compile(r"我[^，。！？你他她]{0,4}?(?:[岁今年]|\d)|\bI(?: am|[’']m) ")

By = dict[int, list[Observed]]


def observe(reading: Reading, marks: Marks, start: int = 0) -> By:
    """What there is from ``start`` on, by the id() of the person; each thing once."""
    found: By = {}
    seen: set[tuple[int, str, str]] = set()
    for who, aspect, value, span in (
        *_acts(reading, marks, start),
        *_looks(reading, marks, start),
        *_parts(reading, marks, start),
        *_ages(reading, marks, start),
        *_answered(reading, marks, start),
        *whereabouts(reading, marks, start),
    ):
        place = (id(who), aspect, value)
        of_person = found.setdefault(id(who), [])
        if place in seen or len(of_person) >= MOST:
            continue
        seen.add(place)
        evidence = reading.passages.evidence(*span)
        of_person.append(Observed(aspect=aspect, value=value, evidence=evidence))
    _move_on(reading, marks, found, start)
    return found


Seen = tuple[Entity, Aspect, str, tuple[int, int]]


def _acts(reading: Reading, marks: Marks, first: int) -> Iterator[Seen]:
    """The first time that each person does something now, not in a memory or a tale."""
    text, done = reading.chapter.text, set[int]()
    for start, end, who in reading.cast.within(first, len(text), "person"):
        if id(who) in done or not _is_now(reading, marks, start):
            continue
        if reading.is_spoken(start):
            if marks.acts_told.match(text, end):
                done.add(id(who))
                yield who, "acts", "", (start, end)
            continue
        said_so = marks.said_by.search(text, max(0, start - 24), start)
        follows = marks.acts.match(text, end) if opens_clause(reading, start) else None
        if (said_so or follows) and not marks.heading_acts.match(text, end):
            done.add(id(who))
            yield who, "acts", "", (start, end)


def _is_now(reading: Reading, marks: Marks, at: int) -> bool:
    """Neither the sentence nor the two before it in the paragraph speak of a memory."""
    segments = reading.passages.segments
    number = reading.passages.index(at)
    first = segments[min([*reading.before(number, 2), number])].start
    return marks.past.search(reading.chapter.text, first, segments[number].end) is None


def _looks(reading: Reading, marks: Marks, first: int) -> Iterator[Seen]:
    for rule in marks.looks:
        for found in rule.find.finditer(reading.chapter.text, first):
            who = _owner(reading, marks, *found.span())
            if who is not None:
                colour = next(value for value in found.groups() if value)
                yield who, rule.aspect, colour.lower(), found.span()


def _parts(reading: Reading, marks: Marks, first: int) -> Iterator[Seen]:
    for rule in marks.parts:
        for found in rule.find.finditer(reading.chapter.text, first):
            who = _owner(reading, marks, *found.span())
            if who is not None:
                yield who, rule.aspect, _part(found, rule.aspect, marks), found.span()


def _part(found: re.Match[str], aspect: str, marks: Marks) -> str:
    """The part as all languages call it, with its side: "hand/left", "scar on brow/right".

    "scar on brow/right/that" where the text speaks of the mark as one that is known.
    """
    groups = found.groupdict()
    named = groups.get("p") or groups.get("q") or ""  # a pattern may have two ways to say it
    part = marks.parts_of.get(named, named)
    side = marks.sides.get(groups.get("s") or groups.get("t") or "", "")
    if aspect == "uses" and not side:
        side = "both"
    if aspect != "mark":
        return f"{part}/{side}"
    kind = marks.parts_of.get(found["k"], found["k"])
    colour = (groups.get("c") or "").strip("色的")
    known = "/that" if groups.get("d") else ""
    return f"{colour}{kind} on {part}/{side}{known}"


def _owner(reading: Reading, marks: Marks, start: int, end: int) -> Entity | None:
    """Whose eyes or hand these are, as far as the narrator says it plainly."""
    text = reading.chapter.text
    segment = reading.passages.segments[reading.passages.index(start)]
    if marks.unreal.search(text, segment.start, segment.end) or reading.is_spoken(start):
        return None
    before = told_of(reading, segment.start, start)
    pronoun = marks.he.match(text, segment.start)
    if pronoun:  # "He winked at Toby with both eyes": they are not Toby's
        before = [one for one in before if not marks.object.search(text, segment.start, one[0])]
    named = {id(who): who for _, _, who in before}
    anchor = before[-1][1] if before else pronoun.end() if pronoun else segment.start
    lead = text[anchor:start]
    if len(named) > 1:
        return before[-1][2] if marks.belongs.match(lead) else None
    if marks.somebody.search(text, anchor, end) and not (
        (before or pronoun) and marks.belongs.match(lead)
    ):
        return None
    who = before[0][2] if named else subject(reading, segment.start, text[segment.start : end])
    if who is None or marks.reported.search(lead):
        return None
    return who if reading.tongue.may_mean(lead, who) else None


def _ages(reading: Reading, marks: Marks, first: int) -> Iterator[Seen]:
    text = reading.chapter.text
    for rule in marks.ages:
        for found in rule.find.finditer(text, first):
            start, end = found.span()
            years = marks.number(found["v"])
            around = text[max(0, start - _AROUND) : min(len(text), end + _AROUND)].split("\n")
            near = next((part for part in around if found["v"] in part), "")
            if not 0 < years < _ADULT or marks.no_age.search(near):
                continue
            who = _aged(reading, marks, start, end)
            if who is not None:
                yield who, "age", str(years), (start, end)


def _answered(reading: Reading, marks: Marks, first: int) -> Iterator[Seen]:
    """The age that somebody gives who is asked for it: the speaker, else the one spoken to."""
    text = reading.chapter.text
    for found in marks.age_told.finditer(text, first):
        start, _ = paragraph(text, found.start())
        asked, end = paragraph(text, max(0, text.rfind("\n", 0, max(0, start - 1)) - 1)), start
        question = text[asked[0] : end]
        years = marks.number(found["v"])
        if not 0 < years < _ADULT or not marks.age_asked.search(question):
            continue
        nobody = Entity("person", "", (), [], 0.0, False)
        who = speaker(reading, found.start(), nobody)
        called = reading.cast.within(asked[0], end, "person")
        spoken_to = {id(one): one for at, _, one in called if reading.is_spoken(at)}
        if who is None and len(spoken_to) == 1:
            who = next(iter(spoken_to.values()))
        if who is not None:
            yield who, "age", str(years), found.span("v")


def _aged(reading: Reading, marks: Marks, start: int, end: int) -> Entity | None:
    """Of "seventeen-year-old X" and "X was seventeen" X; in speech whoever says "I am"."""
    text = reading.chapter.text
    follows = reading.cast.within(end, end + 2, "person")
    if follows:
        return follows[0][2]
    if not reading.is_spoken(start):
        return _owner(reading, marks, start, end)
    segment = reading.passages.segments[reading.passages.index(start)]
    named = reading.cast.within(segment.start, segment.end, "person")
    mine = _MINE.search(text, segment.start, end)
    if named:
        who = {id(one): one for _, _, one in named}
        return named[0][2] if len(who) == 1 and named[0][0] < start and not mine else None
    nobody = Entity("person", "", (), [], 0.0, False)
    return speaker(reading, start, nobody) if mine else None


def _move_on(reading: Reading, marks: Marks, found: By, start: int) -> None:
    """Where the story moves on by years, all who are in the chapter grow older.

    A date says so only if it is another year than the last; the value is that year.
    """
    text = reading.chapter.text
    for moved in marks.elapsed.finditer(text, start):
        if reading.is_spoken(moved.start()):
            continue
        evidence: Evidence = reading.passages.evidence(*moved.span())
        value = _year(marks, moved.groupdict().get("y") or "")
        for who in reading.cast.of("person"):
            of_person = found.setdefault(id(who), [])
            of_person.insert(0, Observed(aspect="elapsed", value=value, evidence=evidence))
        return


def _year(marks: Marks, written: str) -> str:
    """A year with its number in figures: 景和七 is 景和7."""
    era, number = written[:2], written[2:]
    if written.isdigit() or not number:
        return written
    return f"{era}{1 if number == '元' else marks.number(number)}"
