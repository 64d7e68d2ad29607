"""Organisations that sign: what each says of itself, what proves it, whom it can be taken for; accepted or declined."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.actions.endorsing import (
    EndorsementMoved,
    NotProven,
    RemovedBefore,
    SignedAlready,
    decide_endorsement,
    take_logo_down,
)
from app.i18n import Message, message
from app.queries.endorsements import list_team_endorsements
from app.queries.settings import find_settings
from app.rules.normalise import Refused
from app.rules.organisations import KINDS
from app.rules.permissions import Permission
from app.rules.places import country_name
from app.web.gate import Page
from app.web.reasons import REASON_LIMIT, read_reason
from app.web.workspace.updates import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.queries.endorsements import TeamEndorsement
    from app.web.gate import Visit

DECISIONS: Final = ("accepted", "declined")
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
_ID: Final = re.compile(r"[0-9a-f]{32}")
_HERE: Final = "/campaigns/{slug}/endorsements"
_NOTES: Final[Mapping[type[Exception], Message]] = {
    NotProven: message("Nothing was done: nothing shows yet that somebody of this organisation asks."),
    EndorsementMoved: message("Nothing was done: somebody else decided it, or the organisation withdrew."),
    SignedAlready: message("Nothing was done: an organisation of this name has signed already."),
    RemovedBefore: message(
        "Nothing was done: a moderator took out an organisation of this name, website or mailbox. It can sign again once a moderator has brought it back."  # noqa: E501 - a sentence
    ),
}


async def show_list(visit: Visit) -> Response:
    """Show the organisations: those that wait, those that have signed, those that have not or no longer."""
    done = visit.request.query_params.get("done")
    found = await _list(visit)
    return visit.show(
        "workspace/endorsements.html",
        waiting=[each for each in found if each.state == "waiting"],
        accepted=[each for each in found if each.state == "accepted"],
        ended=[each for each in found if each.state not in {"waiting", "accepted"}],
        takes_organisations=await _takes_organisations(visit),
        done=done if done in DECISIONS else None,
        country_name=partial(country_name, locale=visit.locale),
    )


async def show(visit: Visit) -> Response:
    """Show one organisation."""
    return _show(visit, await _find(visit))


async def decide(visit: Visit) -> Response:
    """Accept it, or decline it with a reason that its representative reads."""
    form = await visit.read_form()
    endorsement, decision, because = await _find(visit), form.text("decision"), ""
    errors = []
    if decision not in DECISIONS:
        errors.append(("decision", message("Choose how you decide").say(visit.locale)))
    if decision == "declined":
        try:
            because = read_reason(form.text("because"), is_required=True)
        except Refused as refusal:
            errors.append(("because", refusal.message.say(visit.locale)))
    if errors:
        return _show(visit, endorsement, UNPROCESSABLE, errors=errors, typed=form.typed())
    try:
        await visit.house.database.write(
            decide_endorsement,
            campaign_id=visit.campaign.id,
            endorsement_id=endorsement.id,
            is_accepted=decision == "accepted",
            because=because,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except tuple(_NOTES) as fact:
        note = _NOTES[type(fact)].say(visit.locale)
        return _show(visit, await _find(visit), CONFLICT, note=note, typed=form.typed())
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/endorsements?done={decision}")


async def take_down(visit: Visit) -> Response:
    """Take the organisation's picture down; its representative can send another."""
    await visit.read_form()
    endorsement = await _find(visit)
    await visit.house.database.write(
        take_logo_down,
        campaign_id=visit.campaign.id,
        endorsement_id=endorsement.id,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/endorsements/{endorsement.id.hex}")


PAGES: Final[tuple[Page, ...]] = (
    Page(_HERE, show_list, None, needs=Permission.DECIDE_ENDORSEMENTS),
    Page(f"{_HERE}/{{endorsement}}", show, decide, needs=Permission.DECIDE_ENDORSEMENTS),
    Page(f"{_HERE}/{{endorsement}}/logo", None, take_down, needs=Permission.DECIDE_ENDORSEMENTS),
)


async def _list(visit: Visit) -> list[TeamEndorsement]:
    return await visit.house.database.read(
        list_team_endorsements, campaign_id=visit.campaign.id, keyring=visit.house.keyring
    )


async def _takes_organisations(visit: Visit) -> bool:
    settings = await visit.house.database.read(
        find_settings, campaign_id=visit.campaign.id, keyring=visit.house.keyring
    )
    return settings.signatories in {"organisations", "both"}


async def _find(visit: Visit) -> TeamEndorsement:
    """Return the organisation in the address; 404, on record, for one that this campaign does not have."""
    said, found = visit.request.path_params["endorsement"], None
    if _ID.fullmatch(said):
        found = next((each for each in await _list(visit) if each.id == UUID(said)), None)
    if found is None:
        await refuse(visit, f"{_HERE}/{{endorsement}}")
    return found


def _show(
    visit: Visit,
    endorsement: TeamEndorsement,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    note: str | None = None,
) -> Response:
    return visit.show(
        "workspace/endorsements_one.html",
        status_code=status_code,
        endorsement=endorsement,
        kinds={name: words.say(visit.locale) for name, words in KINDS.items()},
        country_name=partial(country_name, locale=visit.locale),
        errors=errors,
        typed=typed or {},
        note=note,
        longest=REASON_LIMIT,
    )
