"""Logs: what may come out is a list, and nobody's name, address, token or code is ever on any output."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from app.core.logs import ALLOWED, configure_lines, configure_logging, get_logger
from app.mail.transport import RefusedForNow
from tests.stage import good_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage import Stage


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Log as in production, but everything, the libraries' own words included; give what is said."""
    output, before = io.StringIO(), structlog.get_config()
    configure_logging()
    configure_lines()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
    root, browser, handler = logging.getLogger(), logging.getLogger("httpx"), logging.StreamHandler(output)
    levels = root.level, browser.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    browser.setLevel(logging.CRITICAL)  # the test's own, which says where it goes
    yield output
    root.removeHandler(handler)
    root.setLevel(levels[0])
    browser.setLevel(levels[1])
    structlog.configure(**before)


def test_the_first_line_of_a_process_is_written_as_ours(capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        get_logger().error("job failed", job="deliver_mail", email="sokha@example.org")
    finally:
        structlog.reset_defaults()
        structlog.configure(**before)
    out, err = capfd.readouterr()
    assert out == ""
    assert set(json.loads(err)) == {"event", "job", "level", "timestamp"}


def test_a_field_that_is_not_listed_does_not_come_out(said: io.StringIO) -> None:
    get_logger().warning("letter put off", kind="confirm", email="sokha@example.org", name="សុខ", exc_info=True)
    line = json.loads(said.getvalue())
    assert set(line) == {"event", "kind", "level", "timestamp"} <= ALLOWED
    assert (line["event"], line["kind"], line["level"]) == ("letter put off", "confirm", "warning")


def test_signing_and_confirming_put_no_person_into_any_output(
    stage: Stage, said: io.StringIO, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.deliver()
    stage.get(f"/en/confirm/{letter.token('confirm')}")
    stage.post(f"/en/campaigns/{slug}/check-email", {"code": "000000"})
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    stage.roll_up()
    stage.get(f"/en/signature/{letter.token('signature')}")

    async def refuse(*_: object) -> None:
        raise RefusedForNow("451")

    monkeypatch.setattr("app.mail.transport._MailboxSender.send", refuse)
    stage.sign(slug, email="other@example.org", browser=stage.new_browser())
    stage.deliver()
    # A door that falls over must not spill what it held.
    monkeypatch.setattr(type(stage.house.shelf), "find", _fall_over)
    failed = stage.sign(slug, browser=stage.new_browser())
    assert failed.status_code == 500
    out, err = capfd.readouterr()
    heard = out + err + said.getvalue()
    assert "letter put off" in heard
    assert "request failed" in heard
    listed = {"CA", "CA-BC", "yes", "['citizen_of:CA']"}
    personal = [str(value) for value in good_form().values() if str(value) not in listed]
    personal += [letter.token("confirm"), letter.token("signature"), letter.code, "other@example.org", "sokha"]
    assert [each for each in personal if each in heard] == []


async def _fall_over(_: object, slug: str) -> None:
    raise LookupError("sokha@example.org")
