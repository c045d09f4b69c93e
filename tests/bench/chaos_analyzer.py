"""Chapters that bear a mark, and an analyzer that finds it after 5 to 200 ms.

The mark makes each finding recognisable: whose it is, and whether it is there once.
"""

from __future__ import annotations

import random
import re
import threading

from analysis.analyzers.base import Analyzer, ChapterInput, Check, FeatureResult, Session
from analysis.features import FEATURES, FeatureKey
from arboris.bible.types.findings import Finding
from tests.analyzers import appearances

SHORTEST, LONGEST = 0.005, 0.2
PEOPLE = ("沈砚秋", "顾长风", "陆知白", "苏晚棠", "叶无声")
MARK = re.compile(r"(\w+)看见了印记〔(\d+)〕")
PADDING = "檐下的铜铃响了三声，廊外的雨还没有停。" * 12  # over min_chapter_length


def text_of(mark: int) -> str:
    """A chapter's text whose one finding is this mark."""
    return f"{PADDING}\n{PEOPLE[mark % len(PEOPLE)]}看见了印记〔{mark}〕。\n"


def mark_in(text: str) -> int:
    """The mark of a text, or of the quote of a finding; -1 where there is none."""
    found = MARK.search(text)
    return int(found[2]) if found else -1


class Brief(Analyzer):
    name = "brief"

    def open(self, chapter: ChapterInput) -> Session:
        return BriefSession(chapter.text)


class BriefSession(Session):
    """Spreads its time evenly over the features, so that a kill may hit before or after any."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pause = random.uniform(SHORTEST, LONGEST) / len(FEATURES)

    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        threading.Event().wait(self.pause)  # the work
        check(1.0)
        found: list[Finding] = []
        if feature == "character_tracking":
            found = appearances(MARK, self.text)
        return FeatureResult(found)
