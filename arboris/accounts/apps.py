from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "arboris.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from arboris.accounts import signals, verification  # noqa: F401 - registers its receivers
