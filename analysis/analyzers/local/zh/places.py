"""Places and groups that a Chinese chapter names."""

from __future__ import annotations

import re
from collections import Counter

from . import words as w
from .names import ALL_CJK, EDGE, NEVER_IN_NAMES, RARE_IN_NAMES
from .tokens import Word

_PLACE_END = tuple(sorted(w.PLACE_ENDINGS, key=len, reverse=True))
_FACTION_END = tuple(sorted(w.FACTION_ENDINGS, key=len, reverse=True))
_INSIDE = re.compile(r"(?:[里中上下内外边旁前后]|附近|一带|门口|等处)$")
# "our", "this", "a", "your humble": what follows is no proper name.
POINTING = tuple("贵敝弊贫小本我此这那一某该其各每两三几数全诸众你他她大老新旧满整半合遍举阖")
_NAME_TAGS = ("LOC", "ORG", "nz", "PER", "nw")


class ZhPlaces:
    """Strings that stand where places and groups are named, joined where the tagger cut them."""

    def __init__(self, lines: list[list[Word]]) -> None:
        self.votes: dict[str, Counter[str]] = {}
        for line in lines:
            for at, word in enumerate(line):
                self._count(line, at, word)

    def _count(self, line: list[Word], at: int, word: Word) -> None:
        form = EDGE.sub("", word.text)
        if word.tag in ("LOC", "ORG") and _cut_after_noun(line, at):
            return
        if word.tag in ("LOC", "ORG"):
            form = self._extended(line, at, form)
            self._vote(form, word.tag)
        elif word.tag in _NAME_TAGS and form.endswith(_PLACE_END + _FACTION_END):
            self._vote(form, "PER-like" if word.tag == "PER" else "nz")
        elif word.tag in ("n", "nz", "PER", "nw", "t", "m", "vn") and form:
            self._count_common(line, at, word, form)
        elif word.tag in ("v", "a") and len(form) == 2 and self._extended(line, at, form) != form:
            self._count_common(line, at, word, form)  # "问道" + "峰"

        if word.text in w.LONG_ENDINGS and at:
            self._count_compound(line[at - 1], word)
            self._count_quoted(line, at)
        elif word.tag in ("n", "nz", "nt", "s", "a", "nw") and word.text not in w.PLAIN_PLACES:
            ending = next((e for e in w.LONG_ENDINGS if form.endswith(e)), "")
            core = form.removesuffix(ending)
            if ending and len(core) >= 2 and core not in w.SORTS:
                self._vote(form, "compound")

        if at + 1 < len(line) and form[-1:] in w.GROUP_ENDINGS:
            self._count_group(line, at, form)

    def _count_group(self, line: list[Word], at: int, form: str) -> None:
        """A group before one of its members: "铸剑" + "堂" + "的" + "副堂主"."""
        follower = line[at + 1].text
        if follower == "的" and at + 2 < len(line):
            follower = line[at + 2].text + (line[at + 3].text if at + 3 < len(line) else "")
        if not follower.startswith(w.MEMBERS) or (at and line[at - 1].tag in ("m", "q", "r")):
            return
        if len(form) == 1 and at and 2 <= len(line[at - 1].text) <= 3:
            if line[at - 1].tag in ("n", "nz", "vn", "v", "a", "PER", "LOC", "nw"):
                self._vote(line[at - 1].text + form, "group")
        elif 3 <= len(form) <= 5 and form not in w.PLAIN_PLACES and form not in w.LONG_ENDINGS:
            self._vote(form, "group")

    def _count_quoted(self, line: list[Word], at: int) -> None:
        """ "“醉龙”酒馆": the name stands in quotation marks."""
        if at > 2 and line[at - 1].text in "”」』" and line[at - 3].text in "“「『":
            self._vote(line[at - 2].text, "compound")

    def _count_compound(self, before: Word, word: Word) -> None:
        """ "天玄" + "大陆"."""
        core = before.text
        plain = core in w.SORTS or core in w.ROLES or core in w.PLAIN_PLACES
        if not plain and before.tag in (*_NAME_TAGS, "n", "vn") and 2 <= len(core) <= 5:
            self._vote(core + word.text, "compound")

    def _count_common(self, line: list[Word], at: int, word: Word, form: str) -> None:
        """A word that is no name for the tagger, in a place where names of places stand."""
        joined = self._extended(line, at, form)
        before = line[at - 1] if at else None
        if before is None or len(joined) < 2 or not joined.endswith(w.FIRM_PLACE_ENDINGS):
            return
        moved = before.text.rstrip("了") in w.MOTION or (word.tag == "PER" and joined != form)
        listed = before.tag == "LOC" or (
            before.text == "、" and at > 1 and line[at - 2].tag == "LOC"
        )
        if moved and len(joined) >= 3:
            self._vote(joined, "motion")
        elif listed and joined not in w.PLAIN_PLACES:
            self._vote(joined, "listed")

    @staticmethod
    def _extended(line: list[Word], at: int, form: str) -> str:
        """With its ending, where the tagger left that to the next word: "太和" + "殿"."""
        if at + 1 < len(line) and not form.endswith(_PLACE_END):
            follower = line[at + 1]
            long_ending = len(follower.text) > 1 and line[at].tag not in ("LOC", "ORG")
            if (follower.text in _PLACE_END or follower.text in _FACTION_END) and not long_ending:
                return form + follower.text
            # "太和" + "殿上": only the ending belongs here.
            ending, side = follower.text[:-1], follower.text[-1]
            if (
                line[at].tag == "LOC"
                and ending in w.FIRM_PLACE_ENDINGS
                and side in "上下中里内外前后东西南北旁"
            ):
                return form + ending
        return form

    def _vote(self, form: str, tag: str) -> None:
        bare = _INSIDE.sub("", form)
        if len(bare) >= 2 and (bare.endswith(_PLACE_END) or bare in w.BARE_PLACES):
            form = bare
        doubtful = NEVER_IN_NAMES if tag in ("LOC", "ORG") else RARE_IN_NAMES
        if 2 <= len(form) <= 12 and ALL_CJK.match(form) and not doubtful.intersection(form):
            self.votes.setdefault(form, Counter())[tag] += 1


def _cut_after_noun(line: list[Word], at: int) -> bool:
    """ "院" + "里拉" for "院里" + "拉": the tagger cut before the side instead of behind it."""
    before = line[at - 1] if at else None
    return (
        line[at].text[0] in "里" and before is not None and before.tag in ("n", "LOC", "ORG", "s")
    )
