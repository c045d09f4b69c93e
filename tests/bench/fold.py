"""``python -m tests.bench.fold``: what one more chapter costs the bible of a long novel.

Novels of several lengths are folded (40 findings a chapter: a leading cast, newcomers, states,
places, seeds and pay-offs). Then chapters are added at the end of each, one transaction each; and
one is added before the last, as when a neighbour's analysis ends first. The time is that of
``bible_service.record`` with its commit; beside it what the analysis reads of the bible before it
begins, folding the whole novel anew, asking what half of a chapter in its middle would do to the
bible, a writer's decision (to merge two people, which may change any entry), and what is folded
behind after it; and what a paragraph that is being written contradicts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from tests import servers

if TYPE_CHECKING:
    from arboris.bible.types.findings import Finding
    from arboris.novels.models import Chapter, NovelProject

ADDED = 15  # chapters, timed one by one


@contextlib.contextmanager
def database(name: str) -> Iterator[None]:
    """A fresh database of that make, with Django set up on it."""
    start = {"mariadb": servers.mariadb, "postgresql": servers.postgresql}.get(name)
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(start()) if start else f"sqlite:///{directory}/arboris.db"
        os.environ |= {"DATABASE_URL": url, "ARBORIS_DATA_DIR": directory}
        os.environ |= {"DJANGO_SECRET_KEY": "bench" * 12, "ARBORIS_LOG_LEVEL": "WARNING"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arboris.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield


class Author:
    """Says forty things in a chapter, the same for the same number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.dice = random.Random(number)
        self._said = 0
        leading = [f"主角{n}号" for n in range(8)]
        self.newcomers = [f"路人{number}甲", f"路人{number}乙"]
        self.known = self.dice.sample(leading, 6)

    def say(self, what: str) -> dict[str, Any]:
        """The quote, each at a place of its own."""
        from arboris.bible.types.findings import Evidence

        self._said += 20
        evidence = Evidence(quote=what, start=self._said, end=self._said + len(what))
        return {"evidence": evidence, "confidence": 0.9}

    def people(self) -> Iterator[Finding]:
        from arboris.bible.types import findings as f

        say, number = self.say, self.number
        for n in [*self.known, *self.newcomers]:
            yield f.Appearance(name=n, aliases=[n + "兄"], mentions=5, **say(f"{n}来了{number}"))
        for n in self.newcomers:
            yield f.NewCharacter(name=n, aliases=[], **say(f"{n}初到{number}"))
        for n in self.known:
            hurt, got = f"伤{number}", f"得到第{number}剑"
            yield f.StateChange(character=n, kind="condition", description=hurt, **say(n + "伤"))
            yield f.StateChange(character=n, kind="possession", description=got, **say(n + "得剑"))
        here = [*self.known, *self.newcomers]
        for one, other in pairwise(here[:5]):
            yield f.Relation(source=one, target=other, relation="同门", **say(f"{one}同门{number}"))

    def world(self) -> Iterator[Finding]:
        from arboris.bible.types import findings as f

        old = [f"旧城{n}" for n in self.dice.sample(range(60), 5)]
        for n in [*old, f"新地{self.number}"]:
            yield f.WorldFact(type="location", name=n, aliases=[], description="城", **self.say(n))
        sword = f"第{self.number}剑"
        yield f.WorldFact(type="item", name=sword, aliases=[], **self.say(sword))

    def threads(self) -> Iterator[Finding]:
        from arboris.bible.types import findings as f

        number = self.number
        for n in range(3):
            word, hint = f"物{number}{n}", self.say(f"物{number}{n}之谜")
            yield f.Foreshadowing(kind="hint", description="线索", keywords=[word], **hint)
        for back in (3, 9):
            word, told = f"物{number - back}0", self.say(f"谜底{number}{back}")
            if number > back:
                yield f.Payoff(outcome="paid_off", description="揭晓", keywords=[word], **told)


def found_in(number: int) -> list[Finding]:
    """Forty findings of a chapter, the same for the same number."""
    author = Author(number)
    return [*author.people(), *author.world(), *author.threads()]


def grown(length: int) -> NovelProject:
    """A novel of that length with findings in all chapters, folded."""
    from django.contrib.auth.models import User

    from arboris.bible.models import Finding as Row
    from arboris.novels.models import Chapter, ChapterVersion, NovelProject

    owner = User.objects.create(username=f"bench{length}")
    project = NovelProject.objects.create(owner=owner, title=f"{length}")
    Chapter.objects.bulk_create(
        [Chapter(project=project, chapter_number=n) for n in range(1, length + 1)]
    )
    chapters = list(project.chapters.all())
    ChapterVersion.objects.bulk_create(
        [ChapterVersion(chapter=c, number=1, content="字") for c in chapters]
    )
    versions = dict(
        ChapterVersion.objects.filter(chapter__project=project).values_list("chapter_id", "pk")
    )
    Row.objects.bulk_create(
        (
            Row(
                project=project,
                chapter=chapter,
                version_id=versions[chapter.pk],
                task_id=1,
                feature="character_tracking",
                type=finding.type,
                payload=finding.model_dump(mode="json"),
                quote=finding.evidence.quote,
                start=finding.evidence.start,
                end=finding.evidence.end,
                confidence=finding.confidence,
            )
            for chapter in chapters
            for finding in found_in(chapter.chapter_number)
        ),
        batch_size=1000,
    )
    return project


