"""The keys of requests that create, each with the answer that its first request got."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotencyKey(models.Model):
    """One key of one writer, from its first request until 24 hours later.

    ``lease_expires_at``: until then the request may be under way; NULL where it has ended.
    ``status`` and ``body`` (JSON, deflated) are what it has made so far; NULL: nothing.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("writer")
    )
    # Digests: of equal length, and equal to the letter in every collation.
    key_digest = models.CharField(max_length=64)
    request_digest = models.CharField(max_length=64)
    token = models.CharField(max_length=32)  # of the request that holds the key
    lease_expires_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)

    class Meta:
        db_table = "idempotency_key"
        verbose_name = _("key of a request")
        verbose_name_plural = _("keys of requests")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key_digest"], name="idempotency_key_once_per_writer"
            )
        ]

    def __str__(self) -> str:
        return self.key_digest[:12]
