"""Advance copies: the PDF of a letter that is not public yet, which says so on every page.

Its team reads it while it writes, and its signatories before the embargo ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.documents.letter import name_letter, typeset_letter
from app.i18n import say
from app.i18n.formats import format_moment
from app.rules.letters import languages_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.i18n import Locale
    from app.queries.letters import AdvanceLetter
    from app.web.house import House

_PDF = "application/pdf"


async def show_advance_copy(
    house: House, campaign_id: UUID, advance: AdvanceLetter, locale: Locale, place: int | None = None
) -> Response:
    """Return the letter to one recipient (from 1 on) or to all, for no cache; 404 where it is not in this language."""
    letter = advance.letter
    if place is not None and place > len(letter.recipients):
        raise HTTPException(404)
    if locale not in languages_of(letter, None if place is None else letter.recipients[place - 1]):
        raise HTTPException(404)
    notice = say_notice(advance, locale)
    # With thousands of organisations that is work.
    state = await asyncio.to_thread(name_letter, letter, locale, place, notice=notice)
    _, content = await house.printer.find_unkept(
        campaign_id=campaign_id,
        name=f"advance/{place or 'all'}/{locale}",
        state=state,
        make=lambda: (state, typeset_letter(letter, locale, place, notice=notice)),
    )
    headers = {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "Content-Disposition": f'inline; filename="{letter.slug}-advance-{locale}.pdf"',
    }
    return Response(content, media_type=_PDF, headers=headers)


def say_notice(advance: AdvanceLetter, locale: Locale) -> str:
    """Return what every page of it says."""
    if advance.embargo_until is None:
        return say(locale, "Draft: this has not been published")
    moment = format_moment(advance.embargo_until, advance.letter.timezone, locale)
    return say(locale, "Under embargo until %(moment)s", moment=moment)
