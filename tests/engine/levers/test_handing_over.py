"""The head of a section gives a task that a colleague has claimed to another, or puts it back into the inbox."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from engine import clock
from engine.errors import NotAllowed, NotFound, TaskClaimed, TaskDone
from engine.levers.handing_over import NobodyHasIt, NoColleague, hand_over, held
from engine.people import management
from engine.people.access import Action, may
from engine.people.accounts import Actor, actor, create_account
from engine.people.management import NoHeads
from engine.people.tables import Account, Organisation, Role
from engine.runtime import instances
from engine.runtime.reasons import ReasonMissing
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Intervention
from engine.telling.tables import Notice
from engine.trust.verification import verify
from tests.casework import Case
from tests.conftest import PASSWORD, Cast
from tests.engine.membership.newcomers import letters


@pytest.fixture
def third(runtime: Runtime, cast: Cast) -> Actor:
    """Another official of Guangzhou."""
    with runtime.database.write() as session:
        office = session.get_one(Organisation, cast.guangzhou.organisation_id)
        made = create_account(
            session, organisation=office, username="guangzhou3", password=PASSWORD, name="苏婉", now=clock.now()
        )
        return actor(session, made.id)


@pytest.fixture
def claimed(case: Case, cast: Cast) -> Case:
    """何敏 has claimed the review; 梁志强 heads the section."""
    task = case.goes("递交申请材料").task("审核材料")
    instances.claim(case.runtime, task.id, cast.guangzhou, case.now)
    return case


def hands_over(case: Case, head: Actor, *, of: Actor, to: Actor | None, reason: str = "何敏请假") -> None:
    task_id, to_id = case.task("审核材料").id, to.account_id if to else None
    hand_over(case.runtime, task_id, reason, head, of=of.account_id, to=to_id, now=case.now, real_now=clock.now())


def has_addresses(runtime: Runtime, *people: Actor) -> None:
    with runtime.database.write() as session:
        for each in people:
            session.get_one(Account, each.account_id).email = f"{each.username}@gz.example.cn"


def test_a_task_passes_to_a_colleague_who_alone_can_complete_it(claimed: Case, cast: Cast, third: Actor) -> None:
    hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=third)
    task = claimed.task("审核材料")
    assert task.claimed_by == third.account_id
    with pytest.raises(TaskClaimed):
        instances.release(claimed.runtime, task.id, cast.guangzhou, claimed.now)
    instances.complete(claimed.runtime, task.id, {"review": {"result": "pass"}}, third, claimed.now)


def test_a_task_goes_back_into_the_inbox_for_anybody(claimed: Case, cast: Cast, third: Actor) -> None:
    hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=None)
    task = claimed.task("审核材料")
    assert (task.claimed_by, task.claimed_at) == (None, None)
    instances.claim(claimed.runtime, task.id, third, claimed.now)


def test_the_office_is_told_with_the_reason_and_both_colleagues_by_e_mail_and_the_enterprise_nothing(
    claimed: Case, cast: Cast, third: Actor
) -> None:
    has_addresses(claimed.runtime, cast.guangzhou, cast.guangzhou_colleague, third)
    hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=third, reason="何敏请假 {}")
    with claimed.runtime.database.read() as session:
        told = session.scalars(select(Notice).where(Notice.text.contains("转交"))).all()
    assert [notice.organisation_id for notice in told] == [cast.guangzhou.organisation_id]
    assert "梁志强将申请" in told[0].text
    assert "由何敏转交苏婉办理。理由：何敏请假 {}" in told[0].text
    sent = letters(claimed.runtime)
    assert {letter.address for letter in sent} == {"guangzhou@gz.example.cn", "guangzhou3@gz.example.cn"}
    assert {letter.body["path"] for letter in sent} == {f"/tasks/{claimed.task('审核材料').id}"}


def test_it_stands_in_the_history_by_ids_and_the_reason_is_kept_beside_it(
    claimed: Case, cast: Cast, third: Actor
) -> None:
    hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=third)
    hands_over(claimed, cast.guangzhou_colleague, of=third, to=None)
    kinds = (EventKind.TASK_HANDED_OVER, EventKind.TASK_TAKEN_BACK)
    with claimed.runtime.database.read() as session:
        events = session.scalars(select(Event).where(Event.kind.in_(kinds)).order_by(Event.sequence)).all()
        rows = {row.id: row for row in session.scalars(select(Intervention))}
    assert [event.kind for event in events] == list(kinds)
    assert all(event.actor_id == cast.guangzhou_colleague.account_id for event in events)
    assert not any("何敏" in str(event.details) for event in events)
    kept = [rows[event.details["intervention"]["id"]] for event in events]
    assert [row.reason for row in kept] == ["何敏请假"] * 2
    assert kept[0].details == {"from": cast.guangzhou.account_id, "to": third.account_id}
    assert verify(claimed.runtime.database).flaws == ()


@pytest.mark.parametrize("reason", ["", "  ", "很" * 501])
def test_a_reason_is_needed(claimed: Case, cast: Cast, third: Actor, reason: str) -> None:
    with pytest.raises(ReasonMissing):
        hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=third, reason=reason)


def test_only_a_colleague_of_the_office_takes_it_over(claimed: Case, cast: Cast, third: Actor) -> None:
    with claimed.runtime.database.write() as session:
        session.get_one(Account, third.account_id).active = False
    for to in (cast.shenzhen, cast.enterprise, cast.guangzhou, third):
        with pytest.raises(NoColleague):
            hands_over(claimed, cast.guangzhou_colleague, of=cast.guangzhou, to=to)
    assert claimed.task("审核材料").claimed_by == cast.guangzhou.account_id


def test_who_looked_too_long_ago_takes_nothing_from_whoever_has_it_now(claimed: Case, cast: Cast, third: Actor) -> None:
    head = cast.guangzhou_colleague
    hands_over(claimed, head, of=cast.guangzhou, to=third)
    with pytest.raises(NobodyHasIt):
        hands_over(claimed, head, of=cast.guangzhou, to=head)
    hands_over(claimed, head, of=third, to=None)
    with pytest.raises(NobodyHasIt):
        hands_over(claimed, head, of=third, to=head)


def test_what_was_completed_meanwhile_stays_so(claimed: Case, cast: Cast, third: Actor) -> None:
    task_id = claimed.task("审核材料").id
    instances.complete(claimed.runtime, task_id, {"review": {"result": "pass"}}, cast.guangzhou, claimed.now)
    with pytest.raises(TaskDone):
        hand_over(
            claimed.runtime,
            task_id,
            "何敏请假",
            cast.guangzhou_colleague,
            of=cast.guangzhou.account_id,
            to=third.account_id,
            now=claimed.now,
            real_now=clock.now(),
        )


def test_the_head_of_another_office_finds_nothing_and_nobody_else_may(claimed: Case, cast: Cast, third: Actor) -> None:
    with pytest.raises(NotFound):
        hands_over(claimed, replace(cast.shenzhen, heads=True), of=cast.guangzhou, to=third)
    for somebody in (third, cast.enterprise, cast.province, cast.admin, replace(cast.enterprise, heads=True)):
        with pytest.raises(NotAllowed):
            hands_over(claimed, somebody, of=cast.guangzhou, to=third)


def test_the_head_sees_who_could_take_it_over_and_others_do_not(claimed: Case, cast: Cast, third: Actor) -> None:
    task_id = claimed.task("审核材料").id
    with claimed.runtime.database.read() as session:
        seen = held(session, task_id, cast.guangzhou_colleague)
        assert held(session, task_id, third) is None
        assert held(session, task_id, replace(cast.shenzhen, heads=True)) is None
    assert seen is not None
    assert seen.by == cast.guangzhou.account_id
    assert {each.name for each in seen.colleagues} == {"梁志强", "苏婉"}


class TestWhoHeads:
    def test_a_manager_says_who_heads_the_own_office(self, runtime: Runtime, cast: Cast) -> None:
        def sets(account: Actor, heads: bool) -> Actor:
            with runtime.database.write() as session:
                management.set_head(session, cast.guangzhou_colleague, account.account_id, heads, now=clock.now())
                return actor(session, account.account_id)

        assert may(sets(cast.guangzhou, True), Action.REASSIGN_TASKS)
        assert not may(sets(cast.guangzhou, False), Action.REASSIGN_TASKS)
        with pytest.raises(NotFound):
            sets(cast.shenzhen, True)

    def test_enterprises_and_others_have_none(self, runtime: Runtime, cast: Cast) -> None:
        for somebody in (cast.enterprise, cast.province, cast.analyst):
            with runtime.database.write() as session, pytest.raises(NoHeads):
                management.set_head(session, cast.admin, somebody.account_id, True, now=clock.now())
        with runtime.database.read() as session:
            heads = session.scalar(select(func.count()).where(Account.heads, Account.role == Role.ENTERPRISE))
        assert heads == 0
