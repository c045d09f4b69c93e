"""From votes to English people, places and groups; forms of one person are put together."""

from __future__ import annotations

from collections import defaultdict

from ..common.entities import Draft, EntityKind
from . import words as w
from .names import EnCandidates, Votes

_COMMON = w.NO_NAMES | w.TITLES | w.FUNCTION


def settle(candidates: EnCandidates, known: list[Draft]) -> list[Draft]:
    """Drafts for all that the chapter names, with the known ones first."""
    verdicts: dict[str, tuple[EntityKind, float]] = {}
    for form, votes in candidates.votes.items():
        verdict = _verdict(form, votes, candidates)
        if verdict:
            verdicts[form] = verdict
    verdicts.update(_parts(verdicts, candidates))
    taken = {f for d in known for f in d.forms}
    people = [d for d in known if d.kind == "person"]
    persons = {f: s for f, (k, s) in verdicts.items() if k == "person"}
    drafts = _Merger(persons, people, candidates).run()
    _join_called(drafts, candidates)
    things = [d for d in known if d.kind != "person"]
    rest = {f: v for f, v in verdicts.items() if v[0] != "person" and f not in taken}
    return drafts + things + [Draft(k, f, certainty=s) for f, (k, s) in sorted(rest.items())]


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
        for word in (words[-len(_bare(form))], words[-1]):
            lower = word.lower()
            uses = candidates.any_capital[lower] - candidates.votes[form].uses
            alone = uses > 0 and not candidates.lower[lower]
            if alone and lower not in _COMMON and verdicts.get(word, ("", 0))[0] != "location":
                parts[word] = ("person", sure)
    return parts


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
    ranked: list[tuple[float, EntityKind]] = [
        (votes.faction, "faction"),
        (votes.place, "location"),
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


class _Merger:
    """Forms of the same person: title and surname, first and last name, nickname."""

    def __init__(self, persons: dict[str, float], known: list[Draft], all_: EnCandidates) -> None:
        self.persons = persons
        self.drafts = list(known)
        self.all = all_
        self._forms: set[str] = set()
        self._by_word: dict[str, list[tuple[str, Draft]]] = defaultdict(list)
        for draft in known:
            for form in sorted(draft.forms):
                self._index(form, draft)

    def run(self) -> list[Draft]:
        fresh = [f for f in self.persons if f not in self._forms]
        fresh.sort(key=lambda f: (-len(_bare(f)), -self.all.votes[f].uses, f))
        for form in fresh:
            matches = self._matches(form)
            if len(matches) > 1 and " " not in form:
                continue  # a surname that several people here bear: nobody can say whose
            self._adopt(form, matches[0] if len(matches) == 1 else None)
        return self.drafts

    def _index(self, form: str, draft: Draft) -> None:
        self._forms.add(form)
        for word in {_bare(form)[0], _bare(form)[-1]}:
            self._by_word[word].append((form, draft))

    def _adopt(self, form: str, owner: Draft | None) -> None:
        if owner is None:
            owner = Draft("person", form, certainty=self.persons[form])
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, self.persons[form])
        self._index(form, owner)

    def _matches(self, form: str) -> list[Draft]:
        """The people whose name holds all words of this one, title and sex agreeing."""
        bare, sex = _bare(form), _sex(form)
        found: dict[int, Draft] = {}
        for other, draft in self._by_word[bare[-1]] + self._by_word[bare[0]]:
            clash = {sex, _sex(other)} == {"m", "f"} or _ranks_clash(form, other)
            if not clash and _covers(_bare(other), bare):
                found[id(draft)] = draft
        return list(found.values())


def _covers(full: list[str], short: list[str]) -> bool:
    """Whether "Moss" or "Ada" is short for "Ada Moss", or "Tom Reed" for "Thomas Reed"."""
    if full == short:
        return True
    if len(short) == 1:
        return short[0] in (full[0], full[-1])
    same_first = full[0] == short[0] or w.NICKNAMES.get(short[0]) == full[0]
    return len(short) <= len(full) and same_first and full[-1] == short[-1]


def _ranks_clash(one: str, other: str) -> bool:
    """ "Colonel Ashdown" is not "Lady Harriet Ashdown"."""
    titles = {f.lower().split(" ")[0].rstrip(".") for f in (one, other)}
    return bool(titles & w.FEMALE_TITLES) and bool(titles & w.OTHER_TITLES - w.EPITHETS)


def _bare(form: str) -> list[str]:
    words = form.lower().replace(".", "").split(" ")
    while len(words) > 1 and words[0] in w.TITLES:
        words = words[1:]
    return words


def _sex(form: str) -> str:
    """ "m", "f" or "" by title or by the first of several names; one bare word tells nothing."""
    words = form.lower().replace(".", "").split(" ")
    if words[0] in w.MALE_TITLES:
        return "m"
    if words[0] in w.FEMALE_TITLES:
        return "f"
    first = _bare(form)[0]
    if len(words) > 1 and first in w.MALE_NAMES ^ w.FEMALE_NAMES:
        return "m" if first in w.MALE_NAMES else "f"
    return ""
