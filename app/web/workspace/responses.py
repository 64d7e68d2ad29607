"""What parliaments answered: recorded, corrected, removed, and told to the signers who asked for news."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import responses
from app.actions.campaigns import CampaignCannotMove
from app.actions.responses import KINDS, Answer, ResponseChanged, ResponseNotFound, ResponseToldAlready, fingerprint
from app.i18n import message
from app.mail.updates import SENDING_STATES
from app.queries.responses import count_told, find_response, list_responses
from app.queries.updates import count_readers
from app.rules.life import local_day
from app.rules.moves import DateRefused
from app.rules.normalise import Refused, clean_line
from app.rules.permissions import Permission
from app.rules.questions import clean_paragraphs
from app.web.gate import Page
from app.web.reasons import read_day
from app.web.workspace.updates import refuse, roughly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from starlette.responses import Response

    from app.i18n import Message
    from app.queries.responses import TeamResponse
    from app.web.forms import Form
    from app.web.gate import Visit

BODY_LIMIT: Final = 200
TITLE_LIMIT: Final = 300
TEXT_LIMIT: Final = 20_000
URL_LIMIT: Final = 1000
#: In which answers mostly come; any other is named by its tag.
LANGUAGES: Final = ("en", "fr", "km", "de", "nl", "sv", "es", "it")
OTHER: Final = "other"
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
_ID: Final = re.compile(r"[0-9a-f]{32}")
_TAG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_FIELDS: Final = ("kind", "body", "answered_on", "language", "other_language", "title", "text", "url")
_HERE: Final = "/campaigns/{slug}/responses"


@dataclass(frozen=True, slots=True)
class _Typed:
    """What the form holds, to be shown again; what is wrong with it; the answer, where nothing is."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[tuple[str, Message]] = ()
    answer: Answer | None = None
    is_awaited: bool = False


async def show_list(visit: Visit) -> Response:
    """Show what was answered."""
    return await _show_list(visit)


async def show_new(visit: Visit) -> Response:
    """Show an empty form."""
    return _show_form(visit, None, _Typed(), once=uuid4().hex)


async def create(visit: Visit) -> Response:
    """Record an answer."""
    form = await visit.read_form()
    typed, once = _read(visit, form), form.text("once")
    if not _ID.fullmatch(once):
        raise HTTPException(400)
    if typed.answer is None:
        return _show_form(visit, None, typed, once=once, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            responses.record_response,
            response_id=UUID(once),
            campaign_id=visit.campaign.id,
            answer=typed.answer,
            account_id=visit.signed_in.account_id,
            now=visit.now,
            is_awaited=typed.is_awaited and _can_be_awaited(visit),
        )
    except DateRefused:
        wrong = ("answered_on", message("Choose a day from the presentation to today"))
        return _show_form(
            visit, None, _Typed(typed.values, [wrong], is_awaited=True), once=once, status_code=UNPROCESSABLE
        )
    except CampaignCannotMove:
        return _show_form(visit, None, typed, once=once, status_code=CONFLICT, has_moved=True)
    except (ResponseChanged, ResponseNotFound):
        # Not found: removed, or the id is one of another campaign, and finding it here says so.
        return await _show_conflict(visit, UUID(once), typed)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/responses")


async def show(visit: Visit) -> Response:
    """Show an answer to be corrected."""
    response = await _find(visit)
    return _show_form(visit, response, _Typed(_values_of(response)), shown=fingerprint(_answer_of(response)))


async def correct(visit: Visit) -> Response:
    """Correct an answer, over what was shown."""
    form = await visit.read_form()
    response, typed = await _find(visit), _read(visit, form)
    if typed.answer is None:
        return _show_form(visit, response, typed, shown=form.text("shown"), status_code=UNPROCESSABLE)
    try:
        await _do(visit, responses.correct_response, response, answer=typed.answer, shown=form.text("shown"))
    except ResponseChanged:
        return await _show_conflict(visit, response.id, typed)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/responses")


async def remove(visit: Visit) -> Response:
    """Take an answer off the page."""
    await visit.read_form()
    response = await _find(visit)
    await _do(visit, responses.remove_response, response)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/responses")


async def tell(visit: Visit) -> Response:
    """Have the signers told who asked for news."""
    await visit.read_form()
    response = await _find(visit)
    if visit.campaign.state not in SENDING_STATES:
        return await _show_list(visit, status_code=CONFLICT, has_moved=True)
    # Pressed twice, or by two: it was done once.
    with suppress(ResponseToldAlready):
        await _do(visit, responses.tell_signers, response)
    return visit.go(f"/campaigns/{visit.campaign.slug}/responses")


async def _do(visit: Visit, action: Callable[..., None], response: TeamResponse, **more: Any) -> None:  # noqa: ANN401 - each action's own
    """Do something to an answer; 404 where somebody has just removed it."""
    try:
        await visit.house.database.write(
            action,
            response_id=response.id,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            now=visit.now,
            **more,
        )
    except ResponseNotFound:
        raise HTTPException(404) from None


def _can_be_awaited(visit: Visit) -> bool:
    """Tell whether an answer may move the campaign to answered: as the move itself, by who may make moves."""
    return visit.campaign.state == "presented" and visit.can(Permission.MOVE)


async def _find(visit: Visit, response_id: UUID | None = None) -> TeamResponse:
    """Return the answer in the address, or of this id; 404, on record, for one that this campaign does not have."""
    said, response = visit.request.path_params.get("response", ""), None
    if response_id is None and _ID.fullmatch(said):
        response_id = UUID(said)
    if response_id is not None:
        response = await visit.house.database.read(
            find_response, campaign_id=visit.campaign.id, response_id=response_id
        )
    if response is None:
        await refuse(visit, f"{_HERE}/{{response}}")
    return response


