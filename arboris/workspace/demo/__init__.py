"""The demonstration: a real novel through the real processes, with the times it took."""
