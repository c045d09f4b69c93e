"""Match names in the model's answer with the people that the bible knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from analysis.analyzers.base import ChapterInput, KnownCharacter
from arboris.bible.types.names import key

MAX_NAME = 100
MAX_ALIASES = 50
_GLOSS = re.compile(r"(?P<name>.+?)\s*[（(\[【〔{<‹](?P<gloss>.+?)[）)\]】〕}>›]\s*")
_EDGES = " \t\"'“”‘’「」『』《》〈〉【】[]*_@#，。,.:：;；!！?？"


class Cast:
    """The known characters of a chapter, by id, name and alias."""

    def __init__(self, chapter: ChapterInput) -> None:
        self._by_id = {person.id: person for person in chapter.known_characters}
        self._by_name: dict[str, KnownCharacter | None] = {}
        for person in chapter.known_characters:
            self._by_name[key(person.name)] = person
        names = {key(person.name) for person in chapter.known_characters}
        for person in chapter.known_characters:
            for alias in {key(alias) for alias in person.aliases} - names:
                # An alias that two people share identifies neither.
                self._by_name[alias] = None if alias in self._by_name else person

    def known(self, name: str, known_id: int | None = None) -> KnownCharacter | None:
        """Return the known character. The name decides before the model's id does."""
        for reading in readings(name)[:2]:
            if (by_name := self._by_name.get(key(reading))) is not None:
                return by_name
        return self._by_id.get(known_id) if known_id is not None else None


def readings(name: str) -> list[str]:
    """The name, and what else it may be: without a gloss in brackets, without quotes, the gloss.

    "林渡（摆渡人）", "the ferryman (Han)", "《青囊经》".
    """
    found = [name]
    if gloss := _GLOSS.fullmatch(name):
        found += [gloss["name"], gloss["gloss"]]
    found.append(name.strip(_EDGES))
    return list(dict.fromkeys(one.strip() for one in found if one.strip()))


def proper(name: str) -> str:
    """Return the name as it is stored; empty if it is too long."""
    name = " ".join(name.split())
    return name if len(name) <= MAX_NAME else ""


def other_names(names: Iterable[str], main: str) -> list[str]:
    """Return the names other than ``main``, each once, in their order."""
    seen = {key(main)}
    found: list[str] = []
    for name in map(proper, names):
        if name and key(name) not in seen:
            seen.add(key(name))
            found.append(name)
    return found[:MAX_ALIASES]


def mentions(text: str, names: Iterable[str]) -> int:
    """How often any of the names stands in the text, at least 1; a name inside a longer one is
    not counted again."""
    counts: dict[str, int] = {}
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        inside = sum(n * _occurrences(longer, name) for longer, n in counts.items())
        counts[name] = max(0, _occurrences(text, name) - inside)
    return max(1, sum(counts.values()))


def _occurrences(text: str, name: str) -> int:
    if name.isascii():
        return len(re.findall(rf"\b{re.escape(name)}\b", text))
    return text.count(name)
