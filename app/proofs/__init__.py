"""Proofs: pure, and nothing of this installation in them: trees of RFC 6962, signed notes, and checking them."""
