"""Finding many fixed strings in a long text, longest first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator


class Lexicon:
    """Longest-match scanner over a set of surface forms.

    The work per position depends on the forms that share its first character only, so a
    thousand known names cost about as much as ten. With ``whole_words`` a form must not
    touch a letter or digit on either side.
    """

    def __init__(self, forms: Iterable[str], *, whole_words: bool) -> None:
        self._whole_words = whole_words
        self._by_first: dict[str, list[str]] = defaultdict(list)
        for form in set(forms):
            if form:
                self._by_first[form[0]].append(form)
        for group in self._by_first.values():
            group.sort(key=lambda form: (-len(form), form))
        firsts = "".join(re.escape(c) for c in sorted(self._by_first))
        self._starts = re.compile(f"[{firsts}]") if firsts else None

    def scan(self, text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Spans of the forms in order, none overlapping."""
        if self._starts is None:
            return
        end = len(text) if end is None else end
        position = start
        while (found := self._starts.search(text, position, end)) is not None:
            at = found.start()
            form = self._match(text, at, end)
            if form is None:
                position = at + 1
                continue
            position = at + len(form)
            yield at, position

    def _match(self, text: str, at: int, end: int) -> str | None:
        if self._whole_words and at and text[at - 1].isalnum():
            return None
        for form in self._by_first[text[at]]:
            stop = at + len(form)
            if stop <= end and text.startswith(form, at):
                touches = self._whole_words and stop < len(text) and text[stop].isalnum()
                if not touches:
                    return form
        return None
