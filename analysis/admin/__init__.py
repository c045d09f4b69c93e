"""The operator's pages. Whatever they change goes through ``analysis.queue``."""

from analysis.admin import control, records, tasks

__all__ = ["control", "records", "tasks"]
