from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BibleConfig(AppConfig):
    name = "arboris.bible"
    label = "bible"
    verbose_name = _("Story bible")
