"""Failures by their cause: groups of one fingerprint, a canary of each, and the rest of it."""
