"""What calls have cost, who may not make more of them, and the places at an endpoint."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ModelCall(models.Model):
    """One request to a model: the ledger. Written when the request ends, however it ends.

    It points to nothing, so that neither a pruned task nor a deleted novel takes along what was
    spent on it.
    """

    # Drawn by the writer of the row: written twice, where an answer was lost, it is there once.
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
    # How many of the two were never reported but estimated.
    estimated_tokens = models.BigIntegerField(_("estimated tokens"), default=0)
    # NULL: the price table knows no price for the model.
    cost = models.DecimalField(_("cost"), max_digits=20, decimal_places=10, null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=50)  # "ok", "cancelled" or an error's code
    seconds = models.FloatField(_("seconds"))

    class Meta:
        db_table = "llm_call"
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        indexes = [
            # With what is summed at the end: a month's sum is read from the index alone.
            models.Index(fields=["project_id", "created_at", "cost"], name="llm_call_of_project"),
            models.Index(fields=["user_id", "created_at", "cost"], name="llm_call_of_writer"),
            models.Index(fields=["task_id"], name="llm_call_of_task"),
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.outcome})"


class SpendTally(models.Model):
    """What was ever spent by model and purpose, so that counters survive the ledger's pruning.

    A row per shard keeps writers apart.
    """

    SHARDS = 16

    shard = models.PositiveSmallIntegerField()
    model = models.CharField(_("model"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=30)
    prompt_tokens = models.BigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.BigIntegerField(_("completion tokens"), default=0)
    estimated_tokens = models.BigIntegerField(_("estimated tokens"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=24, decimal_places=10, default=0)

    class Meta:
        db_table = "llm_spend_tally"
        verbose_name = _("tally of calls")
        verbose_name_plural = _("tallies of calls")
        constraints = [
            models.UniqueConstraint(fields=["shard", "model", "purpose"], name="llm_tally_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.purpose})"


class CallPlace(models.Model):
    """One of the places for calls at an endpoint: whoever holds it may have one call under way.

    It is free once ``expires_at`` has passed, whatever became of its holder.
    """

    endpoint = models.CharField(_("endpoint"), max_length=100)
    number = models.PositiveIntegerField(_("number"))
    holder = models.CharField(max_length=32, blank=True, default="", editable=False)
    expires_at = models.DateTimeField(_("held until"))

    class Meta:
        db_table = "llm_call_place"
        verbose_name = _("place for a call")
        verbose_name_plural = _("places for calls")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "number"], name="llm_place_once")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} #{self.number}"


class BudgetStop(models.Model):
    """A novel or a writer whose budget for a month is used up: its analyses are parked.

    ``lifted_at``: somebody lets it go on all the same, until the month is over.
    """

    month = models.DateField(_("month"))  # its first day
    project_id = models.UUIDField(_("novel"), null=True, blank=True)
    user_id = models.BigIntegerField(_("writer"))  # also the novel's
    # What it stands for, so that the database keeps it to one: "project:<id>" or "writer:<id>".
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
