"""The letter as a document: its head, how each recipient is spoken to, its PDFs, its dated editions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from app.actions.lettering import (
    DATEABLE_STATES,
    Greeting,
    LetterheadChanged,
    NotDateable,
    RecipientsChanged,
    fingerprint_recipient,
    issue_dated_edition,
    save_greeting,
    save_letterhead,
)
from app.i18n import LOCALES, as_locale, message
from app.queries.lettering import find_letterhead, list_kept_letters, list_recipients
from app.queries.letters import find_advance_letter, find_letter
from app.rules.dated import compare
from app.rules.letters import ARRANGEMENTS, Letterhead, languages_of
from app.rules.permissions import Permission
from app.web.advance import show_advance_copy
from app.web.gate import Page
from app.web.workspace.campaign_form import Reading, say_errors
from app.web.workspace.updates import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from app.queries.lettering import TeamLetterhead, TeamRecipient
    from app.rules.letters import Letter
    from app.web.gate import Visit

PLACE_LIMIT: Final = 100
SUBJECT_LIMIT: Final = 200
SALUTATION_LIMIT: Final = 200
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
#: A letter to a recipient in whatever language they choose.
ANY: Final = "any"
#: What a page says was done, by the word in its address.
DONE: Final = frozenset({"head", "greeting"})
_HERE: Final = "/campaigns/{slug}/letter"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")


async def show(visit: Visit) -> Response:
    """Show the letter: its head, its recipients with their PDFs, what the next dated edition would add."""
    return await _show(visit)


async def issue(visit: Visit) -> Response:
    """Keep the letter as it is signed now."""
    await visit.read_form()
    try:
        number = await visit.house.database.write(
            issue_dated_edition,
            campaign_id=visit.campaign.id,
            base_url=visit.house.settings.base_url,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except NotDateable:
        return await _show(visit, status_code=CONFLICT, is_refused=True)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/letter?issued={number}")


async def show_copy(visit: Visit) -> Response:
    """Show the letter to one recipient or to all before it is public; once it is, lead to the public PDF."""
    try:
        locale = as_locale(visit.request.path_params["content"])
    except ValueError:
        raise HTTPException(404) from None
    number = visit.request.path_params.get("number")
    if number is not None and not _NUMBER.fullmatch(number):
        raise HTTPException(404)
    campaign = visit.campaign
    advance = await visit.house.database.read(
        find_advance_letter, campaign_id=campaign.id, base_url=visit.house.settings.base_url, now=visit.now
    )
    if advance is None:
        file = "letter" if number is None else f"letter/to/{number}"
        return RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/{file}.pdf", 303)
    return await show_advance_copy(visit.house, campaign.id, advance, locale, None if number is None else int(number))


async def show_head(visit: Visit) -> Response:
    """Show what stands above the letter, to be changed."""
    head = await _find_head(visit)
    return _show_head(visit, head, _values_of(head), {})


async def save_head(visit: Visit) -> Response:
    """Save what stands above the letter, unless somebody else was faster."""
    form = await visit.read_form()
    reading = Reading(form)
    head = _read_head(reading)
    version = form.text("version")
    if reading.errors or not version.isascii() or not version.isdigit() or len(version) > 9:  # noqa: PLR2004 - digits
        current = await _find_head(visit)
        errors = say_errors(reading.errors, visit.locale)
        return _show_head(visit, current, form.typed(), errors, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            save_letterhead,
            campaign_id=visit.campaign.id,
            version=int(version),
            head=head,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except LetterheadChanged:
        saved = await _find_head(visit)
        typed = {**form.typed(), "version": str(saved.version)}
        return _show_head(visit, saved, typed, {}, saved=saved, status_code=CONFLICT)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/letter?done=head")


async def show_greeting(visit: Visit) -> Response:
    """Show how the letter to one recipient begins, to be changed."""
    recipient = await _find_recipient(visit)
    values = {f"salutation_{locale}": text for locale, text in recipient.salutations.items()}
    values |= {"language": recipient.locale or ANY, "shown": _fingerprint(recipient)}
    return _show_greeting(visit, recipient, values, {})


async def save_greeting_form(visit: Visit) -> Response:
    """Save how the letter to one recipient begins, unless the recipients were changed."""
    form = await visit.read_form()
    recipient, reading = await _find_recipient(visit), Reading(form)
    salutations = reading.by_locale("salutation", SALUTATION_LIMIT)
    language = reading.choice("language", (ANY, *LOCALES), message("Choose the language of the letter"))
    if reading.errors:
        errors = say_errors(reading.errors, visit.locale)
        return _show_greeting(visit, recipient, form.typed(), errors, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            save_greeting,
            campaign_id=visit.campaign.id,
            position=recipient.position,
            greeting=Greeting(salutations, None if language == ANY else language),
            shown=form.text("shown"),
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except RecipientsChanged:
        saved = await _find_recipient(visit)
        typed = {**form.typed(), "shown": _fingerprint(saved)}
        return _show_greeting(visit, saved, typed, {}, is_changed=True, status_code=CONFLICT)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/letter?done=greeting")


PAGES: Final[tuple[Page, ...]] = (
    Page(_HERE, show, None, needs=Permission.READ),
    # The language of the copy is at the end of its address; the one in front is that of whoever reads an error.
    Page(f"{_HERE}/copy/{{content}}.pdf", show_copy, None, needs=Permission.READ),
    Page(f"{_HERE}/to/{{number}}/copy/{{content}}.pdf", show_copy, None, needs=Permission.READ),
    Page(f"{_HERE}/issue", None, issue, needs=Permission.CORRECT, is_grave=True),
    Page(f"{_HERE}/head", show_head, save_head, needs=Permission.SET_UP),
    Page(f"{_HERE}/to/{{number}}", show_greeting, save_greeting_form, needs=Permission.SET_UP),
)


async def _find_head(visit: Visit) -> TeamLetterhead:
    return await visit.house.database.read(find_letterhead, campaign_id=visit.campaign.id)


async def _find_recipient(visit: Visit) -> TeamRecipient:
    """Return the recipient whose number, from 1, is in the address; 404, on record, for one that is not there."""
    said = visit.request.path_params["number"]
    if _NUMBER.fullmatch(said):
        found = await visit.house.database.read(list_recipients, campaign_id=visit.campaign.id)
        if int(said) <= len(found):
            return found[int(said) - 1]
    await refuse(visit, f"{_HERE}/to/{{number}}")
    raise AssertionError  # what was refused does not come here


def _fingerprint(recipient: TeamRecipient) -> str:
    return fingerprint_recipient(recipient.names, recipient.salutations, recipient.locale)


def _read_head(reading: Reading) -> Letterhead:
    arrangement = reading.choice("arrangement", ARRANGEMENTS, message("Choose the order of the signatories"))
    return Letterhead(
        places=reading.by_locale("place", PLACE_LIMIT),
        dated_on=reading.day("dated_on") if reading.form.text("dated_on").strip() else None,
        subjects=reading.by_locale("subject", SUBJECT_LIMIT),
        arrangement=arrangement or ARRANGEMENTS[0],
        is_numbered="numbered" in reading.form,
    )


def _values_of(head: TeamLetterhead) -> dict[str, str]:
    values = {f"place_{locale}": text for locale, text in head.places.items()}
    values |= {f"subject_{locale}": text for locale, text in head.subjects.items()}
    values |= {"arrangement": head.arrangement, "version": str(head.version)}
    if head.dated_on is not None:
        values["dated_on"] = head.dated_on.isoformat()
    return values | ({"numbered": "yes"} if head.is_numbered else {})


async def _show(visit: Visit, *, status_code: int = 200, is_refused: bool = False) -> Response:
    database, campaign = visit.house.database, visit.campaign
    dated = await database.read(list_kept_letters, slug=campaign.slug)
    newest = dated[0][1] if dated else None
    which: dict[str, Any] = {"campaign_id": campaign.id, "base_url": visit.house.settings.base_url, "now": visit.now}
    advance = await database.read(find_advance_letter, **which)
    letter = await database.read(find_letter, **which) if advance is None else advance.letter
    query = visit.request.query_params
    issued, done = query.get("issued", ""), query.get("done")
    recipients = await database.read(list_recipients, campaign_id=campaign.id)
    return visit.show(
        "workspace/letter.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{campaign.slug}/letter",
        head=await database.read(find_letterhead, campaign_id=campaign.id),
        recipients=recipients,
        languages=_languages(letter, recipients),
        letter=letter,
        newest=newest,
        difference=None if newest is None else compare(newest, letter),
        dated=[(line, languages_of(kept)) for line, kept in dated],
        is_public=advance is None,
        embargo_until=None if advance is None else advance.embargo_until,
        is_dateable=campaign.state in DATEABLE_STATES,
        is_refused=is_refused,
        issued=int(issued) if _NUMBER.fullmatch(issued) else None,
        done=done if done in DONE else None,
    )


def _languages(letter: Letter, recipients: list[TeamRecipient]) -> Mapping[int | None, tuple[str, ...]]:
    """Return in which languages the letter to each recipient exists, by position; by None, the letter to nobody."""
    found: dict[int | None, tuple[str, ...]] = {None: languages_of(letter)}
    for recipient, own in zip(recipients, letter.recipients, strict=False):
        found[recipient.position] = languages_of(letter, own)
    return found


def _show_head(
    visit: Visit,
    head: TeamLetterhead,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    **more: Any,  # noqa: ANN401 - what Visit.show takes
) -> Response:
    return visit.show(
        "workspace/letter_head.html",
        head=head,
        values=values,
        errors=errors,
        arrangements=ARRANGEMENTS,
        **{"saved": None, **more},
    )


def _show_greeting(
    visit: Visit,
    recipient: TeamRecipient,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    **more: Any,  # noqa: ANN401 - what Visit.show takes
) -> Response:
    return visit.show(
        "workspace/letter_to.html",
        recipient=recipient,
        number=recipient.position + 1,
        values=values,
        errors=errors,
        any_language=ANY,
        **{"is_changed": False, **more},
    )
