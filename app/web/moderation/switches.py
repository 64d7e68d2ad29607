"""Switches: pause signing or creation, ask for a proof of work, slow a country or a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from app.actions.switching import SwitchIsOff, SwitchIsOn, turn_off, turn_on
from app.i18n import Message, message
from app.queries.accounts import find_campaign_id
from app.queries.switches import list_switches
from app.rules.normalise import Refused
from app.rules.permissions import StaffPermission
from app.rules.places import COMMON_COUNTRIES, COUNTRIES, country_name, list_countries
from app.rules.switches import KINDS, OF_ONE_CAMPAIGN, read_network
from app.web.gate import Page
from app.web.house import SLUG
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, read_id
from app.web.moderation.reviews import can_operate
from app.web.reasons import read_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from starlette.responses import Response

    from app.web.forms import Form
    from app.web.gate import Visit

FIELDS: Final = ("kind", "campaign", "country", "network", "because")


@dataclass(frozen=True, slots=True)
class _Wanted:
    kind: str
    campaign_id: UUID | None
    subject: str
    because: str


async def show(visit: Visit) -> Response:
    """Show what is on, the form that turns something on, and what was on before."""
    return await _show(visit)


async def turn_one_on(visit: Visit) -> Response:
    """Turn a switch on."""
    form = await visit.read_form()
    wanted, errors = await _read(visit, form)
    if wanted is None:
        spoken = [(name, errors[name].say(visit.locale)) for name in FIELDS if name in errors]
        return await _show(visit, UNPROCESSABLE, errors=spoken, typed=form.typed())
    try:
        await visit.house.database.write(
            turn_on,
            switch_id=read_id(form.text("once")),
            kind=wanted.kind,
            campaign_id=wanted.campaign_id,
            subject=wanted.subject,
            because=wanted.because,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except SwitchIsOn:
        note = message("Nothing was done: this is on already. It stands below.").say(visit.locale)
        return await _show(visit, CONFLICT, note=note, typed=form.typed())
    return _done(visit)


async def turn_one_off(visit: Visit) -> Response:
    """Turn a switch off."""
    await visit.read_form()
    switch_id = read_id(visit.request.path_params["switch"])
    who: dict[str, Any] = {"account_id": visit.signed_in.account_id, "now": visit.now}
    try:
        await visit.house.database.write(turn_off, switch_id=switch_id, **who)
    except SwitchIsOff:
        note = message("Nothing was done: somebody has turned this off in the meantime.").say(visit.locale)
        return await _show(visit, CONFLICT, note=note)
    return _done(visit)


def _done(visit: Visit) -> Response:
    # Here at once; in every other process within a second.
    visit.house.switchboard.forget()
    return visit.go("/switches")


async def _read(visit: Visit, form: Form) -> tuple[_Wanted | None, dict[str, Message]]:
    """Return what the form asks for, or what is wrong with it, by field."""
    kind, subject, because = form.text("kind"), "", ""
    campaign_id, errors = None, dict[str, Message]()
    if kind not in KINDS:
        errors["kind"] = message("Choose what to turn on")
    slug = form.text("campaign").strip().lower()
    if slug and kind in OF_ONE_CAMPAIGN:
        campaign_id = await visit.house.database.read(find_campaign_id, slug=slug) if SLUG.fullmatch(slug) else None
        if campaign_id is None:
            errors["campaign"] = message("There is no campaign of this name in addresses")
    elif slug and kind in KINDS:
        errors["campaign"] = message("This can only be turned on everywhere: leave the campaign empty")
    if kind == "slow_country":
        subject = form.text("country")
        if subject not in COUNTRIES:
            errors["country"] = message("Choose a country")
    if kind == "slow_network":
        try:
            subject = read_network(form.text("network"))
        except Refused as refusal:
            errors["network"] = refusal.message
    try:
        because = read_reason(form.text("because"), is_required=True)
    except Refused as refusal:
        errors["because"] = refusal.message
    return (None if errors else _Wanted(kind, campaign_id, subject, because)), errors


async def _show(
    visit: Visit,
    status_code: int = 200,
    *,
    note: str | None = None,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    typed = typed or {}
    locale = visit.locale
    switches = await visit.house.database.read(list_switches, keyring=visit.house.keyring)
    countries = list_countries(locale)
    return visit.show(
        "moderation/switches.html",
        status_code=status_code,
        path="/moderation/switches",
        on=[each for each in switches if each.off_at is None],
        past=[each for each in switches if each.off_at is not None],
        kinds={code: words.say(locale) for code, words in KINDS.items()},
        countries=[
            ("", [(code, country_name(code, locale)) for code in COMMON_COUNTRIES]),
            ("", [each for each in countries if each[0] not in COMMON_COUNTRIES]),
        ],
        country_names=dict(countries),
        once=typed.get("once") or uuid4().hex,
        note=note,
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/switches", show, turn_one_on, StaffPermission.MODERATE, is_grave=True),
    Page("/switches/{switch}/off", None, turn_one_off, StaffPermission.MODERATE, is_grave=True),
)
