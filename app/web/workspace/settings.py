"""What a campaign is: addressees, who may sign, dates, threshold; its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.actions.campaigns import SlugTaken
from app.actions.settings import (
    Closing,
    SetAddressee,
    SetThreshold,
    SettingsChanged,
    SettingsFrozen,
    ThresholdTaken,
    ThresholdTooLow,
    TooManyDrafts,
    copy_campaign,
    save_settings,
)
from app.i18n import LOCALES, message
from app.queries.campaigns import export_campaign
from app.queries.settings import CampaignSettings, find_settings
from app.rules import normalise
from app.rules.campaign_file import ASKS, KINDS, MAX_LIST, MAX_NAME, MAX_SHORT, SIGNATORIES, is_slug, is_zone
from app.rules.districts import COUNTRY as COUNTRY_OF_DISTRICTS
from app.rules.eligibility import IsOrganisation, who_can_sign
from app.rules.moves import COMMONS_DAYS
from app.rules.permissions import Permission
from app.rules.places import country_name
from app.rules.starting import FIELDS, MOST_SUPPORTERS, ZONES, changeable_fields
from app.web.gate import Page
from app.web.workspace.campaign_form import REPEATED, Reading, country_groups, repeated_of, say_errors
from app.web.workspace.home import (
    PAUSED,
    TOO_MANY_DRAFTS,
    beginner_of,
    is_creation_paused,
    new_campaign_id,
    random_slug,
    refuse_at_home,
)
from app.web.workspace.settings_rule import (
    builder_context,
    is_of_builder,
    is_pressed,
    press_builder,
    preview_rule,
    read_rule,
    show_rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.web.forms import Form
    from app.web.gate import Visit

#: The pages of the settings, and what each changes.
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "basics": (
        "slug", "kind", "form", "reference", "organiser_name", "organiser_email", "promised_locales",
        "supporters_needed",
    ),
    "addressees": ("addressees",),
    "signing": ("signatories", "eligibility", "people_per_mailbox", "asks"),
    "dates": ("closing", "timezone"),
    "numbers": ("thresholds", "new_threshold"),
}  # fmt: skip
#: Written in a file instead of the team's address, for those who do not see it. It belongs to nobody (RFC 2606).
NO_ADDRESS: Final = "team@example.org"
#: Stands where a language has words and no title yet: the format wants one.
NO_TITLE: Final = "?"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the settings as it is shown: what was typed, what is wrong, what somebody else has changed."""

    values: Mapping[str, str]
    repeated: Mapping[str, Sequence[str]]
    errors: Mapping[str, str]
    changed: Sequence[str] | None = None  # fields that somebody else saved meanwhile; empty where it is unknown which


async def show_settings(visit: Visit) -> Response:
    """Show every setting, with a link to change those that may be changed."""
    return await _show_summary(visit)


async def show_section(visit: Visit) -> Response:
    """Show the form of some settings."""
    section = _section_of(visit)
    settings = await _find(visit)
    if not _fields_of(section, settings):
        return visit.go(f"/campaigns/{visit.campaign.slug}/settings")
    row = visit.request.query_params.get("row", "")
    values = _SHOW[section](settings, _read_number(row))
    return _show_section(visit, section, settings, Shown(*values, {}))


async def save_section(visit: Visit) -> Response:
    """Save some settings, unless somebody else changed them in the meantime."""
    section = _section_of(visit)
    form = await visit.read_form(repeated=REPEATED)
    settings = await _find(visit)
    fields = _fields_of(section, settings)
    if not fields:
        return await _show_summary(visit, typed=form.typed())
    if section == "signing" and is_pressed(form):
        return _show_section(visit, section, settings, Shown(press_builder(form), repeated_of(form), {}))
    reading = Reading(form)
    changes = _READ[section](reading, settings, visit)
    if reading.errors:
        return _show_section(visit, section, settings, _as_typed(form, say_errors(reading.errors, visit.locale)))
    changes = {name: value for name, value in changes.items() if name in fields}
    return await _save(visit, section, form, changes) if changes else _go_on(visit, section, visit.campaign.slug)


async def export(visit: Visit) -> Response:
    """Give the campaign as a file: the words of its draft, which may be ahead of what is published."""
    data = await visit.house.database.read(
        export_campaign, slug=visit.campaign.slug, keyring=visit.house.keyring, is_draft=True
    )
    assert data is not None  # noqa: S101 - the gate has found it
    content = json.dumps(_for_reader(data, visit), ensure_ascii=False, indent=2)
    name = f'attachment; filename="{visit.campaign.slug}.json"'
    return Response(content, media_type="application/json", headers={"content-disposition": name})


