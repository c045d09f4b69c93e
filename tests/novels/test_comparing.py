"""Two texts compared: hunks that lead from one to the other, readable, and never without bound."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from arboris.novels.comparing import Comparison, Edit, Hunk, compare
from arboris.novels.comparing.hunks import Change
from arboris.novels.comparing.sequences import Budget

texts = st.text(st.sampled_from("ab铃。\n𠀀"), max_size=40)
LINE = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。\n"


def as_edit(hunk: Hunk) -> Edit:
    """A hunk without edits as the one that it is."""
    kinds: dict[str, Change] = {"added": "insert", "removed": "delete"}
    places = (hunk.old_start, hunk.old_end, hunk.new_start, hunk.new_end)
    return Edit(kinds.get(hunk.kind, "equal"), *places)


def check(old: str, new: str, found: Comparison) -> None:
    """The hunks cover both texts, in order, and what they call equal is."""
    at = (0, 0)
    for hunk in found.hunks:
        assert (hunk.old_start, hunk.new_start) == at
        at = (hunk.old_end, hunk.new_end)
        assert bool(hunk.edits) is (hunk.kind == "changed")
        inner = (hunk.old_start, hunk.new_start)
        for edit in hunk.edits or ([as_edit(hunk)] if hunk.kind == "equal" else []):
            assert (edit.old_start, edit.new_start) == inner
            inner = (edit.old_end, edit.new_end)
            before, after = old[edit.old_start : edit.old_end], new[edit.new_start : edit.new_end]
            assert {"equal": before == after, "insert": not before, "delete": not after}[edit.kind]
        assert not hunk.edits or inner == at
        assert hunk.kind != "removed" or hunk.new_start == hunk.new_end
        assert hunk.kind != "added" or hunk.old_start == hunk.old_end
    assert at == (len(old), len(new))


@given(texts, texts, st.integers(0, 300))
def test_hunks_lead_from_one_text_to_the_other(old: str, new: str, steps: int) -> None:
    check(old, new, compare(old, new))
    check(old, new, compare(old, new, Budget(steps)))


def shown(old: str, new: str) -> str:
    """The new text with what is gone in brackets, and what is new in braces."""
    signs = {"equal": "{}", "delete": "[{}]", "insert": "{{{}}}"}
    found = compare(old, new)
    check(old, new, found)
    said = ""
    for hunk in found.hunks:
        for one in hunk.edits or [as_edit(hunk)]:
            text = old[one.old_start : one.old_end] or new[one.new_start : one.new_end]
            said += signs[one.kind].format(text)
    return said


def test_what_a_reader_sees() -> None:
    assert shown("雨停了。他推开门。", "雨停了。他关上门。") == "雨停了。他[推开]{关上}门。"
    # A paragraph that came in between pairs nothing wrongly.
    old, new = "甲来了，灯亮着。\n乙走了，门关着。", "甲来了，灯灭了。\n新来的。\n乙走了，门开着。"
    assert shown(old, new) == "甲来了，灯[亮着]{灭了}。\n{新来的。\n}乙走了，门[关]{开}着。"
    # Letters that two sentences share by chance do not cut them in pieces.
    assert shown("他一声不响地走到了窗边。", "他喝完了整整一壶冷茶。").count("[") == 1
    assert shown("一\n二\n三\n", "三\n一\n二\n") == "{三\n}一\n二\n[三\n]"
    assert shown("同", "同") == "同"
    assert shown("", "新") == "{新}"


def test_a_long_chapter_touched_everywhere_is_compared_by_the_letter() -> None:
    lines = [f"{number}{LINE}" for number in range(8_000)]
    new = "".join(lines).replace("铜铃", "银铃")
    found = compare("".join(lines), new)
    assert (found.added, found.removed, found.coarse) == (8_000, 8_000, False)


def test_texts_that_defeat_a_comparison_end_coarse() -> None:
    dice = random.Random(1)
    old, new = ("".join(dice.choices("ab", k=200_000)) for _ in range(2))
    budget = Budget()
    found = compare(old, new, budget)
    check(old, new, found)
    assert found.coarse
    # What was refused was not done: a whole round costs no more than the texts' length.
    assert budget.left > -2 * 200_000
    lines = compare("\n".join(old), "\n".join(new))
    assert lines.coarse
    assert len(lines.hunks) < 10
