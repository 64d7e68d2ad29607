"""Who works on a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.web.gate import Page

PAGES: Final[tuple[Page, ...]] = ()
