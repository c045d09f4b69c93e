"""Which Chinese forms name the same person: strong grounds only."""

from __future__ import annotations

import re
from collections import defaultdict

from ..common.entities import Draft
from . import words as w
from .names import is_full, surname_of, titled_parts
from .sightings import places_of
from .stated import stated
from .tokens import Word

_OPENING_QUOTES, _CLOSING_QUOTES = "“「『", "”」』"
_BEFORE_CALL, _AFTER_CALL = tuple("“「『，、！？。…—"), tuple("，！？。…、!?,—”」』")
# What one is called behind one's name; behind a full name some of them mean somebody of the family.
_HONOURS = tuple(
    sorted(
        {*w.HONORIFICS, *w.OFFICES, *w.FOREIGN_TITLES, *w.REVERED, *"爷哥姐兄"},
        key=lambda t: (-len(t), t),
    )
)
_OF_KIN = frozenset(
    "夫人 太太 奶奶 爷爷 叔叔 阿姨 伯伯 师父 师傅 师尊 老爷 公公 管家 某 总 工".split()
)
_OF_FAMILY = frozenset("公子 少爷 小姐 姑娘 相公 官人 女士 先生 公公 老师 掌柜 老板 东家".split())
_DOT = re.compile("[·•・]")
_AT_HAND = 200  # characters around a speech in which the one who is meant is named


