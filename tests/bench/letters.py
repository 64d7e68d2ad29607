"""Measure letters and cards: ``python -m tests.bench.letters [--names N] [--times N] [--database KIND]``.

A letter of two pages and a card are set in this process, warm. A letter with thousands of names is written by the
command, in a process of its own with a terminal at its standard error, as an operator starts it. What takes more than
it may ends this with status 1: the middle of the CPU times is judged, since other work may use the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, update

from app.actions.campaigns import Publication, import_campaign
from app.core import migrations
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import Keyring, open_keyring
from app.documents.card import Card, draw_card, write_card
from app.documents.letter import typeset_letter
from app.i18n import LOCALES
from app.models import Signature, open_campaign_key
from app.queries.campaigns import find_campaign
from app.rules.campaign_file import parse_campaign_file
from app.rules.letters import Letter, Recipient, Signatory
from app.rules.texts import CampaignText, Part, edition_hash
from tests.bench.processes import ROOT
from tests.documents.reading import read_pages, squeeze
from tests.postgres import PostgresServer
from tests.reporting import insert_forms
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from app.i18n import Locale

MOST_MS: Final = {"letter": 100, "card": 50}
MOST_SECONDS: Final = 10
MOST_MEGABYTES: Final = 250
WARM_UP: Final = 3
TITLES: Final = {
    "en": "Khmer books in every library",
    "fr": "Des livres khmers dans toutes les bibliothèques",
    "km": "សៀវភៅខ្មែរនៅគ្រប់បណ្ណាល័យ",
}
PARAGRAPHS: Final = {
    "en": (
        "Every library of the province lends books in many languages, and very few in Khmer. Children who were born "
        "here cannot read what their grandparents read, and those who came as adults read nothing at all. We ask for "
        "shelves in every library, for people who know which books belong on them, and for money to buy them."
    ),
    "fr": (
        "Chaque bibliothèque de la province prête des livres dans de nombreuses langues, et très peu en khmer. Les "
        "enfants nés ici ne peuvent pas lire ce que lisaient leurs grands-parents, et ceux qui sont arrivés adultes ne "
        "lisent rien du tout. Nous demandons des rayons dans chaque bibliothèque, et de quoi les remplir."
    ),
    "km": (
        "បណ្ណាល័យនីមួយៗក្នុងខេត្តឱ្យខ្ចីសៀវភៅជាភាសាជាច្រើន ប៉ុន្តែមានសៀវភៅជាភាសាខ្មែរតិចតួចណាស់។ កុមារដែលកើតនៅទីនេះ"
        "មិនអាចអានអ្វីដែលជីដូនជីតារបស់ពួកគេបានអាននោះទេ។ យើងខ្ញុំសូមស្នើឱ្យមានធ្នើសៀវភៅខ្មែរនៅគ្រប់បណ្ណាល័យ "
        "និងថវិកាសម្រាប់ទិញសៀវភៅទាំងនោះ។"
    ),
}
PARAGRAPH_COUNT: Final = 9
ORGANISATIONS: Final = 24
FAMILIES: Final = ("សុខ", "ចាន់", "ហេង", "លីម", "Sok", "Chan", "Tremblay", "Nguyen")
GIVEN: Final = ("សុភា", "ដារ៉ា", "ស្រីមុំ", "វណ្ណៈ", "Sophea", "Dara", "Marie-Ève", "Thomas")


#: Starts the command from a small process: Linux counts the memory of whoever starts one as its own.
WATCHER: Final = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
cpu, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(json.dumps([time.perf_counter() - began, cpu, megabytes, os.waitstatus_to_exitcode(status)]))
"""


