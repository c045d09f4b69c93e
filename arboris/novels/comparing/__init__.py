"""Two texts compared: by paragraph, and by character inside changed paragraphs. No ORM here."""

from arboris.novels.comparing.hunks import Comparison, Edit, Hunk, compare

__all__ = ["Comparison", "Edit", "Hunk", "compare"]
