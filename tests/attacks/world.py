"""A world in which time is told: an evening passes in seconds, and everything else is the real application.

Whoever acts is a coroutine that waits ``until`` a moment. When all of them wait, the clock goes to the next moment: the
one that ``utc_now`` reads, and the loop's own, by which the limits share what they counted.
"""

from __future__ import annotations

import asyncio
import heapq
import re
from collections import defaultdict, deque
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx
from sqlalchemy import select

from app.actions.signing import confirm_by_token
from app.core.clock import utc_now
from app.core.tokens import hash_token, make_token
from app.jobs.apply_sets import apply_sets
from app.jobs.background import Background
from app.jobs.deliver_mail import deliver_mail
from app.jobs.roll_up_counts import roll_up_counts
from app.jobs.watch import watch
from app.mail.transport import MailboxTransport, Sender
from app.models import Letter, Signature, Token
from app.rules.normalise import canonical_email
from app.web import cache, limits
from tests.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

    import time_machine
    from sqlalchemy.orm import Session

SLUG: Final = "libraries"
AT_ONCE: Final = 16
_SHARED: Final = 0.6  # a little more than the limits wait before they share
_GAP: Final = 2.0  # where nobody does anything for longer, they share what they have
_TOKEN: Final = re.compile(r"/confirm/([\w-]{43})")


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose clock can be set forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Post(MailboxTransport):
    """Takes letters and keeps the confirmation link of each for whoever reads the mailbox."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._links: defaultdict[str, deque[str]] = defaultdict(deque)

    def take(self, address: str) -> str | None:
        """Return a link that came and was not used yet."""
        links = self._links.get(address)
        return links.popleft() if links else None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sender]:
        yield _Postman(self._links)


class _Postman(Sender):
    def __init__(self, links: defaultdict[str, deque[str]]) -> None:
        self._links = links

    async def send(self, letter: EmailMessage, *, bounces_to: str | None = None) -> None:
        del bounces_to
        body = letter.get_body(("plain",))
        assert body is not None
        found = _TOKEN.search(str(body.get_content()))
        if found is not None:
            self._links[str(letter["To"])].append(found[1])


class World(Stage):
    """The application on a stage, and a clock for everybody on it."""

    def __init__(self, url: str, folder: Path, traveller: time_machine.Traveller) -> None:
        super().__init__(url, folder)
        self.runner.close()
        self.runner = asyncio.Runner(loop_factory=_Loop)
        self.post_office = Post(self.settings.mailbox_dir)
        self.background = Background(
            self.settings,
            self.database,
            self.keyring,
            self.house.pages,
            self.post_office,
        )
        self._traveller = traveller
        self._moments: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._awake = 0
        self._rest = asyncio.Event()
        self._mail = asyncio.Lock()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._pages: dict[str, tuple[int, str]] = {}
        self._since_shared = self._since_read = 0.0

    # Time

    def play(self, people: Iterable[Coroutine[Any, Any, None]], *others: Coroutine[Any, Any, None]) -> None:
        """Let people act until all have done; ``others`` go on for as long as that takes."""
        self.run(self._play(list(people), others))

    async def until(self, moment: datetime) -> None:
        """Wait for a moment."""
        waiting = asyncio.get_running_loop().create_future()
        # Whoever acts in the same second acts at once.
        moment = moment.replace(microsecond=0) + timedelta(seconds=moment.microsecond > 0)
        heapq.heappush(self._moments, (moment, next(self._numbers), waiting))
        self._sleep()
        await waiting

    async def after(self, wait: timedelta) -> None:
        """Wait for so long."""
        await self.until(utc_now() + wait)

    async def _play(self, people: list[Coroutine[Any, Any, None]], others: Iterable[Coroutine[Any, Any, None]]) -> None:
        async def act(work: Coroutine[Any, Any, None]) -> None:
            try:
                await work
            finally:
                self._sleep()

        self._awake = len(people) + len(tuple(others))
        self._rest.clear()
        staying = [asyncio.ensure_future(act(each)) for each in others]
        acting = asyncio.gather(*(act(each) for each in people))
        while not acting.done():
            await self._rest.wait()
            if acting.done() or not self._moments:
                await asyncio.sleep(0)
                continue
            await self._go_on()
        for each in staying:
            each.cancel()
        await asyncio.gather(acting, *staying, return_exceptions=True)
        acting.result()
        self._moments.clear()
        await self.house.limits.settle()

    def _sleep(self) -> None:
        self._awake -= 1
        if self._awake <= 0:
            self._rest.set()

    async def _go_on(self) -> None:
        moment = self._moments[0][0]
        while utc_now() + timedelta(seconds=_GAP) < moment and self._has_to_share():
            await self._pass(utc_now() + timedelta(seconds=_SHARED))
        await self._pass(max(moment, utc_now()))
        woken: list[asyncio.Future[None]] = []
        while self._moments and self._moments[0][0] <= utc_now() and len(woken) < AT_ONCE:
            woken.append(heapq.heappop(self._moments)[2])
        self._awake = len(woken)
        self._rest.clear()
        for each in woken:
            each.set_result(None)

    def _has_to_share(self) -> bool:
        limits = self.house.limits
        return bool(limits._touched or limits._noted)

    async def _pass(self, moment: datetime) -> None:
        """Go to a moment. What the limits have to share, and pages that are older than a second, go meanwhile."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Loop)
        ahead = (moment - utc_now()).total_seconds()
        loop.ahead += ahead
        self._traveller.move_to(moment, tick=False)
        self._since_shared += ahead
        self._since_read += ahead
        if self._since_shared >= limits.SECONDS and self._has_to_share():
            self._since_shared = 0.0
            await self.house.limits.exchange()
        if self._since_read >= cache.SECONDS:
            self._since_read = 0.0
            self.house.cache.forget(SLUG)
        if ahead:
            await asyncio.sleep(0)

    # What goes on besides

    async def work(self, every: timedelta) -> None:
        """Do the background's work, except for letters: whoever waits for one asks for it to be delivered."""
        while True:
            await self.after(every)
            await self.work_once()

    async def work_once(self) -> None:
        """Look for what is unusual, apply sets, roll up counts."""
        await watch(self.background)
        while await apply_sets(self.background):
            pass
        await roll_up_counts(self.background)

    async def read_mailbox(self, address: str) -> str | None:
        """Return the next link in a mailbox, after what is owed was delivered; None where there is none yet."""
        link = self.post_office.take(address)
        if link is None:
            async with self._mail:
                link = self.post_office.take(address)
                while link is None and await deliver_mail(self.background):
                    link = self.post_office.take(address)
        return link or self.post_office.take(address)

    async def take_letter(self, address: str) -> str | None:
        """Take a letter that is owed to a mailbox out of the queue, and return the token of its link."""
        shelved = await self.house.shelf.find(SLUG)
        assert shelved is not None
        assert shelved.key is not None
        return await self.database.write(
            _take_letter,
            email_index=shelved.key.index("email", canonical_email(address)),
            key=self.keyring.tokens,
            now=utc_now(),
        )

    async def press(self, token: str) -> None:
        """Confirm as the link of a letter does."""
        await self.database.write(confirm_by_token, token=token, now=utc_now())

    # Browsing

    async def read_page(self, address: str, path: str, *, is_kept: bool) -> str:
        """Return a page; a program reads it once a minute."""
        minute, page = self._pages.get(path, (0, ""))
        now = int(utc_now().timestamp()) // 60
        if not is_kept or minute != now:
            page = (await self.browser_at(address).get(path)).text
            self._pages[path] = now, page
        return page

    def browser_at(self, address: str) -> httpx.AsyncClient:
        """Return a browser at an address. It keeps no cookie, as if every letter were read on another device."""
        if address not in self._clients:
            transport = httpx.ASGITransport(self.app, client=(address, 40_000))
            self._clients[address] = _Forgetful(transport=transport, base_url=self.settings.base_url)
        return self._clients[address]


def _take_letter(session: Session, *, email_index: bytes, key: bytes, now: datetime) -> str | None:
    letter = session.scalars(
        select(Letter)
        .join(Signature, Signature.id == Letter.signature_id)
        .where(Signature.email_index == email_index, Signature.state == "pending", Letter.state == "queued")
    ).first()
    if letter is None:
        return None
    letter.state, letter.sent_at = "sent", now
    token = make_token(key, "confirm", letter.id)
    session.add(
        Token(
            hash=hash_token("confirm", token),
            purpose="confirm",
            letter_id=letter.id,
            signature_id=letter.signature_id,
            created_at=now,
            expires_at=now + timedelta(days=7),
        )
    )
    return token


class _Forgetful(httpx.AsyncClient):
    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        answer = await super().send(request, **options)
        self.cookies.clear()
        return answer
