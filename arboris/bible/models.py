"""Findings as they were made, and the story bible folded from them.

``Finding`` and ``Decision`` are the sources. Every other table here can be dropped and folded
again.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from arboris.novels.models import Chapter, ChapterVersion, NovelProject


class Finding(models.Model):
    """One statement of an analysis about one chapter version (``types.findings``); never edited."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="findings")
    chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="findings")
    version = models.ForeignKey(ChapterVersion, models.CASCADE, related_name="findings")
    # The analysis that made it; no foreign key: findings outlive pruned tasks.
    task_id = models.BigIntegerField(_("task"))
    feature = models.CharField(_("feature"), max_length=30)
    type = models.CharField(_("type"), max_length=20)
    payload = models.JSONField(_("content"))
    quote = models.TextField(_("quote"))
    start = models.PositiveIntegerField(_("start"))
    end = models.PositiveIntegerField(_("end"))
    confidence = models.FloatField(_("confidence"))
    basic = models.BooleanField(_("basic"), default=False)
    verified = models.BooleanField(_("quote found in the text"), default=True)
    # applied, marked (applied, and shown as less sure) or waiting (for the writer).
    tier = models.CharField(_("tier"), max_length=10, default="applied")
    # The version of the words that a model was asked with; empty: none was asked.
    prompt = models.CharField(_("prompt"), max_length=60, blank=True, default="", db_default="")
    # False once a later analysis of the chapter replaced it.
    current = models.BooleanField(_("current"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        indexes = [
            models.Index(fields=["chapter", "current"], name="finding_chapter_current"),
            models.Index(fields=["project", "current"], name="finding_project_current"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"  # without the text: it goes into logs and titles


class Fact(models.Model):
    """What every entry of the bible carries: where it is written, and how sure that is."""

    # The chapter's number lives in Chapter alone, so that renumbering reaches every fact.
    # Without one the writer said so.
    chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="+", null=True, blank=True)
    quote = models.TextField(_("quote"))
    confidence = models.FloatField(_("confidence"))
    basic = models.BooleanField(_("basic"), default=False)
    tier = models.CharField(_("tier"), max_length=10, default="applied")
    ref = models.CharField(max_length=16, default="")  # what a decision calls it

    class Meta:
        abstract = True


class Character(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="characters")
    natural_key = models.CharField(
        max_length=200, default="", db_column="nid"
    )  # see ``types.entries``
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=12, default="minor")
    description = models.TextField(_("description"), blank=True)
    personality = models.TextField(_("personality"), blank=True)
    goals = models.TextField(_("goals"), blank=True)
    abilities = models.TextField(_("abilities"), blank=True)
    mentions = models.PositiveIntegerField(_("mentions"), default=0)
    last_chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="+", null=True, blank=True
    )
    uses = models.JSONField(default=dict, blank=True)  # chapters in which each name stands
    death = models.JSONField(null=True, blank=True)  # the fact that says so
    # What can be compared between chapters, each with the fact that says so: Person.traits.
    traits = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("character")
        verbose_name_plural = _("characters")
        indexes = [models.Index(fields=["project", "-mentions"], name="character_by_mentions")]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "natural_key"], name="character_once_per_novel"
            )
        ]

    def __str__(self) -> str:
        return self.name


class CharacterAlias(Fact):
    character = models.ForeignKey(Character, models.CASCADE, related_name="aliases")
    name = models.CharField(_("alias"), max_length=100)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")

    def __str__(self) -> str:
        return self.name


