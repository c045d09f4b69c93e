"""From votes to English people, places and groups; forms of one person are put together."""

from __future__ import annotations

from ..common.entities import Draft, EntityKind
from . import words as w
from .evidence import Evidence
from .merger import Merger
from .names import EnCandidates, Votes

# So often a thing with "the" speaks before it is somebody.
_SPEAKS = 2
# So many times somebody is at or in it.
_PLAINLY = 3
_COMMON = w.NO_NAMES | w.TITLES | w.FUNCTION


def settle(candidates: EnCandidates, known: list[Draft]) -> list[Draft]:
    """Drafts for all that the chapter names, with the known ones first."""
    verdicts: dict[str, tuple[EntityKind, float]] = {}
    for form, votes in candidates.votes.items():
        verdict = _verdict(form, votes, candidates)
        if verdict:
            verdicts[form] = verdict
    verdicts.update(_parts(verdicts, candidates))
    verdicts.update(_houses(verdicts, candidates))
    _leave_out_families(verdicts, candidates)
    _leave_out_cuts(verdicts, candidates)
    known = [d for d in known if not _is_mistaken(d, verdicts, candidates)]
    taken = {f for d in known for f in d.forms}
    people = [d for d in known if d.kind == "person"]
    persons = {f: s for f, (k, s) in verdicts.items() if k == "person"}
    forms = {*persons, *(form for draft in people for form in draft.forms)}
    evidence = Evidence(candidates.text, forms)
    drafts = Merger(persons, people, candidates, evidence).run()
    _join_called(drafts, candidates)
    things = [d for d in known if d.kind != "person"]
    rest = {f: v for f, v in verdicts.items() if v[0] != "person" and f not in taken}
    return drafts + things + [Draft(k, f, certainty=s) for f, (k, s) in sorted(rest.items())]


def _is_mistaken(
    draft: Draft, verdicts: dict[str, tuple[EntityKind, float]], candidates: EnCandidates
) -> bool:
    """Whether somebody who is known by one name alone is plainly a place in this chapter."""
    if draft.kind != "person" or draft.aliases or draft.name not in verdicts:
        return False
    votes = candidates.votes[draft.name]
    return verdicts[draft.name][0] == "location" and votes.there >= _PLAINLY and not votes.acts


def _join_called(drafts: list[Draft], candidates: EnCandidates) -> None:
    """A name that people give somebody is the one person's whom the sentence names before."""
    text = candidates.text
    for at, name in candidates.called:
        nick = next((d for d in drafts if d.name == name and not d.known), None)
        owners = [d for d in drafts if name in d.forms]
        if nick is None or len(owners) > 1 or len(nick.forms) > 1:
            continue
        start = max(text.rfind(mark, 0, at) for mark in (". ", "! ", "? ", "\n")) + 1
        named = [
            d
            for d in drafts
            if d.kind == "person" and d is not nick and _stands(text, d, start, at)
        ]
        if len(named) == 1:
            drafts.remove(nick)
            named[0].aliases.add(name)


def _stands(text: str, draft: Draft, start: int, end: int) -> bool:
    return any(form in text[start:end] for form in draft.forms)


def _parts(
    verdicts: dict[str, tuple[EntityKind, float]], candidates: EnCandidates
) -> dict[str, tuple[EntityKind, float]]:
    """First and last names of people whom the chapter names in full, where they stand alone."""
    parts: dict[str, tuple[EntityKind, float]] = {}
    for form, (kind, sure) in verdicts.items():
        words = form.split(" ")
        if kind != "person" or len(words) < 2:
            continue
        for word in _bare_ends(form):
            lower = word.lower()
            uses = candidates.any_capital[lower] - candidates.votes[form].uses
            alone = uses > 0 and not candidates.lower[lower]
            if alone and lower not in _COMMON and verdicts.get(word, ("", 0))[0] != "location":
                parts[word] = ("person", sure)
    return parts


def _houses(
    verdicts: dict[str, tuple[EntityKind, float]], candidates: EnCandidates
) -> dict[str, tuple[EntityKind, float]]:
    """ "Netherfield" where the chapter has a Netherfield Park and nobody of that name."""
    of_people = {
        word
        for form, (kind, _) in verdicts.items()
        if kind == "person" and " " in form
        for word in form.split(" ")
    }
    houses: dict[str, tuple[EntityKind, float]] = {}
    for form, (kind, sure) in verdicts.items():
        first, _, rest = form.partition(" ")
        bare = candidates.votes.get(first) if rest.lower() in w.PLACE_HEADS else None
        named = first.lower() in w.GIVEN_NAMES | w.PLACE_FIRST | _COMMON or first in of_people
        named = named or candidates.lower[first.lower()] > 0
        if kind == "location" and bare and not bare.acts and not named:
            houses[first] = ("location", sure)
    return houses


