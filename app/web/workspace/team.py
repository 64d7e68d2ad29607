"""Who works on a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from starlette.exceptions import HTTPException

from app.actions import teams
from app.actions.teams import (
    AlreadyInvited,
    AlreadyMember,
    Guest,
    InvitationEnded,
    LastOwner,
    MemberNotFound,
    NotAllowedAnyMore,
    TooManyInvitations,
)
from app.i18n import LOCALES, message
from app.queries.teams import list_members, list_sent_invitations
from app.rules import normalise
from app.rules.permissions import Permission, Role
from app.web.gate import Page
from app.web.workspace.campaign_form import REPEATED, Reading, say_errors
from app.web.workspace.home import read_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response

    from app.i18n import Message
    from app.web.forms import Form
    from app.web.gate import Visit

_LAST_OWNER: Final = message("A campaign needs an owner. Make somebody else an owner first.")


async def show_team(visit: Visit) -> Response:
    """Show who works on the campaign; to its owners also addresses, open invitations, and what they can change."""
    return await _show_team(visit)


async def manage(visit: Visit) -> Response:
    """Invite, send again, take back, give another role, remove."""
    form = await visit.read_form(repeated=REPEATED)
    do = _DO.get(form.text("do"))
    if do is None:
        raise HTTPException(400)
    reading = Reading(form)
    try:
        await do(visit, reading)
    except NotAllowedAnyMore:
        raise HTTPException(404) from None
    except (
        AlreadyInvited,
        AlreadyMember,
        InvitationEnded,
        LastOwner,
        MemberNotFound,
        TooManyInvitations,
    ) as fact:
        field, reason = _FACTS[type(fact)]
        reading.errors[field] = reason
    if reading.errors:
        return await _show_team(visit, form=form, errors=reading.errors)
    return visit.go(f"/campaigns/{visit.campaign.slug}/team")


async def show_leaving(visit: Visit) -> Response:
    """Ask whether one really wants to leave."""
    return _show_leaving(visit)


async def leave(visit: Visit) -> Response:
    """Leave the team, unless nobody else owns the campaign."""
    await visit.read_form()
    try:
        await visit.house.database.write(
            teams.leave_team,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except LastOwner:
        return _show_leaving(visit, error=_LAST_OWNER)
    except MemberNotFound:
        raise HTTPException(404) from None
    return visit.go("")


PAGES: Final[tuple[Page, ...]] = (
    Page(
        "/campaigns/{slug}/team",
        show=show_team,
        post=manage,
        needs=Permission.LEAVE,
        post_needs=Permission.MANAGE_TEAM,
        is_grave=True,
    ),
    Page("/campaigns/{slug}/team/leave", show=show_leaving, post=leave, needs=Permission.LEAVE),
)

#: What a fact says, and the field that it stands beside.
_FACTS: Final[Mapping[type[Exception], tuple[str, Message]]] = {
    AlreadyMember: ("email", message("This person is in the team already")),
    AlreadyInvited: ("email", message("This address is invited already. Below you can send the invitation again.")),
    TooManyInvitations: ("email", message("Enough invitations were sent for now. Try again tomorrow.")),
    InvitationEnded: ("invitations", message("This invitation was answered or taken back in the meantime.")),
    MemberNotFound: ("members", message("This person has left the team in the meantime.")),
    LastOwner: ("members", _LAST_OWNER),
}


async def _invite(visit: Visit, reading: Reading) -> None:
    form = reading.form
    email = reading.clean("email", normalise.clean_email)
    role, locales = _read_role(reading)
    locale = reading.choice("locale", LOCALES, message("Choose the language of the invitation"))
    if reading.errors:
        return
    await _write(
        visit,
        teams.invite,
        invitation_id=read_id(form, "once"),
        guest=Guest(email, role, locales, locale),
        keyring=visit.house.keyring,
    )


async def _invite_again(visit: Visit, reading: Reading) -> None:
    await _write(visit, teams.invite_again, invitation_id=read_id(reading.form, "invitation"))


async def _take_back(visit: Visit, reading: Reading) -> None:
    await _write(visit, teams.take_back_invitation, invitation_id=read_id(reading.form, "invitation"))


async def _change_role(visit: Visit, reading: Reading) -> None:
    role, locales = _read_role(reading)
    if reading.errors:
        # Beside the list: there is a form for each member, and none of its fields has a name of its own.
        reading.errors = {"members": next(iter(reading.errors.values()))}
        return
    member_id = read_id(reading.form, "member")
    await _write(visit, teams.change_role, member_id=member_id, role=role, locales=locales, keyring=visit.house.keyring)


async def _remove(visit: Visit, reading: Reading) -> None:
    member_id = read_id(reading.form, "member")
    await _write(visit, teams.remove_member, member_id=member_id, keyring=visit.house.keyring)


_DO: Final[Mapping[str, Callable[[Visit, Reading], Awaitable[None]]]] = {
    "invite": _invite,
    "again": _invite_again,
    "take_back": _take_back,
    "role": _change_role,
    "remove": _remove,
}


async def _write(visit: Visit, action: Callable[..., None], **arguments: Any) -> None:  # noqa: ANN401 - the action's own
    await visit.house.database.write(
        action,
        campaign_id=visit.campaign.id,
        account_id=visit.signed_in.account_id,
        now=visit.now,
        **arguments,
    )


def _read_role(reading: Reading) -> tuple[str, tuple[str, ...]]:
    role = reading.choice("role", [str(each) for each in Role], message("Choose what this person will do"))
    if role != Role.TRANSLATOR:
        return role, ()
    locales = reading.locales("locales")
    if not locales:
        reading.errors["locales"] = message("Choose at least one language for a translator")
    return role, locales


async def _show_team(
    visit: Visit, *, form: Form | None = None, errors: Mapping[str, Message] | None = None
) -> Response:
    is_owner = visit.can(Permission.MANAGE_TEAM)
    scope: dict[str, Any] = {"campaign_id": visit.campaign.id, "keyring": visit.house.keyring}
    members = await visit.house.database.read(list_members, **scope)
    invitations = []
    if is_owner:
        invitations = await visit.house.database.read(list_sent_invitations, **scope, now=visit.now)
    is_invite = form is not None and form.text("do") == "invite"
    return visit.show(
        "workspace/team.html",
        status_code=422 if errors else 200,
        members=members,
        invitations=invitations,
        is_owner=is_owner,
        owners=sum(member.role == Role.OWNER for member in members),
        values=form.typed() if form is not None and is_invite else {"once": _new_id(), "locale": visit.locale},
        locales_ticked=form.texts("locales") if form is not None and is_invite else [],
        errors=say_errors(errors or {}, visit.locale),
    )


def _show_leaving(visit: Visit, *, error: Message | None = None) -> Response:
    return visit.show(
        "workspace/team_leave.html",
        status_code=422 if error else 200,
        error=None if error is None else error.say(visit.locale),
    )


def _new_id() -> str:
    return uuid4().hex
