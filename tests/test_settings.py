"""Settings are read once; a bad one is named, all bad ones at once, and no password is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import BadSettingsError, Settings, list_unknown_settings

SECRET = "s3cr3t"


def test_settings_without_an_environment_are_the_documented_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert (settings.database_url, settings.base_url) == ("sqlite:///data/hatthalekha.db", "http://127.0.0.1:8000")
    assert (settings.default_locale, settings.timezone, settings.keys_dir) == (
        "km",
        "America/Toronto",
        Path("data/keys"),
    )
    assert settings.smtp_url is settings.valkey_url is None
    assert settings.mail_from == "Hatthalekha <no-reply@localhost>"
    assert settings.trusted_proxies == ()


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("DATABASE_URL", "postgres://u:p@db.example/name", "postgresql://u:p@db.example/name"),
        ("DATABASE_URL", "postgresql+asyncpg://db/name", "postgresql://db/name"),
        ("DATABASE_URL", "sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("BASE_URL", " https://Example.org/ ", "https://example.org"),
        ("BASE_URL", "http://[::1]:8001", "http://[::1]:8001"),
        ("SMTP_URL", "smtp://user:p%2Fss%40@relay.example:587", "smtp://user:p%2Fss%40@relay.example:587"),
        ("MAIL_FROM", "ហត្ថលេខា <no-reply@example.org>", "ហត្ថលេខា <no-reply@example.org>"),
        ("DEFAULT_LOCALE", "fr", "fr"),
        ("TIMEZONE", "Asia/Phnom_Penh", "Asia/Phnom_Penh"),
        ("SMTP_URL", "  ", None),
    ],
)
def test_a_good_setting_is_kept(name: str, given: str, kept: str | None) -> None:
    settings = Settings.from_environment({f"HATTHALEKHA_{name}": given})
    assert getattr(settings, name.lower()) == kept


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@db/name"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@db"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}#x@db:5432/name"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@db:many/name"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///data/x.db?mode=ro"),
        ("BASE_URL", "petitions.example.org"),
        ("BASE_URL", "ftp://example.org"),
        ("BASE_URL", "https://example.org/petitions"),
        ("BASE_URL", "https://example.org?x=1"),
        ("BASE_URL", "https://example.org:https"),
        ("BASE_URL", f"https://admin:{SECRET}@example.org"),
        ("SMTP_URL", f"http://u:{SECRET}@relay"),
        ("SMTP_URL", f"smtp://u:{SECRET}#1@relay:25"),
        ("SMTP_URL", f"smtp://u:{SECRET}/1@relay:25"),
        ("SMTP_URL", f"smtp://u:{SECRET}℀@relay:25"),
        ("SMTP_URL", f"smtp://u:{SECRET}@relay:port"),
        ("SMTP_URL", "smtp://"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b.org\nBcc: c@d.org"),
        ("MAIL_FROM", "ឈ្មោះ@example.org"),
        ("VALKEY_URL", f"http://:{SECRET}@cache"),
        ("DEFAULT_LOCALE", "de"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../etc/passwd"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
    ],
)
def test_a_bad_setting_is_named_and_its_password_is_not_repeated(name: str, given: str) -> None:
    with pytest.raises(BadSettingsError) as refused:
        Settings.from_environment({f"HATTHALEKHA_{name}": given})
    (fault,) = refused.value.faults
    assert fault.startswith(f"HATTHALEKHA_{name} ")
    assert "\n" not in fault
    assert SECRET not in fault


def test_all_bad_settings_are_named_at_once() -> None:
    bad = {"HATTHALEKHA_TIMEZONE": "x", "HATTHALEKHA_BASE_URL": "x", "HATTHALEKHA_DEFAULT_LOCALE": "x"}
    with pytest.raises(BadSettingsError) as refused:
        Settings.from_environment(bad)
    assert {fault.partition(" ")[0] for fault in refused.value.faults} == set(bad)


def test_trusted_proxies_are_addresses_and_networks() -> None:
    settings = Settings.from_environment({"HATTHALEKHA_TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.1,2001:db8::/32,"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]


def test_the_port_completes_only_a_base_url_that_is_unset() -> None:
    assert Settings.from_environment({}, port=9001).base_url == "http://127.0.0.1:9001"
    given = {"HATTHALEKHA_BASE_URL": "https://example.org"}
    assert Settings.from_environment(given, port=9001).base_url == "https://example.org"


@pytest.mark.parametrize(
    ("url", "is_local", "is_secure"),
    [
        ("http://127.0.0.1:8000", True, False),
        ("http://localhost", True, False),
        ("http://[::1]:8000", True, False),
        ("https://example.org", False, True),
        ("https://localhost.example.org", False, True),
    ],
)
def test_only_loopback_names_are_local(url: str, is_local: bool, is_secure: bool) -> None:  # noqa: FBT001 - a table
    settings = Settings(base_url=url)
    assert (settings.is_local, settings.is_secure) == (is_local, is_secure)


def test_settings_show_no_password_when_printed() -> None:
    settings = Settings(smtp_url=f"smtp://u:{SECRET}@relay", valkey_url=f"valkey://:{SECRET}@cache")
    assert SECRET not in repr(settings)
    assert SECRET not in repr(Settings(database_url=f"postgresql://u:{SECRET}@db/name"))


def test_names_that_are_no_setting_are_listed() -> None:
    environment = {"HATTHALEKHA_BASEURL": "x", "HATTHALEKHA_TIMEZONE": "x", "HATTHALEKHA_PORT": "1", "HOME": "/"}
    assert list_unknown_settings(environment) == ["HATTHALEKHA_BASEURL"]
