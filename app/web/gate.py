"""The gate of the doors behind a sign-in: who asks, what the address needs, and a 404 for all others, on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.actions.accounts import touch_session
from app.actions.records import record
from app.core.clock import utc_now
from app.i18n import as_locale
from app.queries.accounts import find_campaign_id, find_team_campaign
from app.queries.offices import list_office_campaigns
from app.rules.permissions import STAFF, OfficePermission, Permission, StaffPermission
from app.web.forms import is_plain_form, read_form
from app.web.house import SLUG
from app.web.proving import own_path, show_proof
from app.web.sessions import FormGuard, find_visitor, is_proven

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.accounts import SignedIn, TeamCampaign
    from app.queries.offices import OfficeCampaign
    from app.web.forms import Form
    from app.web.house import House


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who may make it, at a ``door``: ``workspace``, ``moderation`` or ``office``."""

    door: str
    house: House
    request: Request
    locale: Locale
    now: datetime
    signed_in: SignedIn
    team_campaign: TeamCampaign | None
    office_campaign: OfficeCampaign | None = None

    @property
    def office(self) -> OfficeCampaign:
        """The campaign in the address as this person's office reaches it, for pages of that door that have one."""
        assert self.office_campaign is not None  # noqa: S101 - what the gate has seen to
        return self.office_campaign

    @property
    def campaign(self) -> TeamCampaign:
        """The campaign in the address, for pages that have one."""
        assert self.team_campaign is not None  # noqa: S101 - what the gate has seen to
        return self.team_campaign

    @property
    def path(self) -> str:
        """The address after the language."""
        return self.request.url.path[len(f"/{self.locale}") :]

    @property
    def guard(self) -> FormGuard:
        """What checks this session's forms."""
        return FormGuard(self.house.keyring.forms, self.signed_in)

    def can(self, permission: Permission) -> bool:
        """Tell whether this person may do more on this campaign."""
        return self.campaign.membership.allows(permission)

    async def read_form(self, *, repeated: frozenset[str] = frozenset()) -> Form:
        """Read the posted form and see that this session was shown it. Raises HTTPException 400, 403, 413, 415."""
        form = await read_form(self.request, repeated=repeated)
        self.guard.check(form)
        return form

    def show(
        self,
        template: str,
        *,
        status_code: int = 200,
        path: str | None = None,
        **context: Any,  # noqa: ANN401 - a page's own
    ) -> Response:
        """Return a page of the workspace. ``path`` is its address in other languages, where that is not this one."""
        content = self.house.pages.render(
            template,
            self.locale,
            path=self.path if path is None else path,
            base_url=self.house.settings.base_url,
            me=self.signed_in,
            team_campaign=self.team_campaign,
            office_campaign=self.office_campaign,
            now=self.now,
            form_token=self.guard.token,
            **context,
        )
        return HTMLResponse(content, status_code)

    def go(self, path: str) -> Response:
        """Return a redirect, after a post, to an address after the language and the door."""
        return RedirectResponse(f"/{self.locale}/{self.door}{path}", 303)


Need = Permission | StaffPermission | OfficePermission


@dataclass(frozen=True, slots=True)
class Page:
    """An address after the language and the door, and what it needs.

    ``needs`` a permission on the campaign in the address, one of the staff, an office's, or None for whoever is signed
    in. One that ``is_grave`` asks to prove who one is before it posts.
    """

    path: str
    show: Callable[[Visit], Awaitable[Response]] | None = None
    post: Callable[[Visit], Awaitable[Response]] | None = None
    needs: Need | None = None
    post_needs: Need | None = None  # where posting needs more than seeing
    is_grave: bool = False

    @property
    def has_campaign(self) -> bool:
        """Whether the address names a campaign."""
        return "{slug}" in self.path

    def needed(self, method: str) -> Need | None:
        """Return what a method needs."""
        return self.post_needs if method == "POST" and self.post_needs is not None else self.needs


