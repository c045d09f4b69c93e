"""A Chinese chapter as tagged words with offsets, and what stands around a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..common.lac_model import Lac
from ..common.spans import Passages


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    tag: str
    start: int
    end: int


def read_words(
    passages: Passages, lac: Lac | None, check: Callable[[float], None]
) -> list[list[Word]]:
    """The words of every segment, in order; no words at all without a model."""
    text = passages.text
    lines: list[list[Word]] = [[] for _ in passages.segments]
    if lac is None:
        return lines
    sentences = [text[s.start : s.end] for s in passages.segments]
    done, total = 0, max(1, sum(map(len, sentences)))
    for batch in lac.tag(sentences):
        for number, tokens in batch:
            lines[number] = with_offsets(tokens, passages.segments[number].start)
            done += len(sentences[number])
        check(done / total)
    return lines


def with_offsets(tokens: list[tuple[str, str]], start: int) -> list[Word]:
    words = []
    for text, tag in tokens:
        words.append(Word(text, tag, start, start + len(text)))
        start += len(text)
    return words
