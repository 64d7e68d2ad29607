"""Signatures of a campaign: the queue of those that wait, search, one by one.

Lists show no names. A signature's own page opens it, and every such look, like every search for somebody, goes on
record. What is typed to find somebody does not stand in an address: it is hashed, or sealed with the campaign's key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from app.actions.records import record
from app.actions.standing import decide
from app.core.keys import SealBrokenError
from app.i18n import message
from app.queries.moderation import (
    Wanted,
    count_waiting,
    email_hash,
    find_opened_signature,
    list_queue,
    list_waiting_campaigns,
    name_hash,
    search_signatures,
)
from app.rules.integrity import REMOVAL_RULES
from app.rules.normalise import NAME_LIMIT, Refused, clean_email, clean_line
from app.rules.permissions import StaffPermission
from app.rules.sets import (
    STANDING_WORDS,
    STATE_WORDS,
    Conditions,
    read_conditions,
    say_conditions,
    say_rule,
    say_signals,
)
from app.web.gate import Page
from app.web.house import SLUG
from app.web.moderation.choosing import (
    UNPROCESSABLE,
    as_query,
    as_typed,
    conditions_of,
    find_campaign,
    find_key,
    list_choices,
    list_rules,
    read_id,
)
from app.web.moderation.reviews import can_operate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from starlette.responses import Response

    from app.queries.moderation import JudgedCampaign, ListedSignature
    from app.web.forms import Form
    from app.web.gate import Visit

_REPEATED: Final = frozenset({"signature"})
_PART_LIMIT: Final = 1000


async def show_campaigns(visit: Visit) -> Response:
    """Show the campaigns of which something waits; ``?slug=`` leads to any other."""
    slug = visit.request.query_params.get("slug", "").strip().lower()
    if SLUG.fullmatch(slug):
        return visit.go(f"/signatures/{slug}")
    return visit.show(
        "moderation/signatures.html",
        campaigns=await visit.house.database.read(list_waiting_campaigns),
        can_operate=can_operate(visit),
    )


async def show_queue(visit: Visit) -> Response:
    """Show confirmed signatures that wait, oldest first."""
    return await _show_queue(visit, await find_campaign(visit))


async def decide_ticked(visit: Visit) -> Response:
    """Count the ticked ones, or take them out under a rule."""
    campaign = await find_campaign(visit)
    form = await visit.read_form(repeated=_REPEATED)
    ids = [read_id(text) for text in form.texts("signature")]
    rule, errors = _read_decision(visit, form)
    if not ids:
        errors.insert(0, ("ticked", message("Tick at least one signature").say(visit.locale)))
    if errors:
        typed = {"ticked": {each.hex for each in ids}, "rule": form.text("rule")}
        return await _show_queue(visit, campaign, UNPROCESSABLE, errors=errors, typed=typed)
    moved = await _decide(visit, campaign, ids, "quarantined", rule)
    return visit.go(f"/signatures/{campaign.slug}?done={moved}&of={len(ids)}")


async def show_search(visit: Visit) -> Response:
    """Show what a search finds; without one, its form."""
    campaign = await find_campaign(visit)
    wanted, said = await _read_wanted(visit, campaign)
    found = None
    if said or wanted.conditions:
        found = await visit.house.database.read(
            search_signatures,
            campaign_id=campaign.id,
            wanted=wanted,
            keyring=visit.house.keyring,
            after=visit.request.query_params.get("after"),
        )
    if found is not None and said:
        # Whether somebody signed is as much as a name.
        details = {"by": list(said), "found": len(found.signatures), "looked_at": found.looked_at}
        await _record(visit, campaign.id, "signatures_searched", details)
    return await _show_search(visit, campaign, wanted=wanted, said=said, found=found)


async def search(visit: Visit) -> Response:
    """Take what somebody is looked for by, and go to what is found."""
    campaign = await find_campaign(visit)
    form = await visit.read_form()
    key = await find_key(visit, campaign.id)
    conditions, faults = read_conditions(form.typed(), None if key is None else key.index)
    errors = [(name, fault.say(visit.locale)) for name, fault in faults]
    hidden: dict[str, str] = {}
    for name, clean in (("email", clean_email), ("name", _clean_name), ("part", _clean_name)):
        typed = form.text(name).strip()
        if not typed:
            continue
        try:
            text = clean(typed)
            if key is None:
                raise Refused(message("This campaign's key is gone, so nothing can be looked for by it"))  # noqa: TRY301 - told like the others
        except Refused as refusal:
            errors.append((name, refusal.message.say(visit.locale)))
            continue
        if name == "part":
            hidden[name] = key.seal("signatures.search", campaign.id, text).hex()
        else:
            hidden[name] = (email_hash(key, text) if name == "email" else name_hash(key, text)).hex()
    if not (errors or hidden or conditions):
        errors.append(("email", message("Say what to look for").say(visit.locale)))
    if errors:
        return await _show_search(visit, campaign, UNPROCESSABLE, errors=errors, typed=form.typed())
    return visit.go(f"/signatures/{campaign.slug}/search{as_query(conditions, **hidden)}")


async def show_one(visit: Visit) -> Response:
    """Show one signature, opened; the look goes on record."""
    return await _show_one(visit, await find_campaign(visit))


async def decide_one(visit: Visit) -> Response:
    """Count it, or take it out under a rule, where it still stands as it was shown."""
    campaign = await find_campaign(visit)
    form = await visit.read_form()
    signature_id = read_id(visit.request.path_params["signature"])
    rule, errors = _read_decision(visit, form)
    if errors:
        return await _show_one(visit, campaign, UNPROCESSABLE, errors=errors)
    moved = await _decide(visit, campaign, [signature_id], form.text("seen"), rule)
    return visit.go(f"/signatures/{campaign.slug}/one/{signature_id.hex}?done={moved}")


def _clean_name(typed: str) -> str:
    name = clean_line(typed, limit=NAME_LIMIT)
    if not name:
        raise Refused(message("Say what to look for"))
    return name


def _read_decision(visit: Visit, form: Form) -> tuple[str | None, list[tuple[str, str]]]:
    """Return the rule to take out under, None to count, and what is wrong with the form."""
    action, rule = form.text("action"), form.text("rule")
    if action == "honest":
        return None, []
    if action != "remove":
        raise HTTPException(400)
    if rule not in REMOVAL_RULES:
        return None, [("rule", message("Choose why it is taken out").say(visit.locale))]
    return rule, []


async def _decide(visit: Visit, campaign: JudgedCampaign, ids: Sequence[UUID], seen: str, rule: str | None) -> int:
    moved = await visit.house.database.write(
        decide,
        campaign_id=campaign.id,
        signature_ids=ids,
        seen=seen,
        rule=rule,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )
    visit.house.forget(campaign.slug)
    return moved


async def _record(visit: Visit, campaign_id: UUID, what: str, details: Mapping[str, Any]) -> None:
    who: dict[str, Any] = {"account_id": visit.signed_in.account_id, "campaign_id": campaign_id}
    await visit.house.database.write(record, what=what, now=visit.now, details=details, **who)


async def _read_wanted(visit: Visit, campaign: JudgedCampaign) -> tuple[Wanted, dict[str, str]]:
    """Return what the address asks for, and which of it is about one person. Raises HTTPException 404."""
    conditions = conditions_of(visit)
    given = {name: visit.request.query_params.get(name, "") for name in ("email", "name", "part")}
    said = {name: value for name, value in given.items() if value}
    if not said:
        return Wanted(conditions), {}
    key = await find_key(visit, campaign.id)
    try:
        opened = {name: bytes.fromhex(value[:_PART_LIMIT]) for name, value in said.items()}
        part = None
        if "part" in opened:
            part = "" if key is None else key.open("signatures.search", campaign.id, opened["part"])
    except (ValueError, SealBrokenError):
        raise HTTPException(404) from None
    return Wanted(conditions, opened.get("email"), opened.get("name"), part), said


async def _show_queue(
    visit: Visit,
    campaign: JudgedCampaign,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, Any] | None = None,
) -> Response:
    after = visit.request.query_params.get("after")
    found = await visit.house.database.read(list_queue, campaign_id=campaign.id, after=after)
    return visit.show(
        "moderation/signatures_queue.html",
        status_code=status_code,
        path=f"/moderation/signatures/{campaign.slug}",
        campaign=campaign,
        waiting=await visit.house.database.read(count_waiting, campaign_id=campaign.id),
        found=found,
        rows=_as_rows(visit, found.signatures),
        rules=list_rules(visit.locale),
        done=_read_number(visit, "done"),
        of=_read_number(visit, "of"),
        is_later=after is not None,
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed or {"ticked": set(), "rule": ""},
    )


async def _show_search(
    visit: Visit,
    campaign: JudgedCampaign,
    status_code: int = 200,
    *,
    wanted: Wanted | None = None,
    said: Mapping[str, str] | None = None,
    found: Any = None,  # noqa: ANN401 - Found, or nothing
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    conditions = Conditions() if wanted is None else wanted.conditions
    said = said or {}
    return visit.show(
        "moderation/signatures_search.html",
        status_code=status_code,
        path=f"/moderation/signatures/{campaign.slug}/search",
        campaign=campaign,
        found=found,
        rows=() if found is None else _as_rows(visit, found.signatures),
        asked=say_conditions(conditions, visit.locale),
        said=said,
        part=None if wanted is None else wanted.part_of_name,
        set_query=as_query(conditions),
        further=None if found is None or found.after is None else as_query(conditions, after=found.after, **said),
        choices=list_choices(visit.locale),
        can_operate=can_operate(visit),
        errors=errors,
        typed=as_typed(conditions) if typed is None else typed,
    )


async def _show_one(
    visit: Visit, campaign: JudgedCampaign, status_code: int = 200, *, errors: Sequence[tuple[str, str]] = ()
) -> Response:
    signature_id = read_id(visit.request.path_params["signature"])
    opened = await visit.house.database.read(
        find_opened_signature, campaign_id=campaign.id, signature_id=signature_id, keyring=visit.house.keyring
    )
    if opened is None:
        raise HTTPException(404)
    await _record(visit, campaign.id, "signature_opened", {"signature": signature_id.hex})
    listed = opened.listed
    return visit.show(
        "moderation/signatures_one.html",
        status_code=status_code,
        path=f"/moderation/signatures/{campaign.slug}/one/{signature_id.hex}",
        campaign=campaign,
        opened=opened,
        row=_as_rows(visit, [listed])[0],
        standings={code: words.say(visit.locale) for code, words in STANDING_WORDS.items()},
        lines=[(line, say_rule(line.rule, visit.locale)) for line in opened.decisions],
        more={
            name: as_query(Conditions(**{name: mark}))
            for name in ("address", "network", "domain")
            if (mark := getattr(listed, name))
        },
        rules=list_rules(visit.locale),
        done=_read_number(visit, "done"),
        can_operate=can_operate(visit),
        errors=errors,
    )


def _as_rows(visit: Visit, signatures: Sequence[ListedSignature]) -> list[dict[str, Any]]:
    """Return signatures in words."""
    locale = visit.locale
    return [
        {
            "it": each,
            "place": [value for _, value in say_conditions(_place(each), locale)],
            "reasons": say_signals(each.signals, locale),
            "standing": STANDING_WORDS[each.standing].say(locale),
            "state": STATE_WORDS[each.state].say(locale),
            "marks": say_conditions(Conditions(address=each.address, network=each.network, domain=each.domain), locale),
        }
        for each in signatures
    ]


def _place(each: ListedSignature) -> Conditions:
    return Conditions(country=each.country, subdivision=each.subdivision)


def _read_number(visit: Visit, name: str) -> int | None:
    text = visit.request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 - no page has more


PAGES: Final[tuple[Page, ...]] = (
    Page("/signatures", show_campaigns, needs=StaffPermission.MODERATE),
    Page("/signatures/{slug}", show_queue, decide_ticked, StaffPermission.MODERATE),
    Page("/signatures/{slug}/search", show_search, search, StaffPermission.MODERATE),
    Page("/signatures/{slug}/one/{signature}", show_one, decide_one, StaffPermission.MODERATE),
)
