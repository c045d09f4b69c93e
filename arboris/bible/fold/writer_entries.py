"""The writer's own entries: there before the first chapter, so that every finding meets them."""

from __future__ import annotations

from arboris.bible.decisions.rules import Decision, Rules
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import Shelf
from arboris.bible.types.entries import PERSON_FIELDS, Fact, Person, Thing, Thread, Tie, thing_key
from arboris.bible.types.names import key


def lay(shelf: Shelf, rules: Rules) -> None:
    for decision in rules.added:
        fields, fact = decision["fields"], _fact(decision)
        if decision["scope"] == "person":
            _lay_person(shelf, rules, decision, fact)
        elif decision["scope"] == "thing":
            _lay_thing(shelf, rules, decision, fact)
        elif decision["scope"] == "thread":
            words = list(fields.get("keywords", ()))
            number = int(fields.get("chapter_number") or 0)
            kind, said = fields["kind"], fields["description"]
            shelf.put(Thread(decision["thread"], kind, said, words, number, fact))


def ties(shelf: Shelf, rules: Rules) -> dict[str, Tie | None]:
    """The writer's relations by nid, between whoever bears the names by now; None: not both are
    there.

    Their nids are their own: a finding that says the same stands beside them.
    """
    people = People(shelf, rules)
    found: dict[str, Tie | None] = {}
    asked = [decision for decision in rules.added if decision["scope"] == "tie"]
    names = [d["fields"][part] for d in asked for part in ("source", "target")]
    shelf.fetch_handles(Person.scope, [rules.canonical(Person.scope, key(name)) for name in names])
    for decision in asked:
        nid, fields = decision["ref"], decision["fields"]
        source, target = people.find(fields["source"]), people.find(fields["target"])
        if source is None or target is None or source is target:
            found[nid] = None
        else:
            found[nid] = Tie(nid, source.nid, target.nid, fields["relation"], _fact(decision))
    return found


def _fact(decision: Decision) -> Fact:
    return Fact(None, "", 1.0, False, "writer", decision["ref"])


def _lay_person(shelf: Shelf, rules: Rules, decision: Decision, fact: Fact) -> None:
    fields, scope = decision["fields"], Person.scope
    plain = key(fields["name"])
    own = rules.canonical(scope, plain)
    if _is_away(rules, decision, scope, plain, own):
        return
    person = shelf.owner(Person, own)
    if person is None:
        person = Person(own, rules.shown.get((scope, own), fields["name"]), fact)
    shelf.touch(person)
    for part in PERSON_FIELDS:
        if part == "role":
            person.role = fields.get(part, person.role)
        elif not getattr(person, part):
            setattr(person, part, fields.get(part, ""))
    for alias in (fields["name"], *fields.get("aliases", ())):
        owner = shelf.owner(Person, rules.canonical(scope, key(alias)))
        if key(alias) != key(person.name) and owner in (None, person):
            person.aliases.setdefault(alias, fact)
    shelf.put(person)


def _lay_thing(shelf: Shelf, rules: Rules, decision: Decision, fact: Fact) -> None:
    fields, kind, scope = decision["fields"], decision["kind"], Thing.scope
    plain = thing_key(kind, key(fields["name"]))
    own = rules.canonical(scope, plain)
    if _is_away(rules, decision, scope, plain, own):
        return
    thing = shelf.owner(Thing, own)
    if thing is None:
        thing = Thing(own, kind, rules.shown.get((scope, own), fields["name"]), fact)
    shelf.touch(thing)
    thing.description = thing.description or fields.get("description", "")
    for alias in (fields["name"], *fields.get("aliases", ())):
        owner = shelf.owner(Thing, rules.canonical(scope, thing_key(kind, key(alias))))
        if key(alias) != key(thing.name) and owner in (None, thing):
            thing.aliases.setdefault(alias, fact)
    shelf.put(thing)


def _is_away(rules: Rules, decision: Decision, scope: str, plain: str, own: str) -> bool:
    """Whether the entry was rejected, or is no more one of its own: split off, then merged
    again."""
    merged_again = decision["action"] == "split" and own != plain
    return merged_again or (scope, own) in rules.rejected
