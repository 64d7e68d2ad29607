"""The workspace's first page, and starting a campaign."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4, uuid5

from starlette.exceptions import HTTPException

from app.actions.settings import (
    DRAFTS_AT_ONCE,
    Beginner,
    NewCampaign,
    SetAddressee,
    TooManyDrafts,
    create_campaign,
    import_as_team,
)
from app.actions.teams import InvitationEnded, answer_own_invitation
from app.i18n import LOCALES, message
from app.queries.teams import list_my_campaigns, list_my_invitations
from app.rules.campaign_file import MAX_NAME, MAX_TITLE, BadCampaignFile, parse_campaign_file
from app.rules.places import country_name
from app.rules.starting import HOUSE_THRESHOLD, KNOWN_ADDRESSEES, PRESETS, TEMPLATES
from app.web.gate import Page
from app.web.workspace.campaign_form import (
    REPEATED,
    Reading,
    common_countries,
    country_groups,
    preset_sentences,
    repeated_of,
    say_errors,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.i18n import Message
    from app.web.forms import Form
    from app.web.gate import Visit

#: As much of a file as a form can carry.
FILE_BYTES: Final = 60_000
TOO_MANY_DRAFTS: Final = message(
    "You have %(count)s drafts, which is as many as you can have. Go on with one of them: all of it can be changed.",
    count=DRAFTS_AT_ONCE,
)
#: Said while moderators have paused the creation of campaigns. Nothing of what was typed is at fault.
PAUSED: Final = message(
    "No new campaigns can be started for the time being. Please come back later: keep a copy of what you have written."
)


async def show_home(visit: Visit) -> Response:
    """Show the campaigns of one's teams, and the teams that one is invited into."""
    return await _show_home(visit)


async def answer_invitation(visit: Visit) -> Response:
    """Accept or decline an invitation to one's own address, which signing in has proven."""
    form = await visit.read_form()
    try:
        slug = await visit.house.database.write(
            answer_own_invitation,
            invitation_id=read_id(form, "invitation"),
            account_id=visit.signed_in.account_id,
            accepts="accept" in form,
            now=visit.now,
        )
    except InvitationEnded:
        return await refuse_at_home(visit, message("This invitation was answered or taken back in the meantime."))
    return visit.go("" if slug is None else f"/campaigns/{slug}")


async def show_start(visit: Visit) -> Response:
    """Show the one page that starts a campaign."""
    values = {
        "source_locale": visit.locale,
        "closing": "120",
        "once": uuid4().hex,
        "organiser_name": visit.signed_in.name or "",
    }
    return _show_start(visit, values, {"promised": ["km", "en", "fr"]}, {}, is_paused=await is_creation_paused(visit))


