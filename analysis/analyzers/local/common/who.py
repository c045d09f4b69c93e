"""Whom a pronoun, or a clause that names nobody, plainly speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from .entities import Entity
from .reading import Reading
from .speech import paragraph

_BREAKS = '。！？!?…；;\n”」』"“「『'
_CLAUSE = _BREAKS + "，,、：:—"
_LEAD = 24  # code points before a subject: "这时", "But then "
_LOOK_BACK = 3  # paragraphs


def told_of(reading: Reading, start: int, end: int) -> list[tuple[int, int, Entity]]:
    """The mentions of persons that the narrator makes in ``text[start:end]``, whole paragraphs."""
    return [
        mention
        for mention in reading.cast.within(start, end, "person")
        if not reading.is_spoken(mention[0])
    ]


def opens_clause(reading: Reading, start: int) -> bool:
    """Whether what stands at ``start`` is the first of its clause, words like "then" aside."""
    text = reading.chapter.text
    first = max(0, start - _LEAD)
    before = text[first:start]
    at = max(before.rfind(mark) for mark in _CLAUSE)
    if at < 0 and first > 0:
        return False
    lead = before[at + 1 :].strip()
    return not lead or reading.tongue.opener.fullmatch(lead) is not None


def subject(reading: Reading, at: int, words: str = "", *, only: bool = False) -> Entity | None:
    """Whom a clause at ``at`` without a name of its own speaks of, as far as that is plain.

    The only person of the paragraph so far; of several the one whom the last sentences begin with.
    Where the paragraph has named nobody yet, the paragraphs before it are asked. ``words`` may hold
    a pronoun, which has to be of the same gender. ``only``: nobody else is named so far.
    """
    for start, end in _paragraphs(reading.chapter.text, at):
        mentions = [
            one for one in told_of(reading, start, end) if reading.tongue.may_mean(words, one[2])
        ]
        found = {id(who): who for _, _, who in mentions}
        if len(found) == 1:
            return mentions[0][2]
        of_gender = {id(one): one for one in found.values() if reading.tongue.means(words, one)}
        if len(of_gender) == 1:
            return next(iter(of_gender.values()))
        if found and only:
            return None
        if found:
            opening = (who for at, _, who in reversed(mentions) if opens_clause(reading, at))
            return next(opening, None)
    return None


def _paragraphs(text: str, at: int) -> Iterator[tuple[int, int]]:
    """The paragraph of ``at`` up to there, then a few before it, nearest first."""
    start, _ = paragraph(text, at)
    yield start, at
    for _ in range(_LOOK_BACK - 1):
        before = start
        while before and text[before - 1].isspace():
            before -= 1
        if not before:
            return
        start = paragraph(text, before - 1)[0]
        yield start, before
