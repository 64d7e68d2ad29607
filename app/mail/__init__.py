"""Letters: the outbox, what they say, and how they leave."""
