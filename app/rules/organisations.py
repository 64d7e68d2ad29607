"""Organisations: what kinds there are, what shows that a mailbox is theirs, and whom a domain can be taken for."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.i18n import Message, message
from app.rules.khmer import caseless, comparison_key
from app.rules.life import CONFIRMING_GRACE
from app.rules.limits import LARGE_PROVIDERS
from app.rules.mailboxes import MAILBOXES, RELAYS, is_throwaway
from app.rules.normalise import Refused, clean_line, mail_domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import icu
    from publicsuffixlist import PublicSuffixList

#: What an organisation can say that it is, in the order of the form.
KINDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "ngo": message("Non-governmental organisation"),
        "community": message("Community association"),
        "union": message("Trade union"),
        "religious": message("Religious organisation"),
        "network": message("Network or coalition"),
        "academic": message("School or university"),
        "media": message("Media"),
        "party": message("Political party"),
        "business": message("Business"),
        "other": message("Another kind of organisation"),
    }
)
#: The states of a campaign in which an organisation's form may be confirmed. The dates end it as they end signing, but
#: do not hold it back: one that signed under embargo, before the opening, confirms when its letter comes.
CONFIRMABLE_STATES: Final = frozenset({"embargoed", "scheduled", "open", "closed"})
WEBSITE_LIMIT: Final = 500

#: Who gives mailboxes to everybody, or to every customer, beside those of app/rules/limits.py and mailboxes.py. A
#: mailbox there shows nothing about whose website stands at the domain. A list is never complete: `find_resembled` and
#: who decides look at what it misses.
PUBLIC_MAILBOXES: Final = frozenset(
    {
        # For activists, and for privacy.
        *("riseup.net", "disroot.org", "autistici.org", "inventati.org", "systemli.org", "systemausfall.org"),
        *("so36.net", "aktivix.org", "resist.ca", "mutualaid.org", "espiv.net", "no-log.org", "nadir.org", "cock.li"),
        *("airmail.cc", "posteo.de", "posteo.net", "posteo.org", "posteo.eu", "mailbox.org", "mailfence.com"),
        *("runbox.com", "startmail.com", "countermail.com", "ctemplar.com", "hushmail.com", "hush.com", "skiff.com"),
        *("tutanota.de", "tutamail.com", "keemail.me", "kolabnow.com", "migadu.com", "purelymail.com", "soverin.net"),
        *("vivaldi.net", "murena.io", "ecloud.global", "e.email"),
        # For everybody.
        *("inbox.com", "email.com", "usa.com", "post.com", "europe.com", "consultant.com", "myself.com", "iname.com"),
        *("engineer.com", "writeme.com", "asia.com", "mail2world.com", "lycos.com", "excite.com", "juno.com"),
        *("netzero.net", "zohomail.com", "zohomail.in", "fastmail.net", "fastmail.org", "hey.world", "atomicmail.io"),
        *("mail.ee", "onet.eu", "mail.ru", "bk.ru", "list.ru", "inbox.ru", "internet.ru", "rambler.ru", "ukr.net"),
        *("i.ua", "meta.ua", "abv.bg", "foxmail.com", "sina.com", "sina.cn", "sohu.com", "yeah.net", "aliyun.com"),
        *("139.com", "189.cn", "hanmail.net", "daum.net", "nate.com", "kakao.com", "docomo.ne.jp", "ezweb.ne.jp"),
        *("softbank.ne.jp", "hinet.net", "pchome.com.tw", "interia.pl", "wp.pl", "o2.pl", "onet.pl", "libero.it"),
        *("virgilio.it", "tiscali.it", "alice.it", "uol.com.br", "bol.com.br", "terra.com.br", "walla.co.il"),
        *("freenet.de", "t-online.de", "arcor.de", "email.de", "freemail.hu"),
        # Cambodia and its neighbours.
        *("ezecom.com.kh", "everyday.com.kh", "camnet.com.kh", "camintel.com", "bigpond.com.kh", "citylink.com.kh"),
        *("forum.org.kh", "mobitel.com.kh", "cellcard.com.kh", "metfone.com.kh", "smart.com.kh", "opennet.com.kh"),
        *("cogetel.com.kh", "sinet.com.kh", "wicam.com.kh", "angkornet.com.kh", "telesurf.com.kh", "vnn.vn"),
        *("fpt.vn", "loxinfo.co.th", "truemail.co.th", "csloxinfo.com", "thaimail.com", "laotel.com"),
        *("singnet.com.sg", "starhub.net.sg", "pacific.net.sg", "streamyx.com", "tm.net.my", "pldtdsl.net"),
        *("telkom.net", "myanmar.com.mm"),
        # Canada.
        *("bell.ca", "aliant.net", "bellaliant.net", "nb.sympatico.ca", "nf.sympatico.ca", "ns.sympatico.ca"),
        *("teksavvy.com", "distributel.net", "primus.ca", "videotron.com", "videotron.qc.ca", "cgocable.ca"),
        *("mtsmail.ca", "mymts.net", "telusplanet.net", "shawcable.com", "sourcecable.net", "execulink.com"),
        *("xplornet.com", "xplornet.ca", "tbaytel.net", "ebox.ca", "oricom.ca", "cooptel.qc.ca", "globetrotter.net"),
        *("axion.ca", "vianet.ca", "persona.ca", "northwestel.net", "rogers.blackberry.net", "fido.ca", "magma.ca"),
        *("look.ca", "istar.ca", "ncf.ca", "vif.com", "web.ca", "start.ca"),
        # The United States.
        *("xfinity.com", "optonline.net", "optimum.net", "rr.com", "roadrunner.com", "twc.com", "spectrum.net"),
        *("frontier.com", "frontiernet.net", "windstream.net", "centurylink.net", "embarqmail.com", "q.com"),
        *("qwest.net", "ameritech.net", "pacbell.net", "prodigy.net", "swbell.net", "flash.net", "snet.net"),
        *("nvbell.net", "mindspring.com", "suddenlink.net", "cableone.net", "wowway.com", "wideopenwest.com"),
        *("rcn.com", "mediacombb.net", "hawaiiantel.net", "tds.net", "peoplepc.com", "netscape.net", "netscape.com"),
        *("cs.com", "compuserve.com", "myfairpoint.net", "gci.net", "sonic.net", "speakeasy.net", "igc.org"),
        *("panix.com", "well.com"),
        # Australia and New Zealand.
        *("bigpond.net", "telstra.com", "optusnet.com", "ozemail.com.au", "internode.on.net", "adam.com.au"),
        *("westnet.com.au", "dodo.com.au", "aapt.net.au", "exetel.com.au", "netspace.net.au", "iprimus.com.au"),
        *("aussiebroadband.com.au", "bluebottle.com", "spin.net.au", "aanet.com.au", "chariot.net.au", "tpgi.com.au"),
        *("myacn.net.au", "slingshot.co.nz", "orcon.net.nz", "clear.net.nz", "vodafone.co.nz", "paradise.net.nz"),
        *("ihug.co.nz", "actrix.co.nz", "inspire.net.nz"),
        # The United Kingdom and Ireland.
        *("btinternet.com", "btopenworld.com", "bt.com", "sky.com", "virginmedia.com", "virgin.net", "ntlworld.com"),
        *("blueyonder.co.uk", "talktalk.net", "tiscali.co.uk", "plusnet.com", "plus.net", "plus.com", "ee.co.uk"),
        *("orange.net", "o2.co.uk", "fsmail.net", "freeserve.co.uk", "lineone.net", "zen.co.uk", "demon.co.uk"),
        *("force9.co.uk", "onetel.com", "supanet.com", "uwclub.net", "waitrose.com", "tesco.net", "gn.apc.org"),
        *("eircom.net", "iol.ie"),
        # France, Belgium, Switzerland.
        *("bouyguestelecom.fr", "bbox.com", "aliceadsl.fr", "club-internet.fr", "noos.fr", "cegetel.net"),
        *("9online.fr", "voila.fr", "caramail.com", "netcourrier.com", "mailo.com", "mailo.eu", "mailoo.org"),
        *("zaclys.net", "zaclys.com", "ouvaton.org", "infini.fr", "gandi.net", "nordnet.fr", "tele2.fr"),
        *("dartybox.com", "libertysurf.fr", "worldonline.fr", "chez.com", "ifrance.com", "lilo.org", "lavache.com"),
        *("proximus.be", "telenet.be", "scarlet.be", "voo.be", "belgacom.net", "brutele.be", "bluemail.ch"),
        *("hispeed.ch", "sunrise.ch", "swissonline.ch", "vtxnet.ch", "infomaniak.com", "ik.me", "ikmail.com"),
        *("etik.com", "romandie.com", "netplus.ch"),
        # India.
        *("rediffmail.com", "rediff.com", "indiatimes.com", "sify.com", "vsnl.com", "vsnl.net", "bsnl.in"),
        *("bsnl.co.in", "airtelmail.in", "airtelmail.com", "mtnl.net.in", "dataone.in", "sancharnet.in", "in.com"),
        *("jio.com", "eth.net"),
        # The Czech Republic and Slovakia.
        *("seznam.cz", "email.cz", "post.cz", "spoluzaci.cz", "centrum.cz", "centrum.sk", "atlas.cz", "volny.cz"),
        *("tiscali.cz", "quick.cz", "iol.cz", "o2active.cz", "upcmail.cz", "klikni.cz", "pobox.sk", "azet.sk"),
        *("zoznam.sk", "post.sk"),
    }
)
#: The first label of providers that give mailboxes under many endings.
_MANY_ENDINGS: Final = frozenset(
    {
        *("gmail", "googlemail", "yahoo", "ymail", "rocketmail", "hotmail", "outlook", "windowslive", "msn", "aol"),
        *("gmx", "yandex", "proton", "protonmail", "tutanota", "posteo", "riseup", "rediffmail", "mailinator"),
        "yopmail",
    }
)
#: Where many have their pages under one name: what is registered says nothing of any of them.
SHARED_SITES: Final = frozenset(
    {
        *("facebook.com", "fb.com", "fb.me", "instagram.com", "twitter.com", "x.com", "youtube.com", "youtu.be"),
        *("tiktok.com", "linkedin.com", "google.com", "goo.gl", "t.me", "telegram.me", "telegram.org", "linktr.ee"),
        *("medium.com", "wordpress.com", "blogspot.com", "wixsite.com", "weebly.com", "github.com", "change.org"),
        *("whatsapp.com", "wa.me", "canalblog.com", "helloasso.com", "bit.ly", "carrd.co", "substack.com", "vk.com"),
        *("patreon.com", "gofundme.com"),
    }
)

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ENTER_WEBSITE: Final = message("Enter the address of its website, like www.example.org")
#: Labels shorter than this are one change away from too many others.
_LEAST_COMPARED: Final = 4
_TWO_CHANGES_FROM: Final = 8


def organisation_key(name: str) -> str:
    """Return a text that is equal for spellings of one organisation's name; never empty for a name that is not."""
    return comparison_key(name) or caseless(name)


