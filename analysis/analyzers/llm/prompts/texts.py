"""The texts of the analysis that staff may read and change."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.analyzers.llm.tasks import TASKS
from arboris.llm.prompt_texts import Prompt
from arboris.llm.routes import ANALYSIS

from .wording import EN, ZH

# What every answer is read by.
_RULES = ("CHAPTER", "quote", "confidence", "name", "aliases")


def texts() -> Iterator[Prompt]:
    """The rules of all questions, then the task of each; the fields of its answer stand in it."""
    for language, wording in (("zh", ZH), ("en", EN)):
        yield Prompt(ANALYSIS, language, wording.rules, _RULES)
        for feature, text in wording.tasks.items():
            needs = tuple(TASKS[feature].form.model_fields)
            yield Prompt(feature, language, text, needs)
