"""spaCy's named entities as votes beside the rules, where a model is installed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from .spans import Passages

_CHUNK = 1500  # code points that spaCy sees at once


def entity_hints(
    nlp: Any, passages: Passages, check: Callable[[float], None]
) -> dict[str, Counter[str]]:
    """How often the model gave a form which label: {"Paris": {"GPE": 3}}."""
    hints: dict[str, Counter[str]] = defaultdict(Counter)
    done, total = 0, max(1, len(passages.text))
    for document in nlp.pipe(_chunks(passages), batch_size=4):
        for entity in document.ents:
            form = " ".join(entity.text.split()).removesuffix("'s").removesuffix("’s")
            form = form.removeprefix("the ").removeprefix("The ")
            hints[form][entity.label_] += 1
        done += len(document.text)
        check(min(1.0, done / total))
    return dict(hints)


def _chunks(passages: Passages) -> Iterator[str]:
    start = end = 0
    for segment in passages.segments:
        if segment.end - start > _CHUNK and end > start:
            yield passages.text[start:end]
            start = segment.start
        end = segment.end
    if end > start:
        yield passages.text[start:end]
