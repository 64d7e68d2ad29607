"""Forms with files: taken within limits of everything that can be many, and nothing of a file believed."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web import uploads
from app.web.forms import BODY_BYTES, LONG_BODY_BYTES, UPLOAD_BYTES, body_limit
from app.web.uploads import DailyUploads, read_upload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Message

    from app.web.uploads import Upload
    from tests.stage import Stage

TOKEN = "a" * 43
LOGO = f"/en/endorsement/{TOKEN}/logo"
TYPE = "multipart/form-data; boundary=xyz"


def part(name: str, content: bytes, *, file: str | None = None, more: bytes = b"") -> bytes:
    named = "" if file is None else f'; filename="{file}"'
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'.encode()
    return head + more + b"\r\n" + content + b"\r\n"


def end() -> bytes:
    return b"--xyz--\r\n"


def read(pieces: Iterable[bytes], *, media_type: str = TYPE, path: str = LOGO) -> Upload:
    """Read a body that comes in pieces, and say how many were asked for."""
    left = iter(pieces)

    async def receive() -> Message:
        piece = next(left, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "scheme": "http",
        "server": ("localhost", 80), "headers": [(b"content-type", media_type.encode())],
    }  # fmt: skip
    return asyncio.run(read_upload(Request(scope, receive)))


def refused(pieces: Iterable[bytes], **options: str) -> int:
    with pytest.raises(HTTPException) as fault:
        read(pieces, **options)
    return fault.value.status_code


def test_fields_and_files_are_read_however_they_are_cut() -> None:
    body = (
        part("consent", "បាទ".encode())
        + part("logo", b"\x89PNG\r\n--xy\r\n\r\n\0", file="ស.png", more=b"Content-Type: image/svg+xml\r\n")
        + part("empty", b"", file="")
        + end()
    )
    for size in (1, 7, len(body)):
        upload = read(body[at : at + size] for at in range(0, len(body), size))
        assert upload.form.text("consent") == "បាទ"
        assert upload.file("logo") == b"\x89PNG\r\n--xy\r\n\r\n\0"
        assert upload.file("empty") is None
        assert upload.file("nothing") is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(part("a", b"x"), 400, id="no end"),
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"rubbish", 400, id="rubbish"),
        pytest.param(part("a", b"\xff") + end(), 400, id="not UTF-8"),
        pytest.param(part("a", b"1") + part("a", b"2") + end(), 400, id="a key twice"),
        pytest.param(b"--xyz\r\nContent-Type: text/plain\r\n\r\nx\r\n" + end(), 400, id="no name"),
        pytest.param(b"--xyz\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" + end(), 400, id="no form"),
        pytest.param(part("a", b"x", more=b"X: y\r\n" * 5) + end(), 400, id="many headers"),
        pytest.param(part("a", b"x", more=b"X: " + b"y" * 5000 + b"\r\n") + end(), 400, id="a long header"),
        pytest.param(part("n" * 5000, b"x") + end(), 400, id="a long name"),
        pytest.param(part("a", b"x" * (BODY_BYTES + 1)) + end(), 413, id="much that is typed"),
        pytest.param(b"".join(part(f"f{n}", b"") for n in range(65)) + end(), 413, id="many fields"),
        pytest.param(b"".join(part("f", b"x", file="x") for _ in range(9)) + end(), 413, id="many files"),
        pytest.param(part("logo", bytes(UPLOAD_BYTES), file="x") + end(), 413, id="a large file"),
    ],
)
def test_what_is_no_form_of_ours_is_refused(body: bytes, status: int) -> None:
    assert refused([body]) == status
    assert refused(body[at : at + 4096] for at in range(0, len(body), 4096)) == status if body else True


def test_another_type_a_missing_boundary_and_one_without_end_are_refused() -> None:
    assert refused([b"a=b"], media_type="application/x-www-form-urlencoded") == 415
    assert refused([b"a=b"], media_type="multipart/mixed; boundary=xyz") == 415
    assert refused([b"a=b"], media_type="multipart/form-data") == 400
    assert refused([b"a=b"], media_type=f"multipart/form-data; boundary={'x' * 5000}") == 400


def test_two_files_in_one_field_are_refused_where_one_is_meant() -> None:
    upload = read([part("logo", b"1", file="x") + part("logo", b"2", file="y") + end()])
    assert upload.files["logo"] == (b"1", b"2")
    with pytest.raises(HTTPException):
        upload.file("logo")


def test_no_more_is_taken_than_may_be() -> None:
    asked = 0

    def without_end() -> Iterable[bytes]:
        nonlocal asked
        yield part("logo", b"", file="x")[:-2]
        while True:
            asked += 65_536
            yield bytes(65_536)

    assert refused(without_end()) == 413
    assert asked <= UPLOAD_BYTES + 65_536


def test_what_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LONGEST_SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": LOGO, "query_string": b"", "scheme": "http",
        "server": ("localhost", 80), "headers": [(b"content-type", TYPE.encode())],
    }  # fmt: skip
    with pytest.raises(HTTPException) as fault:
        asyncio.run(read_upload(Request(scope, receive)))
    assert fault.value.status_code == 408


def test_only_addresses_of_pictures_take_much() -> None:
    assert body_limit(LOGO) == body_limit(f"/km/endorsement/{TOKEN}/authority") == UPLOAD_BYTES
    assert body_limit("/en/workspace/campaigns/x/text") == LONG_BODY_BYTES
    for path in ("/en/endorsement/x/logo", f"/en/endorsement/{TOKEN}", f"/en/endorsement/confirm/{TOKEN}", "/en/x"):
        assert body_limit(path) == BODY_BYTES


@pytest.mark.parametrize("path", [LOGO, "/fr/campaigns/x/sign", "/api/v1/campaigns"])
def test_fifty_megabytes_are_a_page_and_not_read(site: Stage, path: str) -> None:
    asked = 0

    async def pieces() -> Any:  # noqa: ANN401 - an iterator that httpx takes
        nonlocal asked
        for _ in range(800):
            asked += 65_536
            yield bytes(65_536)

    headers = {"content-type": TYPE}
    announced = site.run(site.browser.post(path, content=pieces(), headers={**headers, "content-length": "52428800"}))
    assert announced.status_code == 413
    assert asked <= 65_536
    silent = site.run(site.browser.post(path, content=pieces(), headers=headers))
    assert silent.status_code in {404, 405, 413, 415}
    assert (
        "too large" in announced.text
        or "trop" in announced.text
        or announced.headers["content-type"].startswith("application/problem")
    )


def test_each_sends_so_much_in_a_day() -> None:
    daily, today = DailyUploads(2), date(2026, 11, 22)
    spent = []
    for _ in range(3):
        spent.append(daily.is_spent("one", today))
        daily.count("one", today)
    assert spent == [False, False, True]
    assert not daily.is_spent("another", today)
    assert not daily.is_spent("one", today + timedelta(days=1))
