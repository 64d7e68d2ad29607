"""Supporters before publication: the private link, how many there are, and asking again after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.exceptions import HTTPException

from app.actions import supporting
from app.actions.supporting import NotGathering
from app.core import tokens
from app.i18n import LOCALES
from app.queries.supporters import count_supporters, find_support_link, list_supporter_names
from app.rules.permissions import Permission
from app.web.gate import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from app.web.gate import Visit

DONE: Final = frozenset({"made", "renewed", "asked", "stale"})


async def show_supporters(visit: Visit) -> Response:
    """Show the link, the counts and, to owners alone, names; addresses are shown to nobody."""
    return await _show(visit)


async def change_supporters(visit: Visit) -> Response:
    """Make or renew the link, or ask those again who supported an earlier wording."""
    form = await visit.read_form()
    action = form.text("action")
    at, database = f"/campaigns/{visit.campaign.slug}/supporters", visit.house.database
    campaign_id, account_id = visit.campaign.id, visit.signed_in.account_id
    try:
        if action == "ask_again":
            await database.write(
                supporting.ask_supporters_again, campaign_id=campaign_id, account_id=account_id, now=visit.now
            )
            return visit.go(f"{at}?done=asked")
        if action != "renew":
            raise HTTPException(400)
        shown = _link_id(form.text("link"))
        if shown is not None and "sure" not in form:
            return await _show(visit, asks=True)
        is_made = await database.write(
            supporting.renew_support_link,
            campaign_id=campaign_id,
            shown=shown,
            tokens_key=visit.house.keyring.tokens,
            account_id=account_id,
            now=visit.now,
        )
    except NotGathering:
        return await _show(visit, status_code=409)
    done = "stale" if not is_made else "made" if shown is None else "renewed"
    return visit.go(f"{at}?done={done}")


async def _show(visit: Visit, *, asks: bool = False, status_code: int = 200) -> Response:
    database, keyring, campaign_id = visit.house.database, visit.house.keyring, visit.campaign.id
    count = await database.read(count_supporters, campaign_id=campaign_id)
    link = await database.read(find_support_link, campaign_id=campaign_id)
    # Names are for those who answer for the campaign: who may manage the team may know who stands behind the text.
    sees_names = visit.can(Permission.MANAGE_TEAM)
    names = await database.read(list_supporter_names, campaign_id=campaign_id, keyring=keyring) if sees_names else []
    token = None if link.id is None else tokens.make_token(keyring.tokens, "support", link.id)
    done = visit.request.query_params.get("done")
    return visit.show(
        "workspace/supporters.html",
        status_code=status_code,
        count=count,
        pending=link.pending,
        link_id="" if link.id is None else link.id.hex,
        links=[]
        if token is None
        else [(each, f"{visit.house.settings.base_url}/{each}/support/{token}") for each in LOCALES],
        names=names,
        sees_names=sees_names,
        is_gathering=visit.campaign.state == "draft",
        asks=asks,
        done=done if done in DONE else None,
    )


def _link_id(typed: str) -> UUID | None:
    """Return what the link on the page was made from; None where there was none. Raises HTTPException 400."""
    try:
        return UUID(hex=typed) if typed else None
    except ValueError:
        raise HTTPException(400) from None


PAGES: Final[tuple[Page, ...]] = (
    Page(
        "/campaigns/{slug}/supporters",
        show=show_supporters,
        post=change_supporters,
        needs=Permission.SUPPORT,
    ),
)
