from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LLMConfig(AppConfig):
    name = "arboris.llm"
    label = "llm"
    verbose_name = _("Language models")

    def ready(self) -> None:
        from arboris.llm.accounting import admission, database_admission

        admission.use(database_admission.DatabaseAdmission())
