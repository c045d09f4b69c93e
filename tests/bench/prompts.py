"""``python -m tests.bench.prompts``: how many tokens the questions about one chapter have.

All features of a Chinese chapter of 2,000 characters, with an empty bible and with that of a long
novel. "Uncached" counts once what the questions have in common at their beginning. Tokens are
estimated as the accounts do it where an endpoint reports none: one for each Chinese character, one
for four Latin letters. The form of the answer, which most endpoints take in a field of its own, is
not counted.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from analysis.analyzers.base import ChapterInput

SAMPLE = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample" / "zh.md"
CHARACTERS = 2_000


def chapter(text: str, *, known: int) -> ChapterInput:
    """A chapter that names the first tenth of all that is ``known``."""
    from analysis.analyzers.base import (
        ChapterInput,
        KnownCharacter,
        KnownEntity,
        KnownFact,
        OpenThread,
    )

    words = sorted({text[at : at + 3] for at in range(0, known * 3, 3)})
    named = iter(words[: known // 10])
    names = [next(named, f"某人{number}") for number in range(known)]
    return ChapterInput(
        text=text,
        language="zh",
        chapter_number=900,
        title="第九百章",
        known_characters=tuple(
            KnownCharacter(number, name, (f"{name}又名",), "supporting")
            for number, name in enumerate(names, 1)
        ),
        known_entities=tuple(KnownEntity("location", f"{name}城") for name in names),
        open_threads=tuple(
            OpenThread(
                number, f"第{number}条线索：{text[number : number + 40]}", text[:90], ("灯",)
            )
            for number in range(known // 2)
        ),
        known_facts=tuple(
            KnownFact(name, "condition", text[number : number + 30], number, text[number:][:90])
            for number, name in enumerate(names[: known // 10])
        ),
    )


def asked(given: ChapterInput) -> list[str]:
    from analysis.analyzers.llm import prompts
    from analysis.analyzers.llm.chunks import Chunk
    from analysis.features import FEATURES

    whole = Chunk(0, len(given.text))
    asked = [key for key, feature in FEATURES.items() if given.known_facts or not feature.compares]
    questions = [prompts.messages(given, feature, whole, 1, 1) for feature in asked]
    return ["\n".join(str(m["content"]) for m in question) for question in questions]


def measure(given: ChapterInput) -> dict[str, int]:
    from arboris.llm.accounting.admission import rough_tokens

    texts = asked(given)
    alike = texts[0]
    while not all(text.startswith(alike) for text in texts):
        alike = alike[:-1]
    rest = sum(rough_tokens(text[len(alike) :]) for text in texts)
    return {
        "all": sum(map(rough_tokens, texts)),
        "uncached": rough_tokens(alike) + rest,
        "alike": rough_tokens(alike),
    }


def main() -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "arboris.settings", "DJANGO_SECRET_KEY": "bench" * 12}
    with tempfile.TemporaryDirectory(prefix="arboris-bench-") as directory:
        os.environ["ARBORIS_DATA_DIR"] = directory
        import django

        django.setup()
        text = SAMPLE.read_text(encoding="utf-8")[:CHARACTERS]
        results: dict[str, dict[str, int]] = {}
        table = Table("tokens asked for one chapter", "all", "uncached", "alike", "goal")
        for what, known, goal in (("empty bible", 0, 5_000), ("long novel", 500, 12_000)):
            results[what] = row = measure(chapter(text, known=known))
            table.add_row(what, *(f"{number:,}" for number in row.values()), f"≤ {goal:,}")
        Console().print(table)
        print(json.dumps(results, ensure_ascii=False))


if __name__ == "__main__":
    main()
