"""Names that are written almost alike: a slip of the pen, or another hand's spelling."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from arboris.bible.types.names import key, without_title

_HAN = re.compile("[\u3400-\u9fff]{2,4}")
# What somebody is called by, rather than a name: 小防, 刘氏, 愣爷.
_CALLED = re.compile("^[小老阿大二三]|[氏爷生哥姐妹弟嫂娘公婆叔伯候侯]$")
_SPELLINGS = (
    ("ck", "k"),
    ("ph", "f"),
    ("qu", "k"),
    ("c", "k"),
    ("q", "k"),
    ("z", "s"),
    ("x", "ks"),
)
_LONG = 6  # letters of a name that two people hardly share but for one


@lru_cache(maxsize=65_536)
def sound(name: str) -> str:
    """What names that are mistaken for each other have in common; "" where nothing tells.

    Chinese names: how they are read, without tones. English ones: the consonants of the last word.
    """
    if _HAN.fullmatch(name):
        syllables = [_syllables().get(sign, "") for sign in name]
        return "~" + " ".join(syllables) if all(syllables) else ""
    words = key(without_title(name)).split()
    if not name.isascii() or not words or len(words[-1]) < 4:
        return ""
    word = words[-1]
    for written, heard in _SPELLINGS:
        word = word.replace(written, heard)
    rest = re.sub("[^bdfghjklmnprstvw]", "", word)
    return "~" + re.sub(r"(.)\1+", r"\1", rest)


def drifted(one: str, other: str) -> bool:
    """Whether one is most likely the other, miswritten: 唐棠 and 唐堂, Ferris and Farris.

    Chinese names differ in characters that are read alike, but for the family name; English ones in
    a letter that is not the last (Julian, Juliana; Thorpe, Thorpes). What is short or bears another
    title may be anybody's.
    """
    if one == other or not sound(one) or sound(one) != sound(other):
        return False
    if not one.isascii():
        return one[0] == other[0] and not _CALLED.search(one) and not _CALLED.search(other)
    (title, words), (other_title, other_words) = _parted(one), _parted(other)
    if title and other_title and title != other_title:
        return False
    if len(words) != len(other_words):
        words, other_words = words[-1:], other_words[-1:]
    differing = [pair for pair in zip(words, other_words, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    word, other_word = differing[0]
    is_called_alike = len(words) > 1 or (title == other_title and title != "")
    if not is_called_alike and min(len(word), len(other_word)) < _LONG:
        return False
    return _letters_apart(word, other_word) == 1 and word[-1] == other_word[-1]


def _parted(name: str) -> tuple[str, list[str]]:
    plain = without_title(name)
    return key(name[: len(name) - len(plain)]), key(plain).split()


def _letters_apart(one: str, other: str) -> int:
    """How many letters differ, are too many or change places; 2 for any more."""
    if one == other:
        return 0
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    start = min(len(one), len(other)) if start is None else start
    a, b = one[start:], other[start:]
    near = a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return 1 if near else 2


@cache
def _syllables() -> dict[str, str]:
    lines = (Path(__file__).parents[1] / "words" / "han_sounds.txt").read_text("utf-8").splitlines()
    pairs = (line.split(" ") for line in lines if not line.startswith("#"))
    return {sign: syllable for syllable, signs in pairs for sign in signs}
