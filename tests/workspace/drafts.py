"""Drafts for tests of the workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.actions.campaigns import import_campaign
from app.core.clock import utc_now
from app.rules.campaign_file import parse_campaign_file
from tests.stage import small_campaign

if TYPE_CHECKING:
    from tests.stage import Stage


def draft(stage: Stage, texts: dict[str, dict[str, Any]], **changes: Any) -> str:  # noqa: ANN401 - a file's own
    """Import the small campaign as a draft, some parts of its texts changed, and return its slug."""
    data = {**small_campaign(), **changes}
    data["texts"] = {locale: {**text, **texts.get(locale, {})} for locale, text in data["texts"].items()}
    data = {name: value for name, value in data.items() if value is not None}
    file = parse_campaign_file(json.dumps(data, ensure_ascii=False).encode())
    stage.write(import_campaign, file=file, keyring=stage.keyring, now=utc_now())
    return file.slug
