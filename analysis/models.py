"""Tables of the queue. Only ``analysis.queue`` changes a task's status."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.bulk_models import BulkChange as BulkChange
from analysis.bulk_models import BulkOperation as BulkOperation
from analysis.bulk_models import BulkPart as BulkPart
from analysis.groups.models import ErrorGroup as ErrorGroup
from analysis.overview.models import FailureCounter as FailureCounter
from analysis.overview.models import QueueSample as QueueSample
from arboris.histogram import Histogram
from arboris.logs import LONGEST_ID
from arboris.novels.models import Chapter, ChapterVersion, NovelProject


class NamedIndex(models.Index):
    """An index whose name is part of the documented schema and longer than Django's 30."""

    max_name_length = 63


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    PROCESSING = "processing", _("processing")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


LIVE = (Status.PENDING, Status.PROCESSING)


class PendingAnalysis(models.Model):
    """One request to analyse one chapter version, from its being queued to its end."""

    chapter = models.ForeignKey(
        Chapter,
        models.CASCADE,
        related_name="analyses",
        verbose_name=_("chapter"),
        db_index=False,  # pending_analysis_chapter_new begins with it
    )
    version = models.ForeignKey(
        ChapterVersion, models.CASCADE, related_name="+", verbose_name=_("chapter version")
    )
    project = models.ForeignKey(
        NovelProject, models.CASCADE, related_name="analyses", verbose_name=_("novel")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="analyses", verbose_name=_("writer")
    )
    # The chapter's id while the task is pending or processing, NULL once it has ended: the
    # unique column is what keeps a chapter to one live task.
    active_chapter = models.BigIntegerField(null=True, unique=True, editable=False)

    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=5)
    generation_config = models.JSONField(_("configuration"), default=dict, blank=True)
    result = models.JSONField(_("result"), null=True, blank=True)
    token_usage = models.JSONField(_("tokens"), null=True, blank=True)
    error_type = models.CharField(_("error"), max_length=50, blank=True, default="")
    error_message = models.TextField(_("error message"), blank=True, default="")
    error_fingerprint = models.CharField(max_length=16, blank=True, default="")
    retry_count = models.PositiveIntegerField(_("retries"), default=0)
    max_retries = models.PositiveIntegerField(_("retries allowed"), default=3)
    attempt_count = models.PositiveIntegerField(_("attempts"), default=0)

    created_at = models.DateTimeField(_("created"))
    # When it may start: later than created_at while it backs off after an error.
    due_at = models.DateTimeField(_("due"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("ended"), null=True, blank=True)
    duration_seconds = models.FloatField(_("seconds"), null=True, blank=True)

    lease_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    worker = models.CharField(_("worker"), max_length=100, blank=True, default="")
    progress_percent = models.PositiveSmallIntegerField(_("percent"), default=0)
    progress_feature = models.CharField(_("feature"), max_length=30, blank=True, default="")
    # Results of features that are done, kept so that a retry starts at the first that is not.
    checkpoint = models.JSONField(null=True, blank=True, editable=False)
    # Its place in its writer's own line, counted from the turn that is being served: the order
    # of claims with ARBORIS_FAIRNESS=writer. See analysis.queue.fairness.
    turn = models.BigIntegerField(default=0, editable=False)
    # One of its novel's chapters that are analysed in their order, see analysis.queue.in_order.
    in_order = models.BooleanField(default=False, db_default=False, editable=False)
    # Nobody has asked for it, so nobody is told: see analysis.queue.read_again.
    quiet = models.BooleanField(default=False, db_default=False, editable=False)
    # The request that queued it, see arboris.logs; it is in the log's lines about its analysis.
    request_id = models.CharField(
        max_length=LONGEST_ID, blank=True, default="", db_default="", editable=False
    )
    # What its last claim was to work with: the host of a language model, or an analyzer's name.
    endpoint = models.CharField(_("endpoint"), max_length=100, blank=True, default="")

    class Meta:
        db_table = "pending_analysis"
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        # Beside Django's own; that to change one is that to change its priority.
        permissions = [
            ("retry_pendinganalysis", "Can retry analysis"),
            ("cancel_pendinganalysis", "Can cancel analysis"),
        ]
        indexes = [
            NamedIndex(
                fields=["status", "-priority", "created_at", "id"],
                name="idx_pending_analysis_status_priority",
            ),
            # What a task leaves at its claim, or joins at its end, need not be changed three times.
            # MySQL and MariaDB take no notice of the conditions.
            models.Index(
                fields=["status", "-priority", "turn", "created_at", "id"],
                condition=Q(status="pending"),
                name="pending_analysis_turns",
            ),
            # The status goes first: an index that begins with a foreign key is what InnoDB checks
            # that key with, and each change of status would lock the writer's or novel's row.
            models.Index(
                fields=["status", "user", "priority", "turn", "project"],
                name="pending_analysis_user_line",
            ),
            models.Index(fields=["chapter", "-id"], name="pending_analysis_chapter_new"),
            models.Index(
                fields=["status", "completed_at"],
                condition=Q(completed_at__isnull=False),
                name="pending_analysis_ended",
            ),
            # All that the groups of failures are counted by, and the order of each one's list.
            models.Index(
                fields=["error_fingerprint", "status", "id", "completed_at", "user", "project"],
                condition=Q(error_fingerprint__gt=""),
                name="pending_analysis_error_group",
            ),
            # What failed by an error, for staff; a task that goes well changes it once, at its end.
            models.Index(
                fields=["error_type", "id"],
                condition=Q(error_type__gt=""),
                name="pending_analysis_error",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=10), name="priority_1_to_10"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing"], active_chapter__isnull=False)
                | Q(status__in=["completed", "failed", "cancelled"], active_chapter__isnull=True),
                name="active_chapter_while_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.status})"

    @property
    def attempts_so_far(self) -> list[AnalysisAttempt]:
        """The ended ones, whose rows are written at their end, and the one that runs."""
        ended = self.attempts.exclude(outcome=AnalysisAttempt.Outcome.RUNNING).order_by("number")
        attempts = list(ended)
        if self.status == Status.PROCESSING and self.started_at is not None:
            running = AnalysisAttempt.Outcome.RUNNING
            attempts.append(
                AnalysisAttempt(
                    task=self,
                    number=self.attempt_count,
                    worker=self.worker,
                    started_at=self.started_at,
                    outcome=running,
                )
            )
        return attempts

    @property
    def progress(self) -> dict[str, Any] | None:
        if self.status != Status.PROCESSING:
            return None
        return {"percent": self.progress_percent, "feature": self.progress_feature or None}


class AnalysisAttempt(models.Model):
    """One try at a task, written when it ends; while it runs, the task's row tells of it.

    RUNNING is what older versions wrote at the claim.
    """

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("worker lost")

    task = models.ForeignKey(
        PendingAnalysis,
        models.CASCADE,
        related_name="attempts",
        db_index=False,  # the unique constraint begins with it
    )
    number = models.PositiveIntegerField(_("number"))
    worker = models.CharField(_("worker"), max_length=100)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.RUNNING
    )
    error_type = models.CharField(_("error"), max_length=50, blank=True, default="")
    error_message = models.TextField(_("error message"), blank=True, default="")
    token_usage = models.JSONField(_("tokens"), null=True, blank=True)
    # Where it failed: the feature that was looked for, and the lines of code, without values.
    feature = models.CharField(_("feature"), max_length=30, blank=True, default="", db_default="")
    traceback = models.TextField(_("traceback"), blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        permissions = [("view_traceback", "Can see tracebacks")]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="attempt_number_once_per_task")
        ]

    def __str__(self) -> str:
        return f"{self.task_id}#{self.number} {self.outcome}"


