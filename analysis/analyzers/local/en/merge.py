"""From votes to English people, places and groups; forms of one person are put together."""

from __future__ import annotations

from collections import defaultdict

from ..common.entities import Draft, EntityKind
from . import words as w
from .names import EnCandidates, Votes
from .parts import Parts, clash, covers, parts_of

# A form is rare where so small a share of a person's mentions have it.
RARE = 0.04
# A bare name with that many uses is somebody's, even if nobody can say whose.
_OWN_USES = 8
_OUTWEIGHS = 3
_COMMON = w.NO_NAMES | w.TITLES | w.FUNCTION


def settle(candidates: EnCandidates, known: list[Draft]) -> list[Draft]:
    """Drafts for all that the chapter names, with the known ones first."""
    verdicts: dict[str, tuple[EntityKind, float]] = {}
    for form, votes in candidates.votes.items():
        verdict = _verdict(form, votes, candidates)
        if verdict:
            verdicts[form] = verdict
    verdicts.update(_parts(verdicts, candidates))
    _leave_out_families(verdicts)
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
        for word in _bare_ends(form):
            lower = word.lower()
            uses = candidates.any_capital[lower] - candidates.votes[form].uses
            alone = uses > 0 and not candidates.lower[lower]
            if alone and lower not in _COMMON and verdicts.get(word, ("", 0))[0] != "location":
                parts[word] = ("person", sure)
    return parts


def _leave_out_families(verdicts: dict[str, tuple[EntityKind, float]]) -> None:
    """ "The Bennets" are nobody where somebody is called Bennet."""
    words = {word for f, (kind, _) in verdicts.items() if kind == "person" for word in f.split(" ")}
    for form in [f for f in verdicts if f.endswith("s") and f.split(" ")[-1][:-1] in words]:
        if verdicts[form][0] == "person":
            del verdicts[form]


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


class _Merger:
    """Forms of the same person: title and surname, first and last name, nickname."""

    def __init__(self, persons: dict[str, float], known: list[Draft], all_: EnCandidates) -> None:
        self.persons = persons
        self.drafts = list(known)
        self.all = all_
        self._forms: set[str] = set()
        self._by_word: dict[str, list[Draft]] = defaultdict(list)
        for draft in known:
            for form in sorted(draft.forms):
                self._index(form, draft)

    def run(self) -> list[Draft]:
        fresh = [f for f in self.persons if f not in self._forms]
        fresh.sort(key=lambda f: (-_completeness(parts_of(f)), -self.all.votes[f].uses, f))
        for form in fresh:
            owners = self._owners(form, fresh)
            if len(owners) > 1 and " " not in form:
                owners = self._likeliest(parts_of(form), owners)
                if not owners and self.all.votes[form].uses < _OWN_USES:
                    continue  # a name that several people here bear: nobody can say whose
            self._adopt(form, owners[0] if len(owners) == 1 else None)
        for draft in self.drafts:
            if not draft.known:
                self._choose_name(draft)
        return self.drafts

    def _likeliest(self, short: Parts, owners: list[Draft]) -> list[Draft]:
        """By custom where it is their surname; else whoever is named far more often, if anybody."""
        names = [parts_of(form) for owner in owners for form in owner.forms]
        if any(short.either == name.surname for name in names):
            return _by_custom(short, owners)
        first, second, *_ = sorted(owners, key=self._uses, reverse=True)
        return [first] if self._uses(first) >= _OUTWEIGHS * self._uses(second) else []

    def _uses(self, draft: Draft) -> int:
        return sum(self.all.votes[form].uses for form in draft.forms if form in self.all.votes)

    def _choose_name(self, draft: Draft) -> None:
        """The fullest form that is no rarity: "Hereupon Startop" is no name."""
        uses = {f: self.all.votes[f].uses for f in draft.forms if f in self.all.votes}
        most = max(uses.values(), default=0)
        frequent = [f for f, count in uses.items() if count >= RARE * most] or [draft.name]
        name = max(frequent, key=lambda f: (len(parts_of(f).words), -bool(parts_of(f).title), f))
        if len(parts_of(name).words) == 1:  # "Mr. Jaggers" rather than "Jaggers"
            name = max(frequent, key=lambda f: (bool(parts_of(f).title), uses.get(f, 0), f))
        draft.aliases = draft.forms - {name}
        draft.name = name

    def _index(self, form: str, draft: Draft) -> None:
        self._forms.add(form)
        for word in parts_of(form).words:
            self._by_word[w.NICKNAMES.get(word, word)].append(draft)

    def _adopt(self, form: str, owner: Draft | None) -> None:
        if owner is None:
            owner = Draft("person", form, certainty=self.persons[form])
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, self.persons[form])
        self._index(form, owner)

    def _owners(self, form: str, fresh: list[str]) -> list[Draft]:
        """The people whom the form may mean: no name of theirs speaks against it."""
        parts = parts_of(form)
        near = {
            id(draft): draft
            for word in parts.words
            for draft in self._by_word[w.NICKNAMES.get(word, word)]
        }
        return [draft for draft in near.values() if self._may_mean(draft, parts, fresh)]

    def _may_mean(self, draft: Draft, parts: Parts, fresh: list[str]) -> bool:
        names = [parts_of(form) for form in draft.forms]
        if any(clash(name, parts) for name in names):
            return False
        if any(covers(name, parts) for name in names):
            titles = {name.title for name in names}
            return parts.title in titles or not self._is_of_family(parts, draft)
        if any(self._is_of_family(name, draft) for name in names):
            return False
        # Somebody known in short is named in full for once, unless two here might be meant.
        return (
            not parts.of_surname_alone
            and all(covers(parts, name) for name in names)
            and not any(
                clash(parts, rival) and all(covers(rival, name) for name in names)
                for rival in map(parts_of, fresh)
            )
        )

    def _is_of_family(self, parts: Parts, draft: Draft) -> bool:
        """ "Miss Lucas" where several bear that surname: any of the daughters."""
        return parts.of_surname_alone and any(
            other is not draft and any(parts_of(f).surname == parts.surname for f in other.forms)
            for other in self._by_word[parts.surname]
        )


def _completeness(parts: Parts) -> int:
    return 2 * len(parts.words) + bool(parts.title)


def _by_custom(short: Parts, owners: list[Draft]) -> list[Draft]:
    """A bare surname means the man where the rest of the family are women with a title."""
    men = []
    for owner in owners:
        names = [parts_of(form) for form in owner.forms]
        if not any(short.either == name.surname for name in names):
            return []  # somebody's given name: "Fitzwilliam"
        if all(name.sex != "f" for name in names):
            men.append(owner)
    return men if len(men) == 1 else []
