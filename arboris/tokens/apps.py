from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TokensConfig(AppConfig):
    name = "arboris.tokens"
    label = "tokens"
    verbose_name = _("API tokens")

    def ready(self) -> None:
        from arboris.tokens import signals  # noqa: F401 - registers its receiver
