"""Every string of a Chinese chapter that may name something, and where it stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ..common.lac_model import GROUPS
from . import words as w
from .names import RARE_IN_NAMES, TITLED, is_full, surname_of
from .tokens import Tagging, Word

CJK = r"\u3400-\u9fff〇"
_WORD = r"[A-Z][A-Za-z'’]*[A-Za-z]"
LATIN = re.compile(rf"(?<![A-Za-z0-9]){_WORD}(?:[ .-]{{1,2}}{_WORD})*(?![A-Za-z0-9])")
_NAME = re.compile(rf"^[{CJK}]+(?:[·•・][{CJK}]+)*$|^{LATIN.pattern}$")
_LEAST = 0.12  # the chance of a span that makes it a candidate
_LONGEST = 12
MOST_PLACES = 60  # places of a form that are looked at; a chapter says early what a name is
_AROUND = 5  # characters on each side that tell one place from another
_MOST_LOOKED = 600
_NOUNS = frozenset("n nz nw PER LOC ORG s f vn".split())
_NEVER_JOINED = frozenset("w r p c u xc d t TIME q".split())
_LAST = tuple(
    {*w.PLACE_ENDINGS, *w.FACTION_ENDINGS, *w.HONORIFICS, *w.REVERED, *w.TITLES, *w.LONG_ENDINGS}
)
_QUOTED = re.compile(rf"[“「『‘'](?P<n>[{CJK}]{{2,6}})[”」』’']")
_NAMING = 4  # PER, LOC, ORG and nz come first in GROUPS


def spans(tagging: Tagging) -> Iterator[tuple[int, int]]:
    """Spans that the tagger holds for a name with some chance, whether it chose them or not."""
    chances = tagging.chances
    if chances is None:
        return
    begins, goes = chances[:, :_NAMING], chances[:, len(GROUPS) : len(GROUPS) + _NAMING]
    for start, group in zip(*(begins > _LEAST).nonzero(), strict=True):
        chance = float(begins[start, group])
        for end in range(int(start) + 1, min(int(start) + _LONGEST, len(chances) - 1) + 1):
            goes_on = float(goes[end, group]) if end < len(chances) else 0.0
            if end - start > 1 and min(chance, 1 - goes_on) > _LEAST:
                yield int(start), end
            chance = min(chance, goes_on)
            if chance <= _LEAST:
                break


def span_chances(chances: Any, start: int, end: int) -> list[float]:
    """For each of GROUPS, how probable it is that ``text[start:end]`` is one word of it."""
    groups = len(GROUPS)
    found = chances[start, :groups]
    if end - start > 1:
        found = found.clip(max=chances[start + 1 : end, groups:].min(axis=0))
    return [float(x) for x in found.clip(max=1 - chances[end, groups:])]


def candidates(text: str, tagging: Tagging) -> set[str]:
    """Strings that may be names: by the tagger's chances, by their shape, by coming back."""
    found = {text[a:b] for a, b in spans(tagging)}
    found |= {m.group() for m in LATIN.finditer(text)}
    found |= {m["n"] for m in _QUOTED.finditer(text)}
    runs: Counter[str] = Counter()
    for line in tagging.lines:
        for at, word in enumerate(line):
            if word.tag in _NOUNS and len(word.text) > 1:
                found.add(word.text)
            found.update(_joined(line, at))
            runs.update(_runs(line, at))
    found |= {run for run, times in runs.items() if times > 1}
    found |= {m.group() for m in TITLED.finditer(text)}
    found = {form for form in found if possible(form)}
    return found | {g for g in _givens(found) if g in text}


def _joined(line: list[Word], at: int) -> Iterator[str]:
    """Words that end in what places, groups or people are called after: "灰烬" + "荒原"."""
    last = line[at]
    if not last.text.endswith(_LAST):
        return
    form = last.text
    for before in reversed(line[max(0, at - 3) : at]):
        if before.tag in _NEVER_JOINED or len(form) + len(before.text) > _LONGEST:
            return
        form = before.text + form
        yield form


def _runs(line: list[Word], at: int) -> Iterator[str]:
    """Two or three words in a row that may be one name: "浅浅" + "一笑"."""
    form = ""
    for word in line[at : at + 3]:
        if word.tag in ("w", "r", "p", "c", "u", "xc", "q") or len(form + word.text) > 5:
            return
        form += word.text
        if 2 <= len(form) != len(line[at].text) and not RARE_IN_NAMES.intersection(form):
            yield form


def _givens(forms: set[str]) -> set[str]:
    """What full names leave without the surname."""
    full = {f for f in forms if is_full(f) and not TITLED.fullmatch(f)}
    return {g for f in full if len(g := f[len(surname_of(f)) :]) == 2}


def possible(form: str) -> bool:
    return 2 <= len(form) <= 30 and _NAME.match(form) is not None


def places_of(text: str, form: str) -> list[int]:
    """Where ``form`` begins in ``text``: the first MOST_PLACES of it with other words around.

    A sentence that comes back word by word says only once what the form is.
    """
    found: dict[tuple[str, str], int] = {}
    at, looked = text.find(form), 0
    while at >= 0 and len(found) < MOST_PLACES and looked < _MOST_LOOKED:
        end = at + len(form)
        found.setdefault((text[max(0, at - _AROUND) : at], text[end : end + _AROUND]), at)
        at, looked = text.find(form, end), looked + 1
    return list(found.values())


def longer_of(forms: Iterable[str]) -> dict[str, list[str]]:
    """For each form, the others that hold it."""
    every = set(forms)
    longer: dict[str, list[str]] = {form: [] for form in every}
    for form in sorted(every):
        for size in range(2, len(form)):
            for at in range(len(form) - size + 1):
                part = form[at : at + size]
                if part in every:
                    longer[part].append(form)
    return longer