@dataclass(frozen=True, slots=True)
class Times:
    """What was measured several times: seconds on the clock and of CPU."""

    wall: list[float]
    cpu: list[float]

    def say(self, *, unit: str, by: int) -> str:
        """Return it in a line: middle and worst of the clock, and of the CPU."""
        told = [
            f"{statistics.median(each) * by:.1f} {unit}, at worst {max(each) * by:.1f}"
            for each in (self.wall, self.cpu)
        ]
        return f"{told[0]} · CPU {told[1]}"


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3, help="runs of the command in each language (3)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    is_good = measure_warm()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.database in {None, "sqlite"}:
            is_good &= measure_command(f"sqlite:///{folder / 'l.db'}", folder / "sqlite", options.names, options.times)
        if options.database in {None, "postgresql"}:
            with PostgresServer(durable=True) as server:
                server.create_database("letters")
                url = server.dsn("letters")
                is_good &= measure_command(url, folder / "postgresql", options.names, options.times)
    sys.exit(0 if is_good else 1)


# Warm, in this process


def measure_warm(times: int = 40) -> bool:
    """Print how long a letter of two pages and a card take in each language; tell whether that is little enough.

    Each is another one than those before, as in a server: of the same one typst would remember nearly all.
    """
    is_good = True
    for locale in LOCALES:
        pages = len(read_pages(typeset_letter(make_letter(0), locale)))
        if pages != 2:
            raise RuntimeError(f"the letter has {pages} pages in {locale}, and should have two")
        makers: dict[str, Callable[[int], bytes]] = {
            "letter": partial(_typeset_one, locale),
            "card": partial(_draw_one, locale),
        }
        for what, make in makers.items():
            took = take_times(make, times)
            print(f"{what}, {locale}: {took.say(unit='ms', by=1000)}", flush=True)
            is_good &= statistics.median(took.cpu) * 1000 < MOST_MS[what]
    return is_good


def take_times(make: Callable[[int], bytes], times: int) -> Times:
    """Make several of something, after some that do not count."""
    for number in range(WARM_UP):
        make(number)
    took = Times([], [])
    for number in range(WARM_UP, WARM_UP + times):
        wall, cpu = time.perf_counter(), time.process_time()
        make(number)
        took.wall.append(time.perf_counter() - wall)
        took.cpu.append(time.process_time() - cpu)
    return took


def _typeset_one(locale: Locale, number: int) -> bytes:
    return typeset_letter(make_letter(number), locale)


def _draw_one(locale: Locale, number: int) -> bytes:
    return draw_card(write_card(make_card(number, locale), locale))


def make_card(number: int, locale: Locale) -> Card:
    """Return a card of which no other number has the title or the count."""
    return Card(Part(f"{TITLES[locale]} {number}", locale), "petition", "e-1746", "open", 0, number)


def make_letter(number: int) -> Letter:
    """Return a letter of two pages in each language, of which no other number has a paragraph or a signatory."""
    texts = {
        locale: CampaignText(
            title=f"{TITLES[locale]} {number}",
            body="\n\n".join(f"{number}.{at}. {paragraph}" for at in range(PARAGRAPH_COUNT)),
        )
        for locale, paragraph in PARAGRAPHS.items()
    }
    return Letter(
        slug="libraries",
        kind="open_letter",
        reference=None,
        source_locale="en",
        timezone="America/Toronto",
        organiser="Friends of Libraries",
        url="https://hatthalekha.example/c/libraries",
        texts=texts,
        edition_number=1,
        edition_hash=edition_hash(texts),
        signed_as_of=datetime(2026, 11, 22, 15, tzinfo=UTC),
        recipients=(Recipient({"en": "Parliament of Canada"}, "CA"),),
        places={"en": "Toronto"},
        dated_on=date(2026, 11, 22),
        organisations=tuple(Signatory(f"{name} {number}", None, "CA") for name in invent_names(ORGANISATIONS)),
    )


def invent_names(number: int) -> Iterator[str]:
    """Return names, half of them in Khmer letters, of which few are alike."""
    return (f"{FAMILIES[at % 8]} {GIVEN[(at // 2) % 8]} {_letters(at)}" for at in islice(count(), number))


def _letters(number: int) -> str:
    """Return a number as letters, since names have no digits."""
    return "".join(chr(ord("A") + int(digit)) for digit in f"{number:05}")


# The command


