"""Which chapters an export holds, and their texts from the database, a few at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from arboris.novels.manuscript import Manuscript, Part
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume, WorkingCopy
from arboris.novels.text import Language

BATCH = 50  # texts in memory at once
FRONT = ("title", "writer", "synopsis")
DEFAULT_FRONT = frozenset(("title", "writer"))
_UNTITLED: dict[Language, str] = {"zh": "第 {} 章", "en": "Chapter {}"}
_CHOICE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


class BadChoice(Exception):
    """What was asked for is not there; ``field`` names the parameter at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wish:
    """What the writer wants in the file; ``chapters`` as in the query, empty: all of them."""

    chapters: str = ""
    volume: str = ""  # its id, or its place from 1
    front: frozenset[str] = DEFAULT_FRONT
    writer: str = ""  # a pen name in the place of the account's


def chosen(project: NovelProject, chapters: str) -> QuerySet[Chapter]:
    """The chapters of a list of ids, or of numbers and ranges of numbers (``3,5-8``).

    They are taken as ids where each of them is one of this novel. Raises BadChoice.
    """
    rows = project.chapters.order_by("chapter_number")
    if not chapters.strip():
        return rows
    found = [_CHOICE.fullmatch(part.strip()) for part in chapters.split(",")]
    if not all(found):
        raise BadChoice("chapters", _("Must be ids or numbers of chapters: 3,5-8."))
    pairs = [(int(one[1]), int(one[2] or one[1])) for one in found if one]
    known = dict(rows.values_list("pk", "chapter_number"))
    if all(low == high and low in known for low, high in pairs):
        return rows.filter(pk__in=[low for low, _high in pairs])
    numbers = sorted(known.values())
    wanted: set[int] = set()
    for low, high in pairs:
        here = [number for number in numbers if low <= number <= high]
        if not here:
            raise BadChoice("chapters", _("The novel has no chapter %(number)d.") % {"number": low})
        wanted.update(here)
    return rows.filter(chapter_number__in=wanted)


def manuscript(project: NovelProject, wish: Wish) -> Manuscript:
    """What the writers of files need to know of the novel. Raises BadChoice."""
    found = chosen(project, wish.chapters)
    if wish.volume:
        found = found.filter(volume=_volume(project, wish.volume))
    columns = ("pk", "chapter_number", "title", "updated_at", "volume_id", "volume__title")
    rows = list(found.values_list(*columns))
    if not rows:
        raise BadChoice("chapters", _("There is no chapter to export yet."))
    typed = WorkingCopy.objects.filter(chapter__in=found.values("pk")).exclude(title=None)
    titles = dict(typed.values_list("chapter_id", "title"))
    volumes = _openings([(row[4], row[5]) for row in rows]) if not wish.volume else [""] * len(rows)
    language = cast(Language, project.language)
    name = wish.writer or project.owner.get_full_name() or project.owner.get_username()
    return Manuscript(
        identifier=project.pk.urn,
        title=project.title,
        language=language,
        modified=max(project.updated_at, *(row[3] for row in rows)),
        parts=[
            Part(
                (titles.get(row[0], row[2]) or "").strip() or _UNTITLED[language].format(row[1]),
                volume,
            )
            for row, volume in zip(rows, volumes, strict=True)
        ],
        texts=lambda: texts([row[0] for row in rows]),
        author=name if "writer" in wish.front else "",
        synopsis=project.synopsis if "synopsis" in wish.front else "",
        title_page="title" in wish.front,
    )


def _volume(project: NovelProject, asked: str) -> Volume:
    volumes = list(project.volumes.order_by("position"))
    by_name = {str(place): volume for place, volume in enumerate(volumes, start=1)}
    by_name |= {str(volume.pk): volume for volume in volumes}
    if asked not in by_name:
        raise BadChoice("volume", _("The novel has no such volume."))
    return by_name[asked]


def _openings(volumes: Sequence[tuple[int | None, str | None]]) -> list[str]:
    """For each chapter the title of the volume that begins with it, or none."""
    before = [None, *(pk for pk, _title in volumes)]
    return [
        (title or "").strip() if pk != last else ""
        for (pk, title), last in zip(volumes, before, strict=False)
    ]


def texts(chapters: Sequence[int]) -> Iterator[str]:
    """The newest text of each chapter, in the order of their ids as given; what was typed since
    the newest version goes before it."""
    for at in range(0, len(chapters), BATCH):
        part = chapters[at : at + BATCH]
        newest = ChapterVersion.objects.filter(
            chapter_id__in=part, number=F("chapter__version")
        ).values_list("chapter_id", "content")
        contents = dict(newest)
        typed = WorkingCopy.objects.filter(chapter_id__in=part)
        contents |= dict(typed.values_list("chapter_id", "content"))
        for pk in part:
            yield contents.get(pk, "")  # none: deleted since the list was made
