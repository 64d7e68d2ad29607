"""What people really type into fields, made into what is kept; or ``Refused``, with a sentence that says what to do.

Nothing here looks anything up: no network, no database. Khmer and full-width digits and letters are taken everywhere,
since a Khmer keyboard gives them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from app.i18n import Message, message
from app.rules.khmer import caseless, comparison_key, has_khmer, to_latin_digits, without_invisible
from app.rules.limits import LARGE_PROVIDERS
from app.rules.mailboxes import MAILBOXES, NAMED_SUBDOMAINS

NAME_LIMIT: Final = 100
EMAIL_LIMIT: Final = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets

_ENTER_NAME: Final = message("Enter your full name")
_NAME_IN_LETTERS: Final = message("Enter your name in letters, without digits or symbols")
_NAME_NOT_ADDRESS: Final = message("Enter your name, not a web or e-mail address")
_ENTER_EMAIL: Final = message("Enter your e-mail address")
_FULL_EMAIL: Final = message("Enter a full e-mail address, like sok@example.com")
_ONE_EMAIL: Final = message("Enter one e-mail address only")
_ENTER_PHONE: Final = message("Enter your telephone number")
_FULL_PHONE: Final = message("Enter a full telephone number, like +1 514 555 0123")

# What is this many times too long is refused unread: no cleaning brings it down, and a megabyte costs time.
_FAR_TOO_LONG: Final = 20

# Controls that are not white space, surrogates (no database takes them), format characters (bidirectional ones above
# all), and letters that show nothing. The zero-width ones of _JOINERS are looked at by themselves.
_REMOVED: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
# ZWSP, ZWNJ and ZWJ are spelling between two letters of Khmer, and of the scripts that join or stack letters as it
# does (Arabic to Mongolian, U+0600 to U+1CFF: a Sinhala "Sri" needs its ZWJ). Elsewhere they only hide things.
_JOINERS: Final = "\u200b-\u200d"
_STACKING: Final = "\u0600-\u1cff"
_STRAY_JOINER: Final = re.compile(
    f"(?<![{_STACKING}{_JOINERS}])[{_JOINERS}]++|(?<=[{_STACKING}])[{_JOINERS}]++(?![{_STACKING}])"
)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Apostrophes, full stop, comma, the middle dots of Catalan and of names put into Chinese or Japanese, and the joiners
# that clean_line left. Modifier apostrophes and the Khmer repetition sign are letters to Unicode.
_SIGNS_IN_NAMES: Final = frozenset(" '\u2018\u2019.,\u00b7\u2027\u30fb\u200b\u200c\u200d")
# Not every dot: "M.Sok", "Dr.Chan" and "Meas.Au" are people. Names are shown as text and never as links, so an ending
# left out does less harm than a person refused.
_WEB_ADDRESS: Final = re.compile(
    r"://|\bwww\.|[a-z0-9-]{2,}\.(?:com|net|org|info|biz|gov|edu|io|app|dev|xyz|online|site|shop|top|link|page"
    r"|example|test|kh|ca|fr|ru|cn)(?![a-z])"
)
_ADDRESS_LIKE: Final = re.compile(r"[^@\s]@[^@\s]")
_PLAIN_EMAIL: Final = re.compile(r"([A-Za-z0-9_-]+(?:[.+][A-Za-z0-9_-]+)*)@([A-Za-z0-9.-]+)")
_LOCAL_LIMIT: Final = 64  # RFC 5321, section 4.5.3.1.1

# A North American number: area code and exchange begin with 2 to 9.
_PLAIN_PHONE: Final = re.compile(r"(\+1)?([2-9][0-9]{2}[2-9][0-9]{6})")
_WITHOUT_PHONE_SIGNS: Final = str.maketrans("", "", " ().-")


class Refused(Exception):
    """What was typed cannot be kept; ``message`` says what to do, in the language of whoever reads it."""

    def __init__(self, message: Message) -> None:
        """Keep ``message`` for the door that answers."""
        super().__init__(message.sentence)
        self.message = message


def clean_line(raw: str, *, limit: int) -> str:
    """Return one line as typed: NFC, white space in single spaces, nothing invisible but spelling. May be empty.

    Raises Refused over ``limit`` characters (code points, after cleaning).
    """
    if len(raw) > _FAR_TOO_LONG * limit:
        raise Refused(_too_long(limit))
    line = unicodedata.normalize("NFC", _REMOVED.sub("", raw))
    # Twice: marks that a joiner held apart change places when it goes, and may leave another one stray.
    for _ in range(2):
        line = unicodedata.normalize("NFC", _STRAY_JOINER.sub("", line))
    line = " ".join(line.split())
    if len(line) > limit:
        raise Refused(_too_long(limit))
    return line


def clean_name(raw: str) -> str:
    """Return a person's name as its owner writes it, in any script: one field, no change of case.

    Raises Refused where it has no letter, or has digits, symbols, markup or an address. The table in security.md keeps
    ``<script>`` or ``=HYPERLINK()`` "as name or organisation" literally; data/khmer-variants.json refuses ``<b>x</b>``
    as a person's name. An organisation's name goes through clean_line and is kept; nobody is called ``<b>``, and a
    person is asked again. Nothing is evaluated either way.
    """
    name = clean_line(raw, limit=NAME_LIMIT)
    if not name:
        raise Refused(_ENTER_NAME)
    folded = unicodedata.normalize("NFKC", name).casefold()
    if "@" in folded or _WEB_ADDRESS.search(folded):
        raise Refused(_NAME_NOT_ADDRESS)
    kinds = [unicodedata.category(character) for character in name if character not in _SIGNS_IN_NAMES]
    if not any(kind.startswith("L") for kind in kinds):
        raise Refused(_NAME_IN_LETTERS)
    if not all(kind == "Pd" or kind[0] in "LM" for kind in kinds):
        raise Refused(_NAME_IN_LETTERS)
    return name


def clean_email(raw: str) -> str:
    """Return one address to deliver to: what stands before the @ as typed, the domain in lower-case ASCII.

    Raises Refused for several addresses, controls inside (a header smuggled in), and what no relay would take.
    """
    typed = raw.strip()
    if len(typed) > _FAR_TOO_LONG * EMAIL_LIMIT or _CONTROL.search(typed):
        raise Refused(_FULL_EMAIL)
    address = to_latin_digits(unicodedata.normalize("NFKC", without_invisible(typed))).strip()
    if not address:
        raise Refused(_ENTER_EMAIL)
    plain = _PLAIN_EMAIL.fullmatch(address)
    if plain is not None and plain[2].lower() in LARGE_PROVIDERS and len(plain[1]) <= _LOCAL_LIMIT:
        # What the library below says of most addresses, in a tenth of the time: their domains are known.
        return f"{plain[1]}@{plain[2].lower()}"
    if len(_ADDRESS_LIKE.findall(address)) > 1:
        raise Refused(_ONE_EMAIL)
    # Not at the top of the module: 40 ms, and commands that clean nothing would wait for it.
    from email_validator import EmailNotValidError, validate_email

    try:
        valid = validate_email(address, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as fault:
        raise Refused(_FULL_EMAIL) from fault
    return f"{valid.local_part}@{valid.ascii_domain}"


def canonical_email(address: str) -> str:
    """Return the text whose HMAC is the index: equal for addresses of one mailbox. Never for delivery, never raises."""
    # Nearly all addresses are plain ASCII, for which the long way round says the same.
    folded = (address.lower() if address.isascii() else caseless(address)).strip()
    local, _, domain = folded.rpartition("@")
    owner, _, parent = domain.partition(".")
    if parent in NAMED_SUBDOMAINS and local:
        local, domain = owner, parent
    mailboxes = MAILBOXES.get(domain)
    if mailboxes is None or not local:
        return unicodedata.normalize("NFC", folded)
    base = local.partition("+")[0]
    if mailboxes.ignores_dots:
        base = base.replace(".", "")
    return unicodedata.normalize("NFC", f"{base.strip() or local}@{mailboxes.domain}")


def mail_domain(address: str) -> str:
    """Return the domain of ``address`` in lower case, or an empty text where there is none."""
    _, at, domain = address.rpartition("@")
    return domain.strip().lower() if at else ""


def clean_phone(raw: str, country: str) -> str:
    """Return a telephone number in E.164, read as dialled in ``country`` unless it begins with +.

    Raises Refused where nobody could have it. Possible is enough, for numbering plans grow faster than tables of them.
    An extension is left out: E.164 has none.
    """
    typed = to_latin_digits(unicodedata.normalize("NFKC", clean_line(raw, limit=NAME_LIMIT)))
    if not typed:
        raise Refused(_ENTER_PHONE)
    plain = _PLAIN_PHONE.fullmatch(typed.translate(_WITHOUT_PHONE_SIGNS))
    if plain is not None and (plain[1] or country in {"CA", "US"}) and len(set(plain[2])) > 1:
        # What the library below says of most numbers, in a tenth of the time.
        return f"+1{plain[2]}"
    # Not at the top of the module: 50 ms, and commands that clean nothing would wait for it.
    import phonenumbers

    try:
        number = phonenumbers.parse(typed, country if country in phonenumbers.SUPPORTED_REGIONS else None)
    except phonenumbers.NumberParseException as fault:
        raise Refused(_FULL_PHONE) from fault
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE or not _is_plausible(
        number.country_code, phonenumbers.national_significant_number(number)
    ):
        raise Refused(_FULL_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def name_key(name: str, postal_code: str | None) -> str:
    """Return a text that is equal for signatures likely to be one person's: a reason to look, never to refuse.

    In Khmer spaces are dropped, since few people type the same ones; elsewhere the words are put in order, since the
    family name comes first in Khmer and last in English.
    """
    return name_keys(name, postal_code)[1]


def name_keys(name: str, postal_code: str | None) -> tuple[str, str]:
    """Return ``name_key`` of a name alone, and with its postal code: comparing names is what costs."""
    key = comparison_key(name)
    key = key.replace(" ", "") if has_khmer(key) else " ".join(sorted(key.split()))
    # A key has no vertical bar, so no name can pretend to a postal code.
    return f"{key}|", f"{key}|{comparison_key(postal_code or '').replace(' ', '')}"


def _too_long(limit: int) -> Message:
    return message("Shorten this to %(limit)s characters or fewer", limit=limit)


def _is_plausible(country_code: int | None, number: str) -> bool:
    """Tell whether a national number is more than something typed to get past the field.

    The shortest in the world have four digits (Niue); in North America neither area nor exchange begins with 0 or 1.
    """
    if len(number) < 4 or len(set(number)) == 1:  # noqa: PLR2004 - said above
        return False
    return country_code != 1 or (number[0] > "1" and number[3] > "1")
