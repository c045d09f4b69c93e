"""State changes that the text states outright, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.bible.types.findings import StateChange, StateKind

from .entities import Entity
from .grammar import Grammar, StateRule
from .reading import Reading
from .spans import Segment
from .who import opens_clause, subject

_IT = 240  # code points within which "it" is the thing named last
_OMITTED = 60  # the same where Chinese leaves the thing out
# A clause that says where something goes, and not what.
_NOTHING_NAMED = re.compile(
    "(?<![把将的])(?:收|揣|塞|放|藏|装|锁)(?:进|入|在|到)了?[^，。的]{1,6}$"
)
_CLAUSES = 2  # within which a clause without a subject speaks of the one before
_MAX_CLAUSE = 90  # code points of the sentence that a description keeps
_MEANT = 0.85  # how sure it is whose change it is where a pronoun or nothing says so

Mention = tuple[int, int, Entity]


def find_changes(reading: Reading, grammar: Grammar, segment: Segment) -> Iterator[StateChange]:
    people = reading.cast.within(segment.start, segment.end, "person")
    seen: set[tuple[int, str]] = set()
    for rule in grammar.states:
        for change in _by(reading, grammar, segment, rule, people):
            who, said = change
            if (id(who), rule.kind) not in seen:
                seen.add((id(who), rule.kind))
                yield said
    for start, end, person in people:
        yield from _handed(reading, grammar, segment, (start, end), person)
        yield from _suffered(reading, grammar, segment, (start, end), person)


def _by(
    reading: Reading,
    grammar: Grammar,
    segment: Segment,
    rule: StateRule,
    people: list[Mention],
) -> Iterator[tuple[Entity, StateChange]]:
    """What the rule finds in the passage, with whoever it is about."""
    text = reading.chapter.text
    for found in rule.verb.finditer(text, segment.start, segment.end):
        at, end = found.span()
        if grammar.unsure.search(text, end, segment.end):
            continue
        if rule.place and not _reaches_place(
            reading, grammar, end, min(segment.end, end + grammar.reach)
        ):
            continue
        whose = _whose(reading, grammar, segment, people, at, found.group())
        if whose is None:
            continue
        who, start, is_named = whose
        description = _clause(text, grammar, start, end, segment.end)
        if not is_named:
            description = f"{who.name}{grammar.joins}{grammar.he.sub('', description, count=1)}"
        item = _item(reading, description, at) if rule.kind == "possession" else ""
        yield (
            who,
            StateChange(
                character=who.name,
                kind=rule.kind,
                description=description,
                growth_level=_growth(description, rule, grammar),
                item=item,
                evidence=reading.passages.evidence(at, end),
                confidence=_confidence(rule.certainty * (1 if is_named else _MEANT), who),
                basic=True,
            ),
        )


def _whose(
    reading: Reading,
    grammar: Grammar,
    segment: Segment,
    people: list[Mention],
    at: int,
    verb: str,
) -> tuple[Entity, int, bool] | None:
    """Who does or suffers what stands at ``at``: the subject of its clause, or of those before.

    With where its clause begins for them, and whether it names them.
    """
    text = reading.chapter.text
    spoken = reading.is_spoken(at)
    clause = _clause_start(text, grammar, segment.start, at)
    own = [m for m in people if clause <= m[0] < at]
    if own:
        start, end, who = next((m for m in own if _opens(reading, grammar, m)), own[-1])
        lead = text[end:at]
        if not grammar.lead.fullmatch(lead) or grammar.denied.search(lead):
            return None
        return None if grammar.agent.search(text, clause, start) else (who, start, True)
    lead = text[clause:at]
    if spoken or grammar.denied.search(lead) or not grammar.omitted.fullmatch(lead):
        return None
    before = [m for m in people if m[1] <= clause and not reading.is_spoken(m[0])]
    if grammar.relative.match(lead):
        return (before[-1][2], clause, False) if before and clause - before[-1][1] < 2 else None
    before = [m for m in before if reading.tongue.may_mean(lead, m[2])]
    opening = [m for m in before if _opens(reading, grammar, m)]
    if opening and len(grammar.clause_end.findall(text, opening[-1][1], clause)) > _CLAUSES:
        return None
    if opening:
        return opening[-1][2], clause, False
    has_pronoun = grammar.pronoun.match(lead) or grammar.pronoun.search(verb[:4])
    is_bare = has_pronoun is None and clause > segment.start
    if before or is_bare:
        return None
    meant = subject(reading, segment.start, lead)
    return (meant, clause, False) if meant is not None else None


def _opens(reading: Reading, grammar: Grammar, mention: Mention) -> bool:
    """Whether a clause speaks of the person; of "X's hand" it is the hand that it speaks of."""
    text, (start, end, _) = reading.chapter.text, mention
    return opens_clause(reading, start) and grammar.owner.match(text, end) is None


def _clause_start(text: str, grammar: Grammar, first: int, at: int) -> int:
    start = first
    for found in grammar.clause_end.finditer(text, first, at):
        start = found.end()
    return start


def _growth(said: str, rule: StateRule, grammar: Grammar) -> int:
    """How much the person has grown by it, where the words leave no doubt; else 0."""
    if rule.kind != "ability" or grammar.no_growth.search(said):
        return 0
    return next((rule.level for rule in grammar.growth if rule.words.search(said)), 0)


def _handed(
    reading: Reading, grammar: Grammar, segment: Segment, span: tuple[int, int], person: Entity
) -> Iterator[StateChange]:
    """The person named here is given something: "... gave the key to X"."""
    text, (start, end) = reading.chapter.text, span
    before = text[segment.start : start]
    for rule in grammar.handed:
        found = rule.before.search(before)
        follows = rule.after.match(text, end, segment.end)
        if found is None or follows is None or grammar.denied.search(found.group()):
            continue
        if grammar.unsure.search(text, end, segment.end):
            continue
        first = max(segment.start + found.start(), start - _MAX_CLAUSE)
        said = " ".join(text[first : follows.end()].split()).strip(" ，,“\"'")
        item = _item(reading, said, start)
        yield _stated(reading, person, "possession", said, span, 0.65, item)
        return


def _item(reading: Reading, said: str, at: int) -> str:
    """The thing that a description means: by its name, by the last word of it, or as "it"."""
    named = [item.name for item in reading.items if item.name in said]
    if named:
        return max(named, key=len)
    if reading.chapter.language != "en":  # what is not said is what was named last
        return _named_last(reading, at, _OMITTED) if _NOTHING_NAMED.search(said) else ""
    words = set(re.findall(r"[a-z]+", said.lower()))
    heads = {item.name for item in reading.items if item.name.split()[-1] in words}
    if heads or "it" not in words:
        return next(iter(heads)) if len(heads) == 1 else ""
    return _named_last(reading, at, _IT)


def _named_last(reading: Reading, at: int, reach: int) -> str:
    """The thing whose name stands nearest before ``at``, within ``reach`` code points."""
    before = [(end, item.name) for item in reading.items for _, end in item.spans if end <= at]
    end, name = max(before, default=(0, ""))
    return name if at - end < reach else ""


def _suffered(
    reading: Reading, grammar: Grammar, segment: Segment, span: tuple[int, int], person: Entity
) -> Iterator[StateChange]:
    """The person named here is killed, caught, dead: "... killed X", "the body of X"."""
    text, (start, end) = reading.chapter.text, span
    clause = _clause_start(text, grammar, segment.start, start)
    for rule in grammar.suffered:
        found = rule.before.search(text[clause:start])
        follows = rule.after.match(text, end, segment.end)
        if found is None or follows is None:
            continue
        lead = text[clause : clause + found.start()]
        if grammar.denied.search(lead) or grammar.unsure.search(text, end, segment.end):
            continue
        said = " ".join(text[clause : max(follows.end(), end)].split()).strip(" ，,“\"'")
        yield _stated(reading, person, "condition", said, span, 0.7)
        return


def _stated(
    reading: Reading,
    person: Entity,
    kind: StateKind,
    said: str,
    span: tuple[int, int],
    certainty: float,
    item: str = "",
) -> StateChange:
    return StateChange(
        character=person.name,
        kind=kind,
        description=said,
        item=item,
        evidence=reading.passages.evidence(*span),
        confidence=_confidence(certainty, person),
        basic=True,
    )


def _confidence(certainty: float, who: Entity) -> float:
    return round(certainty * (0.6 + 0.4 * who.confidence), 3)


def _reaches_place(reading: Reading, grammar: Grammar, at: int, limit: int) -> bool:
    if grammar.somewhere.match(reading.chapter.text, at):
        return not reading.cast.within(at, at + 5, "person")
    near = reading.cast.within(at, limit)
    return any(entity.kind != "person" for _, _, entity in near)


def _clause(text: str, grammar: Grammar, start: int, at: int, limit: int) -> str:
    found = grammar.clause_end.search(text, at, limit)
    stop = min(found.start() if found else limit, start + _MAX_CLAUSE)
    return " ".join(text[start : max(stop, start + 1)].split())
