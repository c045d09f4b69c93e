"""``Idempotency-Key``: a POST that is sent again gets its first answer, and makes nothing twice."""
