"""Offices of members: who of their staff may see the counts, what they did, and what the official petition counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4, uuid5

from starlette.exceptions import HTTPException

from app.actions import offices
from app.actions.offices import DEFAULT_DAYS, MOST_DAYS
from app.actions.official import CountedTooSoon, NoOfficialPetition, set_official_count
from app.i18n import LOCALES, message
from app.queries.campaigns import find_campaign
from app.queries.offices import list_office_uses, list_offices
from app.queries.official import find_official_count
from app.rules import normalise
from app.rules.campaign_file import MAX_NAME, MAX_SIGNATURES
from app.rules.moves import PUBLIC_STATES
from app.rules.permissions import Permission
from app.rules.reports import official_page
from app.web.gate import Page
from app.web.workspace.campaign_form import Reading, say_errors
from app.web.workspace.home import read_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.responses import Response

    from app.i18n import Message
    from app.queries.offices import OfficeRow, OfficeUse
    from app.web.forms import Form
    from app.web.gate import Visit

#: Lines of the record that the page shows.
USES_SHOWN: Final = 100
#: While a campaign stands so, nobody else is asked.
NOBODY_ASKED: Final = "stopped"


async def show(visit: Visit) -> Response:
    """Show the offices with their staff, what they did, and the forms that change it."""
    return await _show(visit)


async def manage(visit: Visit) -> Response:
    """Invite, send again, remove, end; keep the official count."""
    form = await visit.read_form()
    do = _DO.get(form.text("do"))
    if do is None:
        raise HTTPException(400)
    reading = Reading(form)
    try:
        await do(visit, reading)
    except tuple(_FACTS) as fact:
        field, reason = _FACTS[type(fact)]
        reading.errors[field] = reason
    if reading.errors:
        return await _show(visit, form=form, errors=reading.errors)
    return visit.go(f"/campaigns/{visit.campaign.slug}/office")


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/office", show=show, post=manage, needs=Permission.OPEN_OFFICE, is_grave=True),
)

#: What a fact says, and the field that it stands beside: the list, where the form itself may be gone by now.
_FACTS: Final[Mapping[type[Exception], tuple[str, Message]]] = {
    offices.CampaignNotPublished: ("offices", message("Nobody can be asked as the campaign stands now.")),
    offices.OfficeNotFound: ("offices", message("This office or person was taken off the list in the meantime.")),
    offices.TooManyInvited: (
        "offices",
        message("No more invitations can be sent to this office or address. Try again tomorrow."),
    ),
    NoOfficialPetition: ("offices", message("This campaign has no number of the House of Commons.")),
    CountedTooSoon: ("official_counted_on", message("Choose a day that is not still to come")),
}


async def _invite(visit: Visit, reading: Reading) -> None:
    """Ask the first person of an office. The same form sent twice is one office."""
    name = reading.line("name", MAX_NAME, message("Enter the name of the office"))
    email, locale = _read_person(reading)
    days = reading.number("days", 1, MOST_DAYS) or DEFAULT_DAYS
    if not reading.errors:
        once = read_id(reading.form, "once")
        await _ask(visit, office_id=uuid5(once, "office"), name=name, email=email, locale=locale, days=days, once=once)


async def _add(visit: Visit, reading: Reading) -> None:
    """Ask another person of an office that is there."""
    office_id, once = read_id(reading.form, "office"), read_id(reading.form, "once")
    known = {each.id for each in await _list_offices(visit)}
    if office_id not in known:
        raise offices.OfficeNotFound
    email, locale = _read_person(reading)
    if reading.errors:
        # There is a form for each office, and none of its fields has a name of its own.
        reading.errors = {f"{name}-{office_id.hex}": each for name, each in reading.errors.items()}
        return
    await _ask(visit, office_id=office_id, name="", email=email, locale=locale, days=DEFAULT_DAYS, once=once)


async def _ask(visit: Visit, *, office_id: UUID, name: str, email: str, locale: str, days: int, once: UUID) -> None:
    await _write(
        visit,
        offices.invite_to_office,
        office_id=office_id,
        # Whoever goes back and corrects the address asks somebody else.
        staff_id=uuid5(once, email),
        name=name,
        email=email,
        locale=locale,
        expires_at=visit.now + timedelta(days=days),
        keyring=visit.house.keyring,
    )


async def _send_again(visit: Visit, reading: Reading) -> None:
    await _write(visit, offices.resend_invitation, staff_id=read_id(reading.form, "staff"))


async def _remove(visit: Visit, reading: Reading) -> None:
    await _write(visit, offices.remove_staff, staff_id=read_id(reading.form, "staff"))


async def _revoke(visit: Visit, reading: Reading) -> None:
    await _write(visit, offices.revoke_office, office_id=read_id(reading.form, "office"))


async def _keep_official(visit: Visit, reading: Reading) -> None:
    """Keep what the House's site counted; both fields empty: nothing any more."""
    number = reading.number("official_signatures", 0, MAX_SIGNATURES)
    is_empty = number is None and not reading.errors
    day = None
    if not is_empty or reading.form.text("official_counted_on").strip():
        day = reading.day("official_counted_on")
    if is_empty and day is not None:
        reading.errors["official_signatures"] = message("Enter how many signatures the House’s site shows")
    if not reading.errors:
        count = None if number is None or day is None else (number, day)
        await _write(visit, set_official_count, count=count)


