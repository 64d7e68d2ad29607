"""Assembly: settings become services, services are given to the doors, and the doors stand behind the page cache."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI

from app.core.db import open_database
from app.core.keys import open_keyring
from app.core.logs import configure_logging
from app.mail.transport import open_transport
from app.rendering import pages
from app.settings import PORT_OF_SERVE, WITHOUT_BACKGROUND, Settings
from app.web.api.cors import Cors
from app.web.api.log import LogApi
from app.web.api.v1 import Api
from app.web.cache import PageCache
from app.web.districts import DistrictShelf
from app.web.errors import error_handlers, error_responder
from app.web.forms import UPLOAD_BYTES
from app.web.health import Health
from app.web.house import House, Shelf
from app.web.limits import Limits
from app.web.middleware import ClientAddress, HostGate, Shield
from app.web.moderation.door import Moderation
from app.web.office.door import OfficeDoor
from app.web.printing import Printer
from app.web.public.asking import Asking
from app.web.public.complaining import Complaining
from app.web.public.confirming import Confirming
from app.web.public.counting import Counting
from app.web.public.development import Mailbox
from app.web.public.disputing import Disputing
from app.web.public.editions import Editions
from app.web.public.endorsing import Endorsing
from app.web.public.feeds import Feeds
from app.web.public.letters import Letters
from app.web.public.names import Names
from app.web.public.own_endorsement import OwnEndorsementPage
from app.web.public.own_signature import OwnPage
from app.web.public.paper import Paper
from app.web.public.pictures import Pictures
from app.web.public.previewing import Previewing
from app.web.public.proof import Proof
from app.web.public.reading import Reading
from app.web.public.receipts import Receipts
from app.web.public.reports import Reports
from app.web.public.signing import Signing
from app.web.public.sponsoring import Sponsoring
from app.web.public.supporting import Supporting
from app.web.public.unsubscribing import Unsubscribing
from app.web.public.verifying import Verifying
from app.web.static_files import StaticFiles
from app.web.switchboard import Switchboard
from app.web.workspace.door import Workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from app.jobs.background import Background


#: What stands open to everybody.
PUBLIC: Final = (
    Signing,  # first: an address is looked for in this order, and nothing is asked for as often at once
    Health,
    Mailbox,
    Feeds,  # before pages: /sitemap.xml is no language
    Reading,
    Confirming,
    OwnPage,
    Receipts,
    Editions,
    Supporting,
    Previewing,
    Sponsoring,
    Unsubscribing,
    Asking,
    Counting,
    Complaining,
    Names,
    Proof,
    Pictures,
    Letters,
    Reports,
    Verifying,
    Endorsing,
    OwnEndorsementPage,
    Disputing,
    Paper,
)


def build_house(settings: Settings) -> House:
    """Return the services that the settings ask for. Raises KeysUnusableError."""
    database = open_database(settings.database_url)
    keyring = open_keyring(settings.keys_dir)
    return House(
        settings,
        database,
        keyring,
        pages(),
        Shelf(database, keyring),
        PageCache(),
        Limits(database, keyring, settings),
        Switchboard(database),
        DistrictShelf(database),
        Printer(database),
    )


def create_app(house: House, *, with_background: bool = True) -> ASGIApp:
    """Return the application: every door, and the background work where it is wanted."""
    settings, database, cache = house.settings, house.database, house.cache
    respond = error_responder(house.pages, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(_run_background(house)) if with_background else None
        yield
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        await house.limits.close()
        await database.close()

    app = FastAPI(
        title="Hatthalekha",
        version="1",
        description="Campaigns and their counts. No answer names a signer.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers=error_handlers(respond),  # type: ignore[arg-type]  # handlers of narrower exceptions
        max_body_size=UPLOAD_BYTES,
        form_limits={"max_files": 0, "max_fields": 0},
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
    )
    # Taken over as they are: to include a router is to make all of its routes a second time.
    for api in (Api(house), LogApi(house)):
        app.router.routes.extend(api.router.routes)
    for rooms in (*PUBLIC, Workspace, Moderation, OfficeDoor):
        app.router.routes.extend(rooms(house).routes)
    app.router.routes.extend(StaticFiles().routes)
    cache.app = Shield(Cors(ClientAddress(app, settings)), settings, respond)
    return HostGate(cache, settings, respond)


def create_app_from_environment() -> ASGIApp:
    """Return the application for uvicorn's processes, which know only the environment."""
    configure_logging()
    port = os.environ.get(PORT_OF_SERVE)
    settings = Settings.from_environment(port=int(port) if port else None)
    return create_app(build_house(settings), with_background=WITHOUT_BACKGROUND not in os.environ)


def create_background(house: House) -> Background:
    """Return what the loops work with."""
    # Imported here, so that a process that only serves starts without them.
    from app.jobs.background import Background

    transport = open_transport(house.settings.smtp_url, house.settings.mailbox_dir)
    return Background(house.settings, house.database, house.keyring, house.pages, transport)


async def _run_background(house: House) -> None:
    from app.jobs.background import run_background

    await run_background(create_background(house))
