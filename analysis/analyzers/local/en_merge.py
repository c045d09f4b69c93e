"""From votes to English people, places and groups; forms of one person are put together."""

from __future__ import annotations

from . import en_words as w
from .en_names import EnCandidates, Votes
from .entities import Draft, EntityKind


def settle(candidates: EnCandidates, known: list[Draft]) -> list[Draft]:
    """Drafts for all that the chapter names, with the known ones first."""
    verdicts: dict[str, tuple[EntityKind, float]] = {}
    for form, votes in candidates.votes.items():
        verdict = _verdict(form, votes, candidates)
        if verdict:
            verdicts[form] = verdict
    taken = {f for d in known for f in d.forms}
    people = [d for d in known if d.kind == "person"]
    persons = {f: s for f, (k, s) in verdicts.items() if k == "person"}
    drafts = _Merger(persons, people, candidates).run()
    things = [d for d in known if d.kind != "person"]
    rest = {f: v for f, v in verdicts.items() if v[0] != "person" and f not in taken}
    return drafts + things + [Draft(k, f, certainty=s) for f, (k, s) in sorted(rest.items())]


def _verdict(form: str, votes: Votes, all_: EnCandidates) -> tuple[EntityKind, float] | None:
    words = form.lower().replace(".", "").split(" ")
    if len(words) == 1:
        word = words[0]
        if word in w.NO_NAMES | w.TITLES | w.FUNCTION or len(word) < 2:
            if not (word in w.GIVEN_NAMES and votes.person >= 2):
                return None
        if all_.lower[word] and all_.lower[word] >= all_.capital[word]:
            return None
        if not votes.firm and votes.person < 2 and votes.place < 3:
            return None
    elif all(x in w.NO_NAMES | w.FUNCTION | w.TITLES for x in words) and words[-1] not in w.OFFICES | w.PLACE_HEADS:
        return None
    best, kind = max(
        ((votes.faction, "faction"), (votes.place, "location"), (votes.person, "person")),
        key=lambda x: x[0],
    )
    if best < 0.8:
        return _unsupported(words, votes, all_)
    sure = min(0.93, 0.45 + 0.12 * best)
    return kind, round(sure, 3)  # type: ignore[return-value]


def _unsupported(
    words: list[str], votes: Votes, all_: EnCandidates
) -> tuple[EntityKind, float] | None:
    """A capital with no cue at all is a person more often than anything else in fiction."""
    word = words[-1]
    if len(words) > 2 or votes.the or not votes.firm or all_.lower[word]:
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
        self._owner: dict[str, Draft] = {f: d for d in known for f in sorted(d.forms)}

    def run(self) -> list[Draft]:
        fresh = [f for f in self.persons if f not in self._owner]
        fresh.sort(key=lambda f: (-len(_bare(f)), -self.all.votes[f].uses, f))
        for form in fresh:
            self._adopt(form, self._match(form))
        return self.drafts

    def _adopt(self, form: str, owner: Draft | None) -> None:
        if owner is None:
            owner = Draft("person", form, certainty=self.persons[form])
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, self.persons[form])
        self._owner[form] = owner

    def _match(self, form: str) -> Draft | None:
        """The one person whose name holds all words of this one, sexes agreeing."""
        bare, sex = _bare(form), _sex(form)
        found: dict[int, Draft] = {}
        for other, draft in self._owner.items():
            theirs = _bare(other)
            if not bare or not theirs or not _covers(theirs, bare):
                continue
            if sex and _sex(other) and sex != _sex(other):
                continue
            # "Mrs. Lynde" is not "Rachel": a surname needs the other's last word.
            found[id(draft)] = draft
        return next(iter(found.values())) if len(found) == 1 else None


def _covers(full: list[str], short: list[str]) -> bool:
    if len(short) == len(full):
        return full == short
    if len(short) == 1:
        word = short[0]
        return word in (full[0], full[-1]) or w.NICKNAMES.get(word) == full[0]
    return len(short) < len(full) and full[0] == short[0] and full[-1] == short[-1]


def _bare(form: str) -> list[str]:
    words = form.lower().replace(".", "").split(" ")
    while len(words) > 1 and words[0] in w.TITLES:
        words = words[1:]
    return words


def _sex(form: str) -> str:
    words = form.lower().replace(".", "").split(" ")
    if words[0] in w.MALE_TITLES:
        return "m"
    if words[0] in w.FEMALE_TITLES:
        return "f"
    first = _bare(form)[0]
    if len(words) > 1 or first not in w.WORD_NAMES:
        if first in w.MALE_NAMES and first not in w.FEMALE_NAMES:
            return "m"
        if first in w.FEMALE_NAMES and first not in w.MALE_NAMES:
            return "f"
    return ""


