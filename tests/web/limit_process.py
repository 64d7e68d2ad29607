"""A process that counts forms: reads how many to count, line by line, and prints what the last of them met."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.core.db import open_database
from app.core.keys import open_keyring
from app.settings import Settings
from app.web.limits import Limits


async def main(url: str, keys: str, valkey_url: str, now: datetime) -> None:
    """Count for as long as there are lines."""
    database = open_database(url)
    settings = Settings(database_url=url, valkey_url=valkey_url or None)
    limits = Limits(database, open_keyring(Path(keys)), settings)
    for line in sys.stdin:
        for _ in range(int(line)):
            pace = await limits.hit(
                campaign_id=UUID(int=7), address="198.51.100.7", domain="gmail.com", is_slowed=False, now=now
            )
        await limits.exchange()
        sys.stdout.write(" ".join(sorted(pace.signals)) + "\n")
        sys.stdout.flush()
    await limits.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], datetime.fromisoformat(sys.argv[4])))
