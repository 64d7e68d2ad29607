"""Letters to download: as they stand, to all or to one of their recipients, and as they were signed at some moment."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.documents.letter import NoSuchRecipient, locale_for, name_letter, typeset_letter
from app.queries.letters import (
    Since,
    compare_signatories,
    find_dated_hash,
    find_dated_letter,
    find_letter_with_names,
    list_dated_editions,
    list_deliveries,
)
from app.rendering import choose_part
from app.rules.deliveries import WAYS
from app.rules.letters import languages_of
from app.web.public import views
from app.web.public.standing import Standing, Standings, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.letters import DatedLetter
    from app.rules.letters import Letter, Signatory
    from app.rules.texts import Part
    from app.web.house import House, ShelvedCampaign

#: As the page cache knows them.
NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}")
#: Seconds for which whoever has the letter of today need not ask again; a dated edition never changes.
_FRESH: Final = 60
_FOR_EVER: Final = 31_536_000
_PDF: Final = "application/pdf"
#: Organisations that came, or went, since a dated edition, as many as the page lists.
MOST_TOLD: Final = 200
#: Campaigns, and dated editions, of which a process remembers what the pages need.
_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class _Order:
    """What the printer is asked for."""

    name: str
    state: str
    make: Callable[[], bytes]
    is_permanent: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    """A letter with names as it was when it was asked for."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class ToDownload:
    """The letter to one recipient, or to all (``place`` is 0), in the languages that it exists in."""

    place: int
    name: Part[str] | None
    locales: tuple[Locale, ...]


@dataclass(frozen=True, slots=True)
class ShownEdition:
    """A dated edition with its files, and what has changed under the letter since."""

    line: DatedLetter
    files: tuple[ToDownload, ...]
    since: Since
    unsaid: tuple[int, int]  # how many more came, and went, than the page has room for


@dataclass(frozen=True, slots=True)
class _Told:
    """A dated edition, its letter without signatories, and what has changed since: to be said, and too much to say."""

    line: DatedLetter
    head: Letter
    since: Since
    unsaid: tuple[int, int]


