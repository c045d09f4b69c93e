"""Tables of the changes of many analyses at once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class BulkOperation(models.Model):
    """One change of many analyses: which, by whom, and how far it has come. See analysis.bulk.

    The analyses are those that the filter found when it was made (``parts``), and no others.
    """

    class Kind(models.TextChoices):
        RETRY = "retry", _("retry")
        CANCEL = "cancel", _("cancel")
        SET_PRIORITY = "set_priority", _("set priority")

    class State(models.TextChoices):
        PREVIEWED = "previewed", _("not confirmed")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("change"), max_length=20, choices=Kind.choices)
    state = models.CharField(
        _("status"), max_length=10, choices=State.choices, default=State.PREVIEWED
    )
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)
    # Who asked for it: as in the record of what was changed; ``user``: where it was in the admin.
    actor = models.CharField(_("by"), max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    action = models.CharField(max_length=50)
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    criteria = models.JSONField(_("filter"), default=dict, blank=True)
    selected = models.PositiveIntegerField(_("analyses selected"), default=0)
    # What was foreseen: how many change, and how many are left, by the reason's code.
    planned = models.PositiveIntegerField(_("analyses foreseen to change"), default=0)
    planned_left = models.JSONField(default=dict, blank=True)
    changed = models.PositiveIntegerField(_("analyses changed"), default=0)
    left = models.JSONField(_("analyses left"), default=dict, blank=True)
    # Parts that are done; each commits it along with what it changes.
    position = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    # Run by whoever started it, and not taken over by the workers when that dies.
    foreground = models.BooleanField(default=False)
    runner = models.CharField(_("run by"), max_length=100, blank=True, default="")
    lease_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    error_message = models.TextField(_("error message"), blank=True, default="")
    record = models.ForeignKey(
        "analysis.OperatorAction", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("bulk operation")
        verbose_name_plural = _("bulk operations")
        indexes = [
            models.Index(fields=["state", "created_at"], name="bulk_operation_state"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.kind}, {self.state})"

    @property
    def refused(self) -> int:
        """How many it came to and left as they are."""
        return sum(self.left.values())


class BulkPart(models.Model):
    """What of a bulk operation is changed in one transaction."""

    operation = models.ForeignKey(
        BulkOperation, models.CASCADE, related_name="parts", db_index=False
    )
    number = models.PositiveIntegerField()
    ids = models.JSONField(default=list)
    # Of a cancellation, until they are told: by writer how many, and the first of them.
    writers = models.JSONField(default=dict)
    told = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("part of a bulk operation")
        verbose_name_plural = _("parts of bulk operations")
        constraints = [
            models.UniqueConstraint(fields=["operation", "number"], name="bulk_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.operation_id}/{self.number}"


class BulkChange(models.Model):
    """An analysis that a bulk operation has changed."""

    operation = models.ForeignKey(BulkOperation, models.CASCADE, related_name="changes")
    task_id = models.BigIntegerField(_("analysis"), db_index=True)

    class Meta:
        verbose_name = _("change of a bulk operation")
        verbose_name_plural = _("changes of bulk operations")

    def __str__(self) -> str:
        return f"{self.operation_id}: {self.task_id}"