class QueueControl(models.Model):
    """One row (id 1): its lock is the queue's mutex; it says whether claims are paused."""

    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    # Who: an account at a host, or a member of the staff.
    paused_by = models.CharField(
        _("paused by"), max_length=200, blank=True, default="", db_default=""
    )
    # When a pause, of whatever, was last lifted: since when what it held back may be claimed.
    resumed_at = models.DateTimeField(_("last resumed"), null=True, blank=True)
    swept_at = models.DateTimeField(_("swept"), null=True, blank=True)
    # When the daily deletion of what ended long ago was last through.
    pruned_at = models.DateTimeField(_("pruned"), null=True, blank=True)
    # Counted here and not in StatusTally: whoever claims holds this row's lock anyway.
    claimed = models.BigIntegerField(_("claims"), default=0)
    turn = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("queue control")
        verbose_name_plural = _("queue control")

    def __str__(self) -> str:
        return str(_("paused")) if self.paused_at else str(_("running"))


class QueuePause(models.Model):
    """One novel, or one writer, whose analyses are not begun until the row is gone."""

    project = models.OneToOneField(
        NovelProject,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("novel"),
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("writer"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    paused_by = models.CharField(
        _("paused by"), max_length=200, blank=True, default="", db_default=""
    )
    paused_at = models.DateTimeField(_("paused"))

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.CheckConstraint(
                condition=Q(project__isnull=False, user__isnull=True)
                | Q(project__isnull=True, user__isnull=False),
                name="pause_of_a_novel_or_a_writer",
            )
        ]

    def __str__(self) -> str:
        return str(self.project or self.user)


class EndpointState(models.Model):
    """An endpoint that has refused us: its tasks wait until a probe gets through.

    ``credentials`` is a fingerprint of those that were refused: with others it is asked at once.
    """

    name = models.CharField(_("endpoint"), max_length=100, primary_key=True)
    credentials = models.CharField(max_length=16, blank=True, default="", editable=False)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    error_type = models.CharField(_("error"), max_length=50, blank=True, default="")
    error_message = models.TextField(_("error message"), blank=True, default="")
    probe_at = models.DateTimeField(_("next probe"), null=True, blank=True)
    probes = models.PositiveIntegerField(_("probes"), default=0)

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")

    def __str__(self) -> str:
        return self.name


class OperatorAction(models.Model):
    """What somebody changed in the queue by hand, and why."""

    at = models.DateTimeField(_("time"), db_index=True)
    actor = models.CharField(_("by"), max_length=200)
    action = models.CharField(_("action"), max_length=50)
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    count = models.PositiveIntegerField(_("analyses"), default=0)
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("operator's action")
        verbose_name_plural = _("operators' actions")
        indexes = [models.Index(fields=["action", "at"], name="operator_action_newest")]

    def __str__(self) -> str:
        return f"{self.action} ({self.actor})"


class WorkerHeartbeat(models.Model):
    worker = models.CharField(_("worker"), max_length=100, primary_key=True)
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("seen"), db_index=True)
    task_id = models.BigIntegerField(_("task"), null=True, blank=True)
    rss_bytes = models.BigIntegerField(_("memory"), default=0)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.worker


class StatusTally(Histogram):
    """What has ever ended, so that counters survive pruning. A row per shard keeps writers
    apart."""

    SHARDS = 16
    BOUNDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
    TOKEN_KINDS = ("prompt", "completion", "estimated")

    shard = models.PositiveSmallIntegerField(primary_key=True)
    completed = models.BigIntegerField(_("completed"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    cancelled = models.BigIntegerField(_("cancelled"), default=0)
    retried = models.BigIntegerField(_("retried"), default=0)
    rescued = models.BigIntegerField(_("taken over from dead workers"), default=0)
    seconds = models.FloatField(default=0)
    tokens_prompt = models.BigIntegerField(default=0)
    tokens_completion = models.BigIntegerField(default=0)
    # How many of the two were never reported but estimated.
    tokens_estimated = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return str(self.shard)
