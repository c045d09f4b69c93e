"""Which Chinese forms name the same person: strong grounds only."""

from __future__ import annotations

import re
from collections import defaultdict

from ..common.entities import Draft
from ..common.known import Lexicon
from . import words as w
from .names import CJK, is_full, plausible, surname_of, titled_parts
from .tokens import Word

_QUOTED = rf"[“「『‘\"]?(?P<alias>[{CJK}]{{2,5}})(?=[”」』’\"，,。；;！!、\s]|$)"
# "人称断魂剑": said of the one person whom the sentence names before.
_CALLED = re.compile(
    r"(?:人称|人送外号|人送绰号|绰号|外号|诨名|诨号|别号|道号|法号|法名|又名|化名|自称)"
    rf"(?:叫做|叫作|唤作|唤做|叫|作|为|是|曰)?{_QUOTED}"
)
_COURTESY = re.compile(
    rf"(?:[，,、；;]|(?<=[{CJK}]))(?:表字|字|号|小字|乳名|小名)(?:叫|曰|唤)?{_QUOTED}"
)
# "裴少卿名叫裴衍": both names of one person, side by side.
_SAME = re.compile(
    rf"[，,]?(?:名叫|名唤|本名|原名|真名|全名|大名|就是|正是|便是)(?:叫|唤|是)?(?P<alias>[{CJK}]{{2,4}})(?=[，,。；;！!、\s])"
)
# "街坊都叫她雁儿": what people call him or her, said of the person told of before.
_PEOPLE_CALL = re.compile(
    rf"(?P<all>都|人人|大家|众人|人们)?(?:当面|背后|只|又|便|就|也)?(?:喊|叫|称|唤|称呼)(?:作|为)?[他她]"
    rf"(?:作|做|为|一声)?{_QUOTED}"
)
_OPENING_QUOTES, _CLOSING_QUOTES = "“「『", "”」』"
_BEFORE_CALL, _AFTER_CALL = tuple("“「『，、！？。…—"), tuple("，！？。…、!?,—”」』")
_OF_FAMILY = frozenset(("公子", "少爷", "小姐", "姑娘", "相公", "官人", "女士", "先生", "公公"))
_AT_HAND = 200  # characters around a speech in which the one who is meant is named
# "还有一个先生，大家叫他…": called is whoever comes in there.
_NEW_HERE = re.compile(r"[一有那][个位名]|[有来]了?[个位]")
_SENTENCE = re.compile(r"[。！？!?\n]")