def chapter_at(project: NovelProject, number: int) -> Chapter:
    from arboris.novels.models import Chapter, ChapterVersion

    chapter = Chapter.objects.create(project=project, chapter_number=number)
    ChapterVersion.objects.create(chapter=chapter, number=1, content="字")
    return chapter


def recorded(project: NovelProject, chapter: Chapter) -> None:
    from analysis.pipeline.run import Stated
    from arboris.bible import service as bible_service
    from arboris.db import in_transaction
    from arboris.novels import services

    version_id = chapter.current.pk
    found = [
        Stated("character_tracking", one, verified=True) for one in found_in(chapter.chapter_number)
    ]

    def work() -> None:
        locked = services.lock_project(project.pk)
        bible_service.record(
            locked, chapter_id=chapter.pk, version_id=version_id, task_id=2, findings=found
        )

    in_transaction(work)


def known(chapter: Chapter) -> None:
    from arboris.bible.known import before

    before(chapter)


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def looked_ahead(project: NovelProject, number: int) -> None:
    """As before saving a chapter with every other quote of its own."""
    from arboris.bible import impact

    quotes = [finding.evidence.quote for finding in found_in(number)]
    impact.of_text(project.chapters.get(chapter_number=number), "\n".join(quotes[::2]))


def decided(project: NovelProject, number: int) -> None:
    from arboris.workspace.bible import service as decisions

    people = project.characters.filter(name__in=[f"路人{number}甲", f"路人{number}乙"])
    one, other = people.values_list("pk", flat=True)
    asked = {"action": "merge", "type": "character", "id": one, "into": other}
    decisions.decide(project.pk, project.owner_id, asked)


def checked(project: NovelProject, number: int) -> None:
    """As after a pause in typing: a paragraph of 200 characters in a chapter of 3,000."""
    from arboris.workspace.chapters.check import found_in_text

    paragraph = "主角1号推开门，低声说：“走吧。”主角2号点了点头，褐色的眼睛里没有光。雨还在下。" * 5
    content = "\n".join([paragraph] * 15)
    end = len(content)
    chapter = project.chapters.get(chapter_number=number)
    found_in_text(chapter, content, end - len(paragraph), end)


def measure(length: int) -> list[float]:
    """Medians of a chapter at the end, one before it, reading, impact, check, decision; folds."""
    from arboris.bible import behind as folding
    from arboris.bible import service as bible_service
    from arboris.db import in_transaction

    project = grown(length)
    anew = milliseconds(lambda: in_transaction(lambda: bible_service.rebuild(project.pk)))
    last, before, reading = [], [], []
    for step in range(ADDED):
        number = length + 2 * step + 2
        following = chapter_at(project, number)
        last.append(milliseconds(lambda following=following: recorded(project, following)))  # type: ignore[misc]
        earlier = chapter_at(project, number - 1)
        before.append(milliseconds(lambda earlier=earlier: recorded(project, earlier)))  # type: ignore[misc]
        reading.append(milliseconds(lambda following=following: known(following)))  # type: ignore[misc]
    ahead = [milliseconds(lambda: looked_ahead(project, length // 2)) for _ in range(3)]
    decisions = [
        milliseconds(lambda number=number: decided(project, number))  # type: ignore[misc]
        for number in range(1, 10)
    ]
    behind = milliseconds(folding.fold_behind)
    again = milliseconds(lambda: in_transaction(lambda: bible_service.rebuild(project.pk)))
    checks = [milliseconds(lambda: checked(project, length)) for _ in range(9)]
    medians = (median(times) for times in (last, before, reading, ahead, checks, decisions))
    return [*medians, behind, anew, again]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fold", description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[20, 200, 2000])
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "mariadb", "postgresql"])
    arguments = parser.parse_args()
    table = Table(title=f"One more chapter of 40 findings, in ms ({arguments.database})")
    for column in (
        "chapters",
        "at the end",
        "before the last",
        "read before",
        "impact",
        "check",
        "a decision",
        "folded behind",
        "all, first",
        "all anew",
    ):
        table.add_column(column, justify="right")
    with database(arguments.database):
        for length in arguments.lengths:
            figures = measure(length)
            table.add_row(str(length), *(f"{figure:.1f}" for figure in figures))
            print(length, *(round(figure, 1) for figure in figures), file=sys.stderr, flush=True)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
