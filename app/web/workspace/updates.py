"""News to signers: written in three languages, looked at, sent to oneself, then sent off; stopped where need be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import updates
from app.actions.records import record
from app.actions.updates import (
    CampaignNotPublic,
    NobodyAsked,
    UpdateChanged,
    UpdateNotFound,
    UpdateNotTried,
    UpdateTooSoon,
)
from app.i18n import LOCALES, message
from app.mail.updates import SENDING_STATES, choose_news
from app.queries.updates import count_readers, find_last_queued, find_update, list_updates
from app.rules.normalise import Refused, clean_line
from app.rules.permissions import Permission
from app.rules.questions import clean_paragraphs
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.responses import Response

    from app.queries.updates import UpdateCard
    from app.web.forms import Form
    from app.web.gate import Visit

TITLE_LIMIT: Final = 200
BODY_LIMIT: Final = 4000
_ID: Final = re.compile(r"[0-9a-f]{32}")
#: Fewer than so many people are never numbered.
FEW: Final = 5
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422


def roughly(number: int) -> int:
    """Return a number of people rounded to two digits, and to fives where it is small; 0 where there are very few.

    Whoever watches it learns nothing of one person who asked for news or no longer wants it.
    """
    if number < FEW:
        return 0
    step = max(FEW, int(10 ** (len(str(number)) - 2)))
    return number // step * step


async def refuse(visit: Visit, address: str) -> NoReturn:
    """Say 404, on record, to whoever asks for what this campaign does not have at an ``address`` of ours."""
    await visit.house.database.write(
        record,
        what="refused",
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=visit.campaign.id,
        details={"method": visit.request.method, "address": address},
    )
    raise HTTPException(404)


@dataclass(frozen=True, slots=True)
class _Typed:
    """What a form held: by language, as it is to be shown again; cleaned, where nothing is wrong with it."""

    values: Mapping[str, str]
    texts: dict[str, dict[str, str]]
    errors: list[tuple[str, str]]


async def show_list(visit: Visit) -> Response:
    """Show what was written and sent."""
    database, campaign = visit.house.database, visit.campaign
    return visit.show(
        "workspace/updates.html",
        updates=await database.read(list_updates, campaign_id=campaign.id),
        readers=await database.read(count_readers, campaign_id=campaign.id),
        is_public=campaign.state in SENDING_STATES,
        done=_done(visit, "discarded"),
        roughly=roughly,
    )


async def show_new(visit: Visit) -> Response:
    """Show an empty form."""
    return _show_form(visit, None, _Typed({}, {}, []), once=uuid4().hex)


async def create(visit: Visit) -> Response:
    """Write a new draft."""
    form = await visit.read_form()
    typed, once = _read(visit, form), form.text("once")
    if not _ID.fullmatch(once):
        raise HTTPException(400)
    if typed.errors:
        return _show_form(visit, None, typed, once=once, status_code=UNPROCESSABLE)
    update_id = UUID(once)
    try:
        await visit.house.database.write(
            updates.create_update,
            update_id=update_id,
            campaign_id=visit.campaign.id,
            texts=typed.texts,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except (UpdateChanged, UpdateNotFound):
        # Not found: the id is one of another campaign, and finding it here says so.
        return await _show_conflict(visit, update_id, typed)
    return visit.go(f"{_at(visit, update_id)}/send")


async def show(visit: Visit) -> Response:
    """Show a draft to be written on, or what became of an update."""
    update = await _find(visit)
    if update.state == "draft":
        return _show_form(visit, update, _Typed(_values_of(update.texts), {}, []))
    return visit.show("workspace/updates_sent.html", update=update, news=_news(visit, update), roughly=roughly)


async def save(visit: Visit) -> Response:
    """Save a draft over the version that was shown."""
    form = await visit.read_form()
    update, typed = await _find(visit), _read(visit, form)
    if typed.errors:
        return _show_form(visit, update, typed, version=form.text("version"), status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            updates.save_update,
            update_id=update.id,
            campaign_id=visit.campaign.id,
            texts=typed.texts,
            version=_version(form),
        )
    except UpdateChanged:
        return await _show_conflict(visit, update.id, typed)
    return visit.go(f"{_at(visit, update.id)}/send")


async def show_preview(visit: Visit) -> Response:
    """Show a draft as each reader will get it, and what is left to do."""
    update = await _find(visit)
    if update.state != "draft":
        return visit.go(_at(visit, update.id))
    return await _show_preview(visit, update)


async def try_out(visit: Visit) -> Response:
    """Send a draft to whoever asks."""
    form, update = await visit.read_form(), await _find(visit)
    once = form.text("once")
    if not _ID.fullmatch(once):
        raise HTTPException(400)
    try:
        await visit.house.database.write(
            updates.try_update,
            update_id=update.id,
            campaign_id=visit.campaign.id,
            version=_version(form),
            account_id=visit.signed_in.account_id,
            once=once,
            now=visit.now,
        )
    except UpdateChanged:
        return await _refuse(visit, update.id)
    return visit.go(f"{_at(visit, update.id)}/send?done=tried")


async def send(visit: Visit) -> Response:
    """Send a draft off."""
    form, update = await visit.read_form(), await _find(visit)
    try:
        await visit.house.database.write(
            updates.queue_update,
            update_id=update.id,
            campaign_id=visit.campaign.id,
            version=_version(form),
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except (UpdateChanged, CampaignNotPublic, NobodyAsked, UpdateNotTried, UpdateTooSoon):
        # The page says how it stands, and what is missing.
        return await _refuse(visit, update.id)
    return visit.go(_at(visit, update.id))


async def stop(visit: Visit) -> Response:
    """Send no more of an update."""
    await visit.read_form()
    update = await _find(visit)
    try:
        await visit.house.database.write(
            updates.stop_update,
            update_id=update.id,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except UpdateChanged:
        return await _refuse(visit, update.id)
    return visit.go(_at(visit, update.id))


async def discard(visit: Visit) -> Response:
    """Throw a draft away."""
    await visit.read_form()
    update = await _find(visit)
    try:
        await visit.house.database.write(
            updates.discard_update,
            update_id=update.id,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except UpdateChanged:
        return await _refuse(visit, update.id)
    return visit.go(f"/campaigns/{visit.campaign.slug}/updates?done=discarded")


_HERE: Final = "/campaigns/{slug}/updates"
PAGES: Final[tuple[Page, ...]] = (
    Page(_HERE, show_list, needs=Permission.DRAFT_NEWS),
    Page(f"{_HERE}/new", show_new, create, needs=Permission.DRAFT_NEWS),
    Page(f"{_HERE}/{{update}}", show, save, needs=Permission.DRAFT_NEWS),
    Page(
        f"{_HERE}/{{update}}/send",
        show_preview,
        send,
        needs=Permission.DRAFT_NEWS,
        post_needs=Permission.SEND_NEWS,
        is_grave=True,
    ),
    Page(f"{_HERE}/{{update}}/try", post=try_out, needs=Permission.DRAFT_NEWS),
    Page(f"{_HERE}/{{update}}/stop", post=stop, needs=Permission.SEND_NEWS),
    Page(f"{_HERE}/{{update}}/discard", post=discard, needs=Permission.DRAFT_NEWS),
)


def _at(visit: Visit, update_id: UUID) -> str:
    return f"/campaigns/{visit.campaign.slug}/updates/{update_id.hex}"


def _done(visit: Visit, *known: str) -> str | None:
    done = visit.request.query_params.get("done")
    return done if done in known else None


def _version(form: Form) -> int:
    text = form.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004 - fits a column


async def _find(visit: Visit, update_id: UUID | None = None) -> UpdateCard:
    """Return the update in the address, or of this id; 404, on record, for one that this campaign does not have."""
    said, update = visit.request.path_params.get("update", ""), None
    if update_id is None and _ID.fullmatch(said):
        update_id = UUID(said)
    if update_id is not None:
        update = await visit.house.database.read(find_update, campaign_id=visit.campaign.id, update_id=update_id)
    if update is None:
        await refuse(visit, f"{_HERE}/{{update}}")
    return update


def _read(visit: Visit, form: Form) -> _Typed:
    """Read the texts of all languages: both parts in the source language; elsewhere both or neither."""
    values = {name: form.text(name) for locale in LOCALES for name in (f"title_{locale}", f"body_{locale}")}
    texts: dict[str, dict[str, str]] = {}
    errors: list[tuple[str, str]] = []
    for locale in _order(visit):
        text: dict[str, str] = {}
        for name, clean, limit in (("title", clean_line, TITLE_LIMIT), ("body", clean_paragraphs, BODY_LIMIT)):
            try:
                text[name] = clean(values[f"{name}_{locale}"], limit=limit)
            except Refused as refusal:
                errors.append((f"{name}_{locale}", refusal.message.say(visit.locale)))
        is_wanted = locale == visit.campaign.source_locale or any(text.values())
        missing = [name for name, value in text.items() if not value] if is_wanted else []
        errors += [(f"{name}_{locale}", _MISSING[name].say(visit.locale)) for name in missing]
        if is_wanted:
            texts[locale] = text
    return _Typed(values, texts, errors)


_MISSING: Final = {
    "title": message("Enter a title in this language"),
    "body": message("Enter the text in this language"),
}


def _order(visit: Visit) -> list[str]:
    """Return the languages, that of the source first."""
    return sorted(LOCALES, key=lambda locale: locale != visit.campaign.source_locale)


def _values_of(texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{name}_{locale}": value for locale, text in texts.items() for name, value in text.items()}


def _show_form(
    visit: Visit,
    update: UpdateCard | None,
    typed: _Typed,
    *,
    once: str = "",
    version: str = "",
    status_code: int = 200,
    saved: UpdateCard | None = None,
) -> Response:
    return visit.show(
        "workspace/updates_write.html",
        status_code=status_code,
        update=update,
        values=typed.values,
        errors=typed.errors,
        errors_by_field=dict(typed.errors),
        once=once,
        version=version or (update.version if update else ""),
        saved=saved,
        saved_news=_news(visit, saved) if saved else [],
        order=_order(visit),
        source=visit.campaign.source_locale,
        title_limit=TITLE_LIMIT,
        body_limit=BODY_LIMIT,
    )


async def _show_conflict(visit: Visit, update_id: UUID, typed: _Typed) -> Response:
    """Show what was typed beside what somebody else saved; saving again then means it."""
    saved = await _find(visit, update_id)
    return _show_form(visit, saved, typed, status_code=CONFLICT, saved=saved)


async def _refuse(visit: Visit, update_id: UUID) -> Response:
    """Show how an update stands where something could not be done."""
    update = await _find(visit, update_id)
    if update.state == "draft":
        return await _show_preview(visit, update, status_code=CONFLICT)
    return visit.show(
        "workspace/updates_sent.html",
        status_code=CONFLICT,
        update=update,
        news=_news(visit, update),
        roughly=roughly,
    )


async def _show_preview(visit: Visit, update: UpdateCard, *, status_code: int = 200) -> Response:
    database, campaign = visit.house.database, visit.campaign
    return visit.show(
        "workspace/updates_preview.html",
        status_code=status_code,
        update=update,
        news=_news(visit, update),
        readers=await database.read(count_readers, campaign_id=campaign.id),
        is_public=campaign.state in SENDING_STATES,
        is_refused=status_code != 200,  # noqa: PLR2004 - a status
        wait_until=_wait_until(await database.read(find_last_queued, campaign_id=campaign.id), visit.now),
        once=uuid4().hex,
        done=_done(visit, "tried"),
        roughly=roughly,
    )


def _news(visit: Visit, update: UpdateCard) -> list[tuple[str, object]]:
    """Return what a reader of each language gets."""
    source = visit.campaign.source_locale
    return [(locale, choose_news(update.texts, locale, source)) for locale in _order(visit)]


def _wait_until(last: datetime | None, now: datetime) -> datetime | None:
    until = None if last is None else last + updates.PAUSE
    return until if until is not None and now < until else None
