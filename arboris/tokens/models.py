"""One key of one API client; the key itself is nowhere but with its client."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """``digest``: SHA-256 of the key, in hex. A key is 160 random bits: nobody guesses it from its
    digest, so that no salt or slow hash is needed and one look-up by index finds it.

    ``used_at``: when it was last used, to a few minutes; it ends ARBORIS_TOKEN_DAYS later.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("writer"),
    )
    digest = models.CharField(max_length=64, unique=True)
    client = models.CharField(_("program"), max_length=160, blank=True)
    created_at = models.DateTimeField(_("created"))
    used_at = models.DateTimeField(_("last used"), db_index=True)

    class Meta:
        db_table = "api_token"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"#{self.pk}"
