"""The member who is asked to carry a petition: proposed, asked by letter, named once they accept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from starlette.exceptions import HTTPException

from app.actions import sponsoring
from app.actions.campaigns import CampaignCannotMove
from app.actions.sponsoring import ASKABLE_STATES, Proposal, SponsorMoved, SponsorStands, TooManyAskings
from app.i18n import LOCALES, Message, as_locale, message
from app.queries.sponsoring import LIVING, count_askings_left, find_organiser_name, list_askings
from app.rules.life import ASKING_LASTS
from app.rules.normalise import NAME_LIMIT, Refused, clean_email, clean_line
from app.rules.permissions import Permission
from app.web.gate import Page
from app.web.reasons import read_line, read_reason
from app.web.workspace.home import read_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.queries.sponsoring import Asking
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
#: Offices of members work in the languages of Parliament.
OFFICE_LOCALES: Final = ("en", "fr")
ACTIONS: Final = ("propose", "remove", "ask", "withdraw", "release")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a post that changed nothing."""

    status_code: int = 200
    errors: Sequence[tuple[str, Message]] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    note: Message | None = None


async def show(visit: Visit) -> Response:
    """Show who carries it, who was asked, and whom to ask."""
    return await _show(visit, _Outcome())


async def act(visit: Visit) -> Response:
    """Propose, ask, take back, or record that a member left."""
    form = await visit.read_form()
    action = form.text("action")
    if action not in ACTIONS:
        raise HTTPException(400)
    try:
        outcome = await _act(visit, action, form)
    except SponsorStands:
        outcome = _Outcome(
            CONFLICT, typed=form.typed(), note=message("A Member is being asked, or has agreed, already.")
        )
    except TooManyAskings:
        outcome = _Outcome(CONFLICT, note=message("As many Members were asked as may be asked."))
    except SponsorMoved:
        outcome = _Outcome(CONFLICT, note=message("The Member’s answer came first. This is how it stands now."))
    except CampaignCannotMove:
        outcome = _Outcome(CONFLICT, note=message("No Member can be asked any more as the campaign stands now."))
    if outcome is not None:
        return await _show(visit, outcome)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/sponsor")


async def _act(visit: Visit, action: str, form: Form) -> _Outcome | None:
    database = visit.house.database
    who: dict[str, Any] = {
        "campaign_id": visit.campaign.id,
        "account_id": visit.signed_in.account_id,
        "now": visit.now,
    }
    if action == "remove":
        await database.write(sponsoring.remove_proposal, **who)
        return None
    sponsor_id = read_id(form, "once")
    if action == "propose":
        proposal, errors = _read_proposal(form)
        if errors:
            return _Outcome(UNPROCESSABLE, errors=errors, typed=form.typed())
        await database.write(
            sponsoring.propose_sponsor, sponsor_id=sponsor_id, proposal=proposal, keyring=visit.house.keyring, **who
        )
    elif action == "ask":
        await database.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who)
    elif action == "withdraw":
        await database.write(sponsoring.withdraw_asking, sponsor_id=sponsor_id, **who)
    else:
        try:
            because = read_reason(form.text("reason"), is_required=True)
        except Refused as refusal:
            return _Outcome(UNPROCESSABLE, errors=[("reason", refusal.message)], typed=form.typed())
        await database.write(sponsoring.release_sponsor, sponsor_id=sponsor_id, because=because, **who)
    return None


def _read_proposal(form: Form) -> tuple[Proposal, list[tuple[str, Message]]]:
    """Return what was typed, and what is wrong with it."""
    values: dict[str, str] = {}
    errors = []

    def read(name: str, missing: Message | None = None) -> None:
        try:
            values[name] = read_line(form.text(name), missing)
        except Refused as refusal:
            values[name] = ""
            errors.append((name, refusal.message))

    try:
        # Not as a signer's name: "Hon." and quotation marks belong to how a member is called.
        values["name"] = clean_line(form.text("name"), limit=NAME_LIMIT)
        if not values["name"]:
            errors.append(("name", message("Enter the Member’s name")))
    except Refused as refusal:
        errors.append(("name", refusal.message))
    for locale in LOCALES:
        read(f"title_{locale}")
    read("district")
    read("party")
    try:
        values["email"] = clean_email(form.text("email"))
    except Refused as refusal:
        errors.append(("email", refusal.message))
    if form.text("locale") not in OFFICE_LOCALES:
        errors.append(("locale", message("Choose the language of the office")))
    proposal = Proposal(
        name=values.get("name", ""),
        titles={locale: values[f"title_{locale}"] for locale in LOCALES if values[f"title_{locale}"]},
        district=values["district"],
        party=values["party"],
        email=values.get("email", ""),
        locale=form.text("locale"),
    )
    return proposal, errors


async def _show(visit: Visit, outcome: _Outcome) -> Response:
    database, campaign = visit.house.database, visit.campaign
    askings = await database.read(list_askings, campaign_id=campaign.id, keyring=visit.house.keyring)
    standing = next((each for each in askings if each.state in LIVING), None)
    left = await database.read(count_askings_left, campaign_id=campaign.id, form=campaign.form)
    is_proposing = standing is None or (standing.state == "proposed" and "change" in visit.request.query_params)
    is_proposing = is_proposing or outcome.typed.get("action") == "propose"
    letter = None
    if standing is not None and standing.state == "proposed":
        organiser = await database.read(find_organiser_name, campaign_id=campaign.id)
        letter = _letter(visit, standing, organiser)
    return visit.show(
        "workspace/sponsor.html",
        status_code=outcome.status_code,
        standing=standing,
        earlier=[each for each in askings if each.state not in LIVING],
        left=left,
        can_ask=visit.can(Permission.ASK_SPONSOR),
        is_askable=campaign.state in ASKABLE_STATES,
        is_proposing=is_proposing,
        letter=letter,
        errors=[(name, fault.say(visit.locale)) for name, fault in outcome.errors],
        note=None if outcome.note is None else outcome.note.say(visit.locale),
        values=outcome.typed or _values_of(standing),
        once=outcome.typed.get("once") or (standing.id.hex if standing is not None else uuid4().hex),
        languages=OFFICE_LOCALES,
    )


def _values_of(standing: Asking | None) -> dict[str, str]:
    if standing is None or standing.state != "proposed":
        return {}
    return {
        "name": standing.name,
        **{f"title_{locale}": title for locale, title in standing.titles.items()},
        "district": standing.district or "",
        "party": standing.party or "",
        "email": standing.email or "",
        "locale": standing.locale,
    }


def _letter(visit: Visit, standing: Asking, organiser: str) -> str:
    """Return the letter as the office would get it, with a link that leads nowhere."""
    campaign, locale = visit.campaign, as_locale(standing.locale)
    base_url = visit.house.settings.base_url
    return visit.house.pages.render(
        "mail/sponsor_request.txt",
        locale,
        titles=campaign.titles or {campaign.source_locale: campaign.slug},
        source_locale=campaign.source_locale,
        reference=campaign.reference,
        zone=campaign.timezone,
        member=standing.name,
        organiser=organiser,
        links={each: f"{base_url}/{each}/sponsor/…" for each in LOCALES},
        valid_until=visit.now + ASKING_LASTS,
        base_url=base_url,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/sponsor", show, act, Permission.SEE_FIGURES, Permission.ASK_SPONSOR, is_grave=True),
)
