"""What the queue looked like from time to time: the history that the overview draws."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class QueueSample(models.Model):
    """How much waited at one moment, and what the counters had come to: see ``samples``.

    Of each span of ``step`` seconds one row; ``slot`` is the number of the span since 1970.
    """

    step = models.PositiveIntegerField(_("step in seconds"))
    slot = models.BigIntegerField(_("number of the step"))
    at = models.DateTimeField(_("time"))
    pending = models.PositiveIntegerField(_("pending"))
    due = models.PositiveIntegerField(_("of them due"))
    processing = models.PositiveIntegerField(_("processing"))
    # Since the beginning, also of what was deleted or retried: they only grow.
    completed = models.BigIntegerField(_("completed"))
    failed = models.BigIntegerField(_("failed"))
    cancelled = models.BigIntegerField(_("cancelled"))
    prompt_tokens = models.BigIntegerField(_("prompt tokens"))
    completion_tokens = models.BigIntegerField(_("completion tokens"))
    cost = models.DecimalField(_("cost"), max_digits=24, decimal_places=10)

    class Meta:
        verbose_name = _("sample of the queue")
        verbose_name_plural = _("samples of the queue")
        constraints = [
            models.UniqueConstraint(fields=["step", "slot"], name="queue_sample_once_per_step")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class FailureCounter(models.Model):
    """How many analyses have ever failed for good, by the error's code; a row a shard, as
    ``StatusTally``."""

    shard = models.PositiveSmallIntegerField()
    error_type = models.CharField(_("error"), max_length=50)
    failures = models.BigIntegerField(_("failures"), default=0)

    class Meta:
        verbose_name = _("counter of failures")
        verbose_name_plural = _("counters of failures")
        constraints = [
            models.UniqueConstraint(fields=["shard", "error_type"], name="failure_counter_once")
        ]

    def __str__(self) -> str:
        return self.error_type