async def start(visit: Visit) -> Response:
    """Start a campaign as a draft, or say what is missing."""
    form = await visit.read_form(repeated=REPEATED)
    new, errors = _read_new(form, visit)
    if await is_creation_paused(visit):
        errors = {"template": PAUSED}
    if new is None or errors:
        return _show_start(visit, form.typed(), repeated_of(form), say_errors(errors, visit.locale))
    try:
        slug = await visit.house.database.write(
            create_campaign,
            campaign_id=new_campaign_id(visit, form),
            beginner=beginner_of(visit),
            new=new,
            fallback_slug=random_slug(TEMPLATES[new.template].kind),
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except TooManyDrafts:
        errors = {"template": TOO_MANY_DRAFTS}
        return _show_start(visit, form.typed(), repeated_of(form), say_errors(errors, visit.locale))
    return visit.go(f"/campaigns/{slug}/text")


async def show_import(visit: Visit) -> Response:
    """Show the page that takes a campaign's file."""
    return _show_import(visit, "", uuid4().hex, is_paused=await is_creation_paused(visit))


async def import_file(visit: Visit) -> Response:
    """Make a draft of a file, or name everything that is wrong with it."""
    form = await visit.read_form()
    pasted, once, campaign_id = form.text("file"), read_id(form, "once"), new_campaign_id(visit, form)
    if await is_creation_paused(visit):
        return _show_import(visit, pasted, once.hex, error=PAUSED)
    try:
        file = parse_campaign_file(pasted.strip().encode())
    except BadCampaignFile as refusal:
        faults = [(fault.place, fault.message.say(visit.locale)) for fault in refusal.faults]
        return _show_import(visit, pasted, once.hex, faults=faults)
    try:
        slug = await visit.house.database.write(
            import_as_team,
            campaign_id=campaign_id,
            beginner=beginner_of(visit),
            file=file,
            fallback_slug=random_slug(file.kind),
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except TooManyDrafts:
        return _show_import(visit, pasted, once.hex, error=TOO_MANY_DRAFTS)
    return visit.go(f"/campaigns/{slug}")


PAGES: Final[tuple[Page, ...]] = (
    Page("", show=show_home, post=answer_invitation),
    Page("/start", show=show_start, post=start),
    Page("/import", show=show_import, post=import_file),
)


def beginner_of(visit: Visit) -> Beginner:
    """Return who would own what is started now."""
    return Beginner(visit.signed_in.account_id, visit.signed_in.email)


async def is_creation_paused(visit: Visit) -> bool:
    """Tell whether nobody can start a campaign for the time being."""
    return (await visit.house.switchboard.find()).is_creation_paused


def read_id(form: Form, name: str) -> UUID:
    """Return an id that a page of ours put into its form; a form without is none of ours."""
    try:
        return UUID(form.text(name))
    except ValueError:
        raise HTTPException(400) from None


def new_campaign_id(visit: Visit, form: Form) -> UUID:
    """Return the id of the campaign that a form starts: the same where it comes twice, and nobody else's, ever."""
    return uuid5(read_id(form, "once"), visit.signed_in.account_id.hex)


def random_slug(kind: str) -> str:
    """Return an address for a campaign whose title has no Latin letters."""
    return f"{kind.replace('_', '-')}-{secrets.token_hex(3)}"


async def refuse_at_home(visit: Visit, error: Message) -> Response:
    """Say on the first page why something did not happen, whatever page it was asked on."""
    return await _show_home(visit, error=error)


async def _show_home(visit: Visit, *, error: Message | None = None) -> Response:
    account_id = visit.signed_in.account_id
    return visit.show(
        "workspace/home.html",
        status_code=422 if error else 200,
        path="/workspace",
        campaigns=await visit.house.database.read(list_my_campaigns, account_id=account_id),
        invitations=await visit.house.database.read(
            list_my_invitations, account_id=account_id, keyring=visit.house.keyring, now=visit.now
        ),
        error=None if error is None else error.say(visit.locale),
    )


def _show_start(
    visit: Visit,
    values: Mapping[str, str],
    repeated: Mapping[str, list[str]],
    errors: Mapping[str, str],
    *,
    is_paused: bool = False,
) -> Response:
    return visit.show(
        "workspace/start.html",
        status_code=422 if errors else 200,
        values=values,
        repeated=repeated,
        errors=errors,
        presets=preset_sentences(visit.locale),
        common_countries=common_countries(visit.locale),
        countries=country_groups(visit.locale),
        countries_and_union=country_groups(visit.locale, with_union=True),
        country_name=lambda code: country_name(code, visit.locale),
        known_addressees=KNOWN_ADDRESSEES,
        zone=visit.house.settings.timezone,
        house_threshold=HOUSE_THRESHOLD,
        pause=PAUSED.say(visit.locale) if is_paused else None,
    )


def _show_import(
    visit: Visit,
    pasted: str,
    once: str,
    *,
    faults: Sequence[tuple[str, str]] = (),
    error: Message | None = None,
    is_paused: bool = False,
) -> Response:
    return visit.show(
        "workspace/import.html",
        status_code=422 if faults or error else 200,
        pasted=pasted,
        once=once,
        faults=faults,
        error=None if error is None else error.say(visit.locale),
        most_bytes=FILE_BYTES,
        pause=PAUSED.say(visit.locale) if is_paused else None,
    )


def _read_new(form: Form, visit: Visit) -> tuple[NewCampaign | None, dict[str, Message]]:
    """Return what the page says, or what is wrong with it, in the order of the page."""
    reading = Reading(form)
    template = reading.choice("template", TEMPLATES, message("Choose what you want to start"))
    title = reading.line("title", MAX_TITLE, message("Enter a title"))
    source_locale = reading.choice("source_locale", LOCALES, message("Choose the language that you write in"))
    known, addressee = _read_addressee(reading, template)
    rule = reading.rule()
    closing = reading.closing(visit.house.settings.timezone, visit.now)
    if template == "commons" and closing is not None and closing.days is None and "closes_on" not in reading.errors:
        reading.errors["closing"] = message("The House of Commons’ form is open for 30, 60, 90 or 120 days: choose one")
    threshold = reading.threshold()
    organiser_name = reading.line("organiser_name", MAX_NAME, message("Enter the name of your team or organisation"))
    promised = reading.promised(source_locale)
    if reading.errors or rule is None or closing is None:
        return None, reading.errors
    new = NewCampaign(
        template=template,
        title=title,
        source_locale=source_locale,
        addressee=addressee,
        known=known,
        rule=rule,
        signatories="organisations" if PRESETS[form.text("who")].is_for_organisations else "individuals",
        closing=closing,
        threshold=threshold,
        organiser_name=organiser_name,
        promised_locales=promised,
        timezone=visit.house.settings.timezone,
    )
    return new, {}


def _read_addressee(reading: Reading, template: str) -> tuple[str | None, SetAddressee | None]:
    """Return whom it speaks to, and by which of the known names; a joint statement may speak to nobody."""
    chosen = reading.form.text("known")
    if chosen in KNOWN_ADDRESSEES:
        known = KNOWN_ADDRESSEES[chosen]
        return chosen, SetAddressee(known.names, known.country)
    if chosen == "other":
        return None, reading.addressee()
    if chosen != "nobody":
        reading.errors["known"] = message("Choose whom it is addressed to")
    elif template and TEMPLATES[template].is_addressed:
        reading.errors["known"] = message("Only a joint statement can be addressed to nobody: choose an addressee")
    return None, None
