"""Names before they show in public: most are plainly names, and a person looks at the others; and when a name shows.

Nothing is refused here. What is held is what an ordinary name does not have, or has for a joke at somebody's cost: a
person decides, and the signature counts whatever they decide.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from app.rules.khmer import comparison_key
from app.rules.names import looks_random

if TYPE_CHECKING:
    from datetime import datetime

Verdict = Literal["cleared", "held"]

#: So many names wait for each other, and show together.
GROUP: Final = 20
LONGEST: Final = 50
MOST_WORDS: Final = 6
_LEAST_LETTERS: Final = 2
#: In these scripts the lists below say something. Names in others are looked at by somebody who reads them.
_KNOWN_SCRIPTS: Final = frozenset({"KHMER", "LATIN"})
#: Khmer writes no spaces between words: what is as long as this is looked for anywhere, and shorter ones as a word.
_LONG_ENOUGH: Final = 6

#: Rulers and other public figures, whom people sign as to mock them, or to make a petition look foolish. Some may well
#: sign themselves, and many share their names.
_FIGURES: Final = """
    Hun Sen|Hun Manet|Hun Many|Hun Manith|Hun Mana|Bun Rany|Tea Banh|Tea Seiha|Sar Kheng|Sar Sokha|Heng Samrin|Chea Sim
    |Say Chhum|Khuon Sudary|Prak Sokhonn|Men Sam An|Sok An|Kith Meng|Ly Yong Phat|Try Pheap|Sam Rainsy|Kem Sokha
    |Mu Sochua|Norodom Sihanouk|Norodom Sihamoni|Norodom Ranariddh|Pol Pot|Ta Mok|Nuon Chea|Khieu Samphan|Ieng Sary
    |Justin Trudeau|Mark Carney|Donald Trump|Joe Biden|Emmanuel Macron|Vladimir Putin|Xi Jinping|Adolf Hitler
    |ហ៊ុន សែន|ហ៊ុន ម៉ាណែត|ហ៊ុន ម៉ានី|ហ៊ុន ម៉ានិត|ហ៊ុន ម៉ាណា|ប៊ុន រ៉ានី|ទៀ បាញ់|ទៀ សីហា|ស ខេង|ស សុខា|ហេង សំរិន
    |ជា ស៊ីម|សាយ ឈុំ|ឃួន សុដារី|ប្រាក់ សុខុន|ម៉ែន សំអន|សុខ អាន|គិត ម៉េង|លី យ៉ុងផាត់|ទ្រី ភាព|សម រង្ស៊ី|កឹម សុខា
    |មូរ សុខហួរ|នរោត្តម សីហនុ|នរោត្តម សីហមុនី|នរោត្តម រណឫទ្ធិ|ប៉ុល ពត|តា ម៉ុក|នួន ជា|ខៀវ សំផន|អៀង សារី
"""
#: Insults, slogans, and what people type who give no name, in the three languages. Words that are names are not here.
_NO_NAMES: Final = """
    fuck|fucking|fucker|shit|bitch|bastard|asshole|cunt|idiot|moron|dictator|dictators|traitor|traitors|thief|thieves
    |murderer|killer|puppet|liar|corrupt|down|freedom|democracy|communist|terrorist|anonymous|nobody|unknown|noname|none
    |test|testing|tester|admin|administrator|someone|somebody|everyone|signature|petition|citizen|people
    |merde|putain|pute|salope|connard|connasse|encule|dictateur|traitre|voleur|menteur|assassin|corrompu|liberte
    |democratie|anonyme|inconnu|inconnue|personne|quelquun|citoyen|citoyenne|peuple
    |ចោរ|ចោរប្លន់|ក្បត់|ជនក្បត់|ក្បត់ជាតិ|ផ្ដាច់ការ|ជនផ្ដាច់ការ|ឆ្កែ|អាឆ្កែ|ជ្រូក|ចុយ|ឃាតក|ពុករលួយ|អាយ៉ង|កុហក|ប្រជាធិបតេយ្យ|កុម្មុយនិស្ត
    |ភេរវជន|ទម្លាក់|អនាមិក|គ្មានឈ្មោះ|ប្រជាពលរដ្ឋ|សាកល្បង
"""


def _keys(listed: str) -> tuple[str, ...]:
    return tuple(comparison_key(each) for each in listed.split("|") if each.strip())


_FIGURE_WORDS: Final = tuple(frozenset(key.split()) for key in _keys(_FIGURES))
_WORDS: Final = frozenset(_keys(_NO_NAMES))
#: What is held wherever it stands, also where words are written together.
_ANYWHERE: Final = tuple(
    joined
    for key in (*_keys(_FIGURES), *_keys(_NO_NAMES))
    if not key.isascii() and len(joined := key.replace(" ", "")) >= _LONG_ENOUGH
)
_LANGUAGES: Final = {
    "KHMER": "km", "LATIN": "und-Latn", "THAI": "th", "LAO": "lo", "CJK": "zh", "HANGUL": "ko", "HIRAGANA": "ja",
    "KATAKANA": "ja", "CYRILLIC": "und-Cyrl", "ARABIC": "und-Arab", "GREEK": "el", "HEBREW": "und-Hebr",
}  # fmt: skip


def check_name(name: str) -> Verdict:
    """Tell whether ``name``, cleaned, may show as it is, or waits for a person."""
    scripts = _scripts_of(name)
    is_plain = len(scripts) == 1 and _KNOWN_SCRIPTS.issuperset(scripts) and _has_letters_alone(name)
    words = comparison_key(name).split()
    is_short = len(name) <= LONGEST and len(words) <= MOST_WORDS
    if not is_plain or not is_short or looks_random(name):
        return "held"
    if not _WORDS.isdisjoint(words) or any(each.issubset(words) for each in _FIGURE_WORDS):
        return "held"
    joined = "".join(words)
    return "held" if any(each in joined for each in _ANYWHERE) else "cleared"


def language_of(name: str) -> str:
    """Return a language tag for a name by its script: a name has no language, but a font and a voice."""
    scripts = _scripts_of(name)
    return _LANGUAGES.get(next(iter(scripts)), "und") if len(scripts) == 1 else "und"


@dataclass(frozen=True, slots=True)
class Moments:
    """Until when a signature was confirmed whose name may show, at some moment."""

    hour: datetime  # where at least a group waits, all of them from before this hour
    day: datetime  # else all from before this day (UTC),
    old: datetime  # once one of them is from before this


def showing_moments(now: datetime) -> Moments:
    """Return the moments at which names show. They tell an hour of many names, or a day or two of few."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return Moments(hour, day, day - timedelta(days=1))


def _scripts_of(name: str) -> frozenset[str]:
    letters = (each for each in name if unicodedata.category(each) in {"Lu", "Ll", "Lo", "Lt"})
    return frozenset(unicodedata.name(each, "NONE").partition(" ")[0] for each in letters)


def _has_letters_alone(name: str) -> bool:
    kinds = [unicodedata.category(each) for each in name if each not in " -'’.\u2011"]
    return sum(kind[0] == "L" for kind in kinds) >= _LEAST_LETTERS and all(kind[0] in "LM" for kind in kinds)
