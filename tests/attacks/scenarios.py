"""Attacks, and the honest people in the midst of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.attacks.people import Person, home_address, mailboxes, name_of, place_of_living

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

#: 17:00 in Toronto, on a Saturday.
BEGINNING: Final = datetime(2026, 3, 7, 22, 0, tzinfo=UTC)
HALL_OPENS: Final = BEGINNING + timedelta(hours=1)
HALL_ADDRESS: Final = "99.230.14.7"
MINUTE: Final = timedelta(minutes=1)
_LOCALES: Final = ("km", "fr", "en")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens: who comes, in which order people are made from a seed, and how often the background works."""

    name: str
    people: Callable[[Random], list[Person]]
    works_every: timedelta = MINUTE
    is_on_postgres: bool = False
    people_per_mailbox: int = 1


@dataclass(frozen=True, slots=True)
class Attack:
    """How a program signs."""

    forms: int
    addresses: Sequence[str]
    lasts: timedelta
    domains: int  # small ones; large providers' too unless it is all of small ones
    begins: timedelta = timedelta(0)
    is_clockwork: bool = False
    obeys: bool = True
    solves: bool = False
    small_alone: bool = False
    fills_traps: bool = False

    def people(self, random: Random) -> list[Person]:
        """Return the mailboxes that it signs with."""
        domains, weights = mailboxes(self.domains)
        if self.small_alone:
            domains, weights = domains[5:], weights[5:]
        moments = sorted(random.random() for _ in range(self.forms))
        if self.is_clockwork:
            moments = [number / self.forms for number in range(self.forms)]
        return [self._one(random, number, at, domains, weights) for number, at in enumerate(moments)]

    def _one(self, random: Random, number: int, at: float, domains: list[str], weights: list[int]) -> Person:
        locale = random.choice(_LOCALES)
        return Person(
            name=name_of(random, locale),
            email=f"taken{number}.{random.randrange(10**6)}@{random.choices(domains, weights)[0]}",
            address=self.addresses[number % len(self.addresses)],
            locale=locale,
            place=place_of_living(random),
            comes_at=BEGINNING + self.begins + at * self.lasts,
            types_for=timedelta(seconds=5 if self.is_clockwork else random.uniform(4, 20)),
            confirms_after=timedelta(seconds=random.uniform(5, 120)),
            is_attacker=True,
            has_script=self.solves,
            obeys=self.obeys,
            extra={"message": "https://shop.example", "made": "", "edition": "", "locale": ""}
            if self.fills_traps
            else {},
        )


def honest(random: Random, number: int, lasts: timedelta) -> list[Person]:
    """Return people who sign from where they live; half of their browsers run no script."""
    domains, weights = mailboxes(30)
    people = []
    for each in range(number):
        locale = random.choice(_LOCALES)
        people.append(
            Person(
                name=name_of(random, locale),
                email=f"friend{each}@{random.choices(domains, weights)[0].replace('mail', 'home')}"
                if random.random() < 0.2
                else f"friend{each}@gmail.com",
                address=home_address(random),
                locale=locale,
                place=place_of_living(random, is_abroad=random.random() < 0.4),
                comes_at=BEGINNING + random.random() * lasts,
                types_for=timedelta(seconds=random.uniform(40, 240)),
                confirms_after=timedelta(seconds=random.expovariate(1 / 400) + 15),
                has_script=bool(each % 2),
            )
        )
    return people


