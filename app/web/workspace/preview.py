"""The campaign's page as it will look: made from the draft, in each language, and good for nothing but reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.i18n import as_locale, say
from app.queries.campaigns import find_preview
from app.rules.permissions import Permission
from app.rules.texts import LocalisedText, Part
from app.web.campaign_page import campaign_context, draw_qr_code, is_signable
from app.web.gate import Page

if TYPE_CHECKING:
    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.gate import Visit

#: What ``?width=`` says for a column as wide as a phone.
PHONE: Final = "phone"


async def show(visit: Visit) -> Response:
    """Lead to the page in each language."""
    return visit.show("workspace/preview.html", kind=visit.campaign.kind)


async def show_page(visit: Visit) -> Response:
    """Show the page in the language that the address ends with; the words around it are in the visitor's own."""
    try:
        locale = as_locale(visit.request.path_params["content"])
    except ValueError:
        raise HTTPException(404) from None
    campaign = await visit.house.database.read(find_preview, campaign_id=visit.campaign.id, now=visit.now)
    # What opens later is shown as on its first day: nobody would see the form otherwise.
    moment = visit.now if campaign.opens_at is None else max(visit.now, campaign.opens_at)
    has_form = is_signable(campaign, moment)
    districts = await visit.house.districts.find_for(campaign)
    context = campaign_context(visit.house, campaign, locale, moment, has_form=has_form, districts=districts)
    at = f"/{visit.locale}/workspace/campaigns/{campaign.slug}"
    is_phone = visit.request.query_params.get("width") == PHONE
    query = f"?width={PHONE}" if is_phone else ""
    banner = visit.house.pages.render(
        "workspace/preview_banner.html", visit.locale, at=at, content_locale=locale, query=query, is_phone=is_phone
    )
    context |= {
        "text": _with_title(context["text"], campaign, locale),
        "qr_path": f"{at}/preview/qr.svg",
        "preview": {
            "at": f"{at}/preview",
            "query": query,
            "banner": Markup(banner),  # noqa: S704 - a template of ours, which has escaped what it shows
            "form_note": say(visit.locale, "The form is shown, but it cannot be filled in or sent from this page."),
            "locale": visit.locale,
            "is_phone": is_phone,
        },
    }
    page = visit.house.pages.render(
        "public/campaign.html",
        locale,
        path=visit.path,
        base_url=visit.house.settings.base_url,
        robots="noindex",
        has_links=False,
        **context,
    )
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


async def show_qr_code(visit: Visit) -> Response:
    """Draw the code of the short link, which the public address draws only for what is published."""
    drawing = draw_qr_code(visit.house, visit.campaign.slug)
    return Response(drawing, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _with_title(text: LocalisedText, campaign: Campaign, locale: Locale) -> LocalisedText:
    """Return the text with words in place of a title that is not written yet; without any text, nothing is missing."""
    if text.title:
        return text
    missing = as_locale(campaign.source_locale) if campaign.texts else locale
    title = Part(say(missing, "(no title yet)"), missing)
    return replace(text, title=title, is_missing=text.is_missing and bool(campaign.texts))


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/preview", show, needs=Permission.READ),
    # Before the languages: an address is answered by the first that fits.
    Page("/campaigns/{slug}/preview/qr.svg", show_qr_code, needs=Permission.READ),
    Page("/campaigns/{slug}/preview/{content}", show_page, needs=Permission.READ),
)
