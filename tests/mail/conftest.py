"""Fixtures: a stage whose letters leave over SMTP."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from app.jobs.deliver_mail import deliver_mail
from app.mail.transport import RelayTransport
from tests.mail.relay import Delivery, Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage import Stage


class Post:
    """A stage and the relay that its letters go to."""

    def __init__(self, stage: Stage, relay: Relay) -> None:
        """Use both."""
        self.stage = stage
        self.relay = relay
        self.use(f"smtp://127.0.0.1:{relay.port}")

    def use(self, url: str) -> None:
        """Send through ``url`` from now on."""
        self.background = dataclasses.replace(self.stage.background, transport=RelayTransport(url))

    def deliver(self) -> list[Delivery]:
        """Deliver what is due, and return all that the relay has got so far."""
        while self.stage.run(deliver_mail(self.background)):
            pass
        return self.relay.deliveries


@pytest.fixture
def post(stage: Stage) -> Iterator[Post]:
    """Give the stage a relay on loopback."""
    relay = stage.run(Relay().start())
    yield Post(stage, relay)
    stage.run(relay.stop())
