"""``python -m app`` is ``hatthalekha``."""

from app.cli import main

main()
