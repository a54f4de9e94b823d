"""Erasing a person: what goes, what stays, what stands against it."""

import pytest
from sqlalchemy import select, text

from engine import clock
from engine.errors import NotAllowed, NotFound
from engine.people.accounts import WrongCredentials, authenticate
from engine.people.links import NoAccount, Vouched, identify
from engine.people.management import reactivate
from engine.people.tables import Account, Contact, SignOnLink
from engine.privacy.erasure import AlreadyErased, HeldBack, OwnPerson, StillRunning, erase, preview
from engine.privacy.holding import hold
from engine.reading.casefile import case_file
from engine.runtime import instances
from engine.runtime.reasons import ReasonMissing
from engine.runtime.tables import Answer, Instance, TaskState
from engine.telling import contacts
from engine.trust.verification import verify
from tests.casework import Case
from tests.conftest import PASSWORD, Cast
from tests.engine.runtime.test_discretion import PERSONAL


def erased(case: Case, account_id: str, cast: Cast) -> None:
    erase(case.runtime, account_id, "本人申请删除", cast.admin, now=case.now, real_now=clock.now())


def test_what_the_forms_mark_is_erased_and_the_rest_stays(closed: Case, cast: Cast) -> None:
    erased(closed, cast.enterprise.account_id, cast)
    with closed.runtime.database.read() as session:
        file = case_file(session, closed.runtime.definitions, closed.id, cast.guangzhou, closed.now)
        stored = session.scalars(select(Answer).where(Answer.instance_id == closed.id)).all()
        everything = " ".join(str(answer.data) for answer in stored)
        state = session.get_one(Instance, closed.id).state
    basic = next(each.data for each in file.answers if each.name == "basic")
    assert (basic["contact"], basic["mobile"], basic["product"]) == ("〔已删除〕", "〔已删除〕", "智筑实名制考勤一体机")
    assert not [value for value in PERSONAL if value in everything]
    assert len(state) < 1_000
    assert any(entry.sentence.zh == "一名填报人的个人信息已删除" for entry in file.timeline)


def test_the_account_names_nobody_and_nobody_can_use_it(closed: Case, cast: Cast) -> None:
    contacts.add(
        closed.runtime,
        role=cast.enterprise.role,
        key=_key(closed, cast),
        kind="email",
        address="Chen@example.cn",
        private=False,
        now=clock.now(),
    )
    with closed.runtime.database.write() as session:
        session.get_one(Account, cast.enterprise.account_id).email = "chen@example.cn"
    erased(closed, cast.enterprise.account_id, cast)
    with closed.runtime.database.read() as session:
        account = session.get_one(Account, cast.enterprise.account_id)
        assert (account.name, account.email, account.active) == ("〔已删除〕", None, False)
        assert account.username == f"erased-{account.id}"
        assert session.scalars(select(Contact.address)).one().startswith("erased-")
        for username in (cast.enterprise.username, account.username):
            with pytest.raises(WrongCredentials):
                authenticate(session, username, PASSWORD)
    with closed.runtime.database.write() as session, pytest.raises(NotFound):
        reactivate(session, cast.admin, cast.enterprise.account_id, now=clock.now())


def test_nothing_says_any_more_who_the_person_is_at_an_openid_provider(closed: Case, cast: Cast) -> None:
    person = Vouched("https://provider.example", "248289761001", cast.enterprise.username)
    identify(closed.runtime.database, person, now=clock.now())
    erased(closed, cast.enterprise.account_id, cast)
    with closed.runtime.database.read() as session:
        assert session.scalars(select(SignOnLink)).all() == []
    with pytest.raises(NoAccount):
        identify(closed.runtime.database, person, now=clock.now())


def _key(case: Case, cast: Cast) -> str:
    with case.runtime.database.read() as session:
        query = text("SELECT key FROM organisation_keys WHERE organisation_id = :id")
        return str(session.scalar(query, {"id": cast.enterprise.organisation_id}))


def test_the_audit_trail_stays_sound_and_counts_what_was_erased(closed: Case, cast: Cast) -> None:
    with closed.runtime.database.read() as session:
        foreseen = preview(session, closed.runtime.definitions, cast.enterprise.account_id, cast.admin)
    assert (foreseen.applications, foreseen.answers, foreseen.refusal) == (1, 2, None)  # basic information, complaint
    erased(closed, cast.enterprise.account_id, cast)
    found = verify(closed.runtime.database)
    assert (found.flaws, found.erased) == ((), 2)


def test_colleagues_answers_and_open_tasks_stay_with_the_colleagues(closed: Case, cast: Cast) -> None:
    """An official who was erased leaves tasks behind: they go back, and what others filled in is not touched."""
    waiting = Case(closed.runtime).goes("递交申请材料")
    task = waiting.task("审核材料")
    instances.claim(waiting.runtime, task.id, cast.guangzhou_colleague, waiting.now)
    erased(waiting, cast.guangzhou_colleague.account_id, cast)
    assert waiting.task("审核材料").claimed_by is None
    with closed.runtime.database.read() as session:
        stored = session.scalars(select(Answer).where(Answer.instance_id == closed.id, Answer.form == "basic")).one()
    assert stored.data["contact"] == "李晓彤"


def test_running_and_held_applications_stand_against_it_by_number(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    for person in (cast.enterprise, cast.guangzhou):
        with pytest.raises(StillRunning) as refusal:
            erased(case, person.account_id, cast)
        assert str(case.instance().number) in refusal.value.text.zh
    with case.runtime.database.read() as session:
        assert session.get_one(Account, cast.enterprise.account_id).active, "nothing was changed"
    assert case.tasks(TaskState.OPEN)


def test_a_held_application_stands_against_it(closed: Case, cast: Cast) -> None:
    hold(closed.runtime, closed.id, "行政复议", cast.admin, closed.now)
    with pytest.raises(HeldBack) as refusal:
        erased(closed, cast.enterprise.account_id, cast)
    assert str(closed.instance().number) in refusal.value.text.zh


def test_it_is_for_another_administrator_with_a_reason_and_once(closed: Case, cast: Cast) -> None:
    runtime, account_id, when = closed.runtime, cast.enterprise.account_id, {"now": closed.now, "real_now": clock.now()}
    for actor in (cast.guangzhou_colleague, cast.enterprise, cast.province):
        with pytest.raises(NotAllowed):
            erase(runtime, account_id, "理由", actor, **when)
    with pytest.raises(OwnPerson):
        erase(runtime, cast.admin.account_id, "理由", cast.admin, **when)
    with pytest.raises(ReasonMissing):
        erase(runtime, account_id, " ", cast.admin, **when)
    with pytest.raises(NotFound):
        erase(runtime, "0" * 32, "理由", cast.admin, **when)
    erased(closed, account_id, cast)
    with pytest.raises(AlreadyErased):
        erased(closed, account_id, cast)
