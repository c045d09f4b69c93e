"""Who is who: names, by-names and short forms of one novel's people, in the order of its
chapters."""

from __future__ import annotations

from collections.abc import Iterable

from arboris.bible.decisions.rules import Rules
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Notice, Person, digest
from arboris.bible.types.findings import ROLES, Appearance, Finding, NewCharacter
from arboris.bible.types.names import is_short_form, key, short_forms
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

SCOPE = Person.scope
ORDER: tuple[str, ...] = ROLES


class People:
    def __init__(self, store: MemoryEntryStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        # Of the chapter that is being folded: the full names for which a short one might stand.
        self._full: dict[str, dict[str, str]] = {}

    def open_chapter(self, findings: Iterable[Finding]) -> None:
        """Before the people of a chapter are added: whom it names in full."""
        self._full = {}
        for finding in findings:
            if isinstance(finding, Appearance | NewCharacter):
                for short in short_forms(finding.name):
                    full = self._full.setdefault(key(short), {})
                    full.setdefault(self._key(finding.name), finding.name)

    def find(self, name: str) -> Person | None:
        """Whoever bears the name; a given or family name alone counts where only one fits."""
        found = self._bearer(name)
        if found is not None:
            return found
        bearers = self._in_short(name)
        return bearers[0] if len(bearers) == 1 else None

    def add(self, placed: PlacedFinding, finding: Appearance | NewCharacter) -> None:
        own = self._key(finding.name)
        if (SCOPE, own) in self._rules.rejected:
            return
        person = (
            self.find(finding.name)
            or self._known_in_short(finding.name)
            or self._known_by_alias(finding)
        )
        fact = fact_of(placed)
        if person is None:
            self._ask_about_short_forms(placed, finding.name)
            shown = self._rules.shown.get((SCOPE, own), finding.name)
            person = Person(own, shown, fact, placed.chapter_id)
            self._store.put(person)
        self._store.touch(person)
        self._take_over(placed, person, finding.name)
        for name in (finding.name, *finding.aliases):
            self._call(placed, person, name, fact)
        person.aliases.pop(person.name, None)
        person.last_chapter_id = placed.chapter_id
        if isinstance(finding, Appearance):
            person.mentions += finding.mentions
        else:
            _describe(person, finding)
        self._store.put(person)

    def _key(self, name: str) -> str:
        return self._rules.canonical(SCOPE, key(name))

    def _bearer(self, name: str) -> Person | None:
        return self._store.owner(Person, self._key(name))

    def _in_short(self, name: str) -> list[Person]:
        """Those whose name might be abbreviated so."""
        short = self._key(name)
        found = self._store.having(Person, short, partial=True)
        return [p for p in found if not self._rules.are_apart(SCOPE, p.keys(), short)]

    def _known_in_short(self, name: str) -> Person | None:
        """Whoever an earlier chapter called by a part of the name alone, where only one fits.

        And where the chapter has no other full name that would fit as well.
        """
        fitting = [s for s in short_forms(name) if len(self._full.get(key(s), ())) < 2]
        return self._only([p for p in map(self._mainly, fitting) if p], name)

    def _known_by_alias(self, finding: Appearance | NewCharacter) -> Person | None:
        """Whoever is mainly called by one of the aliases: many may share a mere by-name (先生)."""
        return self._only([p for p in map(self._mainly, finding.aliases) if p], finding.name)

    def _mainly(self, name: str) -> Person | None:
        """The person whose name that is, and no mere by-name."""
        found = self._bearer(name)
        return found if found is not None and self._key(found.name) == self._key(name) else None

    def _only(self, found: list[Person], name: str) -> Person | None:
        other = {p.natural_key: p for p in found if not self._are_apart(p, name)}
        return next(iter(other.values())) if len(other) == 1 else None

    def _are_apart(self, person: Person, name: str) -> bool:
        return self._rules.are_apart(SCOPE, person.keys(), key(name))

    def _take_over(self, placed: PlacedFinding, person: Person, name: str) -> None:
        """A full name that comes later becomes the main one."""
        if self._rules.keeps_name(SCOPE, person.natural_key) or not is_short_form(
            person.name, name
        ):
            return
        person.aliases.setdefault(person.name, person.fact)
        person.name = name
        person.name_chapter_id = placed.chapter_id

    def _call(self, placed: PlacedFinding, person: Person, name: str, fact: Fact) -> None:
        """Let the person be called so, unless the name is somebody else's already.

        Never merge on a weak ground: the writer is asked.
        """
        own = self._key(name)
        if self._are_apart(person, name) or (SCOPE, own) in self._rules.rejected:
            return
        owner = self._store.owner(Person, own)
        if owner is not None and owner is not person:
            if key(owner.name) == own:  # a by-name that two share says nothing
                about = (getattr(placed.finding, "name", ""), name)
                self._ask(placed, "same_person", person.name, [owner.name], about)
        elif name != person.name and key(name) != key(person.name):
            person.aliases.setdefault(name, fact)
            self._store.put(person)

    def _ask_about_short_forms(self, placed: PlacedFinding, name: str) -> None:
        """A new person whose name fits several full ones; or a full one that, like another of the
        chapter, might be meant by a short one that is known."""
        if fits := self._in_short(name):
            self._ask(placed, "ambiguous_name", name, [p.name for p in fits], about=(name,))
        for short in short_forms(name):
            full = self._full.get(key(short), {})
            known = self._mainly(short) if len(full) > 1 else None
            if known is not None:
                names = list(full.values())
                self._ask(placed, "ambiguous_name", known.name, names, about=(short,))

    def _ask(
        self, placed: PlacedFinding, kind: str, name: str, others: list[str], about: Iterable[str]
    ) -> None:
        """``about``: the names as the text has them, so that an answer outlives a renaming."""
        evidence = placed.finding.evidence
        ref = digest(kind, *sorted(map(key, about)))
        data = {
            "name": name,
            "others": others,
            "later": {"chapter_id": placed.chapter_id, "quote": evidence.quote},
        }
        notice = Notice(kind, name, placed.chapter_id, ref, data)
        if ref not in self._rules.rejected_refs:
            self._store.of_chapter(placed.chapter_id).notices.setdefault(ref, notice)


def _describe(person: Person, finding: NewCharacter) -> None:
    person.role = max(person.role, finding.role, key=ORDER.index)
    for part in ("description", "personality", "goals", "abilities"):
        if not getattr(person, part):
            setattr(person, part, getattr(finding, part))
    # Without character tracking nobody counts appearances.
    person.mentions = max(person.mentions, finding.mentions)
