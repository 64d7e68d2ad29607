"""What every room stands on: database, clock, keys, tokens, logging."""
