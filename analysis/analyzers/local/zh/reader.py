"""One Chinese chapter, read: the tagger's words, the cast, the things."""

from __future__ import annotations

from analysis.analyzers.base import ChapterInput

from ..common.entities import place
from ..common.grammar import load_grammar
from ..common.lac_model import MODELS, Lac, ModelMissing
from ..common.marks import load_marks
from ..common.numbers import han_number
from ..common.reading import (
    Check,
    Language,
    Reading,
    Spans,
    Tongue,
    forms_of,
    known_drafts,
    with_known_items,
)
from ..common.spans import Passages
from . import words as w
from .found import find_names
from .items import find_items
from .keywords import counted_things, salient_nouns, terms
from .merge import Merger
from .owned import find_owned, named_things
from .tokens import Word, read_words, with_offsets


def gettext_noop(message: str) -> str:
    """Marks a note for the translators; no Django is needed to read a chapter."""
    return message


NO_CHINESE_MODEL = gettext_noop(
    "The Chinese language model is not installed; names were found by rules alone."
)


class ZhNouns:
    def __init__(self, passages: Passages, words: list[list[Word]]) -> None:
        self._passages = passages
        self._words = words

    def of_segment(self, number: int, names: Spans) -> list[str]:
        return salient_nouns(self._words[number], names) + self.counted(number)

    def counted(self, number: int) -> list[str]:
        segment = self._passages.segments[number]
        return counted_things(self._passages.text[segment.start : segment.end])


def read(chapter: ChapterInput, passages: Passages, check: Check) -> Reading:
    notes: list[str] = []
    lac: Lac | None = None
    try:
        lac = MODELS.lac
    except ModelMissing:
        notes.append(NO_CHINESE_MODEL)
    tagging = read_words(passages, lac, lambda f: check(0.05 + 0.75 * f))
    words = tagging.lines
    people, things = known_drafts(chapter)
    named = find_names(chapter.text, tagging, lac, {f for d in people for f in d.forms})
    check(0.85)
    drafts = Merger(named.people, people).run(chapter.text, words) + things
    taken = {f for d in drafts for f in d.forms}
    drafts += [d for d in named.places if d.name not in taken]
    check(0.9)
    things_named = named_things(chapter.text)
    drafts = [draft for draft in drafts if draft.known or draft.name not in things_named]
    cast = place(chapter.text, drafts, whole_words=False)
    check(0.95)
    forms = forms_of(cast)
    found = {**find_owned(chapter.text, forms), **find_items(chapter.text, words, forms)}
    items = with_known_items(chapter, found)
    check(1.0)
    return Reading(chapter, passages, cast, items, ZhNouns(passages, words), TONGUE, notes)


def nouns_of(texts: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in texts]
    try:
        lac = MODELS.lac
    except ModelMissing:
        return found
    for batch in lac.tag([text[:200] for text in texts]):
        for number, tagged in batch:
            found[number] = salient_nouns(with_offsets(tagged.tokens, 0))
    return found


GRAMMAR = load_grammar(
    "zh_grammar",
    w.HUMBLE,
    kin=w.KIN,
    own_kin=w.OWN_KIN_RELATIONS,
    near_kin=w.NEAR_KIN,
    pairs=w.PAIRS,
    offices="|".join(w.TITLES),
)
TONGUE = Tongue(GRAMMAR.opener, {}, lambda name: "")
ZH = Language(
    GRAMMAR,
    TONGUE,
    load_marks("zh_observed", han_number, {"左": "left", "右": "right"}),
    read,
    nouns_of,
    terms,
)
