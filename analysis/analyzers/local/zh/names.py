"""Who and what a Chinese chapter names: the tagger's words, corrected by rules."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from . import words as w
from .tokens import Word

CJK = r"\u3400-\u9fff〇"
EDGE = re.compile(rf"^[^{CJK}A-Za-z]+|[^{CJK}A-Za-z0-9]+$")
ALL_CJK = re.compile(rf"^[{CJK}]+(?:[·•・][{CJK}]+)*$")
_COMPOUND = "|".join(sorted(w.COMPOUND_SURNAMES))
_SINGLE = "".join(sorted(w.SURNAMES))
_RANKED = "|".join(t for t in w.TITLES if len(t) > 1)  # "顾老相公", "贾二老爷"
TITLED = re.compile(
    rf"(?P<s>{_COMPOUND}|[{_SINGLE}])(?:[老小大二三四五六七八九十](?P<r>{_RANKED})"
    rf"|(?P<t>{'|'.join(w.TITLES)}))"
)
_SOUND = f"[{''.join(sorted(w.SOUNDS))}]"
_FOREIGN = re.compile(rf"{_SOUND}{{1,6}}(?:[·•・]{_SOUND}{{1,7}}){{1,3}}")
_FOREIGN_TITLED = re.compile(rf"(?P<n>{_SOUND}{{2,5}})(?:{'|'.join(w.FOREIGN_TITLES)})")
_NAMED = re.compile(
    r"(?P<by>名叫|名唤|唤作|唤做|叫作|叫做|名为|名字叫|小名|大名|乳名|取名|本名|原名"
    r"|化名|姓名是|我叫|他叫|她叫"
    r"|(?:[我他她你]|的)(?:爹|娘|父亲|母亲|哥哥?|弟弟|姐姐|妹妹|儿子|女儿|师父|师傅"
    r"|徒弟|丈夫|妻子|师兄|师姐)名?叫)"
    rf"[“「『\"]?(?P<n>[{CJK}]{{2,3}})(?=[，,。；;、！!？?”」』\"\s]|的|$)"
)
_MYSELF = re.compile(
    r"(?:老夫|贫道|贫僧|在下|小可|晚辈|弟子|本座|我乃|吾乃|某乃|我是|我叫|小女子"
    rf"|奴家)(?P<n>[{CJK}]{{3}})(?=[，,。！!、；])"
)
_SURNAMED = re.compile(
    rf"姓(?P<s>[{CJK}]{{1,2}})[，,]?(?:单?名[唤叫]?)(?P<g>[{CJK}]{{1,2}})(?=[，,。；、！？\s])"
)
# Characters that no name contains; a candidate with one of them was cut wrongly.
NEVER_IN_NAMES = frozenset("的了着吗呢吧啊呀么你我他她它们这那哪谁怎")
# Real names do hold these now and then ("苏若雪", "王羲之"): a surname has to vouch for them.
RARE_IN_NAMES = NEVER_IN_NAMES | frozenset(
    "过是在不没有也都就又很把被让给对从向往到与及并而则乃即且或者之其所以因为若却但只"
    "已便说道问听见看来去个位些"
)
# What follows a name in a sentence and is no part of it, if the shorter name is commoner.
TAILS = frozenset(
    "站坐走跑跳笑看听问说道想拿拔抬低转回冲扑跪哭喊叫望盯点摇握抓推拉伸收退进出起躺睡"
    "醒死活等猛忙急便又也都再正才刚却"
    "竟忽自亲心手眼脸身行温汉的之从向对把被与和同在到将早已先后连只仍即遂乃见闻"
)
VERBAL = frozenset("笑闻怒喜惊哭叹骂喝答曰云乃遂既欲乎哉矣耳也")
_NAME_TAGS = frozenset("PER LOC ORG nz n nw".split())
_GIVEN_TAGS = frozenset("n nz v a vn an m PER nr".split())
_CUT_USES = 3  # uses of a cut name that prove it


@dataclass(slots=True)
class Votes:
    """What speaks for one candidate string."""

    tags: Counter[str] = field(default_factory=Counter)
    speech: int = 0  # it speaks
    named: int = 0  # "by the name of ..."
    titled: int = 0  # surname and title
    revered: int = 0


class ZhCandidates:
    """What speaks for each string of a chapter as a person's name, counted over all of it."""

    def __init__(self, text: str, lines: list[list[Word]]) -> None:
        self.text = text
        self.lines = lines
        self.votes: dict[str, Votes] = defaultdict(Votes)
        self.starts = {word.start for line in lines for word in line}
        self.verb_starts = {word.start for line in lines for word in line if word.tag == "v"}
        self.person_starts = {word.start for line in lines for word in line if word.tag == "PER"}
        verbal = ("v", "vn", "vd", "a", "ad", "d")  # words of no name ("救人")
        self.plain = {word.text for line in lines for word in line if word.tag in verbal}
        for line in lines:
            self._count_line(line)
        self._count_patterns()
        self._absorb()
        self._complete()

    def stated(self) -> dict[str, float]:
        """Forms that patterns alone name as people, and how sure each is (0..1)."""
        sure = {form: _stated(form, votes) for form, votes in self.votes.items()}
        return {form: certainty for form, certainty in sure.items() if certainty}

    # -- counting -----------------------------------------------------------------------

    def _count_line(self, line: list[Word]) -> None:
        for at, word in enumerate(line):
            if word.tag in ("PER", "LOC", "ORG", "nz"):
                form = trim_person(word.text) if word.tag == "PER" else EDGE.sub("", word.text)
                likened = word.tag == "PER" and at and line[at - 1].text in w.LIKE
                if form and not likened:
                    self.votes[form].tags[word.tag] += 1
                if word.tag != "PER" and form.endswith(w.REVERED) and len(form) > 2:
                    self.votes[form].revered += 1
            self._count_introduced(line, at)
            follower = line[at + 1] if at + 1 < len(line) else None
            if follower is None or (at and line[at - 1].tag not in ("w", "c", "d", "t", "TIME")):
                continue
            speaks = follower.text in w.SPEECH or follower.text.endswith(("道", "曰"))
            if speaks and follower.tag in ("v", "vd", "n", "d") and 2 <= len(word.text) <= 4:
                self.votes[trim_person(word.text) or word.text].speech += 1

    def _count_introduced(self, line: list[Word], at: int) -> None:
        """Names left in pieces by the tagger: "玄微" + "真人", "长老" + "方" + "停云"."""
        word = line[at]
        before = line[at - 1] if at else None
        for size in (2, 3):  # "捕头雷震" in one word
            rest = word.text[size:]
            sound = rest and rest[0] not in w.WEAK_SURNAMES and not RARE_IN_NAMES.intersection(rest)
            if sound and is_full(rest) and word.text[:size] in w.INTRODUCERS:
                self.votes[rest].named += 1
        if word.text in w.REVERED and before and before.tag in ("n", "nz", "PER", "LOC", "nw"):
            joined = before.text + word.text
            if 2 <= len(before.text) <= 3 and before.text not in w.ROLES:
                self.votes[joined].revered += 1
        own = before is not None and before.text in w.OWN_KIN and word.tag in _NAME_TAGS
        if own and 2 <= len(word.text) <= 3 and word.text not in w.ROLES:
            self.votes[word.text].named += 1
        if before is None or not (before.text in w.ROLES or before.text in w.INTRODUCERS):
            return
        if word.tag in _NAME_TAGS and len(word.text) == 3 and is_full(word.text):
            self.votes[word.text].named += 1
            return
        if word.text not in w.SURNAMES or word.text in w.WEAK_SURNAMES or at + 1 >= len(line):
            return
        given = line[at + 1]
        nameable = len(given.text) <= 2 and not RARE_IN_NAMES.intersection(given.text)
        if nameable and word.tag in ("PER", "n", "nz") and given.tag in _GIVEN_TAGS:
            self.votes[word.text + given.text].named += 1

    def _count_patterns(self) -> None:
        for found in TITLED.finditer(self.text):
            self._count_titled(found)
        for found in _FOREIGN.finditer(self.text):
            self.votes[found.group()].tags["PER"] += 1
        for found in _FOREIGN_TITLED.finditer(self.text):
            # "Sound" characters are everyday characters too: a word has to begin here.
            whole = found.start() in self.starts and found.end("n") in self.starts
            if whole and not is_full(found["n"]):
                self.votes[found["n"]].titled += 1
        for found in _NAMED.finditer(self.text):
            votes = self.votes[found["n"]]
            elsewhere = votes.tags["LOC"] + votes.tags["ORG"] > votes.tags["PER"]
            if (
                found["by"].endswith("叫")
                and found["by"][0] in "我他她你的"
                and is_full(found["n"])
            ):
                elsewhere = False  # "我爹叫…": whatever the tagger took it for
            verb = found["n"] in self.plain or found.start("n") in self.verb_starts
            if verb and not votes.tags["PER"] and not is_full(found["n"]):
                continue  # "叫作救人": things are called so too
            if not RARE_IN_NAMES.intersection(found["n"]) and not elsewhere:
                self.votes[found["n"]].named += 1
        for found in _MYSELF.finditer(self.text):
            form = found["n"]
            named = is_full(form) and form[0] not in w.WEAK_SURNAMES
            if (named or form.endswith("子")) and not RARE_IN_NAMES.intersection(form):
                self.votes[form].named += 1
        for found in _SURNAMED.finditer(self.text):
            self.votes[found["s"] + found["g"]].named += 1

    def _count_titled(self, found: re.Match[str]) -> None:
        surname, title, form = found["s"], found["t"] or found["r"], found.group()
        if self.lines and found.start() not in self.starts:
            return
        if form in w.ROLES or form in w.NOT_NAMES:
            return
        tagged = found.start() in self.person_starts
        doubtful = len(title) == 1 or surname in w.WEAK_SURNAMES
        if doubtful and not (tagged and self.votes[form].tags["PER"]) and title != "氏":
            return
        self.votes[form].titled += 1

    def _absorb(self) -> None:
        """A rarer candidate that only adds a tail to a commoner one was cut too late."""
        people = {f: t.tags["PER"] for f, t in self.votes.items() if t.tags["PER"]}
        for form, count in people.items():
            votes = self.votes[form]
            if votes.titled or votes.revered or votes.named:
                continue
            for size in range(len(form) - 1, 1, -1):
                head = form[:size]
                rare = count == 1 and (form[size] in TAILS or people.get(head, 0) > 2)
                cut_late = not is_full(form) or rare
                if people.get(head, 0) > count and cut_late:
                    self.votes[head].tags["PER"] += count
                    votes.tags["PER"] = 0
                    break

    def _complete(self) -> None:
        """A name that one and the same character always follows was cut too early."""
        for form in [f for f, t in self.votes.items() if t.tags["PER"] >= _CUT_USES]:
            if len(form) != 2 or not is_full(form):
                continue
            after = {self.text[m.end() : m.end() + 1] for m in re.finditer(form, self.text)}
            longer = form + next(iter(after))
            if len(after) > 1 or not ALL_CJK.match(longer) or RARE_IN_NAMES.intersection(longer):
                continue
            self.votes[longer].tags["PER"] += self.votes[form].tags["PER"]
            self.votes[longer].speech += self.votes[form].speech
            self.votes[form] = Votes()


