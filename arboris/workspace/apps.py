from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspaceConfig(AppConfig):
    name = "arboris.workspace"
    label = "workspace"
    verbose_name = _("Workspace")

    def ready(self) -> None:
        from arboris import checks  # noqa: F401 - registers the project's system checks
