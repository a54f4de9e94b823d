"""An account's own e-mail address: confirmed by a link, used when the password is forgotten, told of changes."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine import clock
from engine.audit.tables import SystemEvent
from engine.membership import own_address
from engine.membership.forgotten import FOR_ONE_ACCOUNT, FROM_ONE_ADDRESS, ask_for_link
from engine.membership.own_address import LETTERS, ConfirmationSpent, EmailRefused
from engine.membership.safety import of_new_password
from engine.people import accounts, logins, management, sessions
from engine.people.accounts import Actor
from engine.people.management import LinkSpent
from engine.people.tables import Account, EmailConfirmation, OneTimeLink
from engine.people.throttling import TooOften
from engine.runtime.runtime import Runtime
from tests.conftest import PASSWORD, Cast
from tests.engine.membership.newcomers import letters

HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"
NEW = "tiger lantern 41"


def token_in(path: str) -> str:
    return path.rsplit("/", 1)[1]


def has_address(runtime: Runtime, actor: Actor, address: str) -> None:
    with runtime.database.write() as session:
        session.get_one(Account, actor.account_id).email = address


def address_of(runtime: Runtime, actor: Actor) -> str | None:
    with runtime.database.read() as session:
        return session.get_one(Account, actor.account_id).email


def forgets(runtime: Runtime, who: str, *, address: str = HERE) -> None:
    ask_for_link(runtime, who, address=address, now=clock.now())


class TestConfirming:
    def test_an_address_counts_once_the_link_sent_there_is_opened_and_the_old_one_is_told(
        self, runtime: Runtime, cast: Cast
    ) -> None:
        has_address(runtime, cast.guangzhou, "old@gz.example.cn")
        assert (
            own_address.ask(runtime, cast.guangzhou, " He.Min@gz.example.cn", now=clock.now()) == "he.min@gz.example.cn"
        )
        (letter,) = letters(runtime)
        assert letter.address == "he.min@gz.example.cn"
        assert address_of(runtime, cast.guangzhou) == "old@gz.example.cn"

        own_address.confirm(runtime, token_in(letter.body["path"]), now=clock.now())
        assert address_of(runtime, cast.guangzhou) == "he.min@gz.example.cn"
        assert [letter.address for letter in letters(runtime)] == ["old@gz.example.cn"]
        with pytest.raises(ConfirmationSpent):
            own_address.confirm(runtime, token_in(letter.body["path"]), now=clock.now())

    def test_a_newer_request_or_a_day_ends_a_link(self, runtime: Runtime, cast: Cast) -> None:
        for address in ("first@gz.example.cn", "second@gz.example.cn"):
            own_address.ask(runtime, cast.guangzhou, address, now=clock.now())
        first, second = (
            token_in(each.body["path"]) for each in sorted(letters(runtime), key=lambda each: each.address)
        )
        with pytest.raises(ConfirmationSpent):
            own_address.confirm(runtime, first, now=clock.now())
        with runtime.database.write() as session:
            assert own_address.waiting(session, cast.guangzhou.account_id, clock.now()) == "second@gz.example.cn"
            session.execute(update(EmailConfirmation).values(expires_at=clock.now()))
        with pytest.raises(ConfirmationSpent):
            own_address.confirm(runtime, second, now=clock.now())
        assert address_of(runtime, cast.guangzhou) is None

    @pytest.mark.parametrize("given", ["", "he.min", "he.min@gz.example.cn\nBcc: x@example.cn", "x" * 250 + "@gz.cn"])
    def test_what_is_no_address_is_refused_and_nobody_written_to(
        self, runtime: Runtime, cast: Cast, given: str
    ) -> None:
        with pytest.raises(EmailRefused):
            own_address.ask(runtime, cast.guangzhou, given, now=clock.now())
        assert letters(runtime) == []

    def test_nobody_can_flood_strangers_with_it(self, runtime: Runtime, cast: Cast) -> None:
        for number in range(LETTERS.burst):
            own_address.ask(runtime, cast.guangzhou, f"x{number}@example.cn", now=clock.now())
        with pytest.raises(TooOften):
            own_address.ask(runtime, cast.guangzhou, "x@example.cn", now=clock.now())

    def test_taking_it_out_is_told_there(self, runtime: Runtime, cast: Cast) -> None:
        has_address(runtime, cast.guangzhou, "old@gz.example.cn")
        own_address.remove(runtime, cast.guangzhou, now=clock.now())
        assert address_of(runtime, cast.guangzhou) is None
        assert [letter.address for letter in letters(runtime)] == ["old@gz.example.cn"]


class TestForgetting:
    @pytest.mark.parametrize("given", ["guangzhou", " GuangZhou ", "he.min@gz.example.cn", "He.Min@gz.example.cn"])
    def test_by_name_or_address_a_letter_lets_the_person_in_and_everybody_else_out(
        self, runtime: Runtime, cast: Cast, given: str
    ) -> None:
        has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
        with runtime.database.write() as session:
            there = sessions.begin(session, cast.guangzhou.account_id, agent="", address=HERE, now=clock.now())
        forgets(runtime, given)
        (letter,) = letters(runtime)
        assert letter.address == "he.min@gz.example.cn"
        assert "guangzhou" in letter.body["text"]

        moment, token = clock.now(), token_in(letter.body["path"])
        tell = of_new_password(runtime, moment)
        management.use_link(runtime.database, token, NEW, tell=tell, now=moment)
        with runtime.database.read() as session:
            assert accounts.authenticate(session, "guangzhou", NEW) == cast.guangzhou
            assert sessions.find(session, there, moment) is None
        with pytest.raises(LinkSpent):
            management.use_link(runtime.database, token, NEW, tell=tell, now=moment)
        assert "刚刚修改过" in letters(runtime)[0].body["text"]

    def test_where_several_share_an_address_each_gets_a_letter_naming_the_account(
        self, runtime: Runtime, cast: Cast
    ) -> None:
        for actor in (cast.guangzhou, cast.guangzhou_colleague):
            has_address(runtime, actor, "office@gz.example.cn")
        forgets(runtime, "office@gz.example.cn")
        said = sorted(letter.body["text_en"] for letter in letters(runtime))
        assert ["account guangzhou." in said[0], "account guangzhou2." in said[1]] == [True, True]

    @pytest.mark.parametrize("given", ["nobody", "nobody@example.cn", "guangzhou\x00", "guangzhou", "%"])
    def test_who_is_unknown_or_has_no_address_is_answered_alike_and_the_trail_is_written_all_the_same(
        self, runtime: Runtime, given: str
    ) -> None:
        forgets(runtime, given)
        assert letters(runtime) == []
        with runtime.database.read() as session:
            newest = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(1)).one()
            assert session.scalars(select(OneTimeLink)).all() == []
        assert (newest.kind, newest.details) == ("password_forgotten", {"account_ids": []})

    def test_a_deactivated_account_gets_none(self, runtime: Runtime, cast: Cast) -> None:
        has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
        with runtime.database.write() as session:
            session.get_one(Account, cast.guangzhou.account_id).active = False
        forgets(runtime, "guangzhou")
        assert letters(runtime) == []

    def test_a_stranger_voids_no_link_a_manager_handed_over(self, runtime: Runtime, cast: Cast) -> None:
        has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
        with runtime.database.write() as session:
            account = session.get_one(Account, cast.guangzhou.account_id)
            token = management.issue_link(session, account, by=None, now=clock.now())
        forgets(runtime, "guangzhou")
        with runtime.database.read() as session:
            assert management.whose_link(session, token, clock.now())[0].username == "guangzhou"

    def test_a_link_lasts_an_hour(self, runtime: Runtime, cast: Cast) -> None:
        has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
        forgets(runtime, "guangzhou")
        token = token_in(letters(runtime)[0].body["path"])
        with runtime.database.read() as session, pytest.raises(LinkSpent):
            management.whose_link(session, token, clock.now() + timedelta(hours=1, minutes=1))

    def test_a_mailbox_is_not_flooded_and_whoever_asks_is_not_told(self, runtime: Runtime, cast: Cast) -> None:
        has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
        for _ in range(FOR_ONE_ACCOUNT.burst + 2):
            forgets(runtime, "guangzhou")
        assert len(letters(runtime)) == FOR_ONE_ACCOUNT.burst

    def test_one_source_asks_so_often_only(self, runtime: Runtime) -> None:
        for number in range(FROM_ONE_ADDRESS.burst):
            forgets(runtime, f"nobody{number}")
        with pytest.raises(TooOften):
            forgets(runtime, "nobody")
        forgets(runtime, "nobody", address=ELSEWHERE)


def test_who_changes_the_password_is_written_to(runtime: Runtime, cast: Cast) -> None:
    has_address(runtime, cast.guangzhou, "he.min@gz.example.cn")
    moment = clock.now()
    tell = of_new_password(runtime, moment)
    logins.change_password(
        runtime.database, cast.guangzhou, old=PASSWORD, new=NEW, keep="", address=HERE, tell=tell, now=moment
    )
    (letter,) = letters(runtime)
    assert letter.address == "he.min@gz.example.cn"
    assert "account guangzhou has just been changed" in letter.body["text_en"]
