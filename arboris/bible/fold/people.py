"""Who is who: names, by-names and short forms of one novel's people, in the order of its
chapters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arboris.bible.decisions.rules import Rules
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Notice, Person, digest
from arboris.bible.types.findings import ROLES, Appearance, Finding, NewCharacter
from arboris.bible.types.names import clash, is_short_form, key, short_forms
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

SCOPE = Person.scope
ORDER: tuple[str, ...] = ROLES
# A name is a rarity where so small a share of the chapters that name the person has it, or only
# one of more than EARLY.
RARE, EARLY = 0.05, 5
SEEN_AGAIN, OFTEN = 2, 5  # chapters and mentions from which on somebody is no minor character
LEADS = 3  # who is named at least a third as often as the most named
MUCH_MORE = 2  # times as many chapters


class People:
    def __init__(self, store: MemoryEntryStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        # Of the chapter that is being folded: the full names for which a short one might stand.
        self._full: dict[str, dict[str, str]] = {}
        self._counted: set[tuple[str, str]] = set()  # by natural key: each name counts once
        self._top: int | None = None  # mentions of the most named person before it

    def open_chapter(self, findings: Iterable[Finding]) -> None:
        """Before the people of a chapter are added: whom it names in full."""
        self._full, self._counted, self._top = {}, set(), None
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
            doubts = finding.doubts if isinstance(finding, Appearance) else []
            shown = self._rules.shown.get((SCOPE, own), finding.name)
            person = Person(own, shown, fact, placed.chapter_id)
            self._store.put(person)
            self._ask_whether_same(placed, person, doubts)
        self._store.touch(person)
        for name in (finding.name, *finding.aliases):
            self._call(placed, person, name, fact)
        self._count(person, finding)
        self._choose_name(person)
        person.aliases.pop(person.name, None)
        person.last_chapter_id = placed.chapter_id
        if isinstance(finding, Appearance):
            person.mentions += finding.mentions
            person.role = max(person.role, self._by_weight(person), key=ORDER.index)
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
        return [
            person
            for person in found
            if not self._rules.are_apart(SCOPE, person.keys(), short)
            and not any(clash(known, name) for known in (person.name, *person.aliases))
        ]

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
        """By the writer's word, or by their titles."""
        return self._rules.are_apart(SCOPE, person.keys(), key(name)) or any(
            clash(known, name) for known in (person.name, *person.aliases)
        )

    def _count(self, person: Person, finding: Appearance | NewCharacter) -> None:
        """Count the names by which the chapter calls the person.

        A known person is reported by the main name, whether the chapter has it or not; the passage
        shows it where it does.
        """
        names = list(finding.aliases)
        if finding.name in finding.evidence.quote or not names:
            names.append(finding.name)
        for name in names:
            known = name == person.name or name in person.aliases
            if known and (person.natural_key, name) not in self._counted:
                self._counted.add((person.natural_key, name))
                person.uses[name] = person.uses.get(name, 0) + 1

    def _by_weight(self, person: Person) -> str:
        """The role that somebody has in the story so far, by mentions and chapters."""
        chapters = max(person.uses.values(), default=0)
        if chapters < SEEN_AGAIN or person.mentions < OFTEN:
            return "minor"
        if self._top is None:
            self._top = self._store.most_mentions()
        leads = chapters > SEEN_AGAIN and person.mentions * LEADS >= self._top
        return "main" if leads else "supporting"

    def _choose_name(self, person: Person) -> None:
        """Let a fuller name that is no rarity be the main one, and a rarity be it no longer.

        A wrong cut (宝玉笑, Evidently Biddy) and a name that a chapter gives once are rarities.
        """
        if self._rules.keeps_name(SCOPE, person.natural_key):
            return
        most = max(person.uses.values(), default=0)
        least = max(RARE * most, 2 if most > EARLY else 1)
        frequent = {name for name, uses in person.uses.items() if uses >= least}
        chosen = person.name
        used = person.uses.get(chosen, 0)
        shorter = [name for name in frequent if is_short_form(name, chosen)]
        if chosen not in frequent and shorter:
            chosen = max(shorter, key=lambda name: (person.uses[name], name))
        elif most > EARLY and most >= MUCH_MORE * used and chosen.isascii():  # Lizzy is Elizabeth
            chosen = max(frequent, key=lambda name: (person.uses[name], name))
        while fuller := [name for name in frequent if is_short_form(chosen, name)]:
            chosen = max(fuller, key=lambda name: (person.uses[name], name))
        if chosen != person.name:
            person.aliases.setdefault(person.name, person.fact)
            person.name = chosen

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
                self._ask(placed, "same_person", person.name, [owner.name], about, owner.fact)
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

    def _ask_whether_same(self, placed: PlacedFinding, person: Person, names: list[str]) -> None:
        for name in names:
            other = self.find(name)
            if (
                other is not None
                and other is not person
                and not self._are_apart(other, person.name)
            ):
                about = (person.name, name)
                self._ask(placed, "same_person", person.name, [other.name], about, other.fact)

    def _ask(
        self,
        placed: PlacedFinding,
        kind: str,
        name: str,
        others: list[str],
        about: Iterable[str],
        earlier: Fact | None = None,
    ) -> None:
        """``about``: the names as the text has them, so that an answer outlives a renaming."""
        evidence = placed.finding.evidence
        ref = digest(kind, *sorted(map(key, about)))
        data: dict[str, Any] = {
            "name": name,
            "others": others,
            "later": {"chapter_id": placed.chapter_id, "quote": evidence.quote},
        }
        if earlier is not None:
            data["earlier"] = {"chapter_id": earlier.chapter_id, "quote": earlier.quote}
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
