"""Doors: each parses a request, calls one action or query, and answers. Doors never import each other."""
