"""The operator's pages. Whatever they change goes through ``analysis.queue``."""

from analysis.admin import calls, control, records, tasks

__all__ = ["calls", "control", "records", "tasks"]
