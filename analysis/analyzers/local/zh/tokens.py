"""A Chinese chapter as tagged words with offsets, and how sure the tagger is of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..common.lac_model import Lac
from ..common.spans import Passages


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    tag: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tagging:
    """The words of every segment, in order, and the tagger's chances at every character.

    ``chances`` is an array as of ``Tagged``, with a row for each character of the text and one
    for its end; None without a model, and there are no words then.
    """

    lines: list[list[Word]]
    chances: Any = None


def read_words(passages: Passages, lac: Lac | None, check: Callable[[float], None]) -> Tagging:
    text = passages.text
    lines: list[list[Word]] = [[] for _ in passages.segments]
    if lac is None:
        return Tagging(lines)
    chances = lac.blank(len(text) + 1)
    sentences = [text[s.start : s.end] for s in passages.segments]
    done, total = 0, max(1, sum(map(len, sentences)))
    for batch in lac.tag(sentences):
        for number, tagged in batch:
            start = passages.segments[number].start
            lines[number] = with_offsets(tagged.tokens, start)
            chances[start : start + len(tagged.chances)] = tagged.chances
            done += len(sentences[number])
        check(done / total)
    return Tagging(lines, chances)


def with_offsets(tokens: list[tuple[str, str]], start: int) -> list[Word]:
    words = []
    for text, tag in tokens:
        words.append(Word(text, tag, start, start + len(text)))
        start += len(text)
    return words
