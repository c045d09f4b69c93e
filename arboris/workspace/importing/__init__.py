"""Bringing a file into a novel: at once, or after a look at what was found in it."""
