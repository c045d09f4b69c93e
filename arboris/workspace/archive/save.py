"""Writing the archive of a novel. The same novel gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import IO

from analysis.models import LIVE, Status
from arboris.bible import portable
from arboris.novels.importing import novel_archive as archive
from arboris.novels.manuscript.zips import FixedZip
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, WorkingCopy
from arboris.workspace.bible import export as bible_export
from arboris.workspace.chapters.service import newest_tasks


def write_archive(project: NovelProject, target: IO[bytes]) -> None:
    """One chapter at a time, so that memory does not grow with the novel's texts."""
    chapters = list(project.chapters.order_by("chapter_number").values_list("pk", flat=True))
    volumes = list(project.volumes.order_by("position"))
    in_order = {volume.pk: place for place, volume in enumerate(volumes, start=1)}
    places = {pk: place for place, pk in enumerate(chapters, start=1)}
    novel = archive.ArchivedNovel(
        title=project.title,
        genre=project.genre,
        synopsis=project.synopsis,
        language=project.language,
        volumes=[volume.title for volume in volumes],
    )
    manifest = archive.Manifest(
        format=archive.FORMAT, version=archive.VERSION, novel=novel, chapters=len(chapters)
    )
    decisions = portable.decisions_of(project.pk, places)
    with FixedZip(target) as out:
        out.add(archive.MANIFEST, archive.as_json(manifest))
        plain = {"decisions": [asdict(decision) for decision in decisions]}
        out.add(archive.DECISIONS, archive.as_json(plain))
        out.add(archive.BIBLE, bible_export.as_json(project)[0])
        for pk, place in places.items():
            _write_chapter(out, place, Chapter.objects.get(pk=pk), in_order)


def _write_chapter(out: FixedZip, place: int, chapter: Chapter, volumes: Mapping[int, int]) -> None:
    versions = []
    for pk in chapter.versions.order_by("number").values_list("pk", flat=True):
        version = ChapterVersion.objects.get(pk=pk)
        out.add(archive.text_name(place, version.number), version.content)
        findings = [asdict(finding) for finding in portable.findings_of(version.pk)]
        if findings:
            name = archive.findings_name(place, version.number)
            out.add(name, archive.as_json({"findings": findings}))
        versions.append(
            archive.ArchivedVersion(
                number=version.number,
                name=version.name,
                source=version.source,
                created_at=version.created_at,
                findings=len(findings),
            )
        )
    about = archive.ArchivedChapter(
        number=chapter.chapter_number,
        volume=volumes.get(chapter.volume_id) if chapter.volume_id else None,
        title=chapter.title,
        notes=chapter.notes,
        summary=chapter.summary,
        created_at=chapter.created_at,
        updated_at=chapter.updated_at,
        versions=versions,
        working=_working(out, place, chapter),
        analysis=_analysis(chapter),
    )
    out.add(archive.chapter_name(place), archive.as_json(about))


def _working(out: FixedZip, place: int, chapter: Chapter) -> archive.ArchivedWorkingCopy | None:
    copy = WorkingCopy.objects.filter(chapter=chapter).first()
    if copy is None:
        return None
    out.add(archive.working_name(place), copy.content)
    return archive.ArchivedWorkingCopy(title=copy.title, saved_at=copy.saved_at)


def _analysis(chapter: Chapter) -> archive.ArchivedAnalysis | None:
    """None: there is no analysis of the newest text, or it came to nothing."""
    task = newest_tasks(chapter.project_id, [chapter.pk]).get(chapter.pk)
    if task is None or task.status not in (*LIVE, Status.COMPLETED):
        return None
    completed = task.status == Status.COMPLETED
    return archive.ArchivedAnalysis(
        status="completed" if completed else "waiting",
        completed_at=task.completed_at if completed else None,
        priority=task.priority,
        generation_config=task.generation_config,
    )
