"""What visitors asked, and the team's answers; no address is shown to anybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.exceptions import HTTPException

from app.actions.asking import QuestionSettled, answer_question, close_question
from app.i18n import message
from app.models import open_campaign_key
from app.queries.questions import list_questions
from app.rules.normalise import Refused
from app.rules.permissions import Permission
from app.rules.questions import LONGEST, clean_paragraphs
from app.web.gate import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from app.core.keys import DataKey
    from app.web.gate import Visit

UNPROCESSABLE: Final = 422
ACTIONS: Final = frozenset({"answer", "close"})
_ID: Final = re.compile(r"[0-9a-f]{32}")
_PAGE: Final = re.compile(r"[1-9][0-9]{0,4}")


async def show(visit: Visit) -> Response:
    """Show what was asked, open questions first."""
    return await _show(visit)


async def act(visit: Visit) -> Response:
    """Answer a question, or close it without an answer."""
    form = await visit.read_form()
    action, said = form.text("action"), form.text("question")
    if action not in ACTIONS or not _ID.fullmatch(said):
        raise HTTPException(400)
    typed = {said: form.text("text")}
    try:
        if action == "close":
            await _close(visit, UUID(said))
        else:
            await _answer(visit, UUID(said), clean_paragraphs(form.text("text"), limit=LONGEST))
    except Refused as refusal:
        return await _show(visit, typed, [(f"answer-{said}", refusal.message.say(visit.locale))])
    except QuestionSettled:
        fault = message("This question was answered or closed before. Nothing more was sent.")
        return await _show(visit, typed, [("main", fault.say(visit.locale))], status_code=UNPROCESSABLE)
    done = "answered" if action == "answer" else "closed"
    return visit.go(f"/campaigns/{visit.campaign.slug}/questions?done={done}")


PAGES: Final = (Page("/campaigns/{slug}/questions", show, act, needs=Permission.RESPOND),)


async def _answer(visit: Visit, question_id: UUID, text: str) -> None:
    if not text:
        raise Refused(message("Write an answer"))
    key = await _find_key(visit)
    if key is None:
        raise QuestionSettled
    await visit.house.database.write(
        answer_question,
        question_id=question_id,
        campaign_id=visit.campaign.id,
        text=text,
        account_id=visit.signed_in.account_id,
        key=key,
        now=visit.now,
    )


async def _close(visit: Visit, question_id: UUID) -> None:
    await visit.house.database.write(
        close_question,
        question_id=question_id,
        campaign_id=visit.campaign.id,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )


async def _find_key(visit: Visit) -> DataKey | None:
    house = visit.house
    return await house.database.read(open_campaign_key, campaign_id=visit.campaign.id, keyring=house.keyring)


async def _show(
    visit: Visit,
    typed: dict[str, str] | None = None,
    errors: list[tuple[str, str]] | None = None,
    *,
    status_code: int = 200,
) -> Response:
    said = visit.request.query_params.get("page", "1")
    page = int(said) if _PAGE.fullmatch(said) else 1
    questions = await visit.house.database.read(
        list_questions, campaign_id=visit.campaign.id, keyring=visit.house.keyring, page=page
    )
    done = visit.request.query_params.get("done")
    return visit.show(
        "workspace/questions.html",
        status_code=UNPROCESSABLE if errors else status_code,
        questions=questions,
        page=page,
        typed=typed or {},
        errors=errors or [],
        done=done if done in {"answered", "closed"} else None,
        longest=LONGEST,
    )