class Gate:
    """Turns pages into routes that nobody passes without the permission that the page names."""

    def __init__(self, house: House, door: str = "workspace") -> None:
        """Stand in front of a door."""
        self._house = house
        self._door = door
        # When somebody who is not signed in was last put on record, by method and page: as many as there are of these.
        self._noted: dict[tuple[str, str], datetime] = {}

    def route(self, page: Page) -> Route:
        """Return the route of a page. One about a campaign that names no permission is a mistake of ours."""
        if page.needs is None and (page.has_campaign or self._door != "workspace"):
            raise ValueError(page.path)
        methods = [name for name, handler in (("GET", page.show), ("POST", page.post)) if handler is not None]

        async def answer(request: Request) -> Response:
            return await self._answer(page, request)

        return Route(f"/{{locale}}/{self._door}{page.path}", answer, methods=methods)

    async def _answer(self, page: Page, request: Request) -> Response:
        now, locale = utc_now(), _locale_of(request)
        signed_in = await find_visitor(self._house, request, now)
        if signed_in is None or self._is_stale(signed_in, now):
            if signed_in is not None or self._is_worth_noting(page, request, now):
                await self._record_refusal(page, request, signed_in, now)
            return await self._show_signed_out(page, request, locale)
        needs = page.needed(request.method)
        if now - signed_in.seen_at >= SEEN_EVERY:
            await self._house.database.write(touch_session, session_id=signed_in.session_id, now=now)
        campaign, office = None, None
        if isinstance(needs, StaffPermission):
            is_allowed = needs in STAFF[signed_in.role]
        elif isinstance(needs, OfficePermission):
            office = await self._find_office(request, signed_in, now)
            is_allowed = office is not None
        elif needs is None:
            is_allowed = True
        else:
            campaign = await self._find_campaign(request, signed_in)
            is_allowed = campaign is not None and campaign.membership.allows(needs)
        if not is_allowed:
            await self._record_refusal(page, request, signed_in, now)
            raise HTTPException(404)
        visit = Visit(self._door, self._house, request, locale, now, signed_in, campaign, office)
        is_post = request.method == "POST"
        if is_post and page.is_grave and not is_proven(signed_in, now):
            return await self._ask_for_proof(visit)
        handler = page.post if is_post else page.show
        assert handler is not None  # noqa: S101 - the route has only the methods that there are handlers for
        return await handler(visit)

    async def _find_campaign(self, request: Request, signed_in: SignedIn) -> TeamCampaign | None:
        slug = request.path_params["slug"]
        if not SLUG.fullmatch(slug):
            return None
        return await self._house.database.read(find_team_campaign, account_id=signed_in.account_id, slug=slug)

    async def _find_office(self, request: Request, signed_in: SignedIn, now: datetime) -> OfficeCampaign | None:
        """Return the campaign in the address, else the newest one: whoever has none is of no office."""
        slug = request.path_params.get("slug")
        campaigns = await self._house.database.read(list_office_campaigns, account_id=signed_in.account_id, now=now)
        return next((each for each in campaigns if slug in {None, each.slug}), None)

    def _is_stale(self, signed_in: SignedIn, now: datetime) -> bool:
        """Tell whether somebody is to come in anew: an office proves who it is each day, by letter or passkey."""
        return self._door == "office" and now - signed_in.proven_at >= OFFICE_PROOF_LASTS

    def _is_worth_noting(self, page: Page, request: Request, now: datetime) -> bool:
        """Tell whether to put somebody on record who is not signed in: anybody may knock ten thousand times an hour."""
        key = request.method, page.path
        last = self._noted.get(key)
        if last is not None and now - last < NOTED_EVERY:
            return False
        self._noted[key] = now
        return True

    async def _record_refusal(self, page: Page, request: Request, signed_in: SignedIn | None, now: datetime) -> None:
        slug = request.path_params.get("slug", "")
        campaign_id = None
        if SLUG.fullmatch(slug):
            campaign_id = await self._house.database.read(find_campaign_id, slug=slug)
        await self._house.database.write(
            record,
            what="office_refused" if self._door == "office" else "refused",
            now=now,
            account_id=None if signed_in is None else signed_in.account_id,
            campaign_id=campaign_id,
            details={"method": request.method, "address": page.path},
        )

    async def _show_signed_out(self, page: Page, request: Request, locale: Locale) -> Response:
        """Say 404 to whoever is not signed in, whether or not the address exists, and offer to sign in.

        What a session that has ended in the meantime posted is shown again, to be copied: nothing typed is lost.
        """
        typed: list[str] = []
        # A file cannot be shown to be copied, and is not read.
        if request.method == "POST" and is_plain_form(request):
            form = await read_form(request, repeated=ANY_FIELD)
            typed = [value for value in form.typed().values() if len(value) > _WORTH_KEEPING]
        # Some addresses only take a form, or are a file: there would be nothing to see after signing in.
        is_page = page.show is not None and own_path(request.url.path) is not None
        path = request.url.path if is_page else f"/{locale}/{self._door}"
        content = self._house.pages.render(
            "workspace/signed_out.html",
            locale,
            path="/workspace/sign-in",
            base_url=self._house.settings.base_url,
            next_query=urlencode({"next": path}),
            typed=typed,
        )
        return HTMLResponse(content, 404)

    async def _ask_for_proof(self, visit: Visit) -> Response:
        """Ask to prove who one is; the form that was posted waits in the page that asks, and is sent again from it."""
        form = await visit.read_form(repeated=ANY_FIELD)
        return await show_proof(visit, action=visit.request.url.path, fields=form.pairs())


class _Any(frozenset[str]):
    """Every name: fields of a form that is only passed on may come as often as they like."""

    def __contains__(self, name: object) -> bool:
        """Say yes."""
        return True


ANY_FIELD: Final = _Any()
#: A session is noted as used once in so long: not each page costs a write.
SEEN_EVERY: Final = timedelta(minutes=5)
#: How long an office's staff stay in.
OFFICE_PROOF_LASTS: Final = timedelta(hours=8)
#: Of those who are not signed in, one for each page in so long goes on record.
NOTED_EVERY: Final = timedelta(hours=1)
#: Shorter values of a form are codes and choices, and nobody misses them.
_WORTH_KEEPING: Final = 60


def _locale_of(request: Request) -> Locale:
    try:
        return as_locale(request.path_params["locale"])
    except ValueError:
        raise HTTPException(404) from None
