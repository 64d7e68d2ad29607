"""The organisers' door. Every address needs a permission: `access.py` refuses all others."""
