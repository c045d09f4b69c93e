"""What a Chinese text says of the names of one person: "人称断魂剑", "字玄德", "本名沈清婉"."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..common.known import Lexicon
from . import words as w
from .names import CJK, is_full, plausible, titled_parts

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
    rf"(?P<all>都|人人|大家|众人|人们)?(?:当面|背后|只|又|便|就|也)?(?:喊|叫|称|唤|称呼)(?:作|为)?(?:[他她]|一?声)"
    rf"(?:作|做|为|一声)?{_QUOTED}"
)
# "她本名沈清婉": said of the only person whom the sentence or the paragraph told of.
_REALLY = re.compile(
    rf"[他她](?:的)?(?:本名|原名|真名|大名|闺名|本姓|真实姓名|现实里的?名字|在现实里的?名字)(?:叫做?|是|唤作?)?"
    rf"(?P<alias>[{CJK}]{{2,4}})(?=[，,。；;！!、\s])"
)
# "大块头叫石磊，": a by-name and the name.
_IS_CALLED = re.compile(rf"(?:，)?(?:就)?叫(?P<alias>[{CJK}]{{2,4}})(?=[，,。；;])")
# "人称“铁笛”的崔慕白"
_CALLED_WHO = re.compile(
    rf"(?:人称|号称|绰号|外号|诨号|人送外号|自称)[“「『]?(?P<alias>[{CJK}]{{2,5}})[”」』]?的(?=[{CJK}])"
)
# "教授姓方，叫方知行": the one with the title is called so.
_TITLE_NAME = re.compile(
    rf"(?P<t>{'|'.join(w.TITLES)})姓(?P<s>[{CJK}]{{1,2}})[，,]?(?:单?名|名?叫|大名)?"
    rf"(?P<n>[{CJK}]{{2,4}})(?=[，,。；;！!、\s])"
)
_NEW_HERE = re.compile(r"[一有那][个位名]|[有来]了?[个位]")
_SENTENCE = re.compile(r"[。！？!?\n]")


def stated(text: str, persons: Collection[str]) -> list[tuple[str, str]]:
    """(name, alias) pairs that the text states; ``persons``: every form that names somebody."""
    lexicon = Lexicon({*persons}, whole_words=False)
    return [
        *_by_names(text, lexicon),
        *_as_people_say(text, lexicon, persons),
        *_side_by_side(text, lexicon),
        *_titles(text, persons),
    ]


def _by_names(text: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    pairs = []
    for found in _CALLED.finditer(text):
        who = _subject(text, lexicon, found.start())
        if who and plausible(found["alias"]):
            pairs.append((who, found["alias"]))
    for found in _CALLED_WHO.finditer(text):
        named = [text[a:b] for a, b in lexicon.scan(text, found.end(), found.end() + 6)]
        if named and text.startswith(named[0], found.end()) and plausible(found["alias"]):
            pairs.append((named[0], found["alias"]))
    return pairs


def _as_people_say(text: str, lexicon: Lexicon, persons: Collection[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for found in _PEOPLE_CALL.finditer(text):
        alias, taken = found["alias"], {a for _, a in pairs} | {found["alias"]}
        who = _told(text, lexicon, found.start(), taken)
        alike = who and set(alias) & set(who)
        pet = found["all"] and (alias[-1] in "子儿" or alias[0] in "阿小老") and len(alias) < 4
        if who and plausible(alias) and (alike or pet or alias in persons):
            pairs.append((who, alias))
    for found in _REALLY.finditer(text):
        who = _told(text, lexicon, found.start(), {found["alias"]})
        if who and is_full(found["alias"]) and plausible(found["alias"]):
            pairs.append((who, found["alias"]))
    return pairs


def _side_by_side(text: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    pairs = []
    for pattern in (_COURTESY, _SAME, _IS_CALLED):
        for found in pattern.finditer(text):
            who, alias = _right_before(text, lexicon, found.start()), found["alias"]
            if not who or not plausible(alias) or alias == who:
                continue
            named = is_full(alias) and not titled_parts(alias)
            other = not is_full(who) or titled_parts(who) is not None
            if pattern is not _IS_CALLED or (named and other):
                pairs.append((who, alias))
    return pairs


def _titles(text: str, persons: Collection[str]) -> list[tuple[str, str]]:
    pairs = []
    for found in _TITLE_NAME.finditer(text):
        called = found["s"] + found["t"]
        if found["n"].startswith(found["s"]) and found["n"] in persons and called in persons:
            pairs.append((found["n"], called))
    return pairs


def _subject(text: str, lexicon: Lexicon, at: int) -> str | None:
    """The only person whom the sentence names before ``at``."""
    start = max(0, at - 60)
    for stop in _SENTENCE.finditer(text, start, at):
        start = stop.end()
    spans = list(lexicon.scan(text, start, at))
    named = {text[a:b] for a, b in spans}
    # "那个光头，人称老鲨": somebody else came in.
    if len(named) != 1 or _NEW_HERE.search(text, spans[-1][1], at):
        return None
    return named.pop()


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


def _right_before(text: str, lexicon: Lexicon, at: int) -> str | None:
    spans = list(lexicon.scan(text, max(0, at - 6), at))
    return text[spans[-1][0] : spans[-1][1]] if spans and spans[-1][1] == at else None
