"""The editor of three columns: each part in each language, its state, its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.web.gate import Page

PAGES: Final[tuple[Page, ...]] = ()
