"""All that touches django-q2: broker, cluster and what its processes share, wake-ups."""
