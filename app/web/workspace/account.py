"""A person's own account: name, language, passkeys, authenticator, recovery codes, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.web.gate import Page

PAGES: Final[tuple[Page, ...]] = ()
