"""All that touches django-q2: its broker, its cluster, and the wake-ups in its table."""
