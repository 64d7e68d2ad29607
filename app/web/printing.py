"""The printing house: documents and pictures, each made once for a state of its campaign, however many ask at once.

A document is looked for in the memory of this process, then among those kept in the database. Where it is in neither,
whoever claims it makes it in a thread, one at a time a process, and all others wait for it: those of this process for
the same task, those of other processes for the row.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from app.actions.keeping import claim_document, give_up_document, keep_document
from app.core.clock import utc_now
from app.queries.keeping import find_kept_document

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from uuid import UUID

    from app.core.db import Database

    _Key = tuple[UUID, str, str]

#: Bytes that a process holds of what it has sent lately; one document takes an eighth of it at most, and a single one
#: beside them is larger.
MEMORY: Final = 32 * 1024 * 1024
_LARGEST_SHARE: Final = 8
#: Documents that wait for one press at a time.
MOST_WAITING: Final = 8
# Seconds between two looks at a document that another process is making: first, and at most.
_FIRST_WAIT: Final = 0.02
_LONGEST_WAIT: Final = 0.32


class PrinterBusy(HTTPException):
    """So many documents wait that one more would wait for too long: 503."""

    def __init__(self) -> None:
        """Say nothing more than the status does."""
        super().__init__(503)


class _Press:
    """Makes one document at a time, and refuses where many wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._lock.locked() and self._waiting >= MOST_WAITING:
            raise PrinterBusy
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class Printer:
    """Finds documents and makes those that nobody has made."""

    def __init__(self, database: Database, *, memory: int = MEMORY) -> None:
        """Start empty; hold ``memory`` bytes at most."""
        self._database = database
        self._memory = memory
        self._held = 0
        self._documents: OrderedDict[_Key, bytes] = OrderedDict()
        self._fetching: dict[_Key, asyncio.Task[tuple[str, bytes]]] = {}
        # One that is too large to be among the others, so that a long letter is not made for each who reads it.
        self._large: tuple[_Key, bytes] | None = None
        self._press = _Press()
        # What names people may take seconds: cards and posters do not wait behind it.
        self._slow_press = _Press()

    async def find(
        self,
        *,
        campaign_id: UUID,
        name: str,
        state: str,
        media_type: str,
        make: Callable[[], bytes],
        is_permanent: bool = False,
    ) -> bytes:
        """Return the document ``name`` of a campaign as it is in ``state``.

        ``state`` names all that ``make`` reads; older states are thrown away. A permanent document stays for ever as it
        was first made for its state. ``make`` runs in a thread; what it raises is raised here, and the next one tries
        again. Raises PrinterBusy.
        """
        work = partial(self._fetch, media_type=media_type, make=make, is_permanent=is_permanent)
        _, content = await self._find((campaign_id, name, state), work)
        return content

    async def find_unkept(
        self, *, campaign_id: UUID, name: str, state: str, make: Callable[[], tuple[str, bytes]]
    ) -> tuple[str, bytes]:
        """Return a document that is written down nowhere, since it names people, and the state that it is in.

        That may be another than ``state``: ``make`` returns it beside the document, and it is what is true by then.
        Otherwise as `find`; in memory only until it gives way.
        """
        return await self._find((campaign_id, name, state), partial(self._make_unkept, make=make))

    async def _find(
        self, key: _Key, work: Callable[[_Key], Coroutine[Any, Any, tuple[str, bytes]]]
    ) -> tuple[str, bytes]:
        campaign_id, name, state = key
        known = self.recall(campaign_id=campaign_id, name=name, state=state)
        if known is not None:
            return state, known
        # An older state says what is not so any more, and may name who is to be named no more.
        self._forget_others(key)
        fetching = self._fetching.get(key)
        if fetching is None:
            fetching = asyncio.create_task(work(key))
            self._fetching[key] = fetching
            fetching.add_done_callback(lambda task: self._end(key, task))
        # A visitor who leaves does not end what others wait for.
        return await asyncio.shield(fetching)

    def recall(self, *, campaign_id: UUID, name: str, state: str) -> bytes | None:
        """Return a document where this process remembers it; nothing is read or made."""
        key = (campaign_id, name, state)
        known = self._documents.get(key)
        if known is not None:
            self._documents.move_to_end(key)
        elif self._large is not None and self._large[0] == key:
            known = self._large[1]
        return known

    def _end(self, key: _Key, task: asyncio.Task[tuple[str, bytes]]) -> None:
        del self._fetching[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; where all have left, nobody is told

    async def _fetch(
        self, key: _Key, *, media_type: str, make: Callable[[], bytes], is_permanent: bool
    ) -> tuple[str, bytes]:
        campaign_id, name, state = key
        wait = _FIRST_WAIT
        while True:
            content = await self._database.read(find_kept_document, campaign_id=campaign_id, name=name, state=state)
            if content is None:
                try:
                    content = await self._make(key, media_type, make, is_permanent=is_permanent)
                except PrinterBusy:
                    if wait == _FIRST_WAIT:
                        raise
                    # Another process is making it: that this one's press is busy is nothing to whoever waits for that.
            if content is not None:
                self._remember(key, content)
                return state, content
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _make_unkept(self, key: _Key, *, make: Callable[[], tuple[str, bytes]]) -> tuple[str, bytes]:
        async with self._slow_press:
            state, content = await asyncio.to_thread(make)
        self._remember((*key[:2], state), content)
        return state, content

    async def _make(self, key: _Key, media_type: str, make: Callable[[], bytes], *, is_permanent: bool) -> bytes | None:
        """Return what was made, or None where somebody else is making it, or has just done so."""
        campaign_id, name, state = key
        async with self._press:  # and only then the claim: one must not grow old in a queue
            is_ours = await self._database.write(
                claim_document,
                campaign_id=campaign_id,
                name=name,
                state=state,
                media_type=media_type,
                is_permanent=is_permanent,
                now=utc_now(),
            )
            if not is_ours:
                return None
            try:
                content = await asyncio.to_thread(make)
            except BaseException:
                await self._database.write(give_up_document, campaign_id=campaign_id, name=name, state=state)
                raise
        return await self._database.write(
            keep_document, campaign_id=campaign_id, name=name, state=state, content=content, now=utc_now()
        )

    def _remember(self, key: _Key, content: bytes) -> None:
        """Hold ``content`` in place of its other states, and let go of what was asked for longest ago."""
        self._forget_others(key)
        if len(content) > self._memory // _LARGEST_SHARE:
            self._large = (key, content) if len(content) <= self._memory else None
            return
        self._documents[key] = content
        self._held += len(content)
        while self._held > self._memory:
            _, oldest = self._documents.popitem(last=False)
            self._held -= len(oldest)

    def _forget_others(self, key: _Key) -> None:
        """Let go of what is remembered of a document, whatever its state."""
        for other in [each for each in self._documents if each[:2] == key[:2]]:
            self._held -= len(self._documents.pop(other))
        if self._large is not None and self._large[0][:2] == key[:2]:
            self._large = None
