"""Things of a Chinese chapter that somebody gets, wears or hands over, or that bear a name."""

from __future__ import annotations

import re
from collections import defaultdict

from ..common.known import Lexicon
from . import words as w

_MEASURED = re.compile(
    "[取掏拿摸搜捧翻抽挖抱]出|接过|得到|捡[到起]|递给|交给|送给|留给|塞给|拔出|[系戴挂佩别]着|[提握捧拿攥]着|找到|偷走|买了"
)
_THING = re.compile(
    "[一那这半](?:枚|柄|把|块|面|条|串|支|只|本|卷|幅|颗|件|盏|方|顶|截|尊|杆)(?:[^，。！？；：“”]{0,8}的)?"
    "([\u4e00-\u9fff]{2,4}?)(?=[，。！；、”]|$|[递交塞送]给|[塞放收揣]进|[系挂]在)"
)
_NAMED = re.compile(
    "[剑刀枪琴船马笛弓扇印珠钟鼎镜][，]?名(?:为|叫|唤|作|曰)?[“《「]?([\u4e00-\u9fff]{2,4})(?=[”》」，。])"
)
_MASS = tuple("票钱银纸衣裳服书酒茶信花药糖饭菜水肉布米烟话字袋包")  # one is as good as another


def named_things(text: str) -> set[str]:
    """What the text says is the name of a thing: "剑名寒汀". So it is nobody's."""
    return {named[1] for named in _NAMED.finditer(text)}


def find_owned(text: str, taken: set[str]) -> dict[str, list[tuple[int, int]]]:
    """Their names with their spans; ``taken`` forms name somebody or somewhere."""
    found = named_things(text)
    for thing in _THING.finditer(text):
        start = max(text.rfind(mark, 0, thing.start()) for mark in "。！？\n")
        if thing[1] in w.COMMON_ITEMS or thing[1].endswith(_MASS):
            continue
        if _MEASURED.search(text, start + 1, thing.end()):
            found.add(thing[1])
    # What the chapter does not come back to is any thing of its sort.
    told = {name for name in found if name not in taken and text.count(name) > 1}
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end in Lexicon(told, whole_words=False).scan(text):
        spans[text[start:end]].append((start, end))
    return dict(spans)
