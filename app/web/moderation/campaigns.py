"""All campaigns, for operators: searched, stopped, resumed, given another owner where the owners are gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import life, paper
from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
from app.actions.life import ReviewerIsOfTeam
from app.actions.paper import LookerIsOfTeam
from app.i18n import LOCALES, message
from app.queries.accounts import find_campaign_id, find_team_campaign
from app.queries.life import WatchedCampaign, get_life, list_watched
from app.queries.paper import count_paper
from app.queries.sponsoring import list_member_names
from app.rules.moves import PUBLIC_STATES, can_move, settle
from app.rules.normalise import Refused, clean_email
from app.rules.permissions import StaffPermission
from app.web.gate import Page
from app.web.house import SLUG
from app.web.reasons import read_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.queries.paper import Overlap
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
SEARCH_LENGTH: Final = 200
SHOWN: Final = 200
LOOK: Final = "overlap"
ACTIONS: Final = ("stop", "send_back", "resume", "rehome")
_ID: Final = re.compile(r"[0-9a-f]{32}")


async def show_list(visit: Visit) -> Response:
    """Show campaigns, whatever their state; ``?q=`` searches them, ``?gone`` keeps those whose owners are gone."""
    search = visit.request.query_params.get("q", "").strip()[:SEARCH_LENGTH]
    only_orphaned = "gone" in visit.request.query_params
    found = await visit.house.database.read(list_watched, now=visit.now, search=search, only_orphaned=only_orphaned)
    return visit.show(
        "moderation/campaigns.html",
        campaigns=found[:SHOWN],
        is_cut=len(found) > SHOWN,
        search=search,
        only_orphaned=only_orphaned,
        can_operate=True,
    )


async def show(visit: Visit) -> Response:
    """Show one campaign: how it stands, what was done, and what an operator can do."""
    return await _show(visit)


async def act(visit: Visit) -> Response:
    """Stop, resume or re-home a campaign."""
    form = await visit.read_form()
    campaign = await _find(visit)
    action = form.text("action")
    if action == LOOK:
        return await _look(visit, campaign)
    if action not in ACTIONS:
        raise HTTPException(400)
    try:
        errors = await _act(visit, campaign, action, form)
    except (CampaignCannotMove, CampaignNotFound):
        return await _show(visit, CONFLICT, has_moved=True)
    if errors:
        return await _show(visit, UNPROCESSABLE, errors=errors, typed=form.typed())
    visit.house.forget(campaign.slug)
    return visit.go(f"/campaigns/{campaign.slug}")


async def _act(visit: Visit, campaign: WatchedCampaign, action: str, form: Form) -> list[tuple[str, str]]:
    """Do it; return what is wrong with the form."""
    database, slug = visit.house.database, campaign.slug
    account_id, now = visit.signed_in.account_id, visit.now
    if action == "resume":
        await database.write(life.resume_campaign, slug=slug, now=now, account_id=account_id)
        return []
    if action in {"stop", "send_back"}:
        try:
            because = read_reason(form.text("reason"), is_required=True)
        except Refused as refusal:
            return [("reason", refusal.message.say(visit.locale))]
        if action == "send_back":
            return await _send_back(visit, campaign, because)
        await database.write(life.stop_campaign, slug=slug, because=because, now=now, account_id=account_id)
        return []
    return await _rehome(visit, campaign, form)


async def _send_back(visit: Visit, campaign: WatchedCampaign, because: str) -> list[tuple[str, str]]:
    """Keep a letter from appearing; return what is wrong."""
    who: dict[str, Any] = {"campaign_id": campaign.id, "account_id": visit.signed_in.account_id, "now": visit.now}
    try:
        await visit.house.database.write(life.send_back_campaign, because=because, **who)
    except ReviewerIsOfTeam:
        return [("reason", message("You are of its team, so somebody else decides this.").say(visit.locale))]
    return []


async def _rehome(visit: Visit, campaign: WatchedCampaign, form: Form) -> list[tuple[str, str]]:
    once, locale, errors, email = form.text("once"), form.text("locale"), [], ""
    if not _ID.fullmatch(once):
        raise HTTPException(400)
    try:
        email = clean_email(form.text("email"))
    except Refused as refusal:
        errors.append(("email", refusal.message.say(visit.locale)))
    if locale not in LOCALES:
        errors.append(("locale", message("Choose the language of the email").say(visit.locale)))
    if not errors:
        await visit.house.database.write(
            life.invite_owner,
            campaign_id=campaign.id,
            invitation_id=UUID(once),
            email=email,
            locale=locale,
            keyring=visit.house.keyring,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    return errors


async def _look(visit: Visit, campaign: WatchedCampaign) -> Response:
    """Show how many signed in ink and online. It is a post, so that looking is on record and no accident."""
    try:
        overlap = await visit.house.database.write(
            paper.look_at_overlap, campaign_id=campaign.id, account_id=visit.signed_in.account_id, now=visit.now
        )
    except LookerIsOfTeam:
        raise HTTPException(404) from None
    return await _show(visit, overlap=overlap, has_looked=True)


async def _find(visit: Visit) -> WatchedCampaign:
    slug = visit.request.path_params["slug"]
    campaign_id = None
    if SLUG.fullmatch(slug):
        campaign_id = await visit.house.database.read(find_campaign_id, slug=slug)
    if campaign_id is None:
        raise HTTPException(404)
    (found,) = await visit.house.database.read(list_watched, now=visit.now, campaign_id=campaign_id)
    return found


async def _show(
    visit: Visit,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    has_moved: bool = False,
    overlap: Overlap | None = None,
    has_looked: bool = False,
) -> Response:
    campaign = await _find(visit)
    database = visit.house.database
    course = await database.read(get_life, campaign_id=campaign.id, keyring=visit.house.keyring)
    standing = settle(course.standing, visit.now)
    typed = typed or {}
    in_ink = await database.read(count_paper, campaign_id=campaign.id)
    team = await database.read(find_team_campaign, slug=campaign.slug, account_id=visit.signed_in.account_id)
    return visit.show(
        "moderation/campaign.html",
        status_code=status_code,
        campaign=campaign,
        course=course,
        standing=standing,
        members=await database.read(list_member_names, campaign_id=campaign.id),
        can_stop=can_move("stop", standing, visit.now),
        can_send_back=standing.state == "embargoed",
        can_resume=can_move("resume", standing, visit.now),
        is_public=standing.state in PUBLIC_STATES,
        can_operate=True,
        can_look=in_ink.batches > 0 and team is None,
        overlap=overlap,
        has_looked=has_looked,
        errors=errors,
        typed=typed,
        has_moved=has_moved,
        once=typed.get("once") or uuid4().hex,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns", show_list, needs=StaffPermission.OPERATE),
    Page("/campaigns/{slug}", show, act, StaffPermission.OPERATE, is_grave=True),
)
