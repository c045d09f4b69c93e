"""The words around a place in a text, cut where a sentence, a clause or a word ends."""

from __future__ import annotations

CONTEXT = 30  # characters of a hit's paragraph before it and after it
MORE = 20  # and so many more where none of these is an edge
_ENDS = "。！？…；，、：—"  # of a clause or a sentence, without a space after it
_CLOSING = "”’」』）)》〉】]\"'"
_NO_BEGIN = _ENDS + _CLOSING + ".,;:!?"
_MARKS = "，,、：:；;—"  # say nothing before an ellipsis


def excerpt(text: str, offset: int, length: int) -> tuple[str, int]:
    """The hit's surroundings in its own paragraph, and where in them it begins.

    With … on each side that was cut. Offsets are in code points.
    """
    ends = offset + length
    first = text.rfind("\n", 0, offset) + 1
    last = text.find("\n", ends)
    last = len(text) if last < 0 else last
    start, end = _start(text, first, offset), _end(text, ends, last)
    before, after = text[start:offset], text[ends:end]
    if end < last:
        after = after.rstrip().rstrip(_MARKS) + "…"
    if start > first:
        before = "…" + before
    return before + text[offset:ends] + after, len(before)


def _start(text: str, first: int, offset: int) -> int:
    wanted = offset - CONTEXT
    if wanted <= first:
        return first
    near = next((at for at in range(wanted, offset) if _is_edge(text, at)), None)
    if near is not None:
        return near
    farther = range(wanted - 1, max(first, wanted - MORE) - 1, -1)
    return next((at for at in farther if at == first or _is_edge(text, at)), wanted)


def _end(text: str, ends: int, last: int) -> int:
    wanted = ends + CONTEXT
    if wanted >= last:
        return last
    near = next((at for at in range(wanted, ends, -1) if _is_edge(text, at)), None)
    if near is not None:
        return near
    farther = range(wanted + 1, min(last, wanted + MORE) + 1)
    return next((at for at in farther if at == last or _is_edge(text, at)), wanted)


def _is_edge(text: str, at: int) -> bool:
    """Whether a clause or a word begins here: nothing is that would have to stand before it."""
    if text[at].isspace() or text[at] in _NO_BEGIN:
        return False
    before = text[at - 1]
    if before in _CLOSING:  # what was said ends with it: 他说：“走。”她
        return text[at - 2 : at - 1] in _ENDS
    return before.isspace() or before in _ENDS