def measure_command(url: str, folder: Path, names: int, times: int) -> bool:
    """Print what the command takes for a letter with ``names``; tell whether that is little enough."""
    migrations.upgrade(url)
    slug = asyncio.run(fill(url, open_keyring(folder / "keys"), names))
    took, peaks = Times([], []), []
    for locale in islice(cycle(LOCALES), times * len(LOCALES)):
        out = folder / f"{locale}.pdf"
        wall, cpu, megabytes, shown = run_letter(url, folder, slug, locale, out)
        took.wall.append(wall)
        took.cpu.append(cpu)
        peaks.append(megabytes)
        check(out, names, shown)
    kind = url.partition(":")[0]
    memory = f"{statistics.median(peaks):.0f} MB, at most {max(peaks):.0f}"
    size = out.stat().st_size / 1_000_000
    print(f"{kind}, {names:,} names: {took.say(unit='s', by=1)} · {memory} · a file of {size:.1f} MB")
    return statistics.median(took.cpu) < MOST_SECONDS and max(peaks) < MOST_MEGABYTES


def run_letter(url: str, folder: Path, slug: str, locale: str, out: Path) -> tuple[float, float, float, str]:
    """Run the command; return seconds on the clock and of CPU, its most megabytes, and what its terminal was shown."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATTHALEKHA_")}
    environment |= {
        "HATTHALEKHA_DATABASE_URL": url,
        "HATTHALEKHA_KEYS_DIR": str(folder / "keys"),
        "TERM": "xterm",
        "COLUMNS": "100",
    }
    command = [sys.executable, "-m", "app", "letter", slug, "--out", str(out), "--lang", locale]
    master, slave = pty.openpty()
    shown: list[bytes] = []
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHER, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    reader = threading.Thread(target=_read_all, args=(master, shown))
    reader.start()
    said, _ = process.communicate()
    reader.join()
    os.close(master)
    text = b"".join(shown).decode(errors="replace")
    seconds, cpu, megabytes, status = json.loads(said)
    if status:
        raise RuntimeError(f"the command ended with {status}: {text}")
    return seconds, cpu, megabytes, text


def _read_all(master: int, shown: list[bytes]) -> None:
    """Read what a terminal is shown, until nobody has it open any more, which Linux calls a fault."""
    try:
        while part := os.read(master, 65_536):
            shown.append(part)
    except OSError:
        return


def check(out: Path, names: int, shown: str) -> None:
    """Raise RuntimeError where names are missing in the file, or the terminal was not told what was done."""
    text = squeeze("".join(read_pages(out.read_bytes())))
    missing = sum(squeeze(name) not in text for name in invent_names(names))
    if missing:
        raise RuntimeError(f"{missing} names are not in {out.name}")
    for words in (f"Opening names: {names:,} of {names:,}", "Setting the pages"):
        if words not in shown:
            raise RuntimeError(f"the terminal was not told: {words}")


async def fill(url: str, keyring: Keyring, names: int) -> str:
    """Import a letter, let ``names`` people have signed it whose names show, and return its slug."""
    database = open_database(url)
    data = {**small_campaign(), "kind": "open_letter", "thresholds": []}
    file = parse_campaign_file(json.dumps({name: data[name] for name in data if name != "sponsor"}).encode())
    now = utc_now()
    await database.write(import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30))
    await database.write(_sign, slug=file.slug, names=names, keyring=keyring, now=now)
    await database.close()
    return file.slug


def _sign(session: Session, *, slug: str, names: int, keyring: Keyring, now: datetime) -> None:
    shown: dict[str, Any] = {"is_name_shown": True, "name_check": "cleared"}
    ids = insert_forms(session, slug=slug, number=names, keyring=keyring, until=now, **shown)
    campaign = find_campaign(session, slug=slug)
    assert campaign is not None
    key = open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
    assert key is not None
    table = Signature.__table__
    session.connection().execute(
        update(Signature)
        .where(table.c.id == bindparam("row"))
        .values(name=bindparam("sealed"), name_position=bindparam("place")),
        [
            {"row": row, "sealed": key.seal("signatures.name", row, name), "place": place}
            for place, (row, name) in enumerate(zip(ids, invent_names(names), strict=True), 1)
        ],
    )


if __name__ == "__main__":
    main()
