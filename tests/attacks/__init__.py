"""Attacks on the count, with honest people in the midst: ``script/attacks``, and ``docs/integrity.md`` for figures."""