class Merger:
    """Groups of forms, with the bible's names as groups that exist already."""

    def __init__(self, persons: dict[str, float], known: list[Draft]) -> None:
        self.persons = dict(persons)
        self.drafts: list[Draft] = list(known)
        self._owner: dict[str, Draft] = {f: d for d in known for f in sorted(d.forms)}

    def run(self, text: str, words: list[list[Word]]) -> list[Draft]:
        called = stated(text, {*self.persons, *self._owner})
        aliases = {alias for _, alias in called if alias not in self._owner}
        fresh = [f for f in self.persons if f not in self._owner and f not in aliases]
        # Full names first, then what may be short for one of them, longest first.
        fresh.sort(key=lambda f: (not _is_name(f), -len(f), f))
        for form in fresh:
            owner = (
                self._short_for(form)
                or self._titled(form, text)
                or self._honoured(form)
                or self._begins(form)
                or self._ends(form)
                or self._pet(form)
                or self._beside(form, text)
            )
            if owner is None and self._anybody(form) and text.count(form) < 3:
                continue  # "顾小姐" among several named Gu: one of them, but nobody can say who
            self._adopt(form, owner)
        self._note_doubts()
        self._add_given_names(text, words)
        for who, alias in called * 2:  # an alias may itself have a courtesy name
            if who in self._owner and alias in aliases and alias not in self._owner:
                self._adopt(alias, self._owner[who])
        for alias in sorted(aliases - set(self._owner)):
            if alias in self.persons:
                self._adopt(alias, None)
        return self.drafts

    def _adopt(self, form: str, owner: Draft | None) -> None:
        certainty = self.persons.get(form, 0.7)
        if owner is None:
            owner = Draft("person", form, certainty=certainty)
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, certainty)
        self._owner[form] = owner

    def _add_given_names(self, text: str, lines: list[list[Word]]) -> None:
        """ "清河" for the only "?清河", where it is called out, speaks or is tagged as a name."""
        givens: dict[str, dict[int, Draft]] = defaultdict(dict)
        for form, draft in self._owner.items():
            given = form[len(surname_of(form)) :]
            if is_full(form) and not titled_parts(form) and len(given) == 2:
                givens[given][id(draft)] = draft
        for form, draft in list(self._owner.items()):
            for part in _DOT.split(form):
                if (
                    len(part) >= 2
                    and part not in self._owner
                    and text.count(part) > text.count(form)
                ):
                    self._adopt(part, draft)
        for line in lines:
            for at, word in enumerate(line):
                if word.text in givens and word.text not in self._owner:
                    follower = line[at + 1].text if at + 1 < len(line) else ""
                    called = text[max(0, word.start - 1) : word.start] in tuple('“「『‘"，')
                    called = called and follower[:1] in tuple("，！？。…!?,")
                    if called or word.tag == "PER" or follower in w.SPEECH:
                        owner = self._only(list(givens[word.text].values()))
                        if owner is not None:
                            self._adopt(word.text, owner)

    def _only(self, owners: list[Draft]) -> Draft | None:
        different = {id(d): d for d in owners}
        return next(iter(different.values())) if len(different) == 1 else None

    def _short_for(self, form: str) -> Draft | None:
        """Given name for the only full one ("清河"), and "小" or "阿" before a shorter form."""
        longer = [
            d
            for f, d in self._owner.items()
            if is_full(f) and f[len(surname_of(f)) :] == form and len(form) >= 2
        ]
        if longer:
            return self._only(longer)
        parts = [d for f, d in self._owner.items() if form in _DOT.split(f) and f != form]
        if parts:
            return self._only(parts)
        if form[0] in "小阿老" and len(form) >= 3 and form[1:] in self._owner:
            return self._owner[form[1:]]
        for prefix in "小阿老":
            if len(form) >= 2 and prefix + form in self._owner:
                return self._owner[prefix + form]
        return None

    def _bearers(self, form: str) -> list[Draft]:
        """People with a full name whose surname the titled ``form`` gives."""
        surname = _titled_surname(form)
        if not surname:
            return []
        return [
            d
            for f, d in self._owner.items()
            if surname_of(f) == surname and is_full(f) and titled_parts(f) is None
        ]

    def _titled(self, form: str, text: str) -> Draft | None:
        """The only one of that surname, where the text says so or people call them so."""
        owner = self._only(self._bearers(form))
        if owner is None:
            return None
        names = [f for f in owner.forms if is_full(f) and not titled_parts(f)]
        if any(_is_apposed(form, name, text) for name in names):
            return owner
        surname = _titled_surname(form)
        alike = [f for f in self.persons if f != form and f.startswith(surname)]
        if titled_parts(form) and any(titled_parts(f) and _titled_surname(f) for f in alike):
            return None  # 王掌柜 and 王公子: which of them is 王大山?
        spoken = _is_only_spoken(form, names, text) or (
            len(names) == 1 and _is_only_spoken(names[0], [form], text)
        )
        return owner if spoken else None

    def _beside(self, form: str, text: str) -> Draft | None:
        """Whose name stands right behind the by-name: "断水刀燕孤鸿"."""
        if is_full(form) or titled_parts(form):
            return None
        ends = [at + len(form) for at in places_of(text, form)]
        behind = {text[end : end + size] for end in ends for size in (2, 3, 4)}
        named = [
            self._owner[f]
            for f in behind
            if f in self._owner and is_full(f) and not titled_parts(f)
        ]
        return self._only(named) if named else None

    def _note_doubts(self) -> None:
        """A title with a surname that one other person here bears: the writer is asked."""
        for draft in self.drafts:
            if not all(_titled_surname(form) for form in draft.forms):
                continue
            other = self._only(self._bearers(draft.name))
            if other is None or other is draft:
                continue
            newer, older = (draft, other) if not draft.known else (other, draft)
            if not newer.known:
                newer.maybe.add(older.name)

    def _anybody(self, form: str) -> bool:
        return len({id(d) for d in self._bearers(form)}) > 1

    def _honoured(self, form: str) -> Draft | None:
        """One name with and without what its bearer is called: "玄微真人", "莱纳德探长"."""
        for title in _HONOURS:
            core = form.removesuffix(title)
            if core != form and core in self._owner and not (is_full(core) and title in _OF_KIN):
                return self._owner[core]
        longer = [
            d
            for f, d in self._owner.items()
            if f.startswith(form)
            and f.removeprefix(form) in _HONOURS
            and not (is_full(form) and f.removeprefix(form) in _OF_KIN)
        ]
        return self._only(longer) if longer else None

    def _begins(self, form: str) -> Draft | None:
        """The beginning of the only longer name, where it is no full name itself: "黑泽"."""
        whole = is_full(form) and form not in w.JAPANESE_SURNAMES
        if whole and not w.SOUNDS.issuperset(form):
            return None
        longer = [
            d
            for f, d in self._owner.items()
            if f.startswith(form)
            and len(f) > len(form)
            and not titled_parts(f)
            and (not whole or w.SOUNDS.issuperset(f))
            and (not whole or len(f) > 3)
        ]
        return self._only(longer) if longer else None

    def _ends(self, form: str) -> Draft | None:
        """The end of the only name of four characters and more that has no surname: "烟雨"."""
        longer = [
            d
            for f, d in self._owner.items()
            if len(form) == 2
            and len(f) >= 4
            and f.endswith(form)
            and not _titled_surname(f)
            and not is_full(f)
            and not f.endswith(_HONOURS)
        ]
        return self._only(longer) if longer else None

    def _pet(self, form: str) -> Draft | None:
        """ "小野", "阿砚", "霜姐" for the only one with that character in the given name."""
        if len(form) != 2:
            return None
        if form[0] in "小阿":
            char, ambiguous = form[1], form[1] in w.SURNAMES
        elif form[1] in "姐哥儿":
            char, ambiguous = form[0], form[0] in w.SURNAMES
        else:
            return None
        named = [(f, d) for f, d in self._owner.items() if is_full(f) and not titled_parts(f)]
        if ambiguous and any(surname_of(f) == char for f, _ in named):
            return None
        bearers = [d for f, d in named if char in f[len(surname_of(f)) :]]
        return self._only(bearers) if bearers else None