def _stated(form: str, votes: Votes) -> float:
    if not plausible(form):
        return 0.0
    if votes.titled:
        return 0.9
    if votes.named or any(dot in form for dot in "·•・"):
        return 0.85
    return 0.8 if votes.revered else 0.0


def plausible(form: str) -> bool:
    """A string that could be a person's name at all."""
    if not 2 <= len(form) <= 16 or not ALL_CJK.match(form):
        return False
    if form in w.ROLES or form in w.NOT_NAMES or form in w.PLAIN_PLACES or form in w.BARE_PLACES:
        return False
    if form.endswith(tuple(w.PEOPLE_ENDINGS)) or (len(form) == 2 and form[1] in "阿老"):
        return False
    return not (NEVER_IN_NAMES if is_full(form) else RARE_IN_NAMES).intersection(form)


def is_full(form: str) -> bool:
    """Surname and given name, by length and surname."""
    if form[:2] in w.COMPOUND_SURNAMES:
        return 3 <= len(form) <= 4
    return form[0] in w.SURNAMES and 2 <= len(form) <= 3


def surname_of(form: str) -> str:
    if form[:2] in w.COMPOUND_SURNAMES and len(form) > 2:
        return form[:2]
    return form[0] if form[0] in w.SURNAMES else ""


def trim_person(word: str) -> str:
    """A PER word without the punctuation and speech verbs that the tagger drew in."""
    word = EDGE.sub("", word)
    for tail in w.SPEECH_TAILS:
        if word.endswith(tail) and len(word) - len(tail) >= 2:
            return trim_person(word[: -len(tail)])
    if len(word) > 2 and word[0] in "那这":
        return word[1:]
    return word


def titled_parts(form: str) -> tuple[str, str] | None:
    """(surname, title) of "钱员外"; None for anything else."""
    found = TITLED.fullmatch(form)
    return (found["s"], found["t"] or found["r"]) if found else None
