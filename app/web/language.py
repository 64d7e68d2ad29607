"""Which language a visitor gets where the address names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from app.i18n import LOCALES, as_locale
from app.i18n.negotiation import best_locale
from app.web.cookies import LOCALE_COOKIE

if TYPE_CHECKING:
    from starlette.types import Scope

    from app.i18n import Locale


def visitor_locale(scope: Scope, default: str) -> Locale:
    """Return the visitor's last choice, else what the browser asks for, else ``default``."""
    request = Request(scope)
    chosen = request.cookies.get(LOCALE_COOKIE, "")
    if chosen in LOCALES:
        return as_locale(chosen)
    return best_locale(request.headers.get("accept-language"), as_locale(default))