def _is_name(form: str) -> bool:
    """A whole name, for which others may be short."""
    return _DOT.search(form) is not None or (is_full(form) and not titled_parts(form))


def _titled_surname(form: str) -> str:
    """The surname of "鲁提辖" and "老段"; empty for anything else."""
    parts = titled_parts(form)
    if parts is not None:
        return parts[0] if parts[1] in w.OFFICES or parts[1].endswith("郎") else ""
    return form[1] if len(form) == 2 and form[0] in "老小" and form[1] in w.SURNAMES else ""


def _is_apposed(form: str, name: str, text: str) -> bool:
    """ "掌柜王大山", "王掌柜王大山", "王大山王掌柜", "沈砚秋姑娘"."""
    title = form.removeprefix(surname_of(form))
    if any(said in text for said in (title + name, form + name, name + form, name + title)):
        return True
    beside = rf"{form}，{name}[，。]|{name}，{form}[，。]"  # "杨会计，杨有福，"
    is_one = rf"{name}(?:是|乃是|便是|就是|当上了?|做了)[^，。！？；“”]{{0,12}}{title}[，。！？；]"
    return re.search(f"{beside}|{is_one}", text) is not None


def _is_only_spoken(form: str, names: list[str], text: str) -> bool:
    """Whether only people of the novel say the form, and to somebody who is at hand.

    The narrator calls a person by one name: a title that the narrator uses is somebody's own. One
    that any of a family may bear (王公子) counts where it calls somebody, and nothing counts from
    the mouth of the one whom it would mean.
    """
    needs_call = _is_name(form) or form.removeprefix(surname_of(form)) in _OF_FAMILY
    meant = False
    for found in re.finditer(re.escape(form), text):
        line = text.rfind("\n", 0, found.start()) + 1
        before = text[line : found.start()]
        opened = sum(map(before.count, _OPENING_QUOTES)) - sum(map(before.count, _CLOSING_QUOTES))
        if opened <= 0:
            return False
        calls = before[-1:] in _BEFORE_CALL and text[found.end() : found.end() + 1] in _AFTER_CALL
        if (calls or not needs_call) and not _says(names, text, line, found.start()):
            near = text[max(0, line - _AT_HAND) : found.end() + _AT_HAND]
            meant |= any(name in near for name in names)
    return meant


def _says(names: list[str], text: str, line: int, at: int) -> bool:
    """Whether one of the names is the speaker's of the speech around ``at``."""
    opening = max(text.rfind(mark, line, at) for mark in _OPENING_QUOTES)
    lead = text[line:opening]
    said = re.split("[。！？!?”」』]", lead)[-1]
    if said.endswith(("：", ":")) and any(name in said for name in names):
        return True
    ends = [end for mark in _CLOSING_QUOTES if (end := text.find(mark, at)) >= 0]
    follows = text[min(ends) + 1 : min(ends) + 7].split("\n")[0] if ends else ""
    return any(name in follows for name in names)