async def copy(visit: Visit) -> Response:
    """Start another campaign with the same words and settings."""
    form = await visit.read_form()
    if await is_creation_paused(visit):
        return await refuse_at_home(visit, PAUSED)
    try:
        slug = await visit.house.database.write(
            copy_campaign,
            source_id=visit.campaign.id,
            campaign_id=new_campaign_id(visit, form),
            beginner=beginner_of(visit),
            fallback_slug=random_slug(visit.campaign.kind),
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except TooManyDrafts:
        return await refuse_at_home(visit, TOO_MANY_DRAFTS)
    return visit.go(f"/campaigns/{slug}")


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/settings", show=show_settings, needs=Permission.READ),
    Page("/campaigns/{slug}/settings/{section}", show=show_section, post=save_section, needs=Permission.SET_UP),
    Page("/campaigns/{slug}/settings/signing/preview", post=preview_rule, needs=Permission.SET_UP),
    Page("/campaigns/{slug}/export", show=export, needs=Permission.EXPORT),
    Page("/campaigns/{slug}/copy", post=copy, needs=Permission.READ),
)


def _section_of(visit: Visit) -> str:
    section: str = visit.request.path_params["section"]
    if section not in SECTIONS:
        raise HTTPException(404)
    return section


def _fields_of(section: str, settings: CampaignSettings) -> frozenset[str]:
    """Return what a page may change as the campaign stands. Once its key is destroyed, it can hold no address."""
    gone = frozenset() if settings.organiser_email else frozenset({"organiser_email"})
    return changeable_fields(settings.state) & set(SECTIONS[section]) - gone


async def _find(visit: Visit) -> CampaignSettings:
    return await visit.house.database.read(find_settings, campaign_id=visit.campaign.id, keyring=visit.house.keyring)


