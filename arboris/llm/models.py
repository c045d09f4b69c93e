"""The call log, counters of what was spent, call slots, and budgets that are used up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from arboris.histogram import Histogram


class ModelCall(models.Model):
    """One request to a model. The row is written when the request ends, however it ends.

    It has no foreign key: deleting a task or a novel must not delete what was spent on it.
    """

    # Drawn by the process: a row that is written again, because an answer was lost, is there once.
    call_id = models.UUIDField(unique=True, editable=False)
    created_at = models.DateTimeField(_("time"), db_index=True)
    endpoint = models.CharField(_("endpoint"), max_length=100)
    model = models.CharField(_("model"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=30)
    task_id = models.BigIntegerField(_("analysis"), null=True, blank=True)
    attempt = models.PositiveIntegerField(_("attempt"), null=True, blank=True)
    project_id = models.UUIDField(_("novel"), null=True, blank=True)
    user_id = models.BigIntegerField(_("writer"), null=True, blank=True)
    prompt_tokens = models.BigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.BigIntegerField(_("completion tokens"), default=0)
    # How many of both were estimated, not reported.
    estimated_tokens = models.BigIntegerField(_("estimated tokens"), default=0)
    # NULL: the price table knows no price for the model.
    cost = models.DecimalField(_("cost"), max_digits=20, decimal_places=10, null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=50)  # "ok", "cancelled" or an error's code
    seconds = models.FloatField(_("seconds"))
    # What the route has first and could not be asked: "endpoint: model".
    instead_of = models.CharField(
        _("instead of"), max_length=250, blank=True, default="", db_default=""
    )
    # The version of the words, see ``prompt_texts``.
    prompt = models.CharField(_("prompt"), max_length=60, blank=True, default="", db_default="")

    class Meta:
        db_table = "llm_call"
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        indexes = [
            # With the cost: the sum of a month is read from the index alone.
            models.Index(fields=["project_id", "created_at", "cost"], name="llm_call_of_project"),
            models.Index(fields=["user_id", "created_at", "cost"], name="llm_call_of_writer"),
            models.Index(fields=["task_id"], name="llm_call_of_task"),
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.outcome})"


class ModelRoute(models.Model):
    """What staff say of one purpose, before the settings: see ``routes``. Empty: as there.

    Endpoints stand here by their names alone.
    """

    purpose = models.CharField(_("purpose"), max_length=30, unique=True)
    endpoint = models.CharField(_("endpoint"), max_length=40, blank=True, default="")
    model = models.CharField(_("model"), max_length=200, blank=True, default="")
    effort = models.CharField(_("effort"), max_length=10, blank=True, default="")
    temperature = models.FloatField(_("temperature"), null=True, blank=True)
    fallback_endpoint = models.CharField(
        _("fallback's endpoint"), max_length=40, blank=True, default=""
    )
    fallback_model = models.CharField(_("fallback's model"), max_length=200, blank=True, default="")
    # NULL: as in the settings; a list of models, also an empty one, counts.
    choices = models.JSONField(_("writers may choose"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "llm_route"
        verbose_name = _("route")
        verbose_name_plural = _("routes")

    def __str__(self) -> str:
        return self.purpose


class PromptVersion(models.Model):
    """One text that staff have put in the place of a shipped one; never edited, the latest counts.

    An empty text is the way back to the shipped one.
    """

    key = models.CharField(_("prompt"), max_length=40)
    language = models.CharField(_("language"), max_length=10)
    text = models.TextField(_("text"), blank=True)
    note = models.CharField(_("reason"), max_length=500, blank=True, default="")
    created_by = models.CharField(_("by"), max_length=200)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        db_table = "llm_prompt"
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        indexes = [models.Index(fields=["key", "language", "-id"], name="llm_prompt_latest")]

    def __str__(self) -> str:
        return f"{self.key} ({self.language}) #{self.pk}"


class _Spent(models.Model):
    """What calls have used, added up."""

    prompt_tokens = models.BigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.BigIntegerField(_("completion tokens"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=24, decimal_places=10, default=0)

    class Meta:
        abstract = True


class SpendCounter(_Spent):
    """What was ever spent, by model and purpose. It survives the pruning of the call log.

    One row a shard, so that processes do not wait for one another's row.
    """

    SHARDS = 16

    shard = models.PositiveSmallIntegerField()
    model = models.CharField(_("model"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=30)
    estimated_tokens = models.BigIntegerField(_("estimated tokens"), default=0)

    class Meta:
        db_table = "llm_spend_tally"
        verbose_name = _("spend counter")
        verbose_name_plural = _("spend counters")
        constraints = [
            models.UniqueConstraint(fields=["shard", "model", "purpose"], name="llm_tally_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.purpose})"


class CallCounter(Histogram):
    """How many calls ever ended in which way, and how long the answered ones took.

    One row a shard, as ``SpendCounter``.
    """

    BOUNDS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)

    shard = models.PositiveSmallIntegerField()
    endpoint = models.CharField(_("endpoint"), max_length=100)
    model = models.CharField(_("model"), max_length=200)
    outcome = models.CharField(_("outcome"), max_length=50)
    calls = models.BigIntegerField(_("calls"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)

    class Meta:
        db_table = "llm_call_tally"
        verbose_name = _("counter of calls")
        verbose_name_plural = _("counters of calls")
        constraints = [
            models.UniqueConstraint(
                fields=["shard", "endpoint", "model", "outcome"], name="llm_call_tally_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.outcome})"


class SpendSum(_Spent):
    """What the calls of a month have cost, by what staff ask for: the log has too many rows to add.

    It survives the pruning of the log. A row is written in the transaction of its call.
    """

    class Kind(models.TextChoices):
        """What ``subject`` names: a purpose, a model, a writer's id, a novel's id (32 digits), or a
        day of the month (2026-11-28)."""

        PURPOSE = "purpose", _("purpose")
        MODEL = "model", _("model")
        WRITER = "writer", _("writer")
        NOVEL = "novel", _("novel")
        DAY = "day", _("day")

    month = models.DateField(_("month"))  # its first day (UTC)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    subject = models.CharField(_("subject"), max_length=200)
    calls = models.BigIntegerField(_("calls"), default=0)

    class Meta:
        db_table = "llm_spend_sum"
        verbose_name = _("sum of calls")
        verbose_name_plural = _("sums of calls")
        constraints = [
            models.UniqueConstraint(fields=["month", "kind", "subject"], name="llm_sum_once")
        ]
        indexes = [
            models.Index(
                fields=["month", "kind", "-cost", "-prompt_tokens"], name="llm_sum_dearest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind}: {self.subject}"


class CallSlot(models.Model):
    """A slot for one call at a time at an endpoint; free once ``expires_at`` has passed."""

    endpoint = models.CharField(_("endpoint"), max_length=100)
    number = models.PositiveIntegerField(_("number"))
    holder = models.CharField(max_length=32, blank=True, default="", editable=False)
    expires_at = models.DateTimeField(_("held until"))

    class Meta:
        db_table = "llm_call_place"
        verbose_name = _("call slot")
        verbose_name_plural = _("call slots")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "number"], name="llm_place_once")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} #{self.number}"


class BudgetStop(models.Model):
    """A novel or a writer whose budget for a month is used up. Its analyses are parked.

    From ``lifted_at`` on, somebody has let them go on for the rest of the month.
    """

    month = models.DateField(_("month"))  # its first day
    project_id = models.UUIDField(_("novel"), null=True, blank=True)
    user_id = models.BigIntegerField(_("writer"))  # also the novel's
    # "project:<id>" or "writer:<id>": the unique key allows one row a month for each.
    subject = models.CharField(max_length=60, editable=False)
    budget = models.DecimalField(_("budget"), max_digits=20, decimal_places=4)
    stopped_at = models.DateTimeField(_("used up"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        db_table = "llm_budget_stop"
        verbose_name = _("used-up budget")
        verbose_name_plural = _("used-up budgets")
        constraints = [
            models.UniqueConstraint(fields=["month", "subject"], name="llm_budget_stop_once"),
            models.CheckConstraint(
                condition=Q(subject__startswith="writer:", project_id__isnull=True)
                | Q(subject__startswith="project:", project_id__isnull=False),
                name="llm_budget_stop_subject",
            ),
        ]

    def __str__(self) -> str:
        return self.subject
