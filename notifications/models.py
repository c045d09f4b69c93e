"""The outbox: a row is the message, written in the transaction that it reports on."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications import kinds


class AnalysisNotification(models.Model):
    # Foreign keys by name: this app imports no code of the models behind them. Pruning a task
    # keeps its notifications; deleting a chapter or novel deletes them.
    pending_analysis = models.ForeignKey(
        "analysis.PendingAnalysis",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("analysis"),
    )
    project = models.ForeignKey(
        "novels.NovelProject", models.CASCADE, related_name="+", verbose_name=_("novel")
    )
    chapter = models.ForeignKey(
        "novels.Chapter", models.CASCADE, related_name="+", verbose_name=_("chapter")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notifications",
        verbose_name=_("writer"),
        db_index=False,  # both indexes below begin with it
    )
    chapter_number = models.PositiveIntegerField(_("chapter number"))
    notification_type = models.CharField(_("type"), max_length=10, choices=kinds.choices)
    # Rendered in the default language; readers get them in their own, from type and data.
    title = models.CharField(_("title"), max_length=255)
    message = models.TextField(_("message"))
    data = models.JSONField(_("data"), default=dict, blank=True)
    is_read = models.PositiveSmallIntegerField(_("read"), default=0, choices=[(0, "0"), (1, "1")])
    created_at = models.DateTimeField(_("created"))

    class Meta:
        db_table = "analysis_notifications"
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_user_newest"),
            models.Index(fields=["user", "is_read", "-id"], name="notification_user_unread"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_quiet(self) -> bool:
        """Of an analysis that nobody has asked for: pages show what has changed, no more."""
        return bool(self.data.get("quiet"))

    def as_dict(self) -> dict[str, Any]:
        """The documented notification object, the same over HTTP and the socket.

        Its texts are in the active language. ``data`` has what the analysis told, and ``novel``,
        ``chapter`` (their titles by now), ``digest`` (all of it in one line) and ``muted``.
        """
        chapter = self.chapter.title or gettext("Chapter %(number)s") % {
            "number": self.chapter_number
        }
        title, message = self.title, self.message
        if self.notification_type in kinds.KINDS:  # not where a newer version wrote it
            title, message = kinds.render(self.notification_type, self.chapter_number, self.data)
        data = dict(self.data) | {"novel": self.project.title, "chapter": chapter}
        data["muted"] = self.project.muted or self.is_quiet
        data["digest"] = title
        if self.notification_type in kinds.KINDS:
            data["digest"] = kinds.digest(
                self.notification_type, self.project.title, chapter, self.data
            )
        if "error" in data:  # stored in English; ``message`` is its translation
            data["error"] = message
        return {
            "id": self.pk,
            "pending_analysis_id": self.pending_analysis_id,
            "project_id": str(self.project_id),
            "chapter_id": self.chapter_id,
            "chapter_number": self.chapter_number,
            "notification_type": self.notification_type,
            "title": title,
            "message": message,
            "data": data,
            "is_read": self.is_read,
            "created_at": self.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }


class ReadCount(models.Model):
    """How often one writer's notifications were marked as read.

    Open sockets are told of it by the relay of their process, which has nothing else to see it by.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", primary_key=True
    )
    reads = models.PositiveBigIntegerField(_("reads"), default=0)

    class Meta:
        db_table = "analysis_notification_reads"
        verbose_name = _("count of reads")
        verbose_name_plural = _("counts of reads")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.reads}"