class Merger:
    """Groups of forms, with the bible's names as groups that exist already."""

    def __init__(self, persons: dict[str, float], known: list[Draft]) -> None:
        self.persons = dict(persons)
        self.drafts: list[Draft] = list(known)
        self._owner: dict[str, Draft] = {f: d for d in known for f in sorted(d.forms)}

    def run(self, text: str, words: list[list[Word]]) -> list[Draft]:
        called = self._called(text)
        aliases = {alias for _, alias in called if alias not in self._owner}
        fresh = [f for f in self.persons if f not in self._owner and f not in aliases]
        # Full names first, then what may be short for one of them, longest first.
        fresh.sort(key=lambda f: (not (is_full(f) and not titled_parts(f)), -len(f), f))
        for form in fresh:
            owner = self._short_for(form) or self._titled(form, text) or self._honoured(form)
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
            for part in re.split("[·•・]", form):
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
        parts = [d for f, d in self._owner.items() if form in re.split("[·•・]", f) and f != form]
        if parts:
            return self._only(parts)
        if form[0] in "小阿老" and len(form) >= 3 and form[1:] in self._owner:
            return self._owner[form[1:]]
        if form[0] in "小阿" and len(form) == 2:  # "小野" for the only "?野"
            return self._only(
                [d for f, d in self._owner.items() if is_full(f) and f == surname_of(f) + form[1]]
            )
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
        stated = any(_is_apposed(form, name, text) for name in names)
        return owner if stated or _is_only_spoken(form, names, text) else None

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
        """One name with and without its honorific: "玄微" and "玄微真人"."""
        for honorific in w.HONORIFICS:
            if form.endswith(honorific) and form.removesuffix(honorific) in self._owner:
                return self._owner[form.removesuffix(honorific)]
        longer = [
            d
            for f, d in self._owner.items()
            if f.startswith(form) and f.removeprefix(form) in w.HONORIFICS
        ]
        return self._only(longer) if longer else None

    def _called(self, text: str) -> list[tuple[str, str]]:
        """(name, alias) pairs that the text states."""
        lexicon = Lexicon({*self.persons, *self._owner}, whole_words=False)
        pairs = []
        for found in _CALLED.finditer(text):
            who = self._subject(text, lexicon, found.start())
            if who and plausible(found["alias"]):
                pairs.append((who, found["alias"]))
        for found in _PEOPLE_CALL.finditer(text):
            alias, taken = found["alias"], {a for _, a in pairs} | {found["alias"]}
            who = self._told(text, lexicon, found.start(), taken)
            alike = who and set(alias) & set(who)
            pet = found["all"] and (alias[-1] in "子儿" or alias[0] in "阿小老") and len(alias) < 4
            if who and plausible(alias) and (alike or pet or alias in self.persons):
                pairs.append((who, alias))
        for pattern in (_COURTESY, _SAME):
            for found in pattern.finditer(text):
                who = self._right_before(text, lexicon, found.start())
                if who and plausible(found["alias"]) and found["alias"] != who:
                    pairs.append((who, found["alias"]))
        return pairs

    @staticmethod
    def _subject(text: str, lexicon: Lexicon, at: int) -> str | None:
        """The only person whom the sentence names before ``at``."""
        start = max(0, at - 60)
        for stop in _SENTENCE.finditer(text, start, at):
            start = stop.end()
        named = {text[a:b] for a, b in lexicon.scan(text, start, at)}
        return named.pop() if len(named) == 1 else None

    @staticmethod
    def _told(text: str, lexicon: Lexicon, at: int, taken: set[str]) -> str | None:
        """The only person whom the sentence, or else the paragraph, names before ``at``."""
        line = max(text.rfind("\n", 0, at) + 1, at - 200)
        sentence = max((m.end() for m in _SENTENCE.finditer(text, line, at)), default=line)
        for start in (sentence, line):
            spans = lexicon.scan(text, start, at)
            # "柯文斌的妻子": told of is somebody else.
            named = [(text[a:b], b) for a, b in spans if text[b : b + 1] != "的"]
            names = {name for name, _ in named} - taken
            if names:
                somebody_new = _NEW_HERE.search(text, named[-1][1], at)
                return names.pop() if len(names) == 1 and not somebody_new else None
        return None

    @staticmethod
    def _right_before(text: str, lexicon: Lexicon, at: int) -> str | None:
        spans = list(lexicon.scan(text, max(0, at - 6), at))
        return text[spans[-1][0] : spans[-1][1]] if spans and spans[-1][1] == at else None


def _titled_surname(form: str) -> str:
    """The surname of "鲁提辖" and "老段"; empty for anything else."""
    parts = titled_parts(form)
    if parts is not None:
        return parts[0] if parts[1] in w.OFFICES else ""
    return form[1] if len(form) == 2 and form[0] in "老小" and form[1] in w.SURNAMES else ""


def _is_apposed(form: str, name: str, text: str) -> bool:
    """ "掌柜王大山", "王掌柜王大山", "王大山王掌柜", "沈砚秋姑娘"."""
    title = form.removeprefix(surname_of(form))
    return any(said in text for said in (title + name, form + name, name + form, name + title))


def _is_only_spoken(form: str, names: list[str], text: str) -> bool:
    """Whether only people of the novel say the form, and of or to somebody who is at hand.

    The narrator calls a person by one name: a title that the narrator uses is somebody's own. One
    that any of a family may bear (王公子) counts where it calls somebody.
    """
    needs_call = form.removeprefix(surname_of(form)) in _OF_FAMILY
    meant = False
    for found in re.finditer(re.escape(form), text):
        line = text.rfind("\n", 0, found.start()) + 1
        before = text[line : found.start()]
        opened = sum(map(before.count, _OPENING_QUOTES)) - sum(map(before.count, _CLOSING_QUOTES))
        if opened <= 0:
            return False
        calls = before[-1:] in _BEFORE_CALL and text[found.end() : found.end() + 1] in _AFTER_CALL
        if calls or not needs_call:
            near = text[max(0, line - _AT_HAND) : found.end() + _AT_HAND]
            meant |= any(name in near for name in names)
    return meant
