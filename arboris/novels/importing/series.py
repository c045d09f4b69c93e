"""Which lines of a text are its headings: the forms that count up over the book.

A form is believed for the series that its lines make, not line by line. What is worded as a
heading counts by itself; a doubtful line counts where its number stands between theirs; a number
alone counts where no line names chapters and its own series divides the whole book.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from arboris.novels.importing.distances import SENTENCE_END, Text, divides, measured
from arboris.novels.importing.forms import Candidate, candidate, may_be_heading
from arboris.novels.importing.quiet import quiet_titles

MAX_HEADINGS = 100_000  # above, a text has none: it is no novel
_LEAST = 3  # members of a series that nothing else speaks for
_STEPS = {1: 1.0, 2: 0.6, 3: 0.4, 0: 0.3}  # what one number after another is worth


def find_headings(lines: list[str], skipped: set[int] | None = None) -> list[Candidate]:
    """The headings of a text in order; ``skipped``: indexes of lines that are none."""
    found: list[Candidate] = []
    for at, line in enumerate(lines):
        if not line or (skipped and at in skipped) or not may_be_heading(line):
            continue
        before = lines[at - 1].strip() if at else ""
        after = lines[at + 1].strip() if at + 1 < len(lines) else ""
        one = candidate(at, line, not before and not after)
        if one is None or (one.trust != "sure" and after[:1].islower()):
            continue  # none, or the first line of a sentence
        follows = bool(found) and found[-1].at == at - 1
        if follows or may_precede_heading(before):
            found.append(one)
            if len(found) > MAX_HEADINGS:
                return []
    return _believed(found, measured(lines, found))


def may_precede_heading(before: str) -> bool:
    """False when the line before breaks off in mid-sentence: the text is hard-wrapped there."""
    if not before or before.endswith(SENTENCE_END):
        return True
    # A short line may be the book's title; English ones do not end in a small word.
    return len(before) < 40 and not before.split()[-1][0].islower()


def _believed(found: list[Candidate], text: Text) -> list[Candidate]:
    forms: dict[str, list[Candidate]] = defaultdict(list)
    for one in found:
        forms[one.form].append(one)
    chosen = [one for form in forms.values() for one in _named(form, text)]
    named = [one for one in chosen if one.kind in ("chapter", "section")]
    chosen += _before(forms, named, text)
    if bare := _bare_series(forms, text):
        alone = len(named) * 5 < len(bare) and all(one.at > bare[0].at for one in named)
        if not named or alone:
            chosen += bare
    elif not named:
        chosen += quiet_titles(text.lines, chosen)
    return sorted(chosen, key=lambda one: one.at)


def _before(
    forms: dict[str, list[Candidate]], named: list[Candidate], text: Text
) -> list[Candidate]:
    """Series with a word of their own (Letter 1) before the first chapter."""
    if len(named) < _LEAST:
        return []
    first = min(one.at for one in named)
    found: list[Candidate] = []
    for form in forms.values():
        row = [one for one in form if one.trust == "bare" and one.worded and one.at < first]
        chain = _counted(row)
        if len(chain) >= _LEAST and divides(chain, text, _LEAST, (chain[0].at, first)):
            found += chain
    return found


def _named(form: list[Candidate], text: Text) -> list[Candidate]:
    """Those that are headings by their wording, and those whose numbers fit in between."""
    sure = [one for one in form if one.trust == "sure"]
    marked = [one for one in form if one.trust == "marked"]
    if not marked:
        return sure
    if not sure:
        marked = _counted(marked)
        return marked if divides(marked, text, least=1 if text.begins_at(marked[0]) else 2) else []
    flush = [one for one in sure if text.lines[one.at][:1].isspace()]
    if len(flush) * 5 < len(sure):  # headings stand at the margin: a paragraph is none
        marked = [one for one in marked if not text.lines[one.at][:1].isspace()]
    chosen: list[Candidate] = []
    for above, below in pairwise([None, *sure, None]):
        start, end = above.at if above else -1, below.at if below else len(text.lines)
        chosen += [below] if below else []
        within = [one for one in marked if start < one.at < end and one.number is not None]
        chosen += _fitting(within, above, below, text)
    return chosen


def _fitting(
    within: list[Candidate], above: Candidate | None, below: Candidate | None, text: Text
) -> list[Candidate]:
    """The longest ascending row of ``within`` between the numbers around it."""
    low = above.number if above and above.number is not None else None
    high = below.number if below and below.number is not None else None
    if low is not None and high is not None and high <= low:
        high = None  # the next volume counts anew
    fitting = [
        one
        for one in within
        if one.number is not None
        and (low is None or one.number > low)
        and (high is None or one.number < high)
    ]
    row = _ascending(fitting)
    last = low
    kept: list[Candidate] = []
    for one in row:
        # Before the first and behind the last nothing else holds a number in place.
        if one.number is None or (high is None and last is not None and one.number > last + 2):
            break
        start = kept[-1].at if kept else above.at if above else 0
        if (above or kept) and not text.between(start, one.at):
            continue
        kept.append(one)
        last = one.number
    return kept


def _ascending(row: Sequence[Candidate]) -> list[Candidate]:
    tails: list[int] = []
    ends: list[int] = []
    above: list[int] = []
    for index, one in enumerate(row):
        number = one.number or 0
        place = bisect_left(tails, number)
        above.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [number]
        ends[place : place + 1] = [index]
    chosen: list[Candidate] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chosen.append(row[index])
        index = above[index]
    return chosen[::-1]


def _bare_series(forms: dict[str, list[Candidate]], text: Text) -> list[Candidate]:
    """The outermost series of numbers without a mark that divides the book, if there is one."""
    best: list[Candidate] = []
    nested: list[Candidate] = []
    for form in forms.values():
        bare = [one for one in form if one.trust == "bare"]
        if len(bare) < 2:
            continue
        chain = _counted(bare)
        least = 2 if text.begins_at(chain[0]) else _LEAST
        if not (_begins_well(chain) and divides(chain, text, least)):
            continue
        if not best or chain[0].at < best[0].at:
            best = chain
        if chain[0].outer and not nested:
            nested = chain
    return _grouped(best, nested, text)


def _grouped(best: list[Candidate], nested: list[Candidate], text: Text) -> list[Candidate]:
    """``best``, or the ``nested`` numbers (1.1) below it where it has no text of its own."""
    starts = sorted(one.at for one in nested)
    heads = [
        one
        for one in best
        if (place := bisect_left(starts, one.at)) < len(starts)
        and not text.between(one.at, starts[place])
    ]
    if not nested or best is nested or len(heads) < len(best):
        return best
    return [*(replace(one, kind="volume") for one in heads), *nested]


def _begins_well(chain: list[Candidate]) -> bool:
    """With the first number, or as a part of a longer book that counts on without a gap."""
    numbers = [one.number or 0 for one in chain]
    steady = all(two in (one + 1, 0, 1) for one, two in pairwise(numbers))
    return numbers[0] < 2 or len(chain) > (_LEAST if steady else 2 * _LEAST)


def _counted(row: list[Candidate]) -> list[Candidate]:
    """The chain that counts up best: over missing and double numbers, and anew in a volume."""
    score: list[float] = []
    above: list[int] = []
    newest: dict[int, int] = {}  # the best chain that ends with a number
    top = -1  # the best chain of all
    for index, one in enumerate(row):
        number = one.number if one.number is not None else index + 1
        best, link = 1.0, -1
        for step, worth in _STEPS.items():
            other = newest.get(number - step, -1)
            if other >= 0 and score[other] + worth > best and row[other].outer <= one.outer:
                best, link = score[other] + worth, other
        if top >= 0 and number < 2 and score[top] + (anew := _worth_anew(row[top], one)) > best:
            best, link = score[top] + anew, top
        score.append(best)
        above.append(link)
        if number not in newest or best >= score[newest[number]]:
            newest[number] = index
        if top < 0 or best > score[top]:
            top = index
    chain: list[Candidate] = []
    while top >= 0:
        chain.append(row[top])
        top = above[top]
    return chain[::-1]


def _worth_anew(last: Candidate, one: Candidate) -> float:
    """What it is worth that numbers begin anew: much where a volume's own number goes on."""
    if not one.outer:
        return 0.2
    return 1.0 if one.outer > last.outer else 0.1
