"""Findings as they were made, and the story bible folded from them.

Only ``Finding`` is a source. Every other table here can be dropped and folded again.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from arboris.novels.models import Chapter, ChapterVersion, NovelProject


class Finding(models.Model):
    """One statement of one analysis about one chapter version (see ``findings``); never edited."""

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
        return f"{self.type}: {self.quote[:40]}"


class Fact(models.Model):
    """What every entry of the bible carries: where it is written, and how sure that is."""

    # The chapter's number lives in Chapter alone, so that renumbering reaches every fact.
    chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="+")
    quote = models.TextField(_("quote"))
    confidence = models.FloatField(_("confidence"))
    basic = models.BooleanField(_("basic"), default=False)

    class Meta:
        abstract = True


class Character(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="characters")
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=12, default="minor")
    description = models.TextField(_("description"), blank=True)
    personality = models.TextField(_("personality"), blank=True)
    goals = models.TextField(_("goals"), blank=True)
    abilities = models.TextField(_("abilities"), blank=True)
    mentions = models.PositiveIntegerField(_("mentions"), default=0)
    last_chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("character")
        verbose_name_plural = _("characters")

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

    class Meta:
        verbose_name = _("character state")
        verbose_name_plural = _("character states")

    def __str__(self) -> str:
        return f"{self.kind}: {self.description[:40]}"


class WorldEntity(Fact):
    """A location, faction, item or rule."""

    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="world")
    kind = models.CharField(_("kind"), max_length=10)
    name = models.CharField(_("name"), max_length=100)
    aliases = models.JSONField(_("aliases"), default=list)
    description = models.TextField(_("description"), blank=True)
    mentions = models.PositiveIntegerField(_("mentions"), default=0)

    class Meta:
        verbose_name = _("world entry")
        verbose_name_plural = _("world entries")

    def __str__(self) -> str:
        return self.name


class ForeshadowingThread(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="threads")
    kind = models.CharField(_("kind"), max_length=10)
    description = models.TextField(_("description"))
    keywords = models.JSONField(_("keywords"), default=list)
    status = models.CharField(_("status"), max_length=10, default="open")

    class Meta:
        verbose_name = _("foreshadowing")
        verbose_name_plural = _("foreshadowings")

    def __str__(self) -> str:
        return self.description[:60]


class ForeshadowingEvent(Fact):
    thread = models.ForeignKey(ForeshadowingThread, models.CASCADE, related_name="events")
    outcome = models.CharField(_("outcome"), max_length=10)
    description = models.TextField(_("description"))

    class Meta:
        verbose_name = _("foreshadowing event")
        verbose_name_plural = _("foreshadowing events")

    def __str__(self) -> str:
        return f"{self.outcome}: {self.description[:40]}"


class Relationship(Fact):
    project = models.ForeignKey(NovelProject, models.CASCADE, related_name="relationships")
    source = models.ForeignKey(Character, models.CASCADE, related_name="+")
    target = models.ForeignKey(Character, models.CASCADE, related_name="+")
    relation = models.CharField(_("relation"), max_length=100)

    class Meta:
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")

    def __str__(self) -> str:
        return self.relation
