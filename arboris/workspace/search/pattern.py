"""What counts as the same when a novel is searched: letters of either case and width.

Each letter stands for itself and its twin of the other width, and case is left to the regular
expression: so a place in the text is a place in the text, which no folded copy of it would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WIDE = 0xFEE0  # from ! to ～ each has a twin as wide as a Chinese character
_TWINS = {code: code + _WIDE for code in range(0x21, 0x7F)} | {0x20: 0x3000}
TWINS = {chr(one): chr(other) for one, other in _TWINS.items()}
TWINS |= {other: one for one, other in TWINS.items()}


def pattern(query: str, names: Iterable[str] = ()) -> re.Pattern[str]:
    """Matches the query anywhere, and each of the names where it is no part of a longer word."""
    parts = {query: _loosely(query)}
    for name in names:
        parts.setdefault(name, _as_a_word(name))
    longest_first = sorted(parts, key=len, reverse=True)
    return re.compile("|".join(parts[one] for one in longest_first), re.IGNORECASE)


def _loosely(text: str) -> str:
    return "".join(map(_one, text))


def _one(char: str) -> str:
    twin = TWINS.get(char)
    return re.escape(char) if twin is None else f"[{re.escape(char)}{re.escape(twin)}]"


def _as_a_word(name: str) -> str:
    """Ada is not found in Canada; between Chinese characters nothing says where a word ends."""
    before = "(?<![A-Za-z0-9])" if name[0].isascii() and name[0].isalnum() else ""
    after = "(?![A-Za-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return before + _loosely(name) + after
