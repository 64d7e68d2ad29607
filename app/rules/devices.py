"""Which browser on which system a session is in, in two words that its owner knows again."""

from __future__ import annotations

from typing import Final

#: What each says of itself, the more telling first: nearly all of them also claim to be Chrome, Safari and Mozilla.
BROWSERS: Final = (
    ("FBAN", "Facebook"),
    ("FBAV", "Facebook"),
    ("Telegram", "Telegram"),
    ("Line/", "Line"),
    ("SamsungBrowser", "Samsung Internet"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def name_device(user_agent: str) -> str:
    """Return such as "Chrome, Android", as much of it as can be told, else nothing. Proper names, in no language."""
    found = (
        next((name for mark, name in names if mark in user_agent), None)
        for names in (BROWSERS, SYSTEMS)
    )  # fmt: skip
    return ", ".join(name for name in found if name is not None)
