"""Campaigns that ask to be published: read, then approved, sent back or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from app.actions import life
from app.actions.campaigns import CampaignCannotMove
from app.actions.life import NotReady, ReviewChanged, ReviewerIsOfTeam
from app.i18n import LOCALES, Message, message
from app.queries.life import find_review, list_reviews
from app.rules.eligibility import who_can_sign
from app.rules.life import last_day, local_day
from app.rules.moves import ClosingPast
from app.rules.normalise import Refused
from app.rules.permissions import STAFF, StaffPermission
from app.rules.refusals import REFUSAL_RULES
from app.web.gate import Page
from app.web.house import SLUG
from app.web.reasons import read_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from app.queries.life import Review
    from app.web.gate import Visit

NOT_FOUND: Final = 404
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
_NOTES: Final[Mapping[type[Exception], Message]] = {
    ReviewerIsOfTeam: message("You are of its team, so somebody else reviews it."),
    ReviewChanged: message("The text or the settings changed since you opened this page. Read them again."),
    NotReady: message("It cannot be published: something that it needs is missing. See the findings."),
    ClosingPast: message("It cannot be published: its last day is past. Send it back to be changed."),
}

_DECISIONS: Final[Mapping[str, Callable[..., object]]] = {
    "approve": life.approve_campaign,
    "send_back": life.send_back_campaign,
    "refuse": life.refuse_campaign,
}


async def show_list(visit: Visit) -> Response:
    """Show what waits, the longest waiting first."""
    done = visit.request.query_params.get("done")
    return await _show_list(visit, 200, done=done if done in _DECISIONS else None)


async def show(visit: Visit) -> Response:
    """Show a campaign that asks to be published."""
    review = await _find(visit)
    return await _show_gone(visit) if review is None else _show(visit, review)


async def decide(visit: Visit) -> Response:
    """Approve, or send back with a reason."""
    form = await visit.read_form()
    review = await _find(visit)
    if review is None:
        return await _show_gone(visit)
    if form.text("decision") == "approve":
        return await _do(visit, review, "approve", version=form.text("version"))
    if form.text("decision") != "send_back":
        raise HTTPException(400)
    try:
        because = read_reason(form.text("reason"), is_required=True)
    except Refused as refusal:
        errors = [("send_back_reason", refusal.message.say(visit.locale))]
        return _show(visit, review, UNPROCESSABLE, errors=errors, typed={"send_back_reason": form.text("reason")})
    return await _do(visit, review, "send_back", because=because)


async def refuse(visit: Visit) -> Response:
    """Refuse to publish, under a rule that everybody is told, with a reason for the team."""
    form = await visit.read_form()
    review = await _find(visit)
    if review is None:
        return await _show_gone(visit)
    rule, is_titled = form.text("rule"), "is_titled" in form
    errors: list[tuple[str, str]] = []
    if rule not in REFUSAL_RULES:
        errors.append(("rule", message("Choose the rule").say(visit.locale)))
    because = ""
    try:
        because = read_reason(form.text("reason"), is_required=True)
    except Refused as refusal:
        errors.append(("refuse_reason", refusal.message.say(visit.locale)))
    if errors:
        typed = {"refuse_reason": form.text("reason"), "rule": rule, "is_titled": "yes" if is_titled else ""}
        return _show(visit, review, UNPROCESSABLE, errors=errors, typed=typed)
    return await _do(visit, review, "refuse", because=because, rule=rule, is_titled=is_titled)


def can_operate(visit: Visit) -> bool:
    """Tell whether this person also stops and re-homes campaigns."""
    return StaffPermission.OPERATE in STAFF[visit.signed_in.role]


async def _do(visit: Visit, review: Review, name: str, **values: str | bool) -> Response:
    who: dict[str, Any] = {"campaign_id": review.id, "account_id": visit.signed_in.account_id, "now": visit.now}
    try:
        await visit.house.database.write(_DECISIONS[name], **who, **values)
    except (ReviewerIsOfTeam, ReviewChanged, NotReady, ClosingPast) as fact:
        note = _NOTES[type(fact)].say(visit.locale)
        newer = await _find(visit)
        return await _show_gone(visit) if newer is None else _show(visit, newer, CONFLICT, note=note)
    except CampaignCannotMove:
        return await _show_gone(visit)
    visit.house.forget(review.slug)
    return visit.go(f"?done={name}")


async def _find(visit: Visit) -> Review | None:
    slug = visit.request.path_params["slug"]
    if not SLUG.fullmatch(slug):
        return None
    account_id = visit.signed_in.account_id
    return await visit.house.database.read(find_review, slug=slug, account_id=account_id, now=visit.now)


async def _show_list(visit: Visit, status_code: int, *, done: str | None = None, is_gone: bool = False) -> Response:
    return visit.show(
        "moderation/reviews.html",
        status_code=status_code,
        path="/moderation",
        reviews=await visit.house.database.read(list_reviews),
        can_operate=can_operate(visit),
        done=done,
        is_gone=is_gone,
    )


async def _show_gone(visit: Visit) -> Response:
    """Say that it does not wait any more: decided by somebody else, taken back, or never there."""
    return await _show_list(visit, CONFLICT if visit.request.method == "POST" else NOT_FOUND, is_gone=True)


def _show(
    visit: Visit,
    review: Review,
    status_code: int = 200,
    *,
    note: str | None = None,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    zone = review.timezone
    return visit.show(
        "moderation/review.html",
        status_code=status_code,
        path=f"/moderation/reviews/{review.slug}",
        review=review,
        who_can_sign=who_can_sign(review.rule, visit.locale),
        opens_day=None if review.opens_at is None else local_day(review.opens_at, zone),
        last_day=None if review.closes_at is None else last_day(review.closes_at, zone),
        text_locales=[locale for locale in LOCALES if locale in review.texts],
        can_operate=can_operate(visit),
        refusal_rules=[(name, words.say(visit.locale)) for name, words in REFUSAL_RULES.items()],
        note=note,
        errors=errors,
        typed=typed or {},
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("", show_list, needs=StaffPermission.REVIEW),
    Page("/reviews/{slug}", show, decide, StaffPermission.REVIEW),
    Page("/reviews/{slug}/refuse", None, refuse, StaffPermission.REVIEW, is_grave=True),
)
