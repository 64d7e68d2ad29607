"""A letter under embargo, for tests: approved, with a private link, and a form that an organisation sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.actions.embargo import renew_preview_link, set_embargo
from app.actions.life import approve_campaign, submit_campaign
from app.core import tokens
from app.core.clock import utc_now
from app.queries.life import find_review_version
from tests.actions.lives import campaign_id, moderator, owner_id, row
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from datetime import datetime

    from tests.stage import Stage


def under_embargo(
    stage: Stage,
    until: datetime,
    slug: str = "libraries",
    texts: dict[str, dict[str, Any]] | None = None,
    **changes: Any,  # noqa: ANN401 - a file's own
) -> str:
    """Bring an open letter through review, which nobody sees before ``until``; return its slug."""
    file = {"kind": "open_letter", "signatories": "both", "sponsor": None, "slug": slug, **changes}
    words = texts or {locale: {"requests": [], "body": f"Words in {locale}"} for locale in ("km", "en", "fr")}
    draft(stage, words, **file)
    stage.write(set_embargo, shown=None, until=until, **who_of(stage, slug))
    assert publish_one(stage, slug) == "embargoed"
    return slug


def publish_one(stage: Stage, slug: str) -> str:
    """Bring a draft through review, and return the state that it is in."""
    stage.write(submit_campaign, **who_of(stage, slug))
    version = stage.read(find_review_version, campaign_id=campaign_id(stage, slug))
    reviewer = {**who_of(stage, slug), "account_id": moderator(stage).account_id}
    return stage.write(approve_campaign, version=version, **reviewer)


def private_link(stage: Stage, slug: str = "libraries", locale: str = "en") -> str:
    """Make the private link, or another one, and return its address without the host."""
    key = stage.keyring.tokens
    shown = row(stage, slug).preview_link_id
    stage.write(renew_preview_link, shown=shown, tokens_key=key, **who_of(stage, slug))
    link_id = row(stage, slug).preview_link_id
    assert link_id is not None
    return f"/{locale}/preview/{tokens.make_token(key, 'preview', link_id)}"


def who_of(stage: Stage, slug: str) -> dict[str, Any]:
    """Return what a move of the team's is told: the campaign, its owner, the moment."""
    return {"campaign_id": campaign_id(stage, slug), "account_id": owner_id(stage, slug), "now": utc_now()}


def organisation(**changes: str) -> dict[str, str]:
    """Return a form that an organisation sends."""
    form = {
        "organisation": "Khmer Krom Society of Ottawa",
        "acronym": "KKSO",
        "country": "CA",
        "website": "https://www.example.org",
        "representative": "Chan Dara",
        "role": "President",
        "email": "president@example.org",
        "authority": "yes",
        "consent": "yes",
    }
    return {**form, **changes}