_DO: Final[Mapping[str, Callable[[Visit, Reading], Awaitable[None]]]] = {
    "invite": _invite,
    "add": _add,
    "again": _send_again,
    "remove": _remove,
    "revoke": _revoke,
    "official": _keep_official,
}


async def _write(visit: Visit, action: Callable[..., None], **arguments: Any) -> None:  # noqa: ANN401 - the action's own
    await visit.house.database.write(
        action,
        campaign_id=visit.campaign.id,
        account_id=visit.signed_in.account_id,
        now=visit.now,
        **arguments,
    )


def _read_person(reading: Reading) -> tuple[str, str]:
    email = reading.clean("email", normalise.clean_email)
    return email, reading.choice("locale", LOCALES, message("Choose the language of the invitation"))


async def _list_offices(visit: Visit) -> list[OfficeRow]:
    return await visit.house.database.read(
        list_offices, campaign_id=visit.campaign.id, keyring=visit.house.keyring, now=visit.now
    )


async def _show(visit: Visit, *, form: Form | None = None, errors: Mapping[str, Message] | None = None) -> Response:
    database, campaign, keyring = visit.house.database, visit.campaign, visit.house.keyring
    listed = await _list_offices(visit)
    uses = await database.read(list_office_uses, campaign_id=campaign.id, keyring=keyring, limit=USES_SHOWN)
    values = await _values(visit)
    typed = {} if form is None else form.typed()
    if typed.get("do") in {"invite", "official"}:
        values |= typed
    return visit.show(
        "workspace/office.html",
        status_code=422 if errors else 200,
        offices=listed,
        uses=_hide_strangers(uses, listed),
        office_names={each.id.hex: each.name for each in listed},
        can_ask=campaign.state in PUBLIC_STATES - {NOBODY_ASKED},
        official=official_page(campaign.reference),
        most_days=MOST_DAYS,
        values=values,
        added=typed if typed.get("do") == "add" else {},
        new_id=lambda: uuid4().hex,
        errors=say_errors(errors or {}, visit.locale),
    )


async def _values(visit: Visit) -> dict[str, Any]:
    """Return what the forms hold before anybody types."""
    found = await visit.house.database.read(find_campaign, slug=visit.campaign.slug)
    sponsor = None if found is None else found.sponsor
    official = await visit.house.database.read(find_official_count, campaign_id=visit.campaign.id)
    return {
        "once": uuid4().hex,
        "name": "" if sponsor is None else message("Office of %(name)s", name=sponsor.name).say(visit.locale),
        "locale": "",
        "days": str(DEFAULT_DAYS),
        "official_signatures": "" if official is None else str(official.signatures),
        "official_counted_on": "" if official is None else official.counted_on.isoformat(),
    }


def _hide_strangers(uses: Sequence[OfficeUse], listed: Sequence[OfficeRow]) -> list[tuple[OfficeUse, str | None]]:
    """Return each line with whose address to show: an account that was turned away is not this team's to know."""
    known = {staff.email for office in listed for staff in office.staff}
    return [(use, use.email if use.what != "office_refused" or use.email in known else None) for use in uses]
