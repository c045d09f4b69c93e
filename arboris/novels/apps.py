from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NovelsConfig(AppConfig):
    name = "arboris.novels"
    label = "novels"
    verbose_name = _("Novels")
