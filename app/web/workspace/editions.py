"""Editions: what the draft would change in the published text, and publishing it as it was shown."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from app.actions.editions import (
    DraftMoved,
    EditionMoved,
    LanguagesIncomplete,
    NotCorrectable,
    NothingChanged,
    can_correct,
    publish_edition,
)
from app.i18n import LOCALES, Message, message
from app.queries.editions import count_by_edition, find_correction, list_editions
from app.rules.normalise import Refused
from app.rules.permissions import Permission
from app.rules.questions import clean_paragraphs
from app.web.changes import describe_changes, describe_lacks
from app.web.gate import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from app.web.forms import Form
    from app.web.gate import Visit

NOTE_LIMIT: Final = 1000
KINDS: Final = ("correction", "substance")
UNPROCESSABLE: Final = 422
#: What has to be looked at again, by what the action found.
_MOVED: Final[dict[type[Exception], Message]] = {
    EditionMoved: message("Somebody else has published an edition meanwhile. Compare again with the present text."),
    DraftMoved: message("The draft was changed while you were reading. Look at the changes again, then publish."),
    NothingChanged: message("The draft says what the published text says. There is nothing to publish."),
    LanguagesIncomplete: message("The languages that are promised must be complete before you publish."),
    NotCorrectable: message("The text can no longer be changed: signing is not open."),
}


async def show(visit: Visit) -> Response:
    """Show what the draft would change, and every edition so far."""
    return await _show(visit, {}, [])


async def publish(visit: Visit) -> Response:
    """Make the draft the current edition."""
    form = await visit.read_form()
    note, errors = _read_note(visit, form)
    kind = form.text("kind")
    if kind not in KINDS:
        errors.insert(0, ("kind", message("Choose what kind of change it is").say(visit.locale)))
    if errors:
        return await _show(visit, form.typed(), errors)
    try:
        number = await visit.house.database.write(
            publish_edition,
            campaign_id=visit.campaign.id,
            shown_edition=form.text("edition"),
            shown_draft=form.text("draft"),
            is_substantive=kind == "substance",
            note=note,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except tuple(_MOVED) as fact:
        return await _show(visit, form.typed(), [("changes", _MOVED[type(fact)].say(visit.locale))])
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/editions?published={number}")


PAGES: Final = (
    Page(
        "/campaigns/{slug}/editions",
        show,
        publish,
        needs=Permission.READ,
        post_needs=Permission.CORRECT,
        is_grave=True,
    ),
)


def _read_note(visit: Visit, form: Form) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the note by language, and what is wrong with it: promised languages need one."""
    note: dict[str, str] = {}
    errors: list[tuple[str, str]] = []
    for locale in LOCALES:
        field = f"note_{locale}"
        try:
            text = clean_paragraphs(form.text(field), limit=NOTE_LIMIT)
        except Refused as refusal:
            errors.append((field, refusal.message.say(visit.locale)))
            continue
        if text:
            note[locale] = text
        elif locale in visit.campaign.promised_locales:
            errors.append((field, message("Say in this language what was changed, and why").say(visit.locale)))
    return note, errors


async def _show(visit: Visit, values: dict[str, str], errors: list[tuple[str, str]]) -> Response:
    database, campaign = visit.house.database, visit.campaign
    correction = await database.read(find_correction, campaign_id=campaign.id)
    editions = await database.read(list_editions, campaign_id=campaign.id)
    counts = {}
    if visit.can(Permission.SEE_FIGURES):
        counts = await database.read(count_by_edition, campaign_id=campaign.id)
    # Comparing long texts takes a while, and others are waiting for their pages.
    made = [
        await asyncio.to_thread(describe_changes, before.texts, each.texts, visit.locale)
        for before, each in pairwise(editions)
    ]
    changes, lost, unready, behind = [], [], [], []
    if correction is not None:
        changes = await asyncio.to_thread(describe_changes, correction.current.texts, correction.texts, visit.locale)
        lost = describe_lacks(correction.lost, visit.locale)
        unready = describe_lacks(correction.unready, visit.locale)
        behind = describe_lacks(correction.behind, visit.locale)
    published = visit.request.query_params.get("published", "")
    return visit.show(
        "workspace/editions.html",
        status_code=UNPROCESSABLE if errors else 200,
        correction=correction,
        is_correctable=can_correct(campaign.state, campaign.opens_at, campaign.closes_at, visit.now),
        changes=changes,
        lost=lost,
        unready=unready,
        behind=behind,
        editions=[*zip(reversed(editions), reversed([[], *made]), strict=True)] if editions else [],
        counts=counts,
        values=values,
        errors=errors,
        published=int(published) if published.isascii() and published.isdigit() and len(published) < 6 else None,  # noqa: PLR2004 - as editions are numbered
        note_limit=NOTE_LIMIT,
    )
