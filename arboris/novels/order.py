"""The order of a novel's chapters, and its volumes; the caller holds the novel's lock.

A chapter's number is its place in the order. What is in the trash keeps its own, and has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from arboris.novels.models import Chapter, NovelProject, Volume

BATCH = 200  # chapters that one statement moves


class NotTheNovel(Exception):
    """What was given are not the novel's chapters, each once; the sentence names the first."""


@dataclass(frozen=True, slots=True)
class Part:
    """A volume, or all that there is where the novel has none: its chapters by id, in order."""

    title: str
    chapters: tuple[int, ...]


def parts(project: NovelProject) -> list[Part]:
    """The novel in its order; a volume may be empty."""
    rows = list(project.chapters.values_list("volume_id", "pk"))
    chapters = {of: tuple(pk for _, pk in group) for of, group in groupby(rows, lambda row: row[0])}
    volumes = [Part(volume.title, chapters.get(volume.pk, ())) for volume in project.volumes.all()]
    loose = chapters.get(None, ())
    return [Part("", loose), *volumes] if loose or not volumes else volumes


def arrange(project: NovelProject, wanted: Sequence[Part]) -> dict[int, int]:
    """Give the novel this order and these volumes; returns what became of the numbers.

    Raises NotTheNovel unless each of its chapters is named once.
    """
    numbers = dict(project.chapters.values_list("pk", "chapter_number"))
    named = [pk for part in wanted for pk in part.chapters]
    _check(project, named, numbers)
    moved = renumber(numbers, {pk: number for number, pk in enumerate(named, start=1)})
    _divide(project, wanted)
    return moved


def make_room(project: NovelProject, after: int) -> tuple[int, dict[int, int]]:
    """Free the number after that one, and return it with what became of the others.

    Those behind it move on as far as the next gap.
    """
    later = project.chapters.filter(chapter_number__gt=after)
    rows = list(later.order_by("chapter_number").values_list("pk", "chapter_number"))
    close = [pk for at, (pk, number) in enumerate(rows) if number == after + 1 + at]
    numbers = dict(rows[: len(close)])
    return after + 1, renumber(numbers, {pk: number + 1 for pk, number in numbers.items()})


def renumber(numbers: dict[int, int], wanted: dict[int, int]) -> dict[int, int]:
    """Give the chapters (by id) other numbers; returns the new by the old where they differ."""
    changed = {pk: number for pk, number in wanted.items() if number != numbers[pk]}
    for batch in _batches(changed):
        Chapter.objects.filter(pk__in=batch).update(aside=F("pk"))
    for batch in _batches(changed):
        cases = [When(pk=pk, then=Value(changed[pk])) for pk in batch]
        Chapter.objects.filter(pk__in=batch).update(chapter_number=Case(*cases), aside=0)
    return {numbers[pk]: number for pk, number in changed.items()}


def _check(project: NovelProject, named: list[int], known: Iterable[int]) -> None:
    left = set(known)
    for pk in named:
        if pk not in left:
            twice = pk in known
            sentence = _("Chapter %(id)d is named twice.") if twice else _("No chapter %(id)d.")
            raise NotTheNovel(sentence % {"id": pk})
        left.remove(pk)
    if left:
        missing = project.chapters.filter(pk__in=list(left)[:BATCH])[0]
        values = {"id": missing.pk, "title": missing.title or missing.chapter_number}
        raise NotTheNovel(_("Chapter %(id)d (%(title)s) is missing.") % values)


def _divide(project: NovelProject, wanted: Sequence[Part]) -> None:
    """The volumes, in the rows that there are; one without a title is no division."""
    divided = list(wanted) if len(wanted) > 1 or any(part.title for part in wanted) else []
    rows = list(project.volumes.all())
    project.volumes.filter(pk__in=[row.pk for row in rows[len(divided) :]]).delete()
    for position, part in enumerate(divided, start=1):
        if position > len(rows):
            rows.append(Volume.objects.create(project=project, title=part.title, position=position))
        row = rows[position - 1]
        if (row.title, row.position) != (part.title, position):
            Volume.objects.filter(pk=row.pk).update(title=part.title, position=position)
        for batch in _batches(part.chapters):
            others = Chapter.objects.filter(pk__in=batch).exclude(volume=row)
            others.update(volume=row)


def _batches(keys: Iterable[int]) -> Iterator[list[int]]:
    """In the order of the primary key, as all who lock several rows of a table."""
    ordered = sorted(keys)
    for at in range(0, len(ordered), BATCH):
        yield ordered[at : at + BATCH]
