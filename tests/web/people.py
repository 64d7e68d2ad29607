"""People who sign: each has a browser and a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.stage import Letter, Stage


class Person:
    """Somebody with a browser, an address, and a campaign to sign."""

    def __init__(self, stage: Stage, slug: str, email: str) -> None:
        self.stage = stage
        self.slug = slug
        self.email = email
        self.browser = stage.new_browser()

    def sign(self, *, locale: str = "en", **fields: Any) -> httpx.Response:  # noqa: ANN401 - form fields
        return self.stage.sign(self.slug, locale=locale, browser=self.browser, **{"email": self.email, **fields})

    def letters(self) -> list[Letter]:
        return self.stage.letters_to(self.email)

    def letter(self) -> Letter:
        return self.letters()[-1]

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        return self.stage.get(path, browser=self.browser, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:  # noqa: ANN401 - form fields
        return self.stage.post(path, data, browser=self.browser, **options)

    def confirm(self, *, locale: str = "en") -> httpx.Response:
        return self.post(f"/{locale}/confirm/{self.letter().token('confirm')}", {"signing": "yes"})

    def answer_code(self, code: str, **fields: str) -> httpx.Response:
        return self.post(f"/en/campaigns/{self.slug}/check-email", {"code": code, **fields})

    def count(self) -> int:
        return self.stage.count(self.slug)
