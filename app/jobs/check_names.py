"""Look at names that are to show in public, and let them show in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.actions.names import keep_verdicts, show_names
from app.core.clock import utc_now
from app.queries.names import judge_names, list_campaigns_with_due_names

if TYPE_CHECKING:
    from app.jobs.background import Background

CHUNK: Final = 200


async def check_names(background: Background) -> bool:
    """Judge the next names, and give places to those that are due; return whether there may be more at once."""
    database, now = background.database, utc_now()
    verdicts = await database.read(judge_names, keyring=background.keyring, most=CHUNK)
    if verdicts:
        await database.write(keep_verdicts, verdicts=verdicts)
    shown = [
        await database.write(show_names, campaign_id=campaign_id, now=now)
        for campaign_id in await database.read(list_campaigns_with_due_names, now=now)
    ]
    return len(verdicts) == CHUNK or any(shown)
