"""Names: when two of them are one, and how people shorten them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST_KEY = 200  # as stored; folding case may make a name of 100 characters longer


@lru_cache(maxsize=65_536)
def key(name: str) -> str:
    """What is the same about a name in other widths and cases."""
    return unicodedata.normalize("NFKC", name).casefold().strip()[:LONGEST_KEY]


# What an English title tells of who bears it.
_MALE = frozenset("mr mister sir lord king prince duke baron monsieur herr uncle father".split())
_MARRIED = frozenset(("mrs", "mme", "madame", "lady"))
_UNMARRIED = frozenset(("miss", "mlle", "mademoiselle"))
_FEMALE = _MARRIED | _UNMARRIED | {"ms", "queen", "princess", "duchess", "aunt", "mother"}
_OTHER = frozenset("dr doctor professor captain colonel general major lieutenant sergeant".split())


def short_forms(full: str) -> list[str]:
    """How one would abbreviate the full name (砚秋 of 沈砚秋, Ada and Finch of Ada Finch)."""
    if full.isascii():
        words = full.split()
        title, bare = _title(full), words
        while len(bare) > 1 and _is_title(bare[0]):
            bare = bare[1:]
        shorter = [bare[0], bare[-1]]
        if title and len(bare) > 1:
            shorter += [f"{words[0]} {word}" for word in shorter]
        return [word for word in dict.fromkeys(shorter) if word != full]
    return [full[at:] for at in range(1, len(full) - 1)] if len(full) <= 4 else []


def is_short_form(short: str, full: str) -> bool:
    return short in short_forms(full)


def clash(one: str, other: str) -> bool:
    """Whether two English names are two people's by their titles: Mr. and Miss Darcy."""
    a, b = _title(one), _title(other)
    if (a in _MARRIED and not b) or (b in _MARRIED and not a):  # "Lady Lucas" is not "Maria Lucas"
        married, plain = (one, other) if a else (other, one)
        return len(married.split()) == 2 and len(plain.split()) > 1
    if not a or not b or a == b:
        return False
    if (a in _FEMALE and b in _MALE | _OTHER) or (b in _FEMALE and a in _MALE | _OTHER):
        return True
    return (a in _MARRIED and b in _UNMARRIED) or (b in _MARRIED and a in _UNMARRIED)


def without_title(name: str) -> str:
    """ "Lord Ansgar Vale" is Ansgar Vale."""
    words = name.split()
    while len(words) > 1 and _is_title(words[0]):
        words = words[1:]
    return " ".join(words)


@lru_cache(maxsize=65_536)
def _title(name: str) -> str:
    first, _, rest = name.partition(" ")
    return key(first).rstrip(".") if rest and _is_title(first) else ""


def _is_title(word: str) -> bool:
    return key(word).rstrip(".") in _MALE | _FEMALE | _OTHER


def ends(word: str) -> list[str]:
    """Its proper ends that can stand for it: of 2 to 16 letters, and in English whole words."""
    cut = range(max(1, len(word) - 16), len(word) - 1)
    return [word[at:] for at in cut if not word[at:].isascii() or word[at - 1] == " "]
