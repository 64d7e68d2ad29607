"""What pages about signatures share: the campaign in the address, its key, and the fields that choose among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException

from app.actions.records import record
from app.i18n import LOCALES
from app.i18n.formats import language_name
from app.models import open_campaign_key
from app.queries.moderation import find_judged_campaign
from app.rules.integrity import REMOVAL_RULES
from app.rules.places import COMMON_COUNTRIES, SUBDIVISIONS, country_name, list_countries, list_subdivisions
from app.rules.sets import (
    FIELDS,
    SIGNAL_WORDS,
    STANDING_WORDS,
    STATE_WORDS,
    Conditions,
    read_conditions,
    say_rule,
)
from app.web.house import SLUG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.keys import DataKey
    from app.i18n import Locale
    from app.queries.moderation import JudgedCampaign
    from app.web.gate import Visit

UNPROCESSABLE: Final = 422
CONFLICT: Final = 409
ID: Final = re.compile(r"[0-9a-f]{32}")


async def find_campaign(visit: Visit, slug: str | None = None) -> JudgedCampaign:
    """Return the campaign in the address, or another one. Raises HTTPException 404: also, on record, for its team.

    Whoever organises a campaign is not told who signed it, moderator or not, and does not decide what counts.
    """
    found = await seek_campaign(visit, visit.request.path_params["slug"] if slug is None else slug)
    if found is None:
        raise HTTPException(404)
    return found


async def seek_campaign(visit: Visit, slug: str) -> JudgedCampaign | None:
    """Return a campaign, or None. Raises HTTPException 404, on record, for its team."""
    if not SLUG.fullmatch(slug):
        return None
    found = await visit.house.database.read(find_judged_campaign, slug=slug, account_id=visit.signed_in.account_id)
    if found is not None and found.is_own:
        await refuse_own(visit, found.id)
    return found


async def refuse_own(visit: Visit, campaign_id: UUID | None = None) -> NoReturn:
    """Put on record that somebody wanted to judge signatures of their own campaign. Raises HTTPException 404."""
    await visit.house.database.write(
        record,
        what="refused",
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=campaign_id,
        details={"method": visit.request.method, "because": "of_team"},
    )
    raise HTTPException(404)


async def find_key(visit: Visit, campaign_id: UUID) -> DataKey | None:
    """Return a campaign's key, or None once it was destroyed."""
    return await visit.house.database.read(open_campaign_key, campaign_id=campaign_id, keyring=visit.house.keyring)


def read_id(text: str) -> UUID:
    """Return an id of ours from an address or a form. Raises HTTPException 404."""
    if not ID.fullmatch(text):
        raise HTTPException(404)
    return UUID(hex=text)


def conditions_of(visit: Visit) -> Conditions:
    """Return the conditions in the address. Raises HTTPException 404 for what no link of ours says."""
    typed = {name: visit.request.query_params.get(name, "")[:100] for name in FIELDS}
    conditions, faults = read_conditions(typed, None)
    if faults:
        raise HTTPException(404)
    return conditions


def as_query(conditions: Conditions, **more: str) -> str:
    """Return conditions as the query of an address, with its question mark; nothing where there is nothing."""
    pairs = conditions.as_json() | {name: value for name, value in more.items() if value}
    return f"?{urlencode(pairs)}" if pairs else ""


def as_typed(conditions: Conditions) -> dict[str, str]:
    """Return conditions as the fields of a form show them again."""
    typed = {name: str(value).removesuffix("+00:00") for name, value in conditions.as_json().items()}
    return typed | {name: f"#{typed[name]}" for name in ("address", "network", "domain") if name in typed}


def list_choices(locale: Locale) -> Mapping[str, Any]:
    """Return what the lists of the form hold: for each field its choices, in groups with a label or none."""
    countries = list_countries(locale)
    common = [(code, country_name(code, locale)) for code in COMMON_COUNTRIES]
    return {
        "signal": [("", _said(SIGNAL_WORDS, locale))],
        "locale": [("", [(each, language_name(each, locale)) for each in LOCALES])],
        "standing": [("", _said(STANDING_WORDS, locale))],
        "state": [("", _said(STATE_WORDS, locale))],
        "country": [("", common), ("", [each for each in countries if each[0] not in COMMON_COUNTRIES])],
        "subdivision": [(country_name(each, locale), list_subdivisions(each, locale)) for each in SUBDIVISIONS],
    }


def list_rules(locale: Locale) -> list[tuple[str, str]]:
    """Return the rules under which something may be taken out, in words."""
    return [(rule, say_rule(rule, locale)) for rule in REMOVAL_RULES]


def _said(words: Mapping[str, Any], locale: Locale) -> list[tuple[str, str]]:
    return [(code, word.say(locale)) for code, word in words.items()]
