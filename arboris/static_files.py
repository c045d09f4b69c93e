"""Static files as they are served where ``collectstatic`` has been run."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it ships no types
    """Each file's name holds a hash of its content, so that browsers may keep it for a year.

    What a script imports has such a name too.
    """

    support_js_module_import_aggregation = True
