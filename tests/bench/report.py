"""What was measured, as a table to read and as data to keep."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.load import Round

START_REACH: Final = 3.0
BUSY_GENERATOR: Final = 0.9  # above this share of a core, the generator may have been what was measured
COLUMNS: Final = (
    *("what", "database", "proc", "bare/s", "ours/s", "ratio", "reach", "", "bare CPU ms", "ours CPU ms"),
    *("CPU ratio", "median ms", "p99 ms", "bare p99", "load %"),
)


@dataclass(frozen=True, slots=True)
class StartFigure:
    """Seconds of ``import fastapi``, and from the command to the first answer."""

    import_seconds: float
    start_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long the start takes; the figure is at most 3."""
        return self.start_seconds / self.import_seconds


@dataclass(frozen=True, slots=True)
class Half:
    """One side: answers a second, milliseconds of CPU for each, and of waiting for it.

    ``cpu`` is of the processes that serve, ``database_cpu`` of PostgreSQL's; SQLite lives in the former.
    """

    rate: float
    cpu: float | None
    database_cpu: float | None
    median: float
    p99: float
    generator: float

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> Self:
        """Take the middle of the rounds; of CPU, which nobody else's work disturbs, the whole."""
        return cls(
            rate=statistics.median(each.answers / each.seconds for each in rounds),
            cpu=_cpu_of_each("server", rounds),
            database_cpu=_cpu_of_each("database", rounds),
            median=1000 * statistics.median(each.median for each in rounds),
            p99=1000 * statistics.median(each.p99 for each in rounds),
            generator=statistics.median(each.own_cpu / each.seconds for each in rounds),
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure: the project beside its ceiling. ``ratio`` is the middle of those of the rounds, taken in pairs."""

    measure: str
    database: str
    processes: int
    reach: float
    ratio: float
    bare: Half
    ours: Half

    @classmethod
    def of(
        cls, measure: str, *, database: str, processes: int, reach: float, bare: Sequence[Round], ours: Sequence[Round]
    ) -> Self:
        """Compare rounds that took turns."""
        pairs = zip(bare, ours, strict=True)
        ratio = statistics.median(
            (mine.answers / mine.seconds) / (other.answers / other.seconds) for other, mine in pairs
        )
        return cls(measure, database, processes, reach, ratio, Half.of(bare), Half.of(ours))

    @property
    def cpu_ratio(self) -> float | None:
        """The ceiling's CPU by the project's: the same comparison, undisturbed by what else the machine does."""
        if self.bare.cpu is None or self.ours.cpu is None:
            return None
        return self.bare.cpu / self.ours.cpu

    @property
    def is_reached(self) -> bool:
        """Whether the rate is as high as it shall be."""
        return self.ratio >= self.reach

    @property
    def is_generator_busy(self) -> bool:
        """Whether the load may have been the limit, for either side."""
        return max(self.bare.generator, self.ours.generator) > BUSY_GENERATOR

    @property
    def summary(self) -> str:
        """The figure in a line."""
        return (
            f"{self.measure}, {self.database}, {self.processes} proc: {self.ours.rate:,.0f}/s of "
            f"{self.bare.rate:,.0f}/s = {self.ratio:.0%}, CPU {_percent(self.cpu_ratio)}"
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The figure as a row of the table."""
        return (
            *(self.measure, self.database, str(self.processes), f"{self.bare.rate:,.0f}", f"{self.ours.rate:,.0f}"),
            *(f"{self.ratio:.0%}", f"{self.reach:.0%}", "yes" if self.is_reached else "NO"),
            *(_milliseconds(self.bare.cpu), _milliseconds(self.ours.cpu), _percent(self.cpu_ratio)),
            *(f"{self.ours.median:.1f}", f"{self.ours.p99:.1f}", f"{self.bare.p99:.1f}"),
            f"{max(self.bare.generator, self.ours.generator):.0%}{'*' if self.is_generator_busy else ''}",
        )


def as_table(figures: Sequence[Figure], start: StartFigure) -> str:
    """Return the table, and what must be known to read it."""
    rows = [COLUMNS, *(figure.cells for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    lines = [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.append(
        f"\nstart of the server: {start.start_seconds:.2f} s, import fastapi: {start.import_seconds:.2f} s, "
        f"{start.ratio:.1f} times (at most {START_REACH:.0f}: {'yes' if start.ratio <= START_REACH else 'NO'})"
    )
    if any(figure.is_generator_busy for figure in figures):
        lines.append("* the load generator's core was busy: the rate may be its limit, the CPU ratio is the truth")
    return "\n".join(lines)


def as_data(figures: Sequence[Figure], start: StartFigure) -> dict[str, Any]:
    """Return everything as JSON data."""
    return {
        "start": asdict(start) | {"ratio": start.ratio, "reach": START_REACH, "reached": start.ratio <= START_REACH},
        "figures": [
            asdict(figure)
            | {
                "cpu_ratio": figure.cpu_ratio,
                "reached": figure.is_reached,
                "generator_was_busy": figure.is_generator_busy,
            }
            for figure in figures
        ],
    }


def _cpu_of_each(name: str, rounds: Sequence[Round]) -> float | None:
    spent = [each.cpu[name] for each in rounds]
    known = [each for each in spent if each is not None]
    return 1000 * sum(known) / sum(each.answers for each in rounds) if len(known) == len(spent) else None


def _milliseconds(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0%}"