def _leave_out_families(
    verdicts: dict[str, tuple[EntityKind, float]], candidates: EnCandidates
) -> None:
    """ "The Bennets", "the Miss Bennets" and "the Misses Bennet" are no one person."""
    words = {word for f, (kind, _) in verdicts.items() if kind == "person" for word in f.split(" ")}
    for form, (kind, _) in list(verdicts.items()):
        first, last = form.split(" ")[0], form.split(" ")[-1]
        several = first == "Miss" and candidates.votes[form].the > 0
        plural = last.endswith("s") and (last[:-1] in words or several)
        if kind == "person" and (plural or first in ("Misses", "Messrs", "Messrs.")):
            del verdicts[form]


def _leave_out_cuts(
    verdicts: dict[str, tuple[EntityKind, float]], candidates: EnCandidates
) -> None:
    """ "Hereupon Startop" and "Brandon Monday", said once: a word too many beside a name."""
    for form, (kind, _) in list(verdicts.items()):
        if kind != "person" or " " not in form or candidates.votes[form].uses > 1:
            continue
        first, _, behind = form.partition(" ")
        before, _, last = form.rpartition(" ")
        for word, rest in ((first, behind), (last, before)):
            if verdicts.get(rest, ("", 0))[0] == "person" and _is_a_mere_word(word, candidates):
                verdicts.pop(form, None)


def _is_a_mere_word(word: str, candidates: EnCandidates) -> bool:
    lower = word.lower().rstrip(".")
    if lower in w.TITLES | w.GIVEN_NAMES | w.SURNAME_HEADS:
        return False
    return lower in w.NO_NAMES or candidates.lower[lower] > 0


def _bare_ends(form: str) -> list[str]:
    """The first and the last word of a name without its titles, as they are written."""
    words = form.split(" ")
    while len(words) > 1 and words[0].lower().rstrip(".") in w.TITLES:
        words = words[1:]
    return list(dict.fromkeys((words[0], words[-1])))


def _verdict(form: str, votes: Votes, all_: EnCandidates) -> tuple[EntityKind, float] | None:
    words = form.lower().replace(".", "").split(" ")
    if len(words) == 1:
        word = words[0]
        named_anyway = word in w.GIVEN_NAMES and votes.person >= 2  # "May", "Grace"
        if (word in _COMMON or len(word) < 2) and not named_anyway:
            return None
        if all_.lower[word] and all_.lower[word] >= all_.capital[word]:
            return None
        group = votes.the * 2 > votes.uses and word.endswith("s")  # "the Corsairs"
        if group and word not in w.PLACES:
            return None
        if not votes.firm and votes.person < 2 and votes.place < 3:
            return None
    elif _COMMON.issuperset(words) and words[-1] not in w.OFFICES | w.PLACE_HEADS:
        return None
    if len(words) == 1 and votes.the * 2 > votes.uses and votes.speaks >= _SPEAKS:
        return "person", round(min(0.93, 0.6 + 0.05 * votes.speaks), 3)  # "the Badger"
    if len(words) == 1 and _is_only_gone_to(words[0], votes):
        return "location", round(min(0.85, 0.5 + 0.07 * votes.there), 3)
    ranked: list[tuple[float, EntityKind]] = [
        (votes.faction, "faction"),
        (votes.place - _listed_only(words, votes), "location"),
        (votes.person, "person"),
    ]
    best, kind = max(ranked, key=lambda x: x[0])
    if best < 0.8:
        return _unsupported(words, votes, all_)
    called = any(name == form for _, name in all_.called)
    if kind == "person" and len(words) == 1 and votes.the * 2 > votes.uses and not called:
        return None  # "the Swallow", a ship
    sure = min(0.93, 0.45 + 0.12 * best)
    return kind, round(sure, 3)


def _is_only_gone_to(word: str, votes: Votes) -> bool:
    """People are at it, in it, come from it, and it never does what only somebody does."""
    often = votes.there >= 2 and votes.there * 3 >= votes.uses
    return often and not votes.acts and word not in w.GIVEN_NAMES


def _listed_only(words: list[str], votes: Votes) -> float:
    """What a city's name weighs less where the text speaks of somebody, and of no place."""
    listed = len(words) == 1 and words[0] in w.PLACES
    return 2.0 if listed and not votes.there and votes.person >= 1.6 else 0.0


def _unsupported(
    words: list[str], votes: Votes, all_: EnCandidates
) -> tuple[EntityKind, float] | None:
    """A capital with no cue at all is a person more often than anything else in fiction."""
    word = words[-1]
    if len(words) > 2 or votes.the or votes.firm < 2 or all_.lower[word]:
        return None
    if word.endswith(("ians", "ans", "ish", "ese", "ism", "ists", "ity", "ness", "tion")):
        return None
    return "person", 0.5
