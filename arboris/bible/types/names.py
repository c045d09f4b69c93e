"""Names: when two of them are one, and how people shorten them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST_KEY = 200  # as stored; folding case may make a name of 100 characters longer


@lru_cache(maxsize=65_536)
def key(name: str) -> str:
    """What is the same about a name in other widths and cases."""
    return unicodedata.normalize("NFKC", name).casefold().strip()[:LONGEST_KEY]


def short_forms(full: str) -> list[str]:
    """How one would abbreviate the full name (砚秋 of 沈砚秋, Ada and Finch of Ada Finch)."""
    if full.isascii():
        words = full.split()
        return list(dict.fromkeys((words[0], words[-1]))) if len(words) > 1 else []
    return [full[at:] for at in range(1, len(full) - 1)] if len(full) <= 4 else []


def is_short_form(short: str, full: str) -> bool:
    return short in short_forms(full)


def ends(word: str) -> list[str]:
    """Its proper ends that can stand for it: of 2 to 16 letters, and in English whole words."""
    cut = range(max(1, len(word) - 16), len(word) - 1)
    return [word[at:] for at in cut if not word[at:].isascii() or word[at - 1] == " "]