async def _show_conflict(visit: Visit, response_id: UUID, typed: _Typed) -> Response:
    """Show what was typed beside what is saved; saving again then means it."""
    saved = await _find(visit, response_id)
    return _show_form(visit, saved, typed, shown=fingerprint(_answer_of(saved)), saved=saved, status_code=CONFLICT)


async def _show_list(visit: Visit, *, status_code: int = 200, has_moved: bool = False) -> Response:
    database, campaign_id = visit.house.database, visit.campaign.id
    found = await database.read(list_responses, campaign_id=campaign_id)
    return visit.show(
        "workspace/responses.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/responses",
        responses=found,
        told=await database.read(count_told, campaign_id=campaign_id) if found else {},
        readers=roughly(await database.read(count_readers, campaign_id=campaign_id)) if found else 0,
        is_public=visit.campaign.state in SENDING_STATES,
        has_moved=has_moved,
        roughly=roughly,
    )


def _show_form(
    visit: Visit,
    response: TeamResponse | None,
    typed: _Typed,
    *,
    once: str = "",
    shown: str = "",
    saved: TeamResponse | None = None,
    status_code: int = 200,
    has_moved: bool = False,
) -> Response:
    place = "new" if response is None else response.id.hex
    return visit.show(
        "workspace/responses_write.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/responses/{place}",
        response=response,
        values=typed.values,
        errors=[(name, text.say(visit.locale)) for name, text in typed.errors],
        once=once,
        shown=shown,
        saved=saved,
        has_moved=has_moved,
        can_be_awaited=response is None and _can_be_awaited(visit),
        is_awaited=typed.is_awaited,
        kinds=KINDS,
        languages=LANGUAGES,
        fields=_FIELDS,
        limits={"body": BODY_LIMIT, "title": TITLE_LIMIT, "text": TEXT_LIMIT, "url": URL_LIMIT},
        today=local_day(visit.now, visit.campaign.timezone).isoformat(),
    )


def _read(visit: Visit, form: Form) -> _Typed:
    values = {name: form.text(name) for name in _FIELDS}
    errors: list[tuple[str, Message]] = []

    def cleaned(name: str, clean: Callable[[str], str], missing: Message | None = None) -> str:
        try:
            text = clean(values[name])
        except Refused as refusal:
            errors.append((name, refusal.message))
            return ""
        if not text and missing is not None:
            errors.append((name, missing))
        return text

    kind = values["kind"]
    if kind not in KINDS:
        errors.append(("kind", message("Choose what kind of answer it is")))
    body = cleaned("body", lambda raw: clean_line(raw, limit=BODY_LIMIT), message("Enter who answered"))
    answered_on = read_day(values["answered_on"])
    if answered_on is None or not _is_past(visit, answered_on):
        errors.append(("answered_on", message("Choose the day of the answer, today or before")))
    language = _read_language(values, errors)
    title = cleaned("title", lambda raw: clean_line(raw, limit=TITLE_LIMIT), message("Enter a title for the answer"))
    text = cleaned("text", lambda raw: clean_paragraphs(raw, limit=TEXT_LIMIT))
    url = cleaned("url", _clean_url)
    if not text and not url and not {"text", "url"} & {name for name, _ in errors}:
        errors.append(("text", message("Enter the text, or the link to the document")))
    is_awaited = "awaited" in form
    if errors or answered_on is None:
        return _Typed(values, errors, is_awaited=is_awaited)
    answer = Answer(kind, body, answered_on, language, title, text, url or None)
    return _Typed(values, answer=answer, is_awaited=is_awaited)


def _read_language(values: Mapping[str, str], errors: list[tuple[str, Message]]) -> str:
    if values["language"] in LANGUAGES:
        return values["language"]
    if values["language"] != OTHER:
        errors.append(("language", message("Choose the language of the answer")))
        return ""
    tag = values["other_language"].strip()
    tag = tag[:3].lower() + tag[3:]
    if not _TAG.fullmatch(tag):
        errors.append(("other_language", message("Enter a language code, such as vi or pt-BR")))
    return tag


def _clean_url(raw: str) -> str:
    """Return a web address that begins with https, or nothing where there is none. Raises Refused."""
    url = clean_line(raw, limit=URL_LIMIT)
    if not url:
        return ""
    wrong = message("Enter an address that begins with https://")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_right = parts.scheme == "https" and "." in host and "@" not in parts.netloc and " " not in url
        is_right = is_right and parts.port in {None, 443}
    except ValueError:
        raise Refused(wrong) from None
    if not is_right:
        raise Refused(wrong)
    return url


def _is_past(visit: Visit, day: date) -> bool:
    return day <= local_day(visit.now, visit.campaign.timezone)


def _answer_of(response: TeamResponse) -> Answer:
    return Answer(**{name: getattr(response, name) for name in Answer.__dataclass_fields__})


def _values_of(response: TeamResponse) -> dict[str, str]:
    values = {name: str(value or "") for name, value in asdict(_answer_of(response)).items()}
    is_listed = response.language in LANGUAGES
    return values | {
        "language": response.language if is_listed else OTHER,
        "other_language": "" if is_listed else response.language,
    }


PAGES: Final[tuple[Page, ...]] = (
    Page(_HERE, show_list, create, needs=Permission.SEE_FIGURES, post_needs=Permission.RESPOND),
    Page(f"{_HERE}/new", show_new, None, needs=Permission.RESPOND),
    Page(f"{_HERE}/{{response}}", show, correct, needs=Permission.RESPOND),
    Page(f"{_HERE}/{{response}}/remove", None, remove, needs=Permission.RESPOND),
    Page(f"{_HERE}/{{response}}/tell", None, tell, needs=Permission.SEND_NEWS, is_grave=True),
)
