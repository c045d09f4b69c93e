"""The basic summary: choosing sentences by what the chapter keeps coming back to."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

Size = Callable[[str], int]

WORD_CHARS = 12  # an unbroken run counts as one word for every so many characters
_LONGEST = 400  # a quote that is never closed must not swallow the chapter
_CANDIDATES = 60  # sentences that compete once each has its own score
_HAN_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_LATIN_WORD = re.compile("[A-Za-zÀ-ɏ]{3,}")
_HAN_STOP = frozenset(
    "的了是在不有我他她它你们這这那个個一着著也就都又还還和与與说說道很把被让讓到去来來上下里裡"
    "中为為以而之其于於呢吗嗎吧啊呀么麼什没沒会會能要可只得地过過起出"
)
_LATIN_LITTLE = (
    "the and was were had has have for with that this from his her hers its their they them she "
    "him you your our not but are all out who what when where which would could should there then "
    "than been being into over said says did does one just like about only more some any off too "
    "very will can how why now back down after before again upon"
)
_LATIN_STOP = frozenset(_LATIN_LITTLE.split())
_ZH_END = re.compile(r"[。！？!?…]+[”’」』）)\"']*")
# Possessive: a long run of dots must not be tried again from each of them.
_EN_END = re.compile(r"[.!?…]++[\"'”’)\]]*+(?=\s[\"'“‘(\[]?[A-Z0-9]|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(“\"‘'])(?:Mr|Mrs|Ms|Dr|St|Prof|Capt|Col|Gen|Lt|Sgt|Rev|No|vs|[A-Z])\.$"
)
_PARAGRAPH = re.compile(r"\n\s*\n")
_CLAUSE = re.compile(r"[，、；：,;:—]|\s")
_OPENING_QUOTE = ("“", "「", "『", '"', "‘")
# A chapter's marker repeated in its text says nothing about what happens in it.
_HEADING = re.compile(
    r"(?:第\s*\S{1,9}\s*[章回节節卷]|chapter\s+\S+|#)[^。！？]{0,40}", re.IGNORECASE
)


@dataclass(slots=True)
class _Sentence:
    order: int
    text: str
    terms: frozenset[str]
    score: float = 0.0


def summarize(text: str, *, joiner: str, size: Size, limit: int) -> str:
    """Whole sentences of ``text`` in their order, together at most ``limit`` by ``size``."""
    sentences = _zh_sentences(text) if joiner == "" else _en_sentences(text)
    if not sentences:
        return ""
    whole = joiner.join(sentences)
    if size(whole) <= limit:
        return whole
    scored = _score(sentences)
    best = heapq.nsmallest(_CANDIDATES, scored, key=lambda one: (-one.score, one.order))
    picked = _pick(best, joiner, size, limit)
    if not picked:  # among the best not one is short enough: any that is, else a cut one
        fitting = [one for one in scored if size(one.text) <= limit]
        if not fitting:
            return _cut(best[0].text, size, limit)
        picked = [min(fitting, key=lambda one: (-one.score, one.order))]
    return joiner.join(one.text for one in sorted(picked, key=lambda one: one.order))


def first_sentences(text: str, count: int, *, joiner: str) -> str:
    """The beginning of a text, ``count`` sentences at most."""
    sentences = _zh_sentences(text) if joiner == "" else _en_sentences(text)
    return joiner.join(sentences[:count])


def grounded(summary: str, text: str) -> float:
    """The share of the summary's words (in Chinese: pairs of characters) that the text holds."""
    terms = _terms(summary)
    return len(terms & _terms(text)) / len(terms) if terms else 0.0


def _zh_sentences(text: str) -> list[str]:
    return [
        sentence
        for line in text.splitlines()
        for sentence in _split(re.sub(r"\s+", " ", line).strip(), _ZH_END)
    ]


def _en_sentences(text: str) -> list[str]:
    """English may be hard-wrapped: a single line break is a space there."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        pieces = _split(" ".join(paragraph.split()), _EN_END)
        for piece in pieces:
            follows = bool(found) and piece is not pieces[0] and len(found[-1]) < 1000
            if follows and _ABBREVIATION.search(found[-1][-12:]):
                found[-1] = f"{found[-1]} {piece}"
            else:
                found.append(piece)
    return found


def _split(line: str, end: re.Pattern[str]) -> list[str]:
    """Sentences of one paragraph; what is said between quotes stays in one piece."""
    pieces: list[str] = []
    start = counted = depth = straight = 0
    for found in end.finditer(line):
        depth += _open_quotes(line[counted : found.end()])
        straight += line.count('"', counted, found.end())
        counted = found.end()
        if (depth <= 0 and straight % 2 == 0) or counted - start > _LONGEST:
            pieces.append(line[start:counted].strip())
            start, depth, straight = counted, 0, 0
    pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def _open_quotes(text: str) -> int:
    return sum(map(text.count, "“「『")) - sum(map(text.count, "”」』"))


def _terms(sentence: str) -> frozenset[str]:
    """Pairs of neighbouring Han characters and Latin words, less the little ones."""
    terms = {
        run[at : at + 2]
        for run in _HAN_RUN.findall(sentence)
        for at in range(len(run) - 1)
        if run[at] not in _HAN_STOP and run[at + 1] not in _HAN_STOP
    }
    terms.update(
        word for word in map(str.lower, _LATIN_WORD.findall(sentence)) if word not in _LATIN_STOP
    )
    return frozenset(terms)


def _score(sentences: list[str]) -> list[_Sentence]:
    scored = [_Sentence(n, text, _terms(text)) for n, text in enumerate(sentences)]
    seen = Counter(term for one in scored for term in one.terms)
    weights = {term: math.log(count) + 0.1 for term, count in seen.items()}
    for one in scored:
        # sorted: the sum of floats must not depend on the order of a set
        weight = sum(sorted(weights[term] for term in one.terms))
        one.score = weight / (len(one.terms) + 6) * _place(one.order, len(scored))
        if one.text.startswith(_OPENING_QUOTE) or one.text.endswith(("?", "？")):
            one.score *= 0.6  # talk carries less than what happens
        if len(one.text) < 80 and _HEADING.fullmatch(one.text):
            one.score = 0.0
    return scored


def _place(order: int, count: int) -> float:
    """Beginnings set the scene and endings turn it: up to half as much again at the edges."""
    edge = abs(2 * order / max(count - 1, 1) - 1)
    return 1.0 + 0.5 * edge**4


def _pick(best: list[_Sentence], joiner: str, size: Size, limit: int) -> list[_Sentence]:
    """Greedy by score; what earlier picks already say counts for less."""
    picked: list[_Sentence] = []
    told: set[str] = set()
    used = 0
    left = list(best)
    while left:
        one = max(left, key=lambda item: (_news(item, told), -item.order))
        left.remove(one)
        length = size(one.text)
        if used + length <= limit and one.score > 0:
            picked.append(one)
            told |= one.terms
            used += length
    return picked


def _news(one: _Sentence, told: set[str]) -> float:
    repeated = len(one.terms & told) / max(len(one.terms), 1)
    return one.score * (1.0 - 0.7 * repeated)


def _cut(sentence: str, size: Size, limit: int) -> str:
    """The beginning of ``sentence`` within ``limit``, up to the end of a clause if there is
    one in its second half."""
    words = re.findall(r"\S+\s*", sentence[: limit * 100])
    head = sentence[:limit]
    if size is not len:
        head = "".join(words[:limit])[: limit * WORD_CHARS]
    clauses = [found.start() for found in _CLAUSE.finditer(head, len(head) // 2)]
    return (head[: clauses[-1]] if clauses else head).strip() or head
