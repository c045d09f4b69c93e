"""Names found against names listed, by the rule of score.py: equal, or one within the other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from arboris.bible.types.findings import NewCharacter, WorldFact

LISTS = {"character": "characters", "location": "locations", "faction": "organizations"}
_OTHER = {"locations": "organizations", "organizations": "locations"}
_TITLES = frozenset(
    "mr mrs miss ms mister dr doctor sir lady lord captain colonel general major professor aunt"
    " uncle brother sister master madame mme monsieur m st king queen prince princess count"
    " countess father commander".split()
)
_EDGES = " \t\"'“”《》〈〉「」『』.,;:!?，。；：！？、()（）-_"


@dataclass(frozen=True, slots=True)
class Match:
    """The listed entities that were found, and of each finding whether it is right; None where
    it counts neither for nor against."""

    found: frozenset[int]
    right: tuple[bool | None, ...]

    @property
    def wrong(self) -> int:
        return sum(one is False for one in self.right)


def match(
    findings: Sequence[NewCharacter | WorldFact], answers: dict[str, Any], kind: str, lang: str
) -> Match:
    """``kind`` is a key of ``answers``: characters, locations or organizations."""
    listed = [_names([e["name"], *e.get("aliases", [])], lang) for e in answers[kind]]
    optional = answers.get("optional", {})
    ignored = [*optional.get(kind, [])]
    if other := _OTHER.get(kind):
        ignored += optional.get(other, [])
        ignored += [n for e in answers[other] for n in [e["name"], *e.get("aliases", [])]]
    unmarked = _names(ignored, lang)
    found: set[int] = set()
    right: list[bool | None] = []
    for finding in findings:
        names = _names([finding.name, *finding.aliases], lang)
        at = _entities(names, listed, unmarked, lang)
        if at is None:
            right.append(None)
            continue
        right.append(bool(at))
        found |= set([one for one in at if one not in found][:1])
    return Match(frozenset(found), tuple(right))


def _entities(
    names: list[str], listed: list[list[str]], ignored: list[str], lang: str
) -> list[int] | None:
    """The entities that ``names`` may mean; None where they need not be listed."""
    equal = [at for at, forms in enumerate(listed) if set(names) & set(forms)]
    if equal:
        return equal
    if set(names) & set(ignored):
        return None
    partly = [
        at
        for at, forms in enumerate(listed)
        if any(_partly(a, b, lang) for a in names for b in forms)
    ]
    if len(partly) == 1:
        return partly
    return None if any(_partly(a, b, lang) for a in names for b in ignored) else []


def _partly(one: str, other: str, lang: str) -> bool:
    if lang == "zh":
        short, long = sorted((one, other), key=len)
        return len(short) >= 2 and short in long and len(short) * 2 >= len(long)
    words, others = set(one.split(" ")), set(other.split(" "))
    return words <= others or others <= words


def _names(names: Iterable[str], lang: str) -> list[str]:
    return [found for name in names if (found := plain(name, lang))]


def plain(name: str, lang: str) -> str:
    """A name without what does not tell it from others: case, width, articles, titles."""
    bare = unicodedata.normalize("NFKC", name).casefold().strip()
    bare = re.sub(r"\s+", " ", bare.replace("’", "'").replace("‘", "'")).strip(_EDGES)
    if lang == "zh":
        return bare.replace(" ", "")
    words = re.sub(r"^(the|a|an) ", "", re.sub(r"'s$", "", bare)).split(" ")
    while len(words) > 1 and words[0].rstrip(".") in _TITLES:
        words = words[1:]
    return " ".join(words)
