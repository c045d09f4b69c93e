"""Numbers of a chapter within a volume: 1.1, 2-3, 1.1.1, V1C2, Vol. 1 Ch. 2."""

from __future__ import annotations

import re
from typing import NamedTuple

from arboris.novels.importing.numbers import CHINESE, number_of

_NUMBER = rf"[0-9０-９]{{1,4}}|[{CHINESE}]{{1,5}}"
_DOTTED = re.compile(
    rf"(?P<open>[（(【\[§#]?)\s?"
    rf"(?P<numbers>(?:{_NUMBER})(?P<dot>\s?[.．·・_–—-]\s?)(?:{_NUMBER})(?:(?P=dot)(?:{_NUMBER}))?)"
    r"(?P<close>[）)】\]]?)(?P<sign>[.．、:：\s]{0,2})(?P<title>.*)"
)
_PAIR = re.compile(
    r"(?P<outer>v|vol|volume|b|bk|book|s|season|p|pt|part|a|act)\.?\s?(?P<one>[0-9]{1,4}|[IVX]{1,5})"
    r"[\s,:：.–—-]{0,3}"
    r"(?P<inner>c|ch|chap|chapter|e|ep|episode|p|pt|part|s|sc|scene)\.?\s?(?P<two>[0-9]{1,4}|[IVX]{1,5})"
    r"(?![\w'’])(?P<title>.*)",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"(?P<mark>chapter|chap|ch|episode|ep|chapitre|kapitel|capítulo|глава)\.?\s?"
    r"(?P<one>[0-9]{1,4})\s?[–-]\s?(?P<two>[0-9]{1,4})(?![\w'’])(?P<title>.*)",
    re.IGNORECASE,
)  # Chapter 2-1
_LAST_YEAR = 1000  # above, the first number is a year


class Compound(NamedTuple):
    """``outer``: the numbers of what it stands in, the outermost first."""

    form: str
    outer: tuple[int, ...]
    number: int
    title: str


def compound(bare: str) -> Compound | None:
    """What the line's number is made of; None where it has none of several parts."""
    found = _DOTTED.fullmatch(bare)
    if found is None:
        return _pair(bare) or _marked(bare)
    title = found["title"]
    if title and not (found["close"] or found["sign"]):
        return None  # 1.5倍
    if title[:1].isdigit() or (title[:1].islower() and title[:1].isascii()):
        return None
    numbers = [number_of(part) for part in re.split(re.escape(found["dot"]), found["numbers"])]
    told = tuple(number for number in numbers if number is not None)
    if len(told) < len(numbers) or told[0] >= _LAST_YEAR:
        return None
    signs = f"{found['open']}{found['dot'].strip() * len(told[1:])}{found['close']}"
    return Compound(f"{signs} compound", told[:-1], told[-1], title)


def _pair(bare: str) -> Compound | None:
    found = _PAIR.fullmatch(bare) if bare[:1].isascii() else None
    if found is None:
        return None
    one, two = number_of(found["one"]), number_of(found["two"])
    if one is None or two is None:
        return None
    return Compound(f"{found['outer']} {found['inner']}".lower(), (one,), two, found["title"])


def _marked(bare: str) -> Compound | None:
    found = _MARKED.fullmatch(bare)
    if found is None:
        return None
    one, two = int(found["one"]), int(found["two"])
    return Compound(f"{found['mark']} -".lower(), (one,), two, found["title"])
