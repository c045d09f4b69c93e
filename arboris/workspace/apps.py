from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from arboris.llm.prompt_texts import Prompt


class WorkspaceConfig(AppConfig):
    name = "arboris.workspace"
    label = "workspace"
    verbose_name = _("Workspace")

    def ready(self) -> None:
        from arboris import checks  # noqa: F401 - registers the project's system checks
        from arboris.llm import prompt_texts

        prompt_texts.register(prompts)


def prompts() -> Iterable[Prompt]:
    """What staff may read and change of what this room asks; loaded when it is looked at."""
    from arboris.workspace.generation.prompt import texts

    return texts()
