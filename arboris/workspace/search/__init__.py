"""Finding and replacing in a whole novel, and going to anything in it by its name."""