class CharacterState(Fact):
    """Something that is different about a character from this chapter on."""

    character = models.ForeignKey(Character, models.CASCADE, related_name="states")
    kind = models.CharField(_("kind"), max_length=12)
    description = models.TextField(_("description"))
    growth_level = models.PositiveSmallIntegerField(_("growth"), default=0)  # 0 to 3

    class Meta:
        verbose_name = _("character state")
        verbose_name_plural = _("character states")

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class WorldEntity(Fact):
    """A location, faction, item or rule."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="world")
    natural_key = models.CharField(max_length=200, default="", db_column="nid")
    kind = models.CharField(_("kind"), max_length=10)
    name = models.CharField(_("name"), max_length=100)
    aliases = models.JSONField(_("aliases"), default=dict)  # each with the fact that says so
    description = models.TextField(_("description"), blank=True)
    mentions = models.PositiveIntegerField(_("mentions"), default=0)
    # Who has the item (a character's natural key), and the fact that says so.
    holder = models.CharField(max_length=200, blank=True, default="")
    held = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("world entry")
        verbose_name_plural = _("world entries")
        indexes = [models.Index(fields=["project", "-mentions"], name="world_by_mentions")]
        constraints = [
            models.UniqueConstraint(fields=["project", "natural_key"], name="world_once_per_novel")
        ]

    def __str__(self) -> str:
        return self.name


class ForeshadowingThread(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="threads")
    natural_key = models.CharField(max_length=64, default="", db_column="nid")
    chapter_number = models.PositiveIntegerField(_("planted in chapter"), default=0)
    kind = models.CharField(_("kind"), max_length=10)
    description = models.TextField(_("description"))
    keywords = models.JSONField(_("keywords"), default=list)
    status = models.CharField(_("status"), max_length=10, default="open")

    class Meta:
        verbose_name = _("foreshadowing")
        verbose_name_plural = _("foreshadowings")
        constraints = [
            models.UniqueConstraint(fields=["project", "natural_key"], name="thread_once_per_novel")
        ]
        indexes = [models.Index(fields=["project", "-chapter_number"], name="thread_by_chapter")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ForeshadowingEvent(Fact):
    thread = models.ForeignKey(ForeshadowingThread, models.CASCADE, related_name="events")
    outcome = models.CharField(_("outcome"), max_length=10)
    description = models.TextField(_("description"))
    certain = models.BooleanField(_("certain"), default=True)
    distance = models.IntegerField(_("chapters from the seed"), default=0)

    class Meta:
        verbose_name = _("foreshadowing event")
        verbose_name_plural = _("foreshadowing events")

    def __str__(self) -> str:
        return f"{self.outcome} {self.pk}"


class Relationship(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="relationships")
    natural_key = models.CharField(max_length=16, default="", db_column="nid")
    source = models.ForeignKey(Character, models.CASCADE, related_name="+")
    target = models.ForeignKey(Character, models.CASCADE, related_name="+")
    relation = models.CharField(_("relation"), max_length=100)

    class Meta:
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "natural_key"], name="relationship_once_per_novel"
            )
        ]

    def __str__(self) -> str:
        return self.relation


class Decision(models.Model):
    """What the writer has decided about the bible, in order; undone ones stay as history.

    ``params`` are those of ``decisions.kinds.rules_from``: names, not ids, so that rows may go.
    """

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="decisions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    action = models.CharField(_("action"), max_length=10)
    params = models.JSONField(_("content"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.pk}"


class Notice(models.Model):
    """A contradiction or a question for the writer, from the fold of one chapter."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="notices")
    chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=20)
    subject = models.TextField(_("subject"))
    ref = models.CharField(max_length=16)
    data = models.JSONField(_("content"))

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject[:60]}"


class SearchKey(models.Model):
    """A name or word by which the fold looks for an entry (by scope and natural key)."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=6)
    search_key = models.CharField(max_length=210, db_column="handle")
    natural_key = models.CharField(max_length=200, db_column="nid")
    partial = models.BooleanField()

    class Meta:
        db_table = "bible_handle"
        verbose_name = _("search key")
        verbose_name_plural = _("search keys")
        indexes = [
            models.Index(fields=["project", "scope", "search_key"], name="handle_lookup"),
            models.Index(fields=["project", "scope", "natural_key"], name="handle_of_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.search_key}"


class FoldState(models.Model):
    """How far a novel's bible is folded; ``outdated``: it is to be folded anew before it is
    read.

    ``revision`` grows with each change of what the bible is made of, or of the bible itself.
    """

    project = models.OneToOneField(NovelProject, models.CASCADE, related_name="+", primary_key=True)
    outdated = models.BooleanField(default=True)
    # Outdated by a decision: a worker folds it, and has begun to at ``taken_at``.
    behind = models.BooleanField(default=False, db_default=False, db_index=True)
    taken_at = models.DateTimeField(null=True)
    revision = models.BigIntegerField(default=0, db_default=0)
    # Chapters from this number on may have been read without what now stands before them.
    look_from = models.PositiveIntegerField(null=True, db_index=True)

    class Meta:
        verbose_name = _("state of a bible")
        verbose_name_plural = _("states of bibles")

    def __str__(self) -> str:
        return f"{self.project_id}"


class Reading(models.Model):
    """What a chapter's current findings rest on: see ``readings``. Without it nobody knows."""

    chapter = models.OneToOneField(Chapter, models.CASCADE, related_name="+")
    version = models.ForeignKey(ChapterVersion, models.CASCADE, related_name="+")
    analyzer = models.CharField(max_length=30)
    told = models.CharField(max_length=16)
    # The chapter would be told otherwise by now.
    outdated = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("reading of a chapter")
        verbose_name_plural = _("readings of chapters")

    def __str__(self) -> str:
        return f"{self.chapter_id}: {self.told}"


class FoldedChapter(models.Model):
    """A chapter that is in the bible; ``journal`` takes it out again (``memory.Journal``)."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="+", db_index=False)
    chapter = models.OneToOneField(Chapter, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    journal = models.JSONField(null=True)

    class Meta:
        verbose_name = _("folded chapter")
        verbose_name_plural = _("folded chapters")
        indexes = [models.Index(fields=["project", "number"], name="folded_by_number")]

    def __str__(self) -> str:
        return f"{self.project_id}: {self.number}"
