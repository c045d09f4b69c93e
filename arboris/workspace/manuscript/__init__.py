"""Taking a novel out as a file."""
