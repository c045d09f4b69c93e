"""Going on where an answer was cut off by its length: what is asked, and how both parts join.

The same request would be cut off at the same place. What came stays, and the model is asked for
the rest; many begin it by repeating the last words, the last paragraph or all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arboris.llm.client import Message

MOST = 4  # requests that go on with one answer
_HAN = re.compile(r"[\u3400-\u9fff]")
_ASKED = {
    "zh": "你的回答因为长度限制在这里断了。从最后一个字之后接着写，直到写完："
    "不要重复已经写过的，不要重新开始，不要加说明。",
    "en": "Your answer was cut off here by its length. Go on right behind its last character, "
    "to the end: repeat nothing that is there, do not begin anew, explain nothing.",
}
# So much at least is a repetition and no accident: characters, and different ones among them.
_HAN_REPEATED, _REPEATED, _DIFFERENT = 3, 8, 3
_WHOLLY_REPEATED = 40  # characters of a continuation that brings nothing new


def continued(messages: list[Message], text: str) -> list[Message]:
    """Return the messages that ask for the rest of an answer of which ``text`` has come."""
    asked = _ASKED["zh" if _HAN.search(text[-200:]) else "en"]
    return [
        *messages,
        {"role": "assistant", "content": text},
        {"role": "user", "content": asked},
    ]


def joined(text: str, more: str) -> str:
    seam = Seam(text)
    return text + seam.feed(more) + seam.finish()


class Seam:
    """What a continuation adds to the text that it goes on with: ``feed`` each piece, then
    ``finish`` once. What may be a repetition is held back until it is certain."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._held = ""
        self._is_open = True

    def feed(self, piece: str) -> str:
        if not self._is_open:
            return piece
        self._held += piece
        said = self._held.lstrip()
        if not said or said in self._text:
            return ""
        self._is_open = False
        return self._added(said)

    def finish(self) -> str:
        if not self._is_open:
            return ""
        self._is_open = False
        said = self._held.strip()
        if said in self._text and len(said) >= _WHOLLY_REPEATED:
            return ""
        return self._added(self._held.lstrip())

    def _added(self, said: str) -> str:
        before = self._text.rstrip()
        same = _overlap(before, said)
        if _is_repetition(said[:same]) or _is_word_begun(before, said, same):
            rest = said[same:]
            return rest.lstrip("\n") if before != self._text else rest
        if self._text[-1:].isalnum() and self._held[:1].isspace():
            # No paragraph ends in the middle of a sentence.
            return f" {said}" if self._text[-1].isascii() else said
        return self._held


def _is_repetition(same: str) -> bool:
    least = _HAN_REPEATED if _HAN.search(same) else _REPEATED
    different = {character for character in same if not character.isspace()}
    return len(same) >= least and len(different) >= _DIFFERENT


def _is_word_begun(before: str, said: str, same: int) -> bool:
    """Whether the text ends within a word that the continuation begins anew: "the lan|lantern"."""
    word = re.search(r"[A-Za-z]*\Z", before)
    assert word is not None
    return 1 < same == len(word[0]) and said[same : same + 1].isalpha()


def _overlap(before: str, said: str) -> int:
    """How many characters of ``said`` are the end of ``before``, at most."""
    # The failure function of Knuth, Morris and Pratt: a text may be repeated as a whole.
    pattern = said[: len(before)]
    failure = [0] * (len(pattern) + 1)
    length = 0
    for at in range(1, len(pattern)):
        while length and pattern[at] != pattern[length]:
            length = failure[length]
        length += pattern[at] == pattern[length]
        failure[at + 1] = length
    length = 0
    for character in before[-len(pattern) :] if pattern else "":
        while length and (length == len(pattern) or character != pattern[length]):
            length = failure[length]
        length += character == pattern[length]
    return length
