"""Plain facts about a text: its size, language, basic summary. No ORM here."""

from __future__ import annotations

import re
from typing import Literal

from arboris.novels.summary import WORD_CHARS, summarize

Language = Literal["zh", "en"]

# Han with extensions and compatibility forms, 々 and 〇, kana; one character, one word.
_CJK = (
    "\u3005\u3007\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Letters and digits of any other script with their combining marks, joined by hyphens and
# apostrophes; digits also by points and commas: don't, well-known, 3.14 are one word each.
_LETTER = rf"(?:[^\W_{_CJK}]|[\u0300-\u036f])"
_WORD = re.compile(rf"[{_CJK}]|{_LETTER}+(?:(?:['’‑-]|(?<=\d)[.,](?=\d)){_LETTER}+)*")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile("[A-Za-zÀ-ɏ]+")


def word_count(text: str) -> int:
    """Size as Chinese writers count it: each CJK character and each Latin word or number is
    one; punctuation and spaces are none."""
    return sum(1 for _match in _WORD.finditer(text))


def guess_language(text: str) -> Language:
    """``zh`` if there are at least as many Chinese characters as Latin words, else ``en``.

    A text with neither counts as Chinese, the language of the platform.
    """
    han = sum(1 for _match in _HAN.finditer(text))
    latin = sum(1 for _match in _LATIN_WORD.finditer(text))
    return "zh" if han >= latin else "en"


def extractive_summary(text: str, language: Language, limit: int = 200) -> str:
    """The sentences that carry the chapter, whole and in their order, without any model.

    At most ``limit`` characters for ``zh``; for ``en`` two words for every five of them, so
    80 words by default. A sentence is cut only where not one fits. Empty for a blank text
    alone; the same text always gives the same summary. Time grows linearly with the text.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    if language == "zh":
        return summarize(text, joiner="", size=len, limit=limit)
    return summarize(text, joiner=" ", size=_words, limit=max(1, limit * 2 // 5))


def _words(text: str) -> int:
    return max(len(text.split()), -(-len(text) // WORD_CHARS))
