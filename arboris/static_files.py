"""Static files as they are served where ``collectstatic`` has been run."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

SCRIPTS = "js/"
BUNDLES = "js/vendor/"  # they import nothing


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it ships no types
    """Each file's name holds a hash of its content, so that browsers may keep it for a year.

    What a script imports has such a name too. As scripts import each other, in circles even, all
    of ours share one hash: of all their sources.
    """

    support_js_module_import_aggregation = True

    def file_hash(self, name: str | None, content: Any = None) -> str:
        if name and name.startswith(SCRIPTS) and not name.startswith(BUNDLES):
            return self._scripts_hash
        return str(super().file_hash(name, content))

    @cached_property
    def _scripts_hash(self) -> str:
        found = hashlib.sha256()
        for finder in finders.get_finders():
            for path, storage in sorted(finder.list([]), key=lambda pair: pair[0]):
                if path.startswith(SCRIPTS):
                    with storage.open(path) as file:
                        found.update(f"{path}\n".encode() + file.read())
        return found.hexdigest()[:12]
