"""Settings come from the environment; an unusable one is refused in a sentence that names it."""

import stat
from pathlib import Path

import pytest

from web.settings import MailServer, SettingRefused, Settings


def test_with_only_a_data_folder_everything_else_has_its_default(tmp_path: Path) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path / "data")})
    assert settings.database_url == f"sqlite:///{tmp_path / 'data' / 'onboarding.db'}"
    assert (settings.host, settings.port, settings.trial, settings.https_only) == ("127.0.0.1", 8000, False, False)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_secret_key_is_made_once_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    first = Settings.from_environment({"DATA_DIR": str(tmp_path)})
    again = Settings.from_environment({"DATA_DIR": str(tmp_path)})
    assert first.secret_key == again.secret_key
    assert len(first.secret_key) == 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_secret_key_that_is_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path), "SECRET_KEY": "given"})
    assert settings.secret_key == "given"
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("short", ["postgres://u@db/x", "postgresql://u@db/x", "postgresql+psycopg://u@db/x"])
def test_every_spelling_of_a_postgresql_address_gets_the_driver_shipped(tmp_path: Path, short: str) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path), "DATABASE_URL": short})
    assert settings.database_url == "postgresql+psycopg://u@db/x"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hush@db/x"),
        ("TRIAL", "yes"),
        ("HTTPS_ONLY", "on"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("TRUSTED_PROXIES", "2"),
        ("TRUSTED_PROXIES", "proxy.example.cn"),
        ("ALLOWED_HOSTS", "https://onboarding.example.cn"),
        ("ALLOWED_HOSTS", "onboarding.example.cn:443"),
        ("MAX_REQUEST_MB", "0"),
        ("TICK_SECONDS", "0.5"),
    ],
)
def test_an_unusable_setting_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=name) as refusal:
        Settings.from_environment({"DATA_DIR": str(tmp_path), name: value})
    assert "hush" not in refusal.value.text.zh + refusal.value.text.en


@pytest.mark.parametrize(
    ("environ", "https_only"),
    [
        ({}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "0.0.0.0", "TRIAL": "1"}, False),
        ({"PUBLIC_URL": "https://onboarding.example.cn"}, True),
        ({"HOST": "0.0.0.0", "HTTPS_ONLY": "0"}, False),
        ({"HTTPS_ONLY": "1"}, True),
    ],
    ids=["this machine", "a network", "a trial", "a public address", "said not", "said so"],
)
def test_cookies_go_over_https_only_but_in_a_trial_and_on_this_machine(
    tmp_path: Path, environ: dict[str, str], https_only: bool
) -> None:
    assert Settings.from_environment({"DATA_DIR": str(tmp_path), **environ}).https_only is https_only


def test_hosts_are_those_named_or_that_of_the_public_address(tmp_path: Path) -> None:
    def hosts(**environ: str) -> tuple[str, ...]:
        return Settings.from_environment({"DATA_DIR": str(tmp_path), **environ}).allowed_hosts

    public = "https://onboarding.example.cn:8443"
    assert hosts() == ()
    assert hosts(PUBLIC_URL=public) == ("onboarding.example.cn", "localhost", "127.0.0.1")
    assert hosts(PUBLIC_URL=public, ALLOWED_HOSTS="A.example.cn, .b.cn") == ("a.example.cn", ".b.cn")


MAIL_FROM = "platform@gd.example.cn"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.cn", MailServer("mail.example.cn", 587, "starttls", MAIL_FROM)),
        ("smtp://mail.example.cn:2525?tls=none", MailServer("mail.example.cn", 2525, "none", MAIL_FROM)),
        ("smtps://u%40x:p%3Aw@mail.example.cn", MailServer("mail.example.cn", 465, "smtps", MAIL_FROM, "u@x", "p:w")),
    ],
)
def test_a_mail_server_is_one_address(tmp_path: Path, url: str, server: MailServer) -> None:
    environ = {"DATA_DIR": str(tmp_path), "SMTP_URL": url, "MAIL_FROM": MAIL_FROM}
    settings = Settings.from_environment(environ)
    assert settings.mail == server
    assert "p:w" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("SMTP_URL", {"SMTP_URL": "http://u:hush@mail.example.cn", "MAIL_FROM": MAIL_FROM}),
        ("SMTP_URL", {"SMTP_URL": "smtp://u:hush@mail.example.cn?tls=maybe", "MAIL_FROM": MAIL_FROM}),
        ("SMTP_URL", {"SMTP_URL": "smtp://u:hush@mail.example.cn:port", "MAIL_FROM": MAIL_FROM}),
        ("SMTP_URL", {"SMTP_URL": "smtp://u:hush@/", "MAIL_FROM": MAIL_FROM}),
        ("MAIL_FROM", {"SMTP_URL": "smtp://u:hush@mail.example.cn"}),
        ("MAIL_FROM", {"SMTP_URL": "smtp://mail.example.cn", "MAIL_FROM": "a@b.cn\r\nBcc: c@d.cn"}),
        ("PUBLIC_URL", {"PUBLIC_URL": "onboarding.example.cn"}),
        ("PRIVATE_WEBHOOKS", {"PRIVATE_WEBHOOKS": "yes"}),
    ],
)
def test_unusable_ways_out_are_refused_by_name(tmp_path: Path, name: str, environ: dict[str, str]) -> None:
    with pytest.raises(SettingRefused, match=name) as refusal:
        Settings.from_environment({"DATA_DIR": str(tmp_path), **environ})
    assert "hush" not in refusal.value.text.zh + refusal.value.text.en


def test_the_keyring_comes_from_one_place_only_and_is_not_shown(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path), "KEYRING": "a:secret"}
    assert Settings.from_environment(given).keyring == "a:secret"
    with pytest.raises(SettingRefused) as refusal:
        Settings.from_environment({**given, "KEYRING_FILE": str(tmp_path / "keyring")})
    assert "secret" not in str(refusal.value)
