"""An enterprise without an account asks for one: what it may learn, what an administrator decides, what it is told."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import clock
from engine.audit.tables import SystemEvent
from engine.errors import FormRefused, NotAllowed, NotFound, Refusal
from engine.membership import deciding
from engine.membership.deciding import DecidedAlready, approve, reject
from engine.membership.forgetting import REJECTED_KEPT, forget_rejected
from engine.membership.registering import FROM_ONE_ADDRESS, EnterpriseRegistered
from engine.membership.safety import of_new_password
from engine.people import management
from engine.people.accounts import OrganisationKeyTaken, UsernameTaken, organisation_for
from engine.people.tables import Account, Organisation, Role
from engine.people.throttling import TooOften
from engine.runtime.reasons import ReasonMissing
from engine.runtime.runtime import Runtime
from engine.telling.letters import opened_letter
from engine.telling.tables import OutboxMessage
from engine.trust.verification import verify
from tests.conftest import Cast
from tests.engine.membership.newcomers import CODE, NEWCOMER, letters, registers, registrations

REGISTERED = "91440101MA5TRYA01X"  # enterprise-a's
PASSWORD = "tiger lantern 41"


def approves(runtime: Runtime, registration_id: str, cast: Cast, username: str = "") -> deciding.Approved:
    return approve(runtime, registration_id, cast.admin, username=username, mails_links=True, now=clock.now())


def count(runtime: Runtime, table: type[Any]) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


class TestAsking:
    def test_what_was_said_waits_as_it_is_kept(self, runtime: Runtime) -> None:
        kept = registers(runtime, code=f" {CODE[:8].lower()} {CODE[8:]}", username=" Liu.Siqi")
        assert {field: getattr(kept, field) for field in NEWCOMER} == NEWCOMER
        assert kept.state == "waiting"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("name", "很" * 201),
            ("code", CODE[:-1] + ("0" if CODE[-1] != "0" else "1")),
            ("legal_representative", "何\x00建华"),
            ("mobile", "12345"),
            ("email", "liu@zhigang"),
            ("email", "liu@zhigang.example.cn\nBcc: all@example.cn"),
            ("username", "{刘}"),
            ("username", "x"),
        ],
    )
    def test_what_is_wrong_is_said_by_field_and_nothing_is_kept(self, runtime: Runtime, field: str, value: str) -> None:
        with pytest.raises(FormRefused) as refused:
            registers(runtime, **{field: value})
        assert list(refused.value.errors) == [field]
        assert registrations(runtime) == []

    def test_an_enterprise_that_takes_part_already_is_sent_to_its_manager(self, runtime: Runtime) -> None:
        with pytest.raises(EnterpriseRegistered, match="账号管理员"):
            registers(runtime, code=REGISTERED)
        assert registrations(runtime) == []

    def test_nobody_learns_here_which_user_names_are_taken(self, runtime: Runtime) -> None:
        assert registers(runtime, username="guangzhou").username == "guangzhou"

    def test_asking_twice_is_asking_once_but_another_address_is_another_applicant(self, runtime: Runtime) -> None:
        first = registers(runtime)
        assert registers(runtime).id == first.id
        assert registers(runtime, email="impostor@example.cn").id != first.id

    def test_from_one_source_only_so_many_are_taken_and_a_refusal_counts(self, runtime: Runtime) -> None:
        for _ in range(FROM_ONE_ADDRESS.burst):
            with pytest.raises(EnterpriseRegistered):
                registers(runtime, code=REGISTERED)
        with pytest.raises(TooOften):
            registers(runtime)
        assert registers(runtime, address="203.0.113.8").state == "waiting"


class TestApproving:
    def test_enterprise_code_and_first_account_are_made_and_a_letter_lets_its_person_in(
        self, runtime: Runtime, cast: Cast
    ) -> None:
        approved = approves(runtime, registers(runtime).id, cast)

        (letter,) = letters(runtime)
        assert letter.address == NEWCOMER["email"]
        assert letter.body["path"] == f"/set-password/{approved.token}"
        assert "liu.siqi" in letter.body["text"]
        moment = clock.now()
        tell = of_new_password(runtime, moment)
        management.use_link(runtime.database, approved.token, PASSWORD, tell=tell, now=moment)
        with runtime.database.read() as session:
            account = session.get_one(Account, approved.account_id)
            organisation = organisation_for(session, Role.ENTERPRISE, CODE)
        assert organisation is not None
        assert (account.organisation_id, account.role) == (organisation.id, "enterprise")
        assert (account.username, account.name, account.email) == ("liu.siqi", "刘思琪", NEWCOMER["email"])
        assert account.manages

    def test_a_letter_waits_encrypted_and_is_gone_once_it_is_sent(self, runtime: Runtime, cast: Cast) -> None:
        approved = approves(runtime, registers(runtime).id, cast)
        with runtime.database.read() as session:
            message = session.scalars(select(OutboxMessage)).one()
            assert approved.token.encode() not in (message.letter or b"")
            assert message.body == {}
            said = opened_letter(runtime.keyring, message)
        assert said is not None
        assert approved.token in said["path"]
        letters(runtime)
        with runtime.database.read() as session:
            assert session.scalars(select(OutboxMessage.letter)).one() is None

    def test_where_no_letter_can_carry_the_link_it_says_who_hands_it_over(self, runtime: Runtime, cast: Cast) -> None:
        id_ = registers(runtime).id
        approved = approve(runtime, id_, cast.admin, username="", mails_links=False, now=clock.now())
        (letter,) = letters(runtime)
        assert "平台管理员另行交给您" in letter.body["text"]
        assert approved.token not in str(letter.body)

    def test_a_user_name_that_is_taken_undoes_all_of_it_and_another_one_will_do(
        self, runtime: Runtime, cast: Cast
    ) -> None:
        registration = registers(runtime, username="guangzhou")
        before = count(runtime, Organisation)
        with pytest.raises(UsernameTaken):
            approves(runtime, registration.id, cast)
        assert count(runtime, Organisation) == before
        assert registrations(runtime)[0].state == "waiting"
        assert letters(runtime) == []
        assert approves(runtime, registration.id, cast, "liu.siqi2").username == "liu.siqi2"

    def test_of_two_applicants_for_one_code_only_one_is_approved(self, runtime: Runtime, cast: Cast) -> None:
        first, second = registers(runtime), registers(runtime, email="impostor@example.cn")
        approves(runtime, first.id, cast)
        with pytest.raises(OrganisationKeyTaken):
            approves(runtime, second.id, cast, "somebody.else")
        with runtime.database.read() as session:
            found = deciding.dossier(session, cast.admin, second.id)
        assert found.taken
        assert [other.id for other in found.others] == [first.id]

    def test_two_administrators_at_once_one_wins_the_other_is_told_who(self, runtime: Runtime, cast: Cast) -> None:
        id_ = registers(runtime).id
        outcomes: list[object] = []
        together = threading.Barrier(2)

        def decides(username: str) -> None:
            together.wait()
            try:
                outcomes.append(approves(runtime, id_, cast, username))
            except Refusal as refusal:
                outcomes.append(refusal)

        threads = [threading.Thread(target=decides, args=(name,)) for name in ("liu.one", "liu.two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (lost,) = [each for each in outcomes if isinstance(each, Refusal)]
        assert isinstance(lost, DecidedAlready)
        assert "叶卫东" in str(lost)
        assert len(letters(runtime)) == 1

    def test_the_audit_trail_tells_of_it_by_ids_only(self, runtime: Runtime, cast: Cast) -> None:
        approves(runtime, registers(runtime).id, cast)
        with runtime.database.read() as session:
            newest = select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(5)
            entries = list(session.scalars(newest))[::-1]
        kinds = [entry.kind for entry in entries]
        assert kinds == [
            "registration_received",
            "organisation_created",
            "account_created",
            "link_issued",
            "registration_approved",
        ]
        said = "".join(str(entry.details) for entry in entries)
        assert not any(value in said for value in NEWCOMER.values())
        assert verify(runtime.database).flaws == ()


class TestRejecting:
    def test_the_applicant_is_told_why_and_may_ask_again(self, runtime: Runtime, cast: Cast) -> None:
        first = registers(runtime)
        reject(runtime, first.id, cast.admin, reason="名称与营业执照不一致 {}", now=clock.now())
        (letter,) = letters(runtime)
        assert "名称与营业执照不一致 {}" in letter.body["text"]
        assert letter.body["path"] == "/register"
        with pytest.raises(DecidedAlready):
            approves(runtime, first.id, cast)
        assert registers(runtime).id != first.id

    def test_a_reason_is_needed(self, runtime: Runtime, cast: Cast) -> None:
        with pytest.raises(ReasonMissing):
            reject(runtime, registers(runtime).id, cast.admin, reason=" ", now=clock.now())
        assert registrations(runtime)[0].state == "waiting"


@pytest.mark.parametrize("who", ["enterprise", "guangzhou_colleague", "province", "analyst"])
def test_only_administrators_decide(runtime: Runtime, cast: Cast, who: str) -> None:
    actor, id_ = getattr(cast, who), registers(runtime).id
    with pytest.raises(NotAllowed):
        approve(runtime, id_, actor, username="", mails_links=True, now=clock.now())
    with pytest.raises(NotAllowed):
        reject(runtime, id_, actor, reason="不行", now=clock.now())
    with runtime.database.read() as session, pytest.raises(NotAllowed):
        deciding.listed(session, actor)
    with runtime.database.read() as session, pytest.raises(NotAllowed):
        deciding.dossier(session, actor, id_)


def test_what_was_never_asked_is_not_found(runtime: Runtime, cast: Cast) -> None:
    with pytest.raises(NotFound):
        approves(runtime, "none", cast)


def test_lists_hold_those_that_wait_oldest_first_and_those_decided_apart(runtime: Runtime, cast: Cast) -> None:
    first, second = registers(runtime), registers(runtime, email="other@example.cn", name="另一家公司")
    with runtime.database.read() as session:
        assert [each.id for each in deciding.listed(session, cast.admin).items] == [first.id, second.id]
        assert [each.id for each in deciding.listed(session, cast.admin, search="另一家").items] == [second.id]
        assert deciding.count_waiting(session) == 2
    reject(runtime, first.id, cast.admin, reason="不行", now=clock.now())
    with runtime.database.read() as session:
        assert [each.id for each in deciding.listed(session, cast.admin, decided=True).items] == [first.id]
        assert deciding.count_waiting(session) == 1


class TestForgetting:
    def test_of_a_rejected_one_the_decision_stays_and_the_people_go(self, runtime: Runtime, cast: Cast) -> None:
        waiting, rejected = registers(runtime), registers(runtime, email="impostor@example.cn")
        reject(runtime, rejected.id, cast.admin, reason="营业执照与代码不符", now=clock.now())
        with runtime.database.write() as session:
            assert forget_rejected(session, clock.now() - REJECTED_KEPT) == 0
            assert [forget_rejected(session, clock.now()) for _ in range(2)] == [1, 0]
        kept = {each.id: each for each in registrations(runtime)}
        assert {field: getattr(kept[waiting.id], field) for field in NEWCOMER} == NEWCOMER
        assert {field for field in NEWCOMER if getattr(kept[rejected.id], field) == NEWCOMER[field]} == {"name", "code"}
        assert kept[rejected.id].reason == "营业执照与代码不符"