async def _save(visit: Visit, section: str, form: Form, changes: Mapping[str, Any]) -> Response:
    errors = {}
    try:
        slug = await visit.house.database.write(
            save_settings,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            version=_read_number(form.text("settings_version")) or 0,
            changes=changes,
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except SettingsFrozen:
        return await _show_summary(visit, typed=form.typed())
    except SettingsChanged as fact:
        settings = await _find(visit)
        changed: list[str] = [name for name in FIELDS if name in fact.fields] or sorted(changes)
        return _show_section(visit, section, settings, _as_typed(form, {}, changed))
    except SlugTaken:
        errors["slug"] = message("Another campaign has this address: choose another one")
    except ThresholdTaken:
        errors["signatures"] = message("There is a promise for this number already")
    except ThresholdTooLow as fact:
        errors["signatures"] = message("Choose a number above the count, which is %(count)s now", count=fact.count)
    if errors:
        return _show_section(visit, section, await _find(visit), _as_typed(form, say_errors(errors, visit.locale)))
    visit.house.forget(slug)
    return _go_on(visit, section, slug)


#: A version, or a row of a list, of more digits than these is none of ours.
_MOST_DIGITS: Final = 9


def _read_number(typed: str) -> int | None:
    """Return a number that a page of ours put into its form or its link, None for anything else."""
    return int(typed) if typed.isdecimal() and len(typed) <= _MOST_DIGITS else None


def _go_on(visit: Visit, section: str, slug: str) -> Response:
    """Lead back to the list that was changed, or to all settings."""
    tail = f"/{section}" if section in {"addressees", "numbers"} else ""
    return visit.go(f"/campaigns/{slug}/settings{tail}")


def _as_typed(form: Form, errors: Mapping[str, str], changed: Sequence[str] | None = None) -> Shown:
    values = form.typed()
    if changed is not None:
        values.pop("row", None)  # by now another may stand in that place of the list: what was typed is added to it
    return Shown(values, repeated_of(form), errors, changed)


async def _show_summary(visit: Visit, *, typed: Mapping[str, str] | None = None) -> Response:
    settings = await _find(visit)
    can_change = visit.can(Permission.SET_UP)
    return visit.show(
        "workspace/settings.html",
        status_code=200 if typed is None else 422,
        path=f"/workspace/campaigns/{visit.campaign.slug}/settings",
        sections=[name for name in SECTIONS if can_change and _fields_of(name, settings)],
        once=uuid4().hex,
        sees_address=can_change,
        typed=[] if typed is None else _words_of(typed),
        is_too_late=typed is not None,
        **_context(visit, settings),
    )


_HIDDEN: Final = frozenset({"form_token", "settings_version", "row"})


def _words_of(typed: Mapping[str, str]) -> list[str]:
    """Return what somebody wrote, to be copied; what was only chosen is soon chosen again."""
    return [text for name, text in typed.items() if name not in _HIDDEN and not is_of_builder(name) and text.strip()]


def _show_section(visit: Visit, section: str, settings: CampaignSettings, shown: Shown) -> Response:
    return visit.show(
        "workspace/settings_section.html",
        status_code=422 if shown.errors or shown.changed is not None else 200,
        section=section,
        fields=_fields_of(section, settings),
        shown=shown,
        values=shown.values,
        repeated=shown.repeated,
        errors=shown.errors,
        sees_address=True,
        countries_and_union=country_groups(visit.locale, with_union=True),
        periods=COMMONS_DAYS,
        zones=tuple(dict.fromkeys((*ZONES, settings.timezone))),
        most_supporters=MOST_SUPPORTERS,
        can_ask_district=_can_ask_district(settings),
        **(builder_context(shown.values, settings.rule, visit.locale) if section == "signing" else {}),
        **_context(visit, settings),
    )


def _context(visit: Visit, settings: CampaignSettings) -> dict[str, Any]:
    """Return what both pages say of the settings."""
    return {
        "settings": settings,
        "who": who_can_sign(settings.rule, visit.locale),
        "country_name": lambda code: country_name(code, visit.locale),
    }


# Reading a form: each section's changes, where they differ from what is saved.


def _read_basics(reading: Reading, settings: CampaignSettings, _visit: Visit) -> dict[str, Any]:
    typed: dict[str, Any] = {
        "reference": reading.line("reference", MAX_SHORT) or None,
        "organiser_name": reading.line(
            "organiser_name", MAX_NAME, message("Enter the name of your team or organisation")
        ),
    }
    if settings.organiser_email:
        typed["organiser_email"] = reading.clean("organiser_email", normalise.clean_email)
    if "slug" in changeable_fields(settings.state):
        typed |= _read_basics_of_draft(reading, settings)
    return _differing(typed, settings)


def _read_basics_of_draft(reading: Reading, settings: CampaignSettings) -> dict[str, Any]:
    slug = reading.form.text("slug").strip().lower()
    if not is_slug(slug):
        reading.errors["slug"] = message("Use 3 to 64 small Latin letters, digits or hyphens")
    kind = reading.choice("kind", KINDS, message("Choose what it is"))
    supporters = reading.number("supporters_needed", 0, MOST_SUPPORTERS)
    return {
        "slug": slug,
        "kind": kind,
        # Only petitions are held against the House's form.
        "form": "commons" if kind == "petition" and "commons" in reading.form else "free",
        "promised_locales": reading.promised(settings.source_locale),
        "supporters_needed": supporters or 0,
    }


def _read_signing(reading: Reading, settings: CampaignSettings, _visit: Visit) -> dict[str, Any]:
    signatories = reading.choice("signatories", SIGNATORIES, message("Choose whether people or organisations sign"))
    rule, faults = read_rule(reading.form, settings.rule)
    reading.errors |= faults
    if isinstance(rule, IsOrganisation) and signatories == "individuals":
        reading.errors["signatories"] = message("You let only organisations sign: choose organisations here, too")
    offered = [ask for ask in ASKS if ask != "district" or _can_ask_district(settings)]
    asks = frozenset(ask for ask in offered if ask in reading.form.texts("asks"))
    people = 2 if "share_mailbox" in reading.form else 1
    typed = {"signatories": signatories, "eligibility": rule, "people_per_mailbox": people, "asks": asks}
    return _differing(typed, settings)


def _can_ask_district(settings: CampaignSettings) -> bool:
    """Tell whether a federal district says anything to those who are addressed, or is asked already."""
    is_canadian = any(each.country == COUNTRY_OF_DISTRICTS for each in settings.addressees)
    return is_canadian or "district" in settings.asks


def _read_dates(reading: Reading, settings: CampaignSettings, visit: Visit) -> dict[str, Any]:
    zone = reading.form.text("timezone")
    if not is_zone(zone):
        reading.errors["timezone"] = message("Choose the place whose clocks decide")
        zone = settings.timezone
    closing = reading.closing(zone, visit.now, settings.opens_on)
    if closing == Closing(settings.open_for_days, settings.closes_on) and zone == settings.timezone:
        return {}
    # They go together: the same day ends at another moment elsewhere.
    return {"closing": closing, "timezone": zone}


def _read_addressees(reading: Reading, settings: CampaignSettings, _visit: Visit) -> dict[str, Any]:
    addressees = [SetAddressee(each.names, each.country) for each in settings.addressees]
    return _read_list(reading, "addressees", addressees, reading.addressee)


def _read_numbers(reading: Reading, settings: CampaignSettings, _visit: Visit) -> dict[str, Any]:
    thresholds = [SetThreshold(each.signatures, each.labels) for each in settings.thresholds]

    def read() -> SetThreshold | None:
        threshold = reading.threshold()
        if threshold is None and not reading.errors:
            reading.errors["signatures"] = message("Enter the number of signatures for which you promise this")
        return threshold

    if settings.state != "draft":
        new = read()
        return {} if new is None else {"new_threshold": new}
    changes = _read_list(reading, "thresholds", thresholds, read)
    numbers = [each.signatures for each in changes.get("thresholds", ())]
    if len(set(numbers)) < len(numbers):
        reading.errors["signatures"] = message("There is a promise for this number already")
    return changes


#: Where a fault of a whole list is shown.
_FIRST_FIELDS: Final = {"addressees": "addressee_en", "thresholds": "signatures"}


def _read_list(reading: Reading, field: str, items: list[Any], read: Callable[[], Any]) -> dict[str, Any]:
    """Return the list after one is added, changed, moved or removed; a row that is not there is an old page's."""
    do, row = reading.form.text("do"), _read_number(reading.form.text("row"))
    at = row if row is not None and row < len(items) else None
    if do in {"remove", "up", "down"}:
        if at is None:
            return {}
        item = items.pop(at)
        if do != "remove":
            items.insert(max(0, at - 1) if do == "up" else at + 1, item)
        return {field: tuple(items)}
    item = read()
    if item is not None and at is not None:
        items[at] = item
    elif item is not None:
        items.append(item)
    if len(items) > MAX_LIST:
        reading.errors[_FIRST_FIELDS[field]] = message("The list is full: remove something from it first")
    return {field: tuple(items)}


def _differing(typed: Mapping[str, Any], settings: CampaignSettings) -> dict[str, Any]:
    saved = {
        "eligibility": settings.rule,
        "promised_locales": tuple(locale for locale in LOCALES if locale in settings.promised_locales),
    }
    return {name: value for name, value in typed.items() if value != saved.get(name, getattr(settings, name, None))}


_READ: Final[Mapping[str, Callable[[Reading, CampaignSettings, Visit], dict[str, Any]]]] = {
    "basics": _read_basics,
    "addressees": _read_addressees,
    "signing": _read_signing,
    "dates": _read_dates,
    "numbers": _read_numbers,
}


# Showing what is saved: the values of a form's fields, and those of fields that come repeatedly.

Values = tuple[dict[str, str], dict[str, list[str]]]


def _show_basics(settings: CampaignSettings, _row: int | None) -> Values:
    values = {
        "slug": settings.slug,
        "kind": settings.kind,
        "reference": settings.reference or "",
        "organiser_name": settings.organiser_name,
        "organiser_email": settings.organiser_email,
        "supporters_needed": str(settings.supporters_needed),
    }
    if settings.form == "commons":
        values["commons"] = "yes"
    return values, {"promised": list(settings.promised_locales)}


def _show_addressees(settings: CampaignSettings, row: int | None) -> Values:
    if row is None or row >= len(settings.addressees):
        return {}, {}
    chosen = settings.addressees[row]
    names = {f"addressee_{locale}": name for locale, name in chosen.names.items()}
    return {**names, "addressee_country": chosen.country, "row": str(row)}, {}


def _show_signing(settings: CampaignSettings, _row: int | None) -> Values:
    values = {"signatories": settings.signatories, **show_rule(settings.rule)}
    if settings.people_per_mailbox > 1:
        values["share_mailbox"] = "yes"
    return values, {"asks": sorted(settings.asks)}


def _show_dates(settings: CampaignSettings, _row: int | None) -> Values:
    closing = "none"
    if settings.open_for_days is not None:
        closing = str(settings.open_for_days)
    elif settings.closes_on is not None:
        closing = "date"
    closes_on = "" if settings.closes_on is None else settings.closes_on.isoformat()
    return {"closing": closing, "closes_on": closes_on, "timezone": settings.timezone}, {}


def _show_numbers(settings: CampaignSettings, row: int | None) -> Values:
    if settings.state != "draft" or row is None or row >= len(settings.thresholds):
        return {}, {}
    chosen = settings.thresholds[row]
    labels = {f"label_{locale}": label for locale, label in chosen.labels.items()}
    return {**labels, "signatures": str(chosen.signatures), "row": str(row)}, {}


_SHOW: Final[Mapping[str, Callable[[CampaignSettings, int | None], Values]]] = {
    "basics": _show_basics,
    "addressees": _show_addressees,
    "signing": _show_signing,
    "dates": _show_dates,
    "numbers": _show_numbers,
}


def _for_reader(data: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a campaign's file for somebody of its team, such that it can be read in again."""
    if not visit.can(Permission.SET_UP):
        data["organiser"]["email"] = NO_ADDRESS
        data.get("sponsor", {}).pop("email", None)
    data["texts"].setdefault(visit.campaign.source_locale, {})
    for text in data["texts"].values():
        text["title"] = text.get("title") or NO_TITLE
    return data
