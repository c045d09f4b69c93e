"""The writer's own entries: there before the first chapter, so that every finding meets them."""

from __future__ import annotations

from arboris.bible.decisions.rules import Decision, Rules
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import (
    PERSON_FIELDS,
    Fact,
    Person,
    RelationshipEntry,
    Thread,
    WorldEntry,
    world_key,
)
from arboris.bible.types.names import key


def add_writer_entries(store: MemoryEntryStore, rules: Rules) -> None:
    for decision in rules.added:
        fields, fact = decision["fields"], _fact(decision)
        if decision["scope"] == "person":
            _add_person(store, rules, decision, fact)
        elif decision["scope"] == "thing":
            _add_world_entry(store, rules, decision, fact)
        elif decision["scope"] == "thread":
            words = list(fields.get("keywords", ()))
            number = int(fields.get("chapter_number") or 0)
            kind, said = fields["kind"], fields["description"]
            store.put(Thread(decision["thread"], kind, said, words, number, fact))


def relationships(store: MemoryEntryStore, rules: Rules) -> dict[str, RelationshipEntry | None]:
    """The writer's relationships by natural key; None where not both people are there.

    A relationship is between whoever bears the names by now.

    Their natural_keys are their own: a finding that says the same stands beside them.
    """
    people = People(store, rules)
    found: dict[str, RelationshipEntry | None] = {}
    asked = [decision for decision in rules.added if decision["scope"] == "tie"]
    names = [d["fields"][part] for d in asked for part in ("source", "target")]
    store.fetch_search_keys(
        Person.scope, [rules.canonical(Person.scope, key(name)) for name in names]
    )
    for decision in asked:
        natural_key, fields = decision["ref"], decision["fields"]
        source, target = people.find(fields["source"]), people.find(fields["target"])
        if source is None or target is None or source is target:
            found[natural_key] = None
        else:
            found[natural_key] = RelationshipEntry(
                natural_key,
                source.natural_key,
                target.natural_key,
                fields["relation"],
                _fact(decision),
            )
    return found


def _fact(decision: Decision) -> Fact:
    return Fact(None, "", 1.0, False, "writer", decision["ref"])


def _add_person(store: MemoryEntryStore, rules: Rules, decision: Decision, fact: Fact) -> None:
    fields, scope = decision["fields"], Person.scope
    plain = key(fields["name"])
    own = rules.canonical(scope, plain)
    if _is_away(rules, decision, scope, plain, own):
        return
    person = store.owner(Person, own)
    if person is None:
        person = Person(own, rules.shown.get((scope, own), fields["name"]), fact)
    store.touch(person)
    for part in PERSON_FIELDS:
        if part == "role":
            person.role = fields.get(part, person.role)
        elif not getattr(person, part):
            setattr(person, part, fields.get(part, ""))
    for alias in (fields["name"], *fields.get("aliases", ())):
        owner = store.owner(Person, rules.canonical(scope, key(alias)))
        if key(alias) != key(person.name) and owner in (None, person):
            person.aliases.setdefault(alias, fact)
    store.put(person)


def _add_world_entry(store: MemoryEntryStore, rules: Rules, decision: Decision, fact: Fact) -> None:
    fields, kind, scope = decision["fields"], decision["kind"], WorldEntry.scope
    plain = world_key(kind, key(fields["name"]))
    own = rules.canonical(scope, plain)
    if _is_away(rules, decision, scope, plain, own):
        return
    entry = store.owner(WorldEntry, own)
    if entry is None:
        entry = WorldEntry(own, kind, rules.shown.get((scope, own), fields["name"]), fact)
    store.touch(entry)
    entry.description = entry.description or fields.get("description", "")
    for alias in (fields["name"], *fields.get("aliases", ())):
        owner = store.owner(WorldEntry, rules.canonical(scope, world_key(kind, key(alias))))
        if key(alias) != key(entry.name) and owner in (None, entry):
            entry.aliases.setdefault(alias, fact)
    store.put(entry)


def _is_away(rules: Rules, decision: Decision, scope: str, plain: str, own: str) -> bool:
    """Whether the entry was rejected, or is no more one of its own: split off, then merged
    again."""
    merged_again = decision["action"] == "split" and own != plain
    return merged_again or (scope, own) in rules.rejected
