"""Logging in is throttled by who tries from where; changing a password ends the other sessions; sessions expire."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.audit.tables import SystemEvent
from engine.database import Database
from engine.people import logins, sessions, throttling
from engine.people.accounts import WrongCredentials
from engine.people.logins import OldPasswordWrong
from engine.people.passwords import PasswordGuessable, PasswordSame
from engine.people.tables import LoginSession, Throttle
from engine.people.throttling import FREE_ATTEMPTS, Rate, TooOften, source
from tests.conftest import PASSWORD, Cast

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
NEW = "tiger lantern 41"


def fails(database: Database, times: int, *, username: str = "guangzhou", address: str = ELSEWHERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            logins.prove(database, username, "wrong", address=address, now=NOW)


def kinds(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(SystemEvent.kind).order_by(SystemEvent.sequence)))


class TestThrottling:
    def test_after_a_few_failures_one_waits_even_with_the_right_password(self, database: Database, cast: Cast) -> None:
        fails(database, FREE_ATTEMPTS)
        with pytest.raises(TooOften) as refused:
            logins.prove(database, "guangzhou", PASSWORD, address=ELSEWHERE, now=NOW)
        assert refused.value.seconds == 10
        later = NOW + timedelta(seconds=10)
        assert logins.prove(database, "guangzhou", PASSWORD, address=ELSEWHERE, now=later) == cast.guangzhou

    def test_who_tries_somebodys_password_elsewhere_does_not_lock_that_person_out(
        self, database: Database, cast: Cast
    ) -> None:
        fails(database, FREE_ATTEMPTS)
        assert logins.prove(database, "guangzhou", PASSWORD, address=HOME, now=NOW) == cast.guangzhou

    def test_a_colleague_at_the_same_address_logs_in_undisturbed(self, database: Database, cast: Cast) -> None:
        fails(database, FREE_ATTEMPTS, address=HOME)
        assert logins.prove(database, "guangzhou2", PASSWORD, address=HOME, now=NOW) == cast.guangzhou_colleague

    def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(self, database: Database) -> None:
        waits, moment = list[int](), NOW
        for _ in range(14):
            with database.write() as session:
                try:
                    throttling.attempt(session, "a test", now=moment)
                except TooOften as refused:
                    waits.append(refused.seconds)
                    moment += timedelta(seconds=refused.seconds)
                    throttling.attempt(session, "a test", now=moment)
        assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]

    def test_a_day_later_failures_are_forgotten(self, database: Database) -> None:
        for moment in (NOW, NOW + timedelta(days=1, minutes=1)):
            with database.write() as session:
                for _ in range(FREE_ATTEMPTS):
                    throttling.attempt(session, "a test", now=moment)
                with pytest.raises(TooOften):
                    throttling.attempt(session, "a test", now=moment)

    def test_a_success_starts_the_count_afresh(self, database: Database) -> None:
        with database.write() as session:
            for _ in range(3):
                for _ in range(FREE_ATTEMPTS - 1):
                    throttling.attempt(session, "a test", now=NOW)
                throttling.succeeded(session, "a test")

    def test_a_rate_lets_a_burst_through_and_then_one_at_a_time(self, database: Database) -> None:
        rate = Rate(burst=3, every=timedelta(seconds=20))
        with database.write() as session:
            for _ in range(3):
                throttling.take(session, rate, "a test", now=NOW)
            with pytest.raises(TooOften) as refused:
                throttling.take(session, rate, "a test", now=NOW + timedelta(seconds=5))
            assert refused.value.seconds == 15
            throttling.take(session, rate, "another", now=NOW)
            throttling.take(session, rate, "a test", now=NOW + timedelta(seconds=20))
            with pytest.raises(TooOften):
                throttling.take(session, rate, "a test", now=NOW + timedelta(seconds=20))

    def test_who_tries_many_names_from_one_address_is_slowed_down_too(self, database: Database) -> None:
        with database.write() as session:
            for _ in range(logins.FROM_ONE_ADDRESS.burst):
                throttling.take(session, logins.FROM_ONE_ADDRESS, "log in from", ELSEWHERE, now=NOW)
        with pytest.raises(TooOften):
            logins.prove(database, "one more", "wrong", address=ELSEWHERE, now=NOW)
        fails(database, 1, address=HOME)

    def test_logging_in_rightly_counts_against_nobody(self, database: Database, cast: Cast) -> None:
        logins.prove(database, "guangzhou", PASSWORD, address=HOME, now=NOW)
        with database.read() as session:
            assert [row.until for row in session.scalars(select(Throttle))] == [NOW]

    def test_many_at_once_are_let_through_no_more_often_than_one_after_the_other(self, database: Database) -> None:
        def tries(_: int) -> bool:
            try:
                with database.write() as session:
                    throttling.attempt(session, "a test", now=NOW)
            except TooOften:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(tries, range(8))) == FREE_ATTEMPTS

    def test_what_was_typed_is_not_kept(self, database: Database) -> None:
        fails(database, 1, username="my password, mistyped here")
        with database.read() as session:
            assert all("mistyped" not in row.key for row in session.scalars(select(Throttle)))

    @pytest.mark.parametrize(
        ("one", "other", "alike"),
        [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("192.0.2.1", "192.0.2.2", False),
            ("unknown", "unknown", True),
        ],
    )
    def test_an_ipv6_subscriber_counts_as_one(self, one: str, other: str, alike: bool) -> None:
        assert (source(one) == source(other)) is alike


class TestChangingAPassword:
    def change(self, database: Database, cast: Cast, *, old: str = PASSWORD, new: str = NEW, keep: str = "") -> None:
        logins.change_password(
            database, cast.guangzhou, old=old, new=new, keep=keep, address=HOME, tell=lambda *_: None, now=NOW
        )

    def test_the_new_one_counts_and_the_old_one_no_more(self, database: Database, cast: Cast) -> None:
        self.change(database, cast)
        assert logins.prove(database, "guangzhou", NEW, address=HOME, now=NOW) == cast.guangzhou
        with pytest.raises(WrongCredentials):
            logins.prove(database, "guangzhou", PASSWORD, address=HOME, now=NOW)
        assert kinds(database)[-2:] == ["password_changed", "login_failed"]

    def test_the_old_one_is_no_new_one(self, database: Database, cast: Cast) -> None:
        with pytest.raises(PasswordSame):
            self.change(database, cast, new=PASSWORD)

    def test_every_other_session_of_the_account_ends(self, database: Database, cast: Cast) -> None:
        with database.write() as session:
            here, there, somebody_else = (
                sessions.begin(session, whose.account_id, agent="", address=HOME, now=NOW)
                for whose in (cast.guangzhou, cast.guangzhou, cast.guangzhou_colleague)
            )
        self.change(database, cast, keep=here)
        with database.read() as session:
            assert sessions.find(session, here, NOW)
            assert not sessions.find(session, there, NOW)
            assert sessions.find(session, somebody_else, NOW)

    def test_the_old_one_is_asked_for_and_guessing_it_is_throttled(self, database: Database, cast: Cast) -> None:
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(OldPasswordWrong):
                self.change(database, cast, old="wrong")
        with pytest.raises(TooOften):
            self.change(database, cast)

    def test_a_bad_new_one_is_refused_and_changes_nothing(self, database: Database, cast: Cast) -> None:
        with pytest.raises(PasswordGuessable):
            self.change(database, cast, new="guangzhou1234")
        assert logins.prove(database, "guangzhou", PASSWORD, address=HOME, now=NOW) == cast.guangzhou


class TestSessions:
    @pytest.fixture
    def begin(self, database: Database, cast: Cast) -> Callable[[datetime], str]:
        def begun(now: datetime) -> str:
            with database.write() as session:
                return sessions.begin(session, cast.guangzhou.account_id, agent="x" * 400, address=HOME, now=now)

        return begun

    def is_alive(self, database: Database, token: str, now: datetime) -> bool:
        with database.read() as session:
            return sessions.find(session, token, now) is not None

    def test_one_ends_when_it_is_not_used_for_long(self, database: Database, begin: Callable[[datetime], str]) -> None:
        token = begin(NOW)
        assert self.is_alive(database, token, NOW + sessions.IDLE - timedelta(seconds=1))
        assert not self.is_alive(database, token, NOW + sessions.IDLE)

    def test_one_ends_after_a_week_however_much_it_is_used(
        self, database: Database, begin: Callable[[datetime], str]
    ) -> None:
        token = begin(NOW)
        end = NOW + sessions.LONGEST
        with database.write() as session:
            (entry,) = sessions.listed(session, _account(session), token, NOW)
            sessions.seen(session, entry.id, end - timedelta(minutes=1))
        assert self.is_alive(database, token, end - timedelta(seconds=1))
        assert not self.is_alive(database, token, end)

    def test_the_database_does_not_hold_what_the_browser_holds(
        self, database: Database, begin: Callable[[datetime], str]
    ) -> None:
        token = begin(NOW)
        with database.read() as session:
            row = session.scalars(select(LoginSession)).one()
        assert token not in {row.id, row.token_hash}
        assert not self.is_alive(database, row.token_hash, NOW)

    def test_ended_ones_leave_no_rows(self, database: Database, begin: Callable[[datetime], str]) -> None:
        begin(NOW)
        begin(NOW + sessions.IDLE)
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


def _account(session: Session) -> str:
    return session.scalars(select(LoginSession)).one().account_id
