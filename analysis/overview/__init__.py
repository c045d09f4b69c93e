"""What the first page of the admin shows: how the queue stands, and how it came to that."""