def hall(random: Random, number: int = 200) -> list[Person]:
    """Return people who sign in a hall, from its one address, between six and nine.

    Half come in crowds of ten within a minute. Ten couples share a mailbox; half confirm the next morning, from home.
    """
    crowds = [HALL_OPENS + random.uniform(0, 175) * MINUTE for _ in range(number // 20)]
    people: list[Person] = []
    for each in range(number):
        comes_at = HALL_OPENS + random.uniform(0, 178) * MINUTE
        if each % 2:
            comes_at = random.choice(crowds) + random.random() * MINUTE
        email = f"hall{each}@{'gmail.com' if each % 5 else 'hotmail.fr'}"
        if each % 20 == 19:
            email = people[-1].email
        people.append(
            Person(
                name=f"{name_of(random, 'km')} {chr(0x1780 + each % 33)}{chr(0x17B6)}",
                email=email,
                address=HALL_ADDRESS,
                locale="km",
                place={**place_of_living(random), "country": "CA"},
                comes_at=comes_at,
                types_for=timedelta(seconds=random.uniform(40, 240)),
                confirms_after=timedelta(seconds=random.uniform(20, 900)),
                confirms_at=HALL_OPENS + timedelta(hours=13) + random.uniform(0, 180) * MINUTE
                if random.random() < 0.5
                else None,
                is_of_hall=True,
                has_script=bool(each % 2),
            )
        )
    return people


def _addresses(number: int) -> list[str]:
    """Return addresses of as many networks: rented, infected, or sold as "residential"."""
    return [f"45.{10 + each // 200}.{each % 200}.{7 + each % 90}" for each in range(number)]


def _mixed(attack: Attack, *, friends: int = 300, lasts: timedelta | None = None) -> Callable[[Random], list[Person]]:
    def people(random: Random) -> list[Person]:
        return [*attack.people(random), *honest(random, friends, lasts or attack.lasts + 30 * MINUTE)]

    return people


def _at_hall(*attacks: Attack) -> Callable[[Random], list[Person]]:
    def people(random: Random) -> list[Person]:
        return [*(each for attack in attacks for each in attack.people(random)), *hall(random)]

    return people


HOUR: Final = timedelta(hours=1)
_EVENING: Final = Attack(4000, _addresses(10), HOUR, 40, begins=90 * MINUTE)
SCENARIOS: Final = (
    Scenario("many", _mixed(Attack(20_000, _addresses(50), HOUR, 40)), works_every=2 * MINUTE),
    Scenario(
        "many, not waiting", _mixed(Attack(20_000, _addresses(50), HOUR, 40, obeys=False)), works_every=2 * MINUTE
    ),
    Scenario(
        "below the limits",
        _mixed(Attack(4800, _addresses(20), 8 * HOUR, 40), lasts=8 * HOUR, friends=100),
        works_every=5 * MINUTE,
    ),
    Scenario("one address", _mixed(Attack(1000, _addresses(1), 20 * MINUTE, 10), lasts=2 * HOUR), is_on_postgres=True),
    Scenario(
        "one address, with a script",
        _mixed(Attack(1000, _addresses(1), 20 * MINUTE, 10, solves=True), lasts=2 * HOUR),
    ),
    Scenario(
        "one address, not waiting",
        _mixed(Attack(1000, _addresses(1), 20 * MINUTE, 10, obeys=False), lasts=2 * HOUR),
    ),
    Scenario(
        "drip, by the clock",
        _mixed(Attack(1440, _addresses(200), 48 * HOUR, 40, is_clockwork=True, small_alone=True)),
        works_every=5 * MINUTE,
    ),
    Scenario(
        "drip, by chance",
        _mixed(Attack(1440, _addresses(200), 48 * HOUR, 40, small_alone=True)),
        works_every=5 * MINUTE,
    ),
    Scenario(
        "drip, three domains",
        _mixed(Attack(1440, _addresses(200), 48 * HOUR, 3, small_alone=True)),
        works_every=5 * MINUTE,
    ),
    Scenario(
        "drip, one address",
        _mixed(Attack(1440, _addresses(1), 48 * HOUR, 40, small_alone=True)),
        works_every=5 * MINUTE,
    ),
    Scenario("hall", _at_hall(), is_on_postgres=True, people_per_mailbox=2),
    Scenario("hall, and an attack", _at_hall(_EVENING), people_per_mailbox=2),
    Scenario(
        "hall, attacked from inside",
        _at_hall(Attack(400, (HALL_ADDRESS,), HOUR, 10, begins=2 * HOUR)),
        people_per_mailbox=2,
    ),
    Scenario("bot", _mixed(Attack(500, _addresses(20), HOUR, 10, fills_traps=True)), is_on_postgres=True),
)