def looks_of(name: str, names: Mapping[str, str]) -> frozenset[str]:
    """Return texts of which two organisations share one where a name of theirs looks the same, or is.

    Letters that look alike count as one (Unicode's table), and spaces as nothing.
    """
    keys = (organisation_key(each) for each in (name, *names.values()) if each)
    return frozenset(caseless(_see(key)).replace(" ", "") for key in keys)


def can_confirm(state: str, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether a form that an organisation sent in time may be confirmed at ``now``: until 24 hours after closing.

    Under embargo, too, where forms come from the private link alone. A campaign marked as closed that has no closing
    date was closed by hand, at once and without the grace.
    """
    if state == "embargoed":
        return True
    if state not in CONFIRMABLE_STATES or (state == "closed" and closes_at is None):
        return False
    return closes_at is None or now < closes_at + CONFIRMING_GRACE


def clean_website(raw: str) -> str:
    """Return the address of a website as it can be linked to, with its scheme, or an empty text where none was given.

    Raises Refused for what is no web address: another scheme, a name without a dot, a user, a port that is none.
    """
    typed = clean_line(raw, limit=WEBSITE_LIMIT)
    if not typed:
        return ""
    if not typed.casefold().startswith(("http://", "https://")):
        if _SCHEME.match(typed) and not re.match(r"[^:/]+:\d+(?:/|$)", typed):
            raise Refused(_ENTER_WEBSITE)
        typed = f"https://{typed}"
    # What is looked at is what is linked to: other forms of a letter become it here.
    typed = unicodedata.normalize("NFKC", typed)
    try:
        parts = urlsplit(typed)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        raise Refused(_ENTER_WEBSITE) from None
    if host is None or parts.username is not None or re.search(r"[\s\"'<>\\^`{|}]", typed):
        raise Refused(_ENTER_WEBSITE)
    place = host if port is None else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    website = f"{parts.scheme.lower()}://{place}{parts.path}{query}"
    if len(website) > WEBSITE_LIMIT:
        raise Refused(_ENTER_WEBSITE)
    return website


def website_domain(website: str | None) -> str | None:
    """Return the part of a website's name that somebody registered, in lower-case ASCII; None where there is none.

    Where a host gives names away under its own, as github.io does, that is what somebody registered.
    """
    if not website:
        return None
    try:
        name = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return None
    return registrable(name)


def registrable(name: str) -> str | None:
    """Return the part of a host's name that somebody registered, by the public suffix list, or None."""
    host = _ascii_host(name)
    found = None if host is None else _suffixes().privatesuffix(host)
    return None if found is None else str(found)


def proves_domain(email: str, website: str | None) -> bool:
    """Tell whether a mailbox is at the domain of the website, and that domain gives no mailboxes to everybody."""
    mailbox = mail_domain(email)
    own = registrable(mailbox)
    if own is None or own != website_domain(website):
        return False
    return not (_gives_mailboxes(mailbox) or is_shared(own))


def is_shared(domain: str) -> bool:
    """Tell whether people who have nothing to do with each other are at ``domain``, with mailboxes or with pages."""
    return domain in SHARED_SITES or _gives_mailboxes(domain)


def find_resembled(domain: str, others: Iterable[str]) -> str | None:
    """Return the first of ``others`` that ``domain`` can be taken for, or None; it is never taken for itself.

    Letters that look alike (Unicode's table), another ending, words added with hyphens, one or two letters changed.
    Somebody has to look at what this finds: two honest organisations may well have names like that.
    """
    label, ending = _split(domain)
    look = _skeleton(label)
    for other in sorted(set(others) - {domain}):
        known, known_ending = _split(other)
        if look == _skeleton(known):
            # The same word: elsewhere, or in letters that look the same here.
            return other
        if min(len(label), len(known)) < _LEAST_COMPARED:
            continue
        if _has_words_added(label, known) or _is_near(look, _skeleton(known)):
            return other
        if ending == known_ending and look.replace("-", "") == _skeleton(known).replace("-", ""):
            return other
    return None


def _gives_mailboxes(domain: str) -> bool:
    is_known = any(domain in each for each in (LARGE_PROVIDERS, MAILBOXES, RELAYS, PUBLIC_MAILBOXES))
    return is_known or domain.partition(".")[0] in _MANY_ENDINGS or is_throwaway(domain)


def _has_words_added(label: str, known: str) -> bool:
    words, fewer = sorted((label.split("-"), known.split("-")), key=len, reverse=True)
    return len(words) > len(fewer) and set(fewer) <= set(words)


def _is_near(one: str, other: str) -> bool:
    """Tell whether one or two letters changed, added, left out or exchanged make ``other`` of ``one``."""
    limit = 1 if min(len(one), len(other)) < _TWO_CHANGES_FROM else 2
    if abs(len(one) - len(other)) > limit:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        earlier, before, row = before, row, [place]
        for column, its in enumerate(other, 1):
            least = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != its))
            if place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == its:
                least = min(least, earlier[column - 2] + 1)
            row.append(least)
        if min(row) > limit:
            return False
    return row[-1] <= limit


def _split(domain: str) -> tuple[str, str]:
    """Return a registered name without its ending, in the letters that people see, and the ending."""
    label, _, ending = domain.partition(".")
    if label.startswith("xn--"):
        import idna

        with suppress(idna.IDNAError):  # a label that nobody can see as letters
            label = idna.decode(label)
    return label, ending


def _skeleton(label: str) -> str:
    return _see(caseless(label))


def _see(text: str) -> str:
    return str(_checker().getSkeleton(0, text))


def _ascii_host(name: str) -> str | None:
    """Return a host's name in lower-case ASCII, or None for what is no name with a dot in it."""
    import idna

    try:
        host = idna.encode(name.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    last = host.rpartition(".")[2]
    # Browsers read a name that ends in a number, as 0x7f is one, as an address.
    return host if "." in host and not last.isdigit() and not last.startswith("0x") else None


# Neither at the top of the module: reading them takes a tenth of a second, and only who looks at a domain waits for it.
@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@cache
def _checker() -> icu.SpoofChecker:
    import icu

    return icu.SpoofChecker()
