"""What the readers of both languages hand to the features: who and what a chapter names."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from .known import Lexicon

EntityKind = Literal["person", "location", "faction"]


@dataclass(slots=True)
class Draft:
    """A person, place or group that a reader proposes: its forms, and how sure it is."""

    kind: EntityKind
    name: str
    aliases: set[str] = field(default_factory=set)
    certainty: float = 0.5  # 0..1, from the strength of the cues alone
    known: bool = False  # the bible holds it already; ``name`` is then the bible's
    maybe: set[str] = field(default_factory=set)  # names of others whom this might be

    @property
    def forms(self) -> set[str]:
        return {self.name, *self.aliases}


@dataclass(slots=True)
class Entity:
    """A draft with every place where one of its forms stands in the text."""

    kind: EntityKind
    name: str
    aliases: tuple[str, ...]  # forms besides ``name`` that occur in the text
    spans: list[tuple[int, int]]
    certainty: float
    known: bool
    maybe: tuple[str, ...] = ()

    @property
    def mentions(self) -> int:
        return len(self.spans)

    @property
    def confidence(self) -> float:
        """More mentions and stronger cues make it surer; never above 0.97."""
        if self.known:
            return 0.97
        grown = 1 - (1 - self.certainty) * 0.85 ** min(self.mentions - 1, 8)
        return round(min(0.97, grown), 3)


class Cast:
    """All entities of a chapter, and which of them stands where."""

    def __init__(self, entities: list[Entity]) -> None:
        self.entities = entities
        marks = sorted((a, b, i) for i, e in enumerate(entities) for a, b in e.spans)
        self._starts = [a for a, _, _ in marks]
        self._marks = [(a, b, entities[i]) for a, b, i in marks]

    def of(self, *kinds: EntityKind) -> list[Entity]:
        return [e for e in self.entities if e.kind in kinds]

    def within(
        self, start: int, end: int, kind: EntityKind | None = None
    ) -> list[tuple[int, int, Entity]]:
        """Mentions that begin in ``[start, end)``, in order."""
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        found = self._marks[low:high]
        return found if kind is None else [m for m in found if m[2].kind == kind]


def place(
    text: str,
    drafts: Iterable[Draft],
    *,
    whole_words: bool,
    blocked: Iterable[str] = (),
    start: int = 0,
) -> Cast:
    """Find every mention (longest form first) and drop drafts that are not in the text.

    A form claimed by two drafts belongs to neither; ``blocked`` forms (longer words that
    hold a name by accident) swallow their place in the text. Only what stands from ``start`` on is
    searched.
    """
    owner: dict[str, Draft | None] = {}
    every = list(drafts)
    for draft in every:
        for form in draft.forms:
            if len(form) < 2 and not whole_words:
                continue  # one Chinese character stands in too many words
            owner[form] = None if form in owner and owner[form] is not draft else draft
    # A canonical name outweighs somebody else's alias of the same form.
    names = Counter(draft.name for draft in every)
    for draft in every:
        if draft.name in owner and owner[draft.name] is None and names[draft.name] == 1:
            owner[draft.name] = draft
    for form in blocked:
        owner.setdefault(form, None)
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, end in Lexicon(owner, whole_words=whole_words).scan(text, start):
        holder = owner[text[first:end]]
        if holder is not None:
            spans[id(holder)].append((first, end))
    return Cast([_entity(text, d, spans[id(d)]) for d in every if spans.get(id(d))])


def _entity(text: str, draft: Draft, spans: list[tuple[int, int]]) -> Entity:
    used = {text[a:b] for a, b in spans}
    return Entity(
        kind=draft.kind,
        name=draft.name,
        aliases=tuple(sorted(used - {draft.name}, key=lambda f: (-len(f), f))),
        spans=spans,
        certainty=draft.certainty,
        known=draft.known,
        maybe=tuple(sorted(draft.maybe)),
    )
