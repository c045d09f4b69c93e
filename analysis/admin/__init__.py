"""The operator's pages. Whatever they change goes through ``analysis.queue``."""

from analysis.admin import accounts, calls, control, groups, prompts, records, routes, tasks

__all__ = ["accounts", "calls", "control", "groups", "prompts", "records", "routes", "tasks"]
