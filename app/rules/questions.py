"""What visitors ask and teams answer: paragraphs as they were typed."""

from __future__ import annotations

import re
from typing import Final

from app.i18n import message
from app.rules.normalise import Refused, clean_line

#: Of a question and of an answer. A Khmer letter takes nine bytes in a form, and forms have a limit (app/web/forms.py).
LONGEST: Final = 4000
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


def clean_paragraphs(raw: str, *, limit: int) -> str:
    """Return lines cleaned one by one, at most one empty between two. May be empty.

    Raises Refused over ``limit`` characters (code points, after cleaning).
    """
    lines = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = _EMPTY_LINES.sub("\n\n", "\n".join(clean_line(line, limit=limit) for line in lines)).strip()
    if len(text) > limit:
        raise Refused(message("Shorten this to %(limit)s characters or fewer", limit=limit))
    return text
