"""Keys of API clients: hashed, ending when nobody uses them, and ended by their writer."""
