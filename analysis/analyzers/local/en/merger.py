"""Forms of one English person put together: title and surname, first and last name, nickname."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

from ..common.entities import Draft
from . import words as w
from .evidence import Evidence
from .names import EnCandidates
from .parts import (
    BEFORE_SURNAMES,
    Parts,
    are_two_ranks,
    clash,
    covers,
    is_near,
    link,
    parts_of,
    sex_of,
)

# A form is rare where so small a share of a person's mentions have it.
RARE = 0.04
# A bare name with that many uses is somebody's, even if nobody can say whose.
_OWN_USES = 8
_OUTWEIGHS = 3
_EACH = 2
_ANSWERS = 2  # so often somebody answers to a name of which nothing is theirs
_NARRATOR_ANSWERS = 3
_SISTERS = r"\b(?:Misses|Miss) {0}s\b|\b{0} (?:girls|sisters|daughters)\b"

_RANKS = w.TITLES - w.EPITHETS


class Merger:
    def __init__(
        self,
        persons: dict[str, float],
        known: list[Draft],
        all_: EnCandidates,
        evidence: Evidence,
    ) -> None:
        self.persons = persons
        self.drafts = list(known)
        self.all = all_
        self.evidence = evidence
        self._forms: set[str] = set()
        self._by_word: dict[str, list[Draft]] = defaultdict(list)
        self._fresh: list[str] = []
        self._doubtful: list[Draft] = []  # whom the form at hand may mean, but nothing shows it
        self._taken_apart: dict[str, Parts] = {}
        every = [*persons, *(form for draft in known for form in draft.forms)]
        full = [parts_of(form) for form in every if form.count(" ")]
        givens, surnames = {p.given for p in full}, {p.surname for p in full}
        self._givens, self._surnames = givens - surnames, surnames - givens
        self._sexes = self._sexes_of_given_names(every)
        self._by_given: dict[str, list[str]] = defaultdict(list)
        for form in persons:
            parts = self._parts(form)
            self._by_given[parts.given or parts.either].append(form)
        self._by_given.pop("", None)
        for draft in known:
            for form in sorted(draft.forms):
                self._index(form, draft)

    def run(self) -> list[Draft]:
        fresh = [f for f in self.persons if f not in self._forms]
        fresh.sort(key=lambda f: (-_completeness(self._parts(f)), -self.all.votes[f].uses, f))
        self._fresh = fresh
        for form in fresh:
            owners = self._owners(form)
            if len(owners) > 1 and " " not in form:
                owners = self._likeliest(self._parts(form), owners)
                if not owners and self.all.votes[form].uses < _OWN_USES:
                    continue  # a name that several people here bear: nobody can say whose
            self._adopt(form, owners[0] if len(owners) == 1 else None)
            if not owners and len(self._doubtful) == 1:
                self.drafts[-1].maybe.add(self._doubtful[0].name)
        self._join_by_answers()
        self._join_narrator()
        for draft in self.drafts:
            if not draft.known:
                self._choose_name(draft)
        return self.drafts

    def _parts(self, form: str) -> Parts:
        """``parts_of``, but as the full names have it.

        "Miss Cecily" has a given name where there is a Cecily Penhallow, and "Miss Lucas" has none
        where there is a Maria Lucas.
        """
        parts = self._taken_apart.get(form)
        if parts is None:
            parts = parts_of(form)
            if parts.surname in self._givens and not parts.given:
                parts = replace(parts, given=parts.surname, surname="")
            elif parts.title in BEFORE_SURNAMES and parts.either in self._surnames:
                parts = replace(parts, surname=parts.either, either="", sex=sex_of(parts.title))
            self._taken_apart[form] = parts
        return parts

    def _sexes_of_given_names(self, forms: list[str]) -> dict[str, set[str]]:
        """What titles tell of given names: Cecily is a woman's where "Miss Cecily" is somebody."""
        sexes: dict[str, set[str]] = defaultdict(set)
        for parts in map(self._parts, forms):
            if parts.title and parts.sex and (parts.given or parts.either):
                sexes[parts.given or parts.either].add(parts.sex)
        return sexes

    def _group(self, form: str) -> set[str]:
        """The form with all that share its given name: what is shown of Tom is shown of Tom Ash."""
        parts = self._parts(form)
        given = parts.given or parts.either
        return {form, *self._by_given.get(given, ())}

    def _theirs(self, draft: Draft) -> set[str]:
        return set[str]().union(*map(self._group, draft.forms))

    # -- one form at a time -------------------------------------------------------------

    def _likeliest(self, short: Parts, owners: list[Draft]) -> list[Draft]:
        """By custom where it is their surname; else whoever is named far more often, if anybody."""
        names = [self._parts(form) for owner in owners for form in owner.forms]
        if any(short.either == name.surname for name in names):
            return self._by_custom(short, owners)
        first, second, *_ = sorted(owners, key=self._uses, reverse=True)
        return [first] if self._uses(first) >= _OUTWEIGHS * self._uses(second) else []

    def _by_custom(self, short: Parts, owners: list[Draft]) -> list[Draft]:
        """A bare surname means the man where the rest of the family are women with a title."""
        men = []
        for owner in owners:
            names = [self._parts(form) for form in owner.forms]
            if not any(short.either == name.surname for name in names):
                return []  # somebody's given name: "Fitzwilliam"
            if all(name.sex != "f" for name in names):
                men.append(owner)
        return men if len(men) == 1 else []

    def _uses(self, draft: Draft) -> int:
        return sum(self.all.votes[form].uses for form in draft.forms if form in self.all.votes)

    def _choose_name(self, draft: Draft) -> None:
        """The fullest form that is no rarity: "Hereupon Startop" is no name."""
        uses = {f: self.all.votes[f].uses for f in draft.forms if f in self.all.votes}
        most = max(uses.values(), default=0)
        frequent = [f for f, count in uses.items() if count >= RARE * most] or [draft.name]
        parts = {form: self._parts(form) for form in frequent}
        name = max(frequent, key=lambda f: (len(parts[f].words), -bool(parts[f].title), f))
        if len(parts[name].words) == 1:  # "Mr. Jaggers" rather than "Jaggers"
            name = max(frequent, key=lambda f: (bool(parts[f].title), uses.get(f, 0), f))
        draft.aliases = draft.forms - {name}
        draft.name = name

    def _index(self, form: str, draft: Draft) -> None:
        self._forms.add(form)
        parts = self._parts(form)
        for word in parts.words:
            self._by_word[w.NICKNAMES.get(word, word)].append(draft)
            self._by_word[word[:3]].append(draft)  # "Bram" for Bramwell

    def _adopt(self, form: str, owner: Draft | None) -> None:
        if owner is None:
            owner = Draft("person", form, certainty=self.persons[form])
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, self.persons[form])
        self._index(form, owner)

    def _owners(self, form: str) -> list[Draft]:
        """The people whom the form may mean: no name of theirs speaks against it."""
        told = [d for d in self.drafts if self.evidence.told(self._theirs(d), form)]
        self._doubtful = []
        if told:
            return told
        parts = self._parts(form)
        near = {
            id(draft): draft
            for word in parts.words
            for key in (w.NICKNAMES.get(word, word), word[:3])
            for draft in self._by_word.get(key, ())
        }
        return [draft for draft in near.values() if self._may_mean(draft, form)]

    def _may_mean(self, draft: Draft, form: str) -> bool:
        parts = self._parts(form)
        names = [self._parts(own) for own in draft.forms]
        if any(clash(name, parts) for name in names) and not _is_wife_in_full(names, parts):
            return False
        fits = self._is_borne_out(draft, form, names, parts) and self._fits(draft, form, names)
        if not fits and link(names, parts) and self._against(draft, form) < 2:
            self._doubtful.append(draft)
        return fits

    def _fits(self, draft: Draft, form: str, names: list[Parts]) -> bool:
        """Whether one of the two names is no more than a part of the other, and of no other's."""
        parts = self._parts(form)
        if any(covers(name, parts) for name in names):
            if parts.unmarried and self._favour(draft, form) > 0:
                return True
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
                for rival in map(self._parts, self._fresh)
            )
        )

    def _is_borne_out(self, draft: Draft, form: str, names: list[Parts], parts: Parts) -> bool:
        """Whether what the text shows lets the two be one, the more the less they share."""
        how = link(names, parts)
        theirs = self._theirs(draft)
        group = self._group(form) - theirs
        against, favour = self._against(draft, form), self._favour(draft, form)
        if how == "given":
            return True
        if how == "nickname":
            if parts.surname and any(parts.surname == name.surname for name in names):
                return True
            pets = [(parts.given or parts.either, name.given or name.either) for name in names]
            if favour > against or against:
                return favour > against
            return any(is_near(*pet) for pet in pets if all(pet)) or self._only_called(draft, form)
        if {self._sex(names, draft.forms), self._sex([parts], {form})} == {"m", "f"}:
            return False
        if parts.either and not parts.title and all(name.of_surname_alone for name in names):
            return favour > against  # "Vandeleur" is rather the husband of Mrs. Vandeleur
        if against and not favour and self._has_a_name_for_each(theirs | group):
            return False
        if are_two_ranks(names, parts):
            return favour > against
        return against < 2 or favour > against

    def _against(self, draft: Draft, form: str) -> int:
        theirs = self._theirs(draft)
        return sum(self.evidence.against(theirs, one) for one in self._group(form) - theirs)

    def _favour(self, draft: Draft, form: str) -> int:
        theirs = self._theirs(draft)
        return sum(self.evidence.favour(theirs, one) for one in self._group(form) - theirs)

    def _has_a_name_for_each(self, forms: set[str]) -> bool:
        """Whether the narrator says both "Lord Sarrow" and "Edric" again and again."""
        titled = given = 0
        for form in forms:
            parts, told = self._parts(form), self.evidence.told_of[form]
            titled += told if parts.title in _RANKS and not parts.given else 0
            given += told if " " not in form and form.lower() in self._givens else 0
        return min(titled, given) >= _EACH

    def _only_called(self, draft: Draft, form: str) -> bool:
        """People say the one name of somebody at hand, the narrator the other."""
        speaks = any(self.evidence.speaks[own] for own in draft.forms)
        return speaks and not self.evidence.told_of[form]

    def _sex(self, names: list[Parts], forms: set[str]) -> str:
        by_name = {name.sex for name in names if name.sex}
        for name in names if not by_name else ():
            by_name |= self._sexes.get(name.given or name.either, set())
        by_use = {self.evidence.sex(form) for form in forms} - {""}
        found = by_name or by_use
        return next(iter(found)) if len(found) == 1 else ""

    def _is_of_family(self, parts: Parts, draft: Draft) -> bool:
        """ "Miss Lucas" where several may be meant: any of the daughters.

        Whoever is called "Miss Maria" has an elder sister, who is Miss Lucas.
        """
        if not parts.of_surname_alone:
            return False
        rivals = {id(d): d for d in self._by_word.get(parts.surname, ()) if d is not draft}
        if parts.unmarried:
            if any(name.unmarried and name.given for name in map(self._parts, draft.forms)):
                return True
            sisters = _SISTERS.format(re.escape(parts.surname.title()))
            if re.search(sisters, self.all.text):
                return True
            if any(self._is_a_girl(forms) for forms in self._others(draft)):
                return True
        return any(self._may_bear(parts, rival) for rival in rivals.values())

    def _others(self, draft: Draft) -> list[set[str]]:
        """The names of all others, of those too whom nobody has been found for yet."""
        drafts = [other.forms for other in self.drafts if other is not draft]
        return drafts + [{form} for form in self._fresh if form not in self._forms]

    def _is_a_girl(self, forms: set[str]) -> bool:
        """Whether a woman of this chapter has no surname but these: she may be of any family."""
        names = [self._parts(form) for form in forms]
        return (
            all(not name.surname and (name.title in w.EPITHETS or not name.title) for name in names)
            and self._sex(names, forms) == "f"
            and any(self.all.votes[form].uses for form in forms if form in self.all.votes)
        )

    def _may_bear(self, parts: Parts, rival: Draft) -> bool:
        """Whether the rival is a woman of that family, as far as is known."""
        names = [self._parts(form) for form in rival.forms]
        if not any(parts.surname in (name.surname, name.either) for name in names):
            return False
        if self._sex(names, rival.forms) == "m":
            return False
        return not parts.unmarried or all(n.unmarried or n.title not in _RANKS for n in names)

    # -- whole people -------------------------------------------------------------------

    def _join_by_answers(self) -> None:
        """Names of one person that share no word: "Miss Brand" is called, and Helen answers."""
        evidence = self.evidence
        found: dict[tuple[int, int], int] = defaultdict(int)
        owner = {form: number for number, d in enumerate(self.drafts) for form in d.forms}
        for (one, other), count in evidence.same.items():
            a, b = owner.get(one), owner.get(other)
            if a is not None and b is not None and a != b:
                found[min(a, b), max(a, b)] += count
        gone: set[int] = set()
        for (a, b), count in sorted(found.items(), key=lambda item: (-item[1], item[0])):
            keeps, goes = self.drafts[a], self.drafts[b]
            if gone & {a, b} or (keeps.known and goes.known) or not self._may_join(keeps, goes):
                continue
            if goes.known:
                keeps, goes, b = goes, keeps, a
            if count >= _ANSWERS:
                gone.add(b)
                self._absorb(keeps, goes)
        self.drafts = [d for number, d in enumerate(self.drafts) if number not in gone]

    def _may_join(self, one: Draft, other: Draft) -> bool:
        """A title with a surname and a given name that nothing speaks against."""
        names, others = [[self._parts(form) for form in d.forms] for d in (one, other)]
        if any(clash(a, b) for a in names for b in others):
            return False
        if {self._sex(names, one.forms), self._sex(others, other.forms)} == {"m", "f"}:
            return False
        by_title = any(n.title and n.surname and not n.given for n in (*names, *others))
        return by_title and not any(self.evidence.against(one.forms, form) for form in other.forms)

    def _join_narrator(self) -> None:
        """Those to whose names only "I" answers, and who never speak by name, are one."""
        answers = {
            number: sum(self.evidence.narrator[form] for form in draft.forms)
            for number, draft in enumerate(self.drafts)
            if not any(self.evidence.speaks[form] for form in draft.forms)
        }
        tellers = [number for number, count in answers.items() if count >= _NARRATOR_ANSWERS]
        if len(tellers) < 2:
            return
        tellers.sort(key=lambda number: (-self.drafts[number].known, -answers[number], number))
        keeps, gone = self.drafts[tellers[0]], set[int]()
        for number in tellers[1:]:
            goes = self.drafts[number]
            if goes.known:
                continue
            names = [self._parts(form) for form in keeps.forms]
            if not any(clash(a, self._parts(form)) for a in names for form in goes.forms):
                gone.add(number)
                self._absorb(keeps, goes)
        self.drafts = [d for number, d in enumerate(self.drafts) if number not in gone]

    def _absorb(self, keeps: Draft, goes: Draft) -> None:
        for form in sorted(goes.forms):
            keeps.aliases.add(form)
            self._index(form, keeps)
        keeps.certainty = max(keeps.certainty, goes.certainty)


def _completeness(parts: Parts) -> int:
    return 2 * len(parts.words) + bool(parts.title)


def _is_wife_in_full(names: list[Parts], parts: Parts) -> bool:
    """ "Laura Lyons" is "Mrs. Lyons" where she is "Mrs. Laura Lyons" too."""
    every = [*names, parts]
    full = {(n.given, n.surname) for n in every if n.married and n.given and " " not in n.given}
    plain = [n for n in every if not n.title and n.given]
    return (
        bool(full)
        and all(
            (n.given, n.surname) in full if n.given else n.married or not n.title for n in every
        )
        and all((n.given, n.surname) in full for n in plain)
    )
