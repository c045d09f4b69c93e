"""The names of a Chinese chapter: candidates, their evidence, the learned verdict, one cut."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from ..common.entities import Draft, EntityKind
from ..common.known import Lexicon
from ..common.lac_model import Lac
from . import sightings
from . import words as w
from .features import Evidence
from .names import TAILS, ZhCandidates
from .places import ZhPlaces
from .tokens import Tagging
from .verdict import Verdict, model

_VERBS = ("v", "d", "vd", "ad", "p")
_OF_ONE = "山城市省县州府镇河江湖国岛"  # endings with and without which a place is called


@dataclass(slots=True)
class Found:
    people: dict[str, float] = field(default_factory=dict)  # form: how sure it is, 0..1
    places: list[Draft] = field(default_factory=list)  # and groups


def find_names(text: str, tagging: Tagging, lac: Lac | None, known: Collection[str] = ()) -> Found:
    """``known``: names of people of the bible, which no verb behind them makes longer."""
    candidates = ZhCandidates(text, tagging.lines)
    if lac is None:
        return Found(candidates.stated())
    weighed = evidence(text, tagging, lac, candidates)
    verdicts = without_tails(judged(weighed), weighed.count)
    verdicts = {f: v for f, v in verdicts.items() if v.kind != "person" or f not in w.ROLES}
    verdicts = {f: v for f, v in verdicts.items() if f in known or not _goes_on(f, weighed, known)}
    seen = {text[a:b] for a, b in Lexicon(verdicts, whole_words=False).scan(text)}
    found = Found()
    for form, verdict in sorted(verdicts.items()):
        if form not in seen:
            continue  # it only ever stands inside a longer name
        if verdict.kind == "person":
            found.people[form] = verdict.certainty
        else:
            kind: EntityKind = "location" if _only_place(form) else cast(EntityKind, verdict.kind)
            found.places.append(Draft(kind, form, certainty=verdict.certainty))
    found.places = _one_of_each(found.places)
    return found


def _one_of_each(places: list[Draft]) -> list[Draft]:
    """ "昆仑" and "昆仑山" are one place; a name that has an ending already takes no other."""
    by_name = {draft.name: draft for draft in places}
    kept = []
    for draft in places:
        longer = [by_name[n] for e in _OF_ONE if (n := draft.name + e) in by_name]
        if len(longer) == 1 and not draft.name.endswith(w.PLACE_ENDINGS):
            longer[0].aliases.add(draft.name)
        else:
            kept.append(draft)
    return kept


def evidence(text: str, tagging: Tagging, lac: Lac, candidates: ZhCandidates) -> Evidence:
    places = ZhPlaces(tagging.lines).votes
    forms = sightings.candidates(text, tagging)
    forms |= {form for form in (*candidates.votes, *places) if sightings.possible(form)}
    return Evidence(text, tagging, candidates.votes, places, forms, lac)


def judged(evidence: Evidence) -> dict[str, Verdict]:
    verdicts = {form: model().verdict(evidence.of(form)) for form in evidence.places}
    return {form: verdict for form, verdict in verdicts.items() if verdict is not None}


def without_tails(verdicts: dict[str, Verdict], count: dict[str, int]) -> dict[str, Verdict]:
    """Without the names that only add a character to a commoner and surer one: "狄青二"."""
    kept = {}
    for form, verdict in verdicts.items():
        head = verdicts.get(form[:-1])
        cut_late = (
            head is not None
            and head.kind == verdict.kind
            and head.certainty > verdict.certainty
            and count[form[:-1]] > count[form]
        )
        dotted = "·" in form and any("·" in f and form.startswith(f) for f in verdicts if f != form)
        if not cut_late and not dotted:
            kept[form] = verdict
    return kept


def _goes_on(form: str, evidence: Evidence, known: Collection[str]) -> bool:
    """A known name and the verb behind it: "沈墨跪", "沈墨学会"."""
    if form[:-1] in known and form[-1] in TAILS:
        return True
    sizes = [size for size in range(2, len(form)) if form[:size] in known]
    return any(
        (word := evidence.word_at(at + size)) is not None and word.tag in _VERBS
        for size in sizes
        for at in evidence.places[form]
    )


def _only_place(form: str) -> bool:
    """Its ending names places and no groups: "福来客栈"."""
    endings = [e for e in (*w.PLACE_ENDINGS, *w.FACTION_ENDINGS) if form.endswith(e)]
    return bool(endings) and max(endings, key=len) not in w.FACTION_ENDINGS
