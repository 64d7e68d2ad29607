"""Deliver letters: claim what is due, write it, send it, record what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from app.core.clock import utc_now
from app.core.logs import get_logger
from app.mail import outbox
from app.mail.letters import write_letter
from app.mail.reports import bounce_address
from app.mail.transport import RefusedForEver, RefusedForNow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.jobs.background import Background
    from app.mail.outbox import OwedLetter
    from app.mail.transport import Sender

BATCH: Final = 32
CONNECTIONS: Final = 4


async def deliver_mail(background: Background) -> bool:
    """Send the letters that are due; return whether there may be more."""
    owed = await background.database.write(outbox.claim_letters, keyring=background.keyring, now=utc_now(), limit=BATCH)
    shares = [owed[start::CONNECTIONS] for start in range(CONNECTIONS)]
    await asyncio.gather(*(_deliver_share(background, share) for share in shares if share))
    return len(owed) == BATCH


async def _deliver_share(background: Background, letters: Sequence[OwedLetter]) -> None:
    try:
        async with background.transport.open() as sender:
            for letter in letters:
                if utc_now() >= letter.held_until:
                    # A slow relay used up our claim: somebody else may be sending these by now.
                    return
                await _deliver(background, sender, letter)
    except RefusedForNow as refusal:
        # No connection at all: none of these was tried.
        for letter in letters:
            await background.database.write(outbox.put_off, letter_id=letter.id, fault=str(refusal), now=utc_now())


async def _deliver(background: Background, sender: Sender, letter: OwedLetter) -> None:
    settings = background.settings
    try:
        written = write_letter(letter, pages=background.pages, base_url=settings.base_url, sender=settings.mail_from)
        bounces_to = settings.bounces_to and bounce_address(background.keyring, letter.id, settings.bounces_to)
        await sender.send(written, bounces_to=bounces_to)
    except RefusedForEver as refusal:
        get_logger().warning("letter refused", kind=letter.kind, reason=str(refusal))
        await background.database.write(outbox.mark_refused, letter_id=letter.id, fault=str(refusal))
        return
    except RefusedForNow as refusal:
        reason = str(refusal)
    except Exception as fault:  # noqa: BLE001 - a letter that cannot be written must not hold up those behind it
        reason = type(fault).__name__
    else:
        await background.database.write(outbox.mark_sent, letter_id=letter.id, now=utc_now())
        return
    get_logger().warning("letter put off", kind=letter.kind, reason=reason)
    await background.database.write(outbox.put_off, letter_id=letter.id, fault=reason, now=utc_now())
