"""What stands in the archive of a novel: names of its entries, and the shape of those in JSON.

Ids in it are local: a chapter is called by its place in the archive. No ORM here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from arboris.novels.importing.archive import Archive
from arboris.novels.importing.types import ImportLimits, NovelImportError
from arboris.storable import find_unstorable

FORMAT = "arboris-novel"
VERSION = 1  # grows where a reader of the old one would go wrong
MANIFEST = "manifest.json"
DECISIONS = "decisions.json"
BIBLE = "bible.json"  # for people and other programs: it is folded anew from the findings
# Two thousand chapters with thirty versions each, which all have findings.
LIMITS = ImportLimits(
    unpacked_bytes=1024 * 1024 * 1024, entries=125_000, entry_bytes=8 * 1024 * 1024
)

M = TypeVar("M", bound=BaseModel)
Number = Annotated[int, Field(ge=1, le=1_000_000_000)]
Title = Annotated[str, Field(max_length=200)]
Plain = dict[str, Any]
# Every database can hold these, in any time zone.
Time = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC)),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ArchivedNovel(_Strict):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    genre: Annotated[str, Field(max_length=100)]
    synopsis: Annotated[str, Field(max_length=20_000)]
    language: Literal["zh", "en"]
    volumes: Annotated[list[Title], Field(max_length=1_000)]  # in order


class Manifest(_Strict):
    format: Literal["arboris-novel"]
    version: Literal[1]
    novel: ArchivedNovel
    chapters: Annotated[int, Field(ge=0, le=5_000)]


class ArchivedVersion(_Strict):
    number: Number
    name: Title
    source: Literal["written", "imported", "generated", "draft"]
    created_at: Time
    findings: Annotated[int, Field(ge=0, le=100_000)]


class ArchivedWorkingCopy(_Strict):
    """What was typed since the newest version; ``title`` None: the chapter's is as it was."""

    title: Title | None
    saved_at: Time


class ArchivedAnalysis(_Strict):
    """Of the newest version: completed at a time, or still waiting."""

    status: Literal["completed", "waiting"]
    completed_at: Time | None
    priority: Annotated[int, Field(ge=1, le=10)]
    generation_config: Plain


class ArchivedChapter(_Strict):
    """``volume``: its place among the novel's, from 1."""

    number: Number
    volume: Number | None
    title: Title
    notes: Annotated[str, Field(max_length=200_000)]
    summary: Annotated[str, Field(max_length=100_000)]
    created_at: Time
    updated_at: Time
    versions: Annotated[list[ArchivedVersion], Field(min_length=1, max_length=50_000)]
    working: ArchivedWorkingCopy | None
    analysis: ArchivedAnalysis | None


class ArchivedFinding(_Strict):
    feature: Annotated[str, Field(max_length=30)]
    verified: bool
    current: bool
    tier: Literal["applied", "marked", "waiting", "accepted"]
    content: Plain


class ArchivedDecision(_Strict):
    action: Annotated[str, Field(max_length=10)]
    params: Plain
    created_at: Time
    undone_at: Time | None


class _Findings(_Strict):
    findings: list[ArchivedFinding]


class _Decisions(_Strict):
    decisions: list[ArchivedDecision]


def chapter_name(place: int) -> str:
    return f"chapters/{place:05}/chapter.json"


def text_name(place: int, version: int) -> str:
    return f"chapters/{place:05}/version-{version}.md"


def findings_name(place: int, version: int) -> str:
    return f"chapters/{place:05}/findings-{version}.json"


def working_name(place: int) -> str:
    return f"chapters/{place:05}/working.md"


def as_json(value: BaseModel | dict[str, Any]) -> str:
    """One text for one content, whatever order a database gives the keys back in."""
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    written = json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True, default=_time)
    return f"{written}\n"


def _time(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} does not belong in an archive")
    return value.isoformat()


# --- reading ------------------------------------------------------------------------------------
class NovelArchive:
    """An archive that somebody uploaded; every read raises NovelImportError where it is wrong."""

    def __init__(self, data: bytes) -> None:
        self._zip = Archive(data, LIMITS, ".zip")
        if MANIFEST not in self._zip:
            raise wrong(MANIFEST, _("it is missing"))
        self.manifest = self._read(MANIFEST, Manifest)

    def chapter(self, place: int) -> ArchivedChapter:
        name = chapter_name(place)
        chapter = self._read(name, ArchivedChapter)
        numbers = [version.number for version in chapter.versions]
        if numbers != sorted(set(numbers)):
            raise wrong(f"{name}: versions", _("they are not in order"))
        if chapter.volume is not None and chapter.volume > len(self.manifest.novel.volumes):
            raise wrong(f"{name}: volume", _("there is no such volume"))
        return chapter

    def text(self, place: int, version: int) -> str:
        return self._text(text_name(place, version))

    def working_text(self, place: int) -> str:
        return self._text(working_name(place))

    def findings(self, place: int, version: int) -> list[ArchivedFinding]:
        return self._read(findings_name(place, version), _Findings).findings

    def decisions(self) -> list[ArchivedDecision]:
        return self._read(DECISIONS, _Decisions).decisions

    def _text(self, name: str) -> str:
        try:
            text = self._zip.read(name).decode()
        except UnicodeDecodeError as error:
            raise wrong(name, _("it is not UTF-8")) from error
        if problem := find_unstorable(text):
            raise wrong(name, problem)
        return text

    def _read(self, name: str, model: type[M]) -> M:
        text = self._text(name)
        try:
            plain = json.loads(text, parse_constant=_no_constant)
            _check_texts(name, plain)
            return model.model_validate(plain)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise wrong(f"{name}: {place}"[:200], _("this value is not allowed")) from error
        except (ValueError, RecursionError) as error:
            raise wrong(name, _("it is no valid JSON")) from error


def wrong(name: str, reason: str) -> NovelImportError:
    said = _("The archive cannot be read: %(name)s: %(reason)s.")
    return NovelImportError("bad_file", said % {"name": name, "reason": reason})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_texts(name: str, value: Any) -> None:
    if isinstance(value, str):
        if problem := find_unstorable(value):
            raise wrong(name, problem)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(name, key)
            _check_texts(name, item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(name, item)
