"""Log lines: events with names and numbers, never a person, an address or a token.

What may be logged is a list and not a habit: a field that is not on it does not come out.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    import structlog

ALLOWED: Final = frozenset(
    {
        "attempt", "campaign", "count", "delay", "error", "event", "job", "kind", "level", "letter", "loop", "method",
        "port", "process", "reason", "request", "route", "seconds", "signatures", "state", "status", "threshold",
        "timestamp",
    }
)  # fmt: skip


def _keep_listed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED}


def configure_lines() -> None:
    """Write one JSON object a line to standard error."""
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _keep_listed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def configure_logging() -> None:
    """Keep libraries quiet: they may put an address or a statement's values into a warning."""
    for name in ("sqlalchemy", "aiosmtplib", "asyncio", "asyncpg"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger; its fields are those of ``ALLOWED``."""
    import structlog  # not before there is a line to write: it takes as long as a fifth of `import fastapi`

    if not structlog.is_configured():
        configure_lines()
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