class Letters:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what pages and documents need."""
        self._house = house
        self._standings = Standings(house)
        self._told: dict[str, tuple[object, tuple[_Told, ...]]] = {}
        self._recipients: OrderedDict[str, Letter] = OrderedDict()
        here = "/{locale}/campaigns/{slug}"
        self.routes: list[Route] = [
            Route(f"{here}/letter.pdf", self.living),
            Route(f"{here}/letter/to/{{place}}.pdf", self.living),
            Route(f"{here}/letters", self.list),
            Route(f"{here}/letters/{{number}}.pdf", self.dated),
            Route(f"{here}/letters/{{number}}/to/{{place}}.pdf", self.dated),
        ]

    async def living(self, request: Request) -> Response:
        """Set the letter as it stands, with the names of those who allow it."""
        locale, place = views.locale_of(request), _read_number(request, "place")
        shelved = await views.find_shelved(self._house, request)
        standing = await self._standings.find(shelved)
        other = _other_language(request, standing.letter, locale, place)
        if other is not None:
            return other
        name = f"letter/{place or 'all'}/{locale}"
        state = await self._standings.name(standing, locale, place)
        if standing.places:
            response = await self._answer_named(request, standing, locale, place, _Named(name, state))
        else:
            order = _Order(name, state, partial(standing.typeset, locale, place))
            response = await self._answer(request, shelved, order, fresh=_FRESH)
        # As the pages of names: search engines are asked to leave them alone.
        response.headers["X-Robots-Tag"] = "noindex, noarchive"
        return response

    async def dated(self, request: Request) -> Response:
        """Give one dated edition, byte for byte as it was first set."""
        locale, place = views.locale_of(request), _read_number(request, "place")
        number = _read_number(request, "number") or 0
        shelved = await views.find_shelved(self._house, request)
        slug = shelved.campaign.slug
        # Of a thousand organisations nothing is read but the name of it all, where this is known already.
        state = await self._house.database.read(find_dated_hash, slug=slug, number=number)
        if state is None:
            raise HTTPException(404)
        if place is not None:
            other = _other_language(request, await self._find_recipients(slug, number, state), locale, place)
            if other is not None:
                return other
        order = _Order(
            name=f"dated/{number}/{place or 'all'}/{locale}",
            state=state,
            make=partial(self._typeset_dated, slug, number, locale, place, asyncio.get_running_loop()),
            is_permanent=True,
        )
        return await self._answer(request, shelved, order, fresh=_FOR_EVER)

    async def list(self, request: Request) -> Response:
        """Show the files of a letter, its dated editions, who signed later, and to whom it was handed."""
        locale = views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        campaign, database = shelved.campaign, self._house.database
        standing = await self._standings.find(shelved)
        # Thousands of organisations take a while to set, too.
        return await asyncio.to_thread(
            views.show,
            self._house,
            "public/letters.html",
            locale,
            f"/campaigns/{campaign.slug}/letters",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            files=_list_files(standing.letter, locale),
            editions=[
                ShownEdition(told.line, _list_files(told.head, locale), told.since, told.unsaid)
                for told in await self._tell(campaign.slug, standing)
            ],
            deliveries=await database.read(list_deliveries, campaign_id=campaign.id),
            ways={word: way.say(locale) for word, way in WAYS.items()},
        )

    async def _tell(self, slug: str, standing: Standing) -> tuple[_Told, ...]:
        """Return the dated editions with what changed since, worked out again only where somebody came or went."""
        lines = await self._house.database.read(list_dated_editions, slug=slug)
        present = (*standing.letter.organisations, *standing.letter.earlier)
        key = (tuple(line.hash for line in lines), present)
        known = self._told.get(slug)
        if known is not None and known[0] == key:
            return known[1]
        told = []
        for line in lines:
            letter = await self._house.database.read(find_dated_letter, slug=slug, number=line.number)
            if letter is not None:
                told.append(await asyncio.to_thread(_compare, line, letter, present))
        if len(self._told) >= _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told[slug] = (key, tuple(told))
        return tuple(told)

    async def _find_recipients(self, slug: str, number: int, state: str) -> Letter:
        """Return a dated edition without its signatories. What it says never changes, so it is read once a process."""
        known = self._recipients.get(state)
        if known is None:
            letter = await self._house.database.read(find_dated_letter, slug=slug, number=number)
            assert letter is not None  # noqa: S101 - it never goes, and was there a moment ago
            known = self._recipients[state] = replace(letter, organisations=(), earlier=())
            if len(self._recipients) > _REMEMBERED:
                self._recipients.popitem(last=False)
        return known

    def _typeset_dated(
        self, slug: str, number: int, locale: Locale, place: int | None, loop: asyncio.AbstractEventLoop
    ) -> bytes:
        """Read a dated edition and set it; this runs in a thread."""
        reading = self._house.database.read(find_dated_letter, slug=slug, number=number)
        letter = asyncio.run_coroutine_threadsafe(reading, loop).result()
        assert letter is not None  # noqa: S101 - it never goes, and was there a moment ago
        return typeset_letter(letter, locale, place)

    async def _answer_named(
        self, request: Request, standing: Standing, locale: Locale, place: int | None, wanted: _Named
    ) -> Response:
        """Answer with a letter that names people; which it is, its tag tells."""
        campaign, printer = standing.shelved.campaign, self._house.printer
        name, state = wanted.name, wanted.state
        # A campaign that grows has another letter with each name: whoever reads it meanwhile has the last one.
        lately = await self._standings.find_lately(standing, name)
        if lately is not None and printer.recall(campaign_id=campaign.id, name=name, state=lately):
            state = lately
        # A name that is hidden disappears with the next look, wherever this was kept.
        headers = {"Cache-Control": "no-cache"}
        if not views.has_already(request, views.tag_of(state)):
            make = partial(self._typeset_named, standing, locale, place, name, asyncio.get_running_loop())
            state, content = await printer.find_unkept(campaign_id=campaign.id, name=name, state=state, make=make)
            return Response(content, media_type=_PDF, headers={**headers, **_describe_file(campaign.slug, name, state)})
        return Response(status_code=304, headers={**headers, "ETag": views.tag_of(state)})

    def _typeset_named(
        self, standing: Standing, locale: Locale, place: int | None, name: str, loop: asyncio.AbstractEventLoop
    ) -> tuple[str, bytes]:
        """Return a letter as it stands by now, with its names, and its state; this runs in a thread.

        The names are read, which is work, only where nobody has made this letter before.
        """
        campaign_id = standing.shelved.campaign.id
        reading = self._house.database.read(
            find_letter_with_names,
            campaign_id=campaign_id,
            base_url=self._house.settings.base_url,
            key=standing.shelved.key,
        )
        living, letter = asyncio.run_coroutine_threadsafe(reading, loop).result()
        content = typeset_letter(letter, locale, place)
        state = name_letter(living.letter, locale, place, living.places)
        loop.call_soon_threadsafe(self._standings.note, campaign_id, name, describe(state, living))
        return state, content

    async def _answer(self, request: Request, shelved: ShelvedCampaign, order: _Order, *, fresh: int) -> Response:
        immutable = ", immutable" if order.is_permanent else ""
        headers = {"ETag": views.tag_of(order.state), "Cache-Control": f"public, max-age={fresh}{immutable}"}
        if views.has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        content = await self._house.printer.find(
            campaign_id=shelved.campaign.id,
            name=order.name,
            state=order.state,
            media_type=_PDF,
            make=order.make,
            is_permanent=order.is_permanent,
        )
        headers |= _describe_file(shelved.campaign.slug, order.name, order.state)
        return Response(content, media_type=_PDF, headers=headers)


def _describe_file(slug: str, name: str, state: str) -> dict[str, str]:
    file = "-".join([slug, *name.replace("/all", "").split("/")])
    return {"ETag": views.tag_of(state), "Content-Disposition": f'inline; filename="{file}.pdf"'}


def _read_number(request: Request, name: str) -> int | None:
    """Return a number in the address, None where the address has none; 404 for what is no number."""
    typed = request.path_params.get(name)
    if typed is None:
        return None
    if not NUMBER.fullmatch(typed):
        raise HTTPException(404)
    return int(typed)


def _other_language(request: Request, letter: Letter, locale: Locale, place: int | None) -> Response | None:
    """Lead to the letter in the language of its recipient; 404 for a recipient that it does not have."""
    try:
        own = locale_for(letter, locale, place)
    except NoSuchRecipient:
        raise HTTPException(404) from None
    if own == locale:
        return None
    return RedirectResponse(f"/{own}/{request.url.path.split('/', 2)[2]}", 303)


def _compare(line: DatedLetter, letter: Letter, present: Sequence[Signatory]) -> _Told:
    since = compare_signatories(letter, present)
    return _Told(
        line,
        replace(letter, organisations=(), earlier=()),
        Since(since.later[:MOST_TOLD], since.gone[:MOST_TOLD]),
        (max(len(since.later) - MOST_TOLD, 0), max(len(since.gone) - MOST_TOLD, 0)),
    )


def _list_files(letter: Letter, locale: Locale) -> tuple[ToDownload, ...]:
    whole = ToDownload(0, None, languages_of(letter))
    if len(letter.recipients) == 1 and not letter.recipients[0].salutations and letter.recipients[0].locale is None:
        return (whole,)
    return (
        whole,
        *(
            ToDownload(place, choose_part(each.names, locale, letter.source_locale), languages_of(letter, each))
            for place, each in enumerate(letter.recipients, 1)
        ),
    )
