"""What staff did about a group of failures: retried one of them first, then the rest."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ErrorGroup(models.Model):
    """The latest retry of a group. A group that nobody has retried has no row: its tasks say all.

    The row stays when the group is empty and when tasks are pruned, so it has no foreign key.
    """

    fingerprint = models.CharField(_("group"), max_length=16, primary_key=True)
    error_type = models.CharField(_("error"), max_length=50)
    error_message = models.TextField(_("error message"))
    canary = models.BigIntegerField(_("canary"), null=True, blank=True)  # a task's id
    canary_at = models.DateTimeField(_("canary retried"), null=True, blank=True)
    canary_by = models.CharField(_("canary retried by"), max_length=200, blank=True, default="")
    rest_at = models.DateTimeField(_("rest retried"), null=True, blank=True, db_index=True)
    rest_by = models.CharField(_("rest retried by"), max_length=200, blank=True, default="")
    operation = models.BigIntegerField(_("operation"), null=True, blank=True)

    class Meta:
        app_label = "analysis"
        verbose_name = _("error group")
        verbose_name_plural = _("error groups")

    def __str__(self) -> str:
        return f"{self.error_type} {self.fingerprint}"
