"""Novels, their volumes and chapters, and every version a chapter has had.

``objects`` of a novel or chapter leaves out what is in the trash, and so does ``project.chapters``;
``everything`` does not, nor does a foreign key that is followed (``task.chapter``), nor a join: a
query that comes from elsewhere asks for ``deleted_at`` itself.
"""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from arboris.logs import LONGEST_ID

M = TypeVar("M", bound=models.Model)


class Kept(models.Manager[M]):
    """What is not in the trash."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(deleted_at=None)


class NovelProject(models.Model):
    class Language(models.TextChoices):
        CHINESE = "zh", _("Chinese")
        ENGLISH = "en", _("English")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="projects", verbose_name=_("writer")
    )
    title = models.CharField(_("title"), max_length=200, db_index=True)
    genre = models.CharField(_("genre"), max_length=100, blank=True)
    synopsis = models.TextField(_("synopsis"), blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.CHINESE
    )
    muted = models.BooleanField(
        _("muted"),
        default=False,
        db_default=False,
        help_text=_("Its notifications are only listed: nothing pops up, and none is pushed."),
    )
    # What its writer has chosen of what is allowed (``llm.routes``); empty: the site's own.
    writing_model = models.CharField(
        _("model that writes"), max_length=200, blank=True, default="", db_default=""
    )
    analysis_model = models.CharField(
        _("model that analyses"), max_length=200, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    # Since when it is in the trash.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = Kept["NovelProject"]()
    everything = models.Manager["NovelProject"]()

    class Meta:
        verbose_name = _("novel")
        verbose_name_plural = _("novels")
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            # With what tells whether it is in the trash: the admin's list needs nothing else.
            models.Index(fields=["-created_at", "deleted_at"], name="novel_newest_kept"),
            models.Index(fields=["deleted_at"], name="novel_trash"),
        ]

    def __str__(self) -> str:
        return self.title


class Volume(models.Model):
    """A part of a novel: its chapters follow one another. ``position`` counts from 1."""

    project = models.ForeignKey(
        NovelProject, models.CASCADE, related_name="volumes", verbose_name=_("novel")
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    position = models.PositiveIntegerField(_("position"))

    class Meta:
        verbose_name = _("volume")
        verbose_name_plural = _("volumes")
        ordering = ["position"]

    def __str__(self) -> str:
        return self.title


class Chapter(models.Model):
    """``chapter_number`` is its place in the order; what is printed stands in the title."""

    project = models.ForeignKey(
        NovelProject, models.CASCADE, related_name="chapters", verbose_name=_("novel")
    )
    # None: the novel has no volumes.
    volume = models.ForeignKey(
        Volume,
        models.SET_NULL,
        related_name="chapters",
        verbose_name=_("volume"),
        null=True,
        blank=True,
    )
    chapter_number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True)
    word_count = models.PositiveIntegerField(_("words"), default=0)
    version = models.PositiveIntegerField(_("version"), default=1)
    notes = models.TextField(_("notes"), blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    # Since when it is in the trash.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    # No other chapter's while it does not take its number's place: in the trash, being moved or
    # made. The databases have no unique index in common that leaves some rows out.
    aside = models.BigIntegerField(default=0, db_default=0, editable=False)
    # One of many that are being made, see ``making``; out of sight as if it were in the trash.
    unfinished = models.BooleanField(default=False, db_default=False, editable=False)

    objects = Kept["Chapter"]()
    everything = models.Manager["Chapter"]()

    class Meta:
        verbose_name = _("chapter")
        verbose_name_plural = _("chapters")
        permissions = [("read_text", "Can read the text of chapters")]
        ordering = ["chapter_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "chapter_number", "aside"],
                name="chapter_place_once_per_novel",
            )
        ]
        indexes = [models.Index(fields=["deleted_at"], name="chapter_trash")]

    def __str__(self) -> str:
        return f"{self.chapter_number}. {self.title}"

    @property
    def current(self) -> ChapterVersion:
        return self.versions.get(number=self.version)


class ChapterVersion(models.Model):
    """One text of a chapter; never edited, so that quotes keep their place in it.

    Only a draft is: what a model has written of a chapter so far. It is not analysed.
    """

    class Source(models.TextChoices):
        WRITTEN = "written", _("written")
        IMPORTED = "imported", _("imported")
        GENERATED = "generated", _("generated")
        DRAFT = "draft", _("draft")

    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="versions", verbose_name=_("chapter")
    )
    number = models.PositiveIntegerField(_("version"))
    content = models.TextField(_("text"))
    source = models.CharField(
        _("source"), max_length=10, choices=Source.choices, default=Source.WRITTEN
    )
    name = models.CharField(_("name"), max_length=200, blank=True, default="", db_default="")
    # None: from before words were counted for each version; see services.count_words.
    word_count = models.PositiveIntegerField(_("words"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("chapter version")
        verbose_name_plural = _("chapter versions")
        constraints = [
            models.UniqueConstraint(
                fields=["chapter", "number"], name="version_number_once_per_chapter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.chapter_id} v{self.number}"


class WorkingCopy(models.Model):
    """What the writer has typed since the chapter's newest version; no analysis reads it.

    A new version of the chapter takes it away, so it always belongs to the newest one.
    """

    chapter = models.OneToOneField(
        Chapter, models.CASCADE, related_name="working_copy", verbose_name=_("chapter")
    )
    content = models.TextField(_("text"), blank=True)
    # None: the writer left the chapter's title as it is.
    title = models.CharField(_("title"), max_length=200, blank=True, null=True)  # noqa: DJ001
    client = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    saved_at = models.DateTimeField(_("saved"))

    class Meta:
        verbose_name = _("working copy")
        verbose_name_plural = _("working copies")

    def __str__(self) -> str:
        return f"{self.chapter_id}, {self.client} {self.seq}"


class ImportUpload(models.Model):
    """A file whose chapters the writer has been shown and has not agreed to yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("writer")
    )
    project = models.ForeignKey(
        NovelProject, models.CASCADE, related_name="+", verbose_name=_("novel")
    )
    name = models.CharField(_("file"), max_length=200)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True, default="")
    created_at = models.DateTimeField(_("created"), db_index=True)
    imported_at = models.DateTimeField(_("imported"), null=True, blank=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return str(self.pk)


class ImportUploadPart(models.Model):
    """A piece of the file, of the size that every database takes in one statement."""

    upload = models.ForeignKey(ImportUpload, models.CASCADE, related_name="parts")
    place = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an upload")
        verbose_name_plural = _("pieces of uploads")
        constraints = [
            models.UniqueConstraint(fields=["upload", "place"], name="place_once_per_upload")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id}: {self.place}"


class ImportJob(models.Model):
    """An import that the workers do behind its writer's back (``arboris.novels.import_jobs``)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.OneToOneField(
        ImportUpload, models.CASCADE, related_name="job", verbose_name=_("upload")
    )
    # What the writer asked for: ``mode`` of the import, and the analysis of its chapters.
    mode = models.CharField(max_length=10)
    options = models.JSONField(default=dict)
    language = models.CharField(max_length=10)
    request_id = models.CharField(max_length=LONGEST_ID, blank=True, default="")
    state = models.CharField(
        _("status"), max_length=10, choices=State.choices, default=State.WAITING
    )
    done = models.PositiveIntegerField(_("chapters made"), default=0)
    total = models.PositiveIntegerField(_("chapters in all"), default=0)
    error_code = models.CharField(_("error"), max_length=50, blank=True, default="")
    error = models.TextField(_("error message"), blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # The worker that has it: none of its writes counts once another has taken the job.
    token = models.CharField(max_length=32, blank=True, default="")
    seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["state", "created_at"], name="import_job_next")]

    def __str__(self) -> str:
        return str(self.pk)
