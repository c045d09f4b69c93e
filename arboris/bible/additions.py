"""The writer's own entries: there before the first chapter, so that every finding meets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arboris.bible.entries import Fact, Person, Thing, Thread, Tie, thing_key, tie_nid
from arboris.bible.names import key
from arboris.bible.people import People
from arboris.bible.rules import Decision, Rules
from arboris.bible.shelf import Shelf

PERSON_FIELDS = ("role", "description", "personality", "goals", "abilities")


def lay(shelf: Shelf, rules: Rules) -> None:
    for decision in rules.added:
        fields, fact = decision["fields"], _fact(decision)
        if decision["scope"] == "person":
            _lay_person(shelf, rules, fields, fact)
        elif decision["scope"] == "thing":
            _lay_thing(shelf, rules, decision["kind"], fields, fact)
        elif decision["scope"] == "thread":
            words = list(fields.get("keywords", ()))
            number = int(fields.get("chapter_number") or 0)
            shelf.put(
                Thread(
                    decision["thread"], fields["kind"], fields["description"], words, number, fact
                )
            )


def ties(shelf: Shelf, rules: Rules) -> Iterator[Tie]:
    """The writer's relations between whoever bears the names by now; not before both are there."""
    people = People(shelf, rules)
    for decision in rules.added:
        if decision["scope"] != "tie":
            continue
        fields = decision["fields"]
        source, target = people.find(fields["source"]), people.find(fields["target"])
        if source is None or target is None or source is target:
            continue
        nid = tie_nid(source.nid, target.nid, fields["relation"])
        yield Tie(nid, source.nid, target.nid, fields["relation"], _fact(decision))


def _fact(decision: Decision) -> Fact:
    return Fact(None, "", 1.0, False, "writer", decision["ref"])


def _lay_person(shelf: Shelf, rules: Rules, fields: dict[str, Any], fact: Fact) -> None:
    name = fields["name"]
    own = rules.canonical(Person.scope, key(name))
    if shelf.owner(Person, own) is None:
        aliases = {alias: fact for alias in fields.get("aliases", ()) if key(alias) != key(name)}
        said = {part: fields[part] for part in PERSON_FIELDS if part in fields}
        shown = rules.shown.get((Person.scope, own), name)
        shelf.put(Person(own, shown, fact, aliases=aliases, **said))


def _lay_thing(shelf: Shelf, rules: Rules, kind: str, fields: dict[str, Any], fact: Fact) -> None:
    name = fields["name"]
    own = rules.canonical(Thing.scope, thing_key(kind, key(name)))
    if shelf.owner(Thing, own) is None:
        aliases = {alias: fact for alias in fields.get("aliases", ()) if key(alias) != key(name)}
        shown = rules.shown.get((Thing.scope, own), name)
        description = fields.get("description", "")
        shelf.put(Thing(own, kind, shown, fact, description, aliases=aliases))
