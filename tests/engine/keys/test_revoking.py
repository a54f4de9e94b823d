"""A test key that others may have learned is made worthless, by the enterprise or by the authority."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import NotAllowed, NotFound
from engine.keys import issuing
from engine.keys.revoking import revoke
from engine.keys.verifying import Result, verify
from engine.people.accounts import Actor
from engine.reading.casefile import case_file
from engine.runtime.reasons import ReasonMissing
from engine.runtime.tables import Event, EventKind, IssuedKey
from engine.scenarios.reading import read_scenario
from engine.telling.tables import Notice
from engine.trust.verification import verify as verify_audit
from tests.casework import FOLDER, Case
from tests.conftest import Cast
from tests.engine.keys.test_verifying import Device, newest_key, system_of

WHY = "设备失窃，密钥可能已泄露"


@pytest.fixture
def tested(case: Case) -> Case:
    return case.goes("收到测试密钥")


def the_key(case: Case) -> IssuedKey:
    with case.runtime.database.read() as session:
        return session.scalars(select(IssuedKey)).one()


@pytest.mark.parametrize("who", ["enterprise", "guangzhou_colleague"])
def test_who_takes_part_revokes_it_and_both_sides_are_told(tested: Case, cast: Cast, who: str) -> None:
    key, actor = the_key(tested), getattr(cast, who)
    revoke(tested.runtime, key.id, WHY, actor, tested.now)
    with tested.runtime.database.read() as session:
        assert session.get_one(IssuedKey, key.id).revoked_at is not None
        told = session.scalars(select(Notice).where(Notice.text.contains(key.hint))).all()
        sides = {cast.enterprise.organisation_id, cast.guangzhou.organisation_id}
        assert sides <= {notice.organisation_id for notice in told}
        assert all(WHY in notice.text for notice in told)
        entry = session.scalars(select(Event).where(Event.kind == EventKind.KEY_REVOKED)).one()
        assert (entry.actor_id, entry.details["key_id"]) == (actor.account_id, key.id)
        assert WHY not in str(entry.details)
        seen = case_file(session, tested.runtime.definitions, tested.id, cast.guangzhou, tested.now)
        assert WHY in seen.timeline[-1].sentence.zh
        assert not seen.keys[0].may_revoke
    assert verify_audit(tested.runtime.database).flaws == ()
    with pytest.raises(issuing.KeyRevoked):
        issuing.reveal(tested.runtime, key.id, cast.enterprise, tested.now)


def test_what_is_signed_with_it_is_genuine_no_more(tested: Case, cast: Cast) -> None:
    device = Device(tested, newest_key(tested), cast.enterprise)
    system = system_of(tested, cast.admin, "440100")

    def verdict() -> Result:
        return verify(tested.runtime, system, device.presents(), now=tested.now, real_now=tested.now).result

    assert verdict() is Result.VALID
    revoke(tested.runtime, device.key.id, WHY, cast.guangzhou, tested.now)
    assert verdict() is Result.REVOKED


def test_revoking_again_changes_nothing(tested: Case, cast: Cast) -> None:
    key = the_key(tested)
    revoke(tested.runtime, key.id, WHY, cast.guangzhou, tested.now)
    before = the_key(tested).revoked_at
    revoke(tested.runtime, key.id, WHY, cast.enterprise, tested.now + timedelta(hours=1))
    assert the_key(tested).revoked_at == before
    with tested.runtime.database.read() as session:
        assert len(session.scalars(select(Event).where(Event.kind == EventKind.KEY_REVOKED)).all()) == 1


@pytest.mark.parametrize("who", ["other_enterprise", "shenzhen"])
def test_whose_application_it_is_not_finds_no_key(tested: Case, cast: Cast, who: str) -> None:
    stranger: Actor = getattr(cast, who)
    with pytest.raises(NotFound):
        revoke(tested.runtime, the_key(tested).id, WHY, stranger, tested.now)
    assert the_key(tested).revoked_at is None


@pytest.mark.parametrize("who", ["province", "guangzhou_support", "analyst", "admin"])
def test_whose_business_it_is_not_may_not(tested: Case, cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed):
        revoke(tested.runtime, the_key(tested).id, WHY, getattr(cast, who), tested.now)
    assert the_key(tested).revoked_at is None


def test_without_a_reason_it_stays(tested: Case, cast: Cast) -> None:
    with pytest.raises(ReasonMissing):
        revoke(tested.runtime, the_key(tested).id, " ", cast.guangzhou, tested.now)
    assert the_key(tested).revoked_at is None


def test_after_the_application_has_ended_it_can_still_be_revoked(case: Case, cast: Cast) -> None:
    for step in read_scenario(FOLDER / "scenarios" / "straight-success.yaml").steps:
        case.play.play(step)
    key = newest_key(case)
    assert (key.revoked_at, case.instance().closed_at is None) == (None, False)
    revoke(case.runtime, key.id, WHY, cast.guangzhou, case.now)
    assert newest_key(case).revoked_at is not None
