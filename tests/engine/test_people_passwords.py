"""A password must be long and hard to guess; nothing else is asked of it."""

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from engine.database import Database
from engine.people import accounts, logins, passwords
from engine.people.passwords import PasswordGuessable, PasswordRefused
from engine.people.tables import Account
from tests.conftest import PASSWORD, Cast

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
ABOUT = ("he.min", "何敏", "广州市住房和城乡建设局", "Housing Bureau of Guangzhou")


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "correct horse battery staple", "绿萝 台灯 1997 渡口 芒果", "tiger lantern 41", "no capitals here"],
)
def test_a_long_one_that_is_hard_to_guess_will_do_whatever_its_characters(password: str) -> None:
    passwords.check(password, about=ABOUT)


@pytest.mark.parametrize("password", ["", "Xk3!vq9Lm2#", "x7" * 65])
def test_one_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        passwords.check(password, about=ABOUT)
    assert not isinstance(refused.value, PasswordGuessable)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PASSWORD1234",
        "123456789012",
        "qwertyuiop12",
        "1qaz2wsx3edc",
        "iloveyou1234",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "he.min123456",
        "广州市住房和城乡建设局2026",
        "housing bureau of guangzhou",
    ],
)
def test_common_ones_repetitions_sequences_and_the_own_names_are_refused(password: str) -> None:
    with pytest.raises(PasswordGuessable):
        passwords.check(password, about=ABOUT)


def test_the_longest_is_judged_in_time() -> None:
    passwords.check("Zk3vq9-Lm2xxw8 " * 8, about=ABOUT)
    with pytest.raises(PasswordGuessable):
        passwords.check("a" * 128, about=ABOUT)


def test_no_account_has_no_password_that_is_right() -> None:
    assert not passwords.verify(None, "")
    assert not passwords.verify(None, PASSWORD)


def test_a_password_hashed_with_older_parameters_is_hashed_anew_at_the_next_log_in(
    database: Database, cast: Cast
) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with database.write() as session:
        session.get_one(Account, cast.guangzhou.account_id).password_hash = older

    assert logins.prove(database, "guangzhou", PASSWORD, address="192.0.2.1", now=NOW) == cast.guangzhou

    with database.read() as session:
        kept = session.get_one(Account, cast.guangzhou.account_id).password_hash
        assert kept != older
        assert not passwords.is_outdated(kept)
        assert accounts.authenticate(session, "guangzhou", PASSWORD) == cast.guangzhou
    logins.prove(database, "guangzhou", PASSWORD, address="192.0.2.1", now=NOW)
    with database.read() as session:
        assert session.get_one(Account, cast.guangzhou.account_id).password_hash == kept, "hashed anew for nothing"
