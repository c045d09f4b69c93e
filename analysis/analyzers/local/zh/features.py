"""What speaks for and against a string as a name, as numbers for the learned verdict."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable

from ..common.lac_model import GROUPS, Lac
from . import words as w
from .names import (
    NEVER_IN_NAMES,
    RARE_IN_NAMES,
    TAILS,
    TITLED,
    VERBAL,
    Votes,
    is_full,
    surname_of,
)
from .places import POINTING
from .sightings import longer_of, places_of, span_chances
from .tokens import Tagging, Word

Features = dict[str, float]

_PLACE_END = tuple(w.PLACE_ENDINGS)
_FACTION_END = tuple(w.FACTION_ENDINGS)
_GROUP_FIRST = tuple(w.FACTION_FIRST)
_STOPS = frozenset("，。！？；：、…—,.!?;:()（）“”‘’「」『』《》〈〉\"' \n\t·")
_SIDES = frozenset("里上中外内下")
_SURNAMES = w.SURNAMES | w.COMPOUND_SURNAMES
_GROUP_OF_TAG = {"PER": "PER", "LOC": "LOC", "ORG": "ORG", "nz": "nz", "nw": "nz"}


_OPENING, _CLOSING = '“「『‘"，', "，！？。…!?,"
_ENDINGS = (*_PLACE_END, *_FACTION_END)
_CALLED = tuple(sorted({*w.HONORIFICS, *w.TITLES, *w.REVERED}))
_OLD = re.compile("[曰之乃遂矣]|却说|话说|只见")  # how old novels are written

_SHAPES: dict[str, Callable[[str], bool]] = {
    "compound": lambda x: x[:2] in w.COMPOUND_SURNAMES and len(x) > 2,
    "house": lambda x: len(x) in (2, 3) and x[-1] in "家氏" and x[:-1] in _SURNAMES,
    "sounds": lambda x: len(x) >= 3 and w.SOUNDS.issuperset(x),
    "dot": lambda x: any(c in "·•・" for c in x),
    "small": lambda x: x[0] in "阿小老大" and len(x) in (2, 3),
    "doubled": lambda x: len(x) == 2 and x[0] == x[1],
    "rare": lambda x: bool(RARE_IN_NAMES.intersection(x)),
    "never": lambda x: bool(NEVER_IN_NAMES.intersection(x)),
    "tail": lambda x: x[-1] in TAILS,
    "verbal": lambda x: x[-1] in VERBAL,
    "numeral": lambda x: x[0] in "一二三四五六七八九十两几数百千万半",
    "pointing": lambda x: x[0] in "这那此该某其各每诸众",
    "direction": lambda x: x[0] in w.DIRECTIONS,
    "person end": lambda x: x.endswith(w.PERSON_ENDINGS),
    "people end": lambda x: x.endswith(w.PEOPLE_ENDINGS),
    "revered": lambda x: x.endswith(w.REVERED) and x not in w.REVERED,
    "role": lambda x: x in w.ROLES,
    "no name": lambda x: x in w.NOT_NAMES or x in w.EMPTY_NOUNS,
    "plain place": lambda x: x in w.PLAIN_PLACES,
    "bare place": lambda x: x in w.BARE_PLACES,
    "item end": lambda x: x.endswith(w.ITEM_ENDINGS),
    "plural": lambda x: x[-1] in "们等辈",
    "firm end": lambda x: x.endswith(w.FIRM_PLACE_ENDINGS),
    "long end": lambda x: x.endswith(w.LONG_ENDINGS) and x not in w.LONG_ENDINGS,
    "group first": lambda x: x.endswith(_GROUP_FIRST),
    "side end": lambda x: x[-1] in "里上中外内下边前后旁",
}
_BEFORE: dict[str, Callable[[Word], bool]] = {
    "moves": lambda word: word.text.rstrip("了") in w.MOTION,
    "like": lambda word: word.text in w.LIKE,
    "introduced": lambda word: word.text in w.ROLES or word.text in w.INTRODUCERS,
    "counted": lambda word: word.tag in ("m", "q"),
    "pointed": lambda word: word.tag == "r",
    "verb before": lambda word: word.tag == "v",
    "noun before": lambda word: word.tag in ("n", "a", "vn"),
    "name before": lambda word: word.tag in ("LOC", "ORG", "PER", "nz"),
    "handled": lambda word: word.text.rstrip("了着过") in w.ITEM_HANDLING,
    "named before": lambda word: word.text.endswith(("叫", "名", "唤", "姓", "作", "做")),
}
_AFTER: dict[str, Callable[[Word], bool]] = {
    "speaks": lambda word: word.text in w.SPEECH or word.text.endswith(("道", "曰")),
    "acts": lambda word: word.tag in ("v", "d", "ad", "vd", "p", "c"),
    "titled after": lambda word: word.text in w.HONORIFICS or word.text in w.ROLES,
    "noun after": lambda word: word.tag in ("n", "nz", "vn"),
    "member after": lambda word: word.text.startswith(w.MEMBERS),
    "place word after": lambda word: word.tag in ("f", "s", "LOC"),
}


def is_word(feature: str) -> bool:
    """Whether a feature stands for one character or word, like "after:说道"."""
    return ":" in feature


def _count(cues: dict[str, Callable[[Word], bool]], word: Word, seen: Counter[str]) -> None:
    for name, holds in cues.items():
        seen[name] += holds(word)


class Evidence:
    """The features of the candidates of one chapter."""

    def __init__(
        self,
        text: str,
        tagging: Tagging,
        votes: dict[str, Votes],
        places: dict[str, Counter[str]],
        forms: Iterable[str],
        lac: Lac,
    ) -> None:
        self.text, self.chances = text, tagging.chances
        self.old = min(1.0, 50 * len(_OLD.findall(text)) / max(1, len(text)))
        self.votes, self.place_votes = votes, places
        self.places = {f: at for f in forms if (at := places_of(text, f))}
        self.longer = longer_of(self.places)
        self.count = {f: len(at) for f, at in self.places.items()}
        self.words: dict[int, tuple[list[Word], int]] = {}
        self.ends: dict[int, tuple[list[Word], int]] = {}
        for line in tagging.lines:
            for number, word in enumerate(line):
                self.words[word.start] = (line, number)
                self.ends[word.end] = (line, number)
        self.dictionary = lac.dictionary
        self.mean: dict[str, list[float]] = {}
        self.top: dict[str, list[float]] = {}
        for form in self.places:
            self._tagged(form)
        self.full_of: dict[str, float] = {}
        for form in self.places:
            given = form[len(surname_of(form)) :]
            if is_full(form) and len(given) == 2:
                self.full_of[given] = max(self.full_of.get(given, 0.0), self.top[form][0])

    def _tagged(self, form: str) -> None:
        rows = [span_chances(self.chances, a, a + len(form)) for a in self.places[form]]
        columns = list(zip(*rows, strict=True))
        self.mean[form] = [sum(c) / len(rows) for c in columns]
        self.top[form] = [max(c) for c in columns]

    def word_at(self, start: int) -> Word | None:
        """The tagger's word that begins there."""
        line, number = self.words.get(start, ([], 0))
        return line[number] if line else None

    def of(self, form: str) -> Features:
        f: Features = {"bias": 1.0}
        self._counts(form, f)
        self._tagger(form, f)
        self._shape(form, f)
        self._context(form, f)
        self._cut(form, f)
        self._votes(form, f)
        return f

    def _counts(self, form: str, f: Features) -> None:
        n = self.count[form]
        f["log n"] = math.log(min(n, 20))
        for least in (2, 3, 5):
            f[f"n>={least}"] = float(n >= least)

    def _tagger(self, form: str, f: Features) -> None:
        n = math.log1p(min(self.count[form], 20))
        for at, group in enumerate(GROUPS):
            mean, top = self.mean[form][at], self.top[form][at]
            f[f"mean {group}"], f[f"top {group}"] = mean, top
            if at < 4:
                f[f"sum {group}"] = mean * n
                f[f"once {group}"] = mean * (self.count[form] == 1)
        f["known word"] = float(form in self.dictionary)
        if form in self.dictionary:
            f["known PER"] = self.mean[form][0]

    def _shape(self, form: str, f: Features) -> None:
        if form[0].isascii():
            f["latin"] = 1.0
            f["latin upper"] = float(form.isupper())
            return
        f[f"size {min(len(form), 6)}"] = 1.0
        self._surname(form, f)
        self._ending(form, f)
        f[f"begins:{form[0]}"] = f[f"ends:{form[-1]}"] = 1.0
        if len(form) > 2:
            f[f"ends:{form[-2:]}"] = 1.0
        for name, holds in _SHAPES.items():
            f[name] = float(holds(form))
        self._honour(form, f)
        titled = TITLED.fullmatch(form)
        if titled:
            title = titled["t"] or titled["r"]
            f["titled office" if title in w.OFFICES else "titled kin"] = 1.0
            f["titled short"] = float(len(title) == 1)
            f["titled PER"] = self.mean[form][0]

    def _honour(self, form: str, f: Features) -> None:
        """A name with what people call its bearer: "玉虚真人", "霜姐", "老魏"."""
        called = max((x for x in _CALLED if form.endswith(x)), key=len, default="")
        core = form.removesuffix(called)
        if called and core and core not in w.ROLES:
            f[f"honoured {min(len(core), 3)}"] = 1.0
            f["honoured name"] = self.top[core][0] if core in self.top else 0.0
            f["honoured surname"] = float(core in _SURNAMES or core in w.JAPANESE_SURNAMES)
            f["honoured plain"] = float(core in self.dictionary)
        f["small surname"] = float(len(form) == 2 and form[0] in "老小阿" and form[1] in _SURNAMES)

    def _surname(self, form: str, f: Features) -> None:
        once = float(self.count[form] == 1)
        if is_full(form):
            weak = form[0] in w.WEAK_SURNAMES and form[:2] not in w.COMPOUND_SURNAMES
            f[f"full {'weak ' if weak else ''}{len(form)}"] = 1.0
            f["full PER"] = self.top[form][0]
            f["full once"] = once
            f["old full once"] = once * self.old
        foreign = next((x for x in w.JAPANESE_SURNAMES if form.startswith(x)), "")
        if foreign:
            rest = len(form) - len(foreign)
            f["japanese full" if 1 <= rest <= 3 else "japanese surname"] = 1.0
            f["japanese PER"] = self.top[form][0]

    def _ending(self, form: str, f: Features) -> None:
        """What its last characters say of it as a place or a group."""
        size = len(form)
        place = next((e for e in _PLACE_END if form.endswith(e)), "")
        group = form.endswith(_FACTION_END)
        f["place end"] = float(bool(place) and size > len(place))
        f["group end"] = float(group)
        f["end LOC"] = f["place end"] * self.mean[form][1]
        f["end size2"] = float(f["place end"] and size == 2)
        f["group size2"] = float(group and size == 2)
        ending = max((e for e in _ENDINGS if form.endswith(e)), key=len, default="")
        if not ending:
            return
        core = form.removesuffix(ending)
        f["place only"] = float(ending not in _FACTION_END)
        f["group only"] = float(ending not in _PLACE_END)
        f["ending long"] = float(len(ending) > 1)
        f["core pointing"] = float(core in POINTING)
        f["core plain"] = float(core in w.ROLES or core in w.SORTS or not core)

    def _context(self, form: str, f: Features) -> None:
        n = self.count[form]
        seen: Counter[str] = Counter()
        beside: set[str] = set()
        for at in self.places[form]:
            end = at + len(form)
            self._beside(at, end, seen)
            if at in self.ends:
                line, number = self.ends[at]
                _count(_BEFORE, line[number], seen)
                beside.add(f"before:{line[number].text}")
            if end in self.words:
                line, number = self.words[end]
                _count(_AFTER, line[number], seen)
                beside.add(f"after:{line[number].text}")
                if line[number].text == "的" and number + 1 < len(line):
                    beside.add(f"of:{line[number + 1].text}")
        f.update(dict.fromkeys(beside, 1.0))
        for name, times in seen.items():
            if name != "speaks":
                f[name] = times / n
        f["speaks ever"] = float(seen["speaks"] > 0)
        f["full speaks"] = float(seen["speaks"] > 0 and is_full(form))
        f["speaks more"] = float(seen["speaks"] > 1)
        f["acts log"] = math.log1p(seen["acts"])
        f["moves ever"] = float(seen["moves"] > 0)
        f["called ever"] = float(seen["called"] > 0)

    def _beside(self, at: int, end: int, seen: Counter[str]) -> None:
        """The characters beside one of its places, and how the tagger cuts there."""
        before, after = self.text[at - 1 : at], self.text[end : end + 1]
        seen["stop before"] += not before or before in _STOPS
        seen["stop after"] += not after or after in _STOPS
        seen["called"] += before in _OPENING and after in _CLOSING
        seen["listed"] += before == "、" or after == "、"
        seen["of"] += after == "的"
        seen["side"] += after in _SIDES
        seen["plural after"] += after == "们"
        begins, ends = at in self.words, end in self.ends
        seen["word begins"] += begins
        seen["word ends"] += ends
        if begins and ends and self.words[at][0] is self.ends[end][0]:
            seen["one word" if self.words[at][1] == self.ends[end][1] else "words"] += 1

    def _cut(self, form: str, f: Features) -> None:
        """Does it stand for itself, or is it a piece of a longer name, or one with a tail?"""
        n = self.count[form]
        longer = self.longer[form]
        inside = max((self.count[o] for o in longer), default=0)
        f["inside"] = min(1.0, inside / n)
        f["always inside"] = float(inside >= n)
        f["longer names"] = max((self._naming(o) * self.count[o] for o in longer), default=0.0) / n
        heads = [o for k in range(2, len(form)) if (o := form[:k]) in self.count]
        tails = [o for k in range(1, len(form) - 1) if (o := form[k:]) in self.count]
        for name, parts in (("head", heads), ("rest", tails)):
            f[f"{name} commoner"] = max((math.log(self.count[o] / n) for o in parts), default=0.0)
            f[f"{name} names"] = max((self._naming(o) for o in parts), default=0.0)
            f[f"{name} PER"] = max((self.mean[o][0] for o in parts), default=0.0)
        if n > 1:
            size = len(form)
            after = Counter(self.text[a + size : a + size + 1] for a in self.places[form])
            before = Counter(self.text[a - 1 : a] for a in self.places[form])
            for name, chars in (("next", after), ("last", before)):
                top, times = chars.most_common(1)[0]
                fixed = times / n if top and top not in _STOPS else 0.0
                f[f"{name} fixed"] = fixed
                f[f"{name} always"] = float(fixed == 1)
                f[f"{name} kinds"] = len(chars) / n

    def _naming(self, form: str) -> float:
        return sum(self.mean[form][:4])

    def _votes(self, form: str, f: Features) -> None:
        f["given of"] = self.full_of.get(form, 0.0)
        if f["given of"]:
            f["given free"] = f["given of"] * (1 - f["inside"])
        for vote, times in self.place_votes.get(form, {}).items():
            f[f"place by {vote}"] = math.log1p(times)
        votes = self.votes.get(form)
        if votes is None:
            return
        f["said to speak"] = math.log1p(votes.speech)
        f["named"] = math.log1p(votes.named)
        f["revered vote"] = math.log1p(votes.revered)
        f["titled vote"] = math.log1p(votes.titled)
