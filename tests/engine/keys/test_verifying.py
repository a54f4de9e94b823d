"""What a device presents to a city's system is judged by the platform: genuine, or why not."""

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine.audit.tables import SystemEvent, SystemEventKind
from engine.errors import NotAllowed, NotFound
from engine.keys import issuing, verifying
from engine.keys.tables import KeyNonce, KeyUse
from engine.keys.uses import forget_nonces, record_uses
from engine.keys.verifying import SENTENCES, WINDOW, Presented, PresentedRefused, Result, Verdict, verify
from engine.people import systems
from engine.people.accounts import Actor
from engine.people.systems import Caller, CredentialRefused, NameMissing, NoSuchCity
from engine.people.tables import System
from engine.people.throttling import Rate, TooOften
from engine.runtime.tables import Event, EventKind, IssuedKey
from engine.trust.verification import verify as verify_audit
from tests.casework import Case
from tests.conftest import Cast

NOWHERE = "127.0.0.1"
EMPTY = hashlib.sha256(b"").hexdigest()


class Device:
    """An enterprise's device with its key."""

    def __init__(self, case: Case, key: IssuedKey, holder: Actor) -> None:
        self.case, self.key = case, key
        self.secret = issuing.reveal(case.runtime, key.id, holder, case.now)
        self._count = 0

    def presents(self, **changed: str) -> Presented:
        """A request signed now, but for what was changed after signing."""
        self._count += 1
        what = Presented(
            key_id=self.key.id,
            method="POST",
            path="/attendance/records?device=1",
            timestamp=str(int(self.case.now.timestamp())),
            nonce=f"{self._count:016}",
            body_sha256=EMPTY,
            signature="",
        )
        return replace(self.signs(what), **changed)

    def signs(self, what: Presented) -> Presented:
        signature = hmac.new(self.secret.encode(), what.signed.encode(), hashlib.sha256).hexdigest()
        return replace(what, signature=signature)


def newest_key(case: Case) -> IssuedKey:
    with case.runtime.database.read() as session:
        order = (IssuedKey.revoked_at.is_not(None), IssuedKey.issued_at.desc())
        return session.scalars(select(IssuedKey).order_by(*order)).first()  # type: ignore[return-value]


def system_of(case: Case, actor: Actor, city: str) -> Caller:
    runtime = case.runtime
    with runtime.database.write() as session:
        _, credential = systems.issue(session, actor, name="实名制管理系统", city=city, now=case.now)
    return systems.authenticate(runtime.database, credential, address=NOWHERE, now=case.now)


@pytest.fixture
def device(case: Case, cast: Cast) -> Device:
    return Device(case.goes("收到测试密钥"), newest_key(case), cast.enterprise)


@pytest.fixture
def guangzhou(device: Device, cast: Cast) -> Caller:
    return system_of(device.case, cast.admin, "440100")


@pytest.fixture
def asks(device: Device, guangzhou: Caller) -> Callable[..., Verdict]:
    def ask(presented: Presented, *, caller: Caller = guangzhou, now: datetime | None = None) -> Verdict:
        moment = now or device.case.now
        return verify(device.case.runtime, caller, presented, now=moment, real_now=device.case.now)

    return ask


Asks = Callable[..., Verdict]


def test_a_right_signature_is_valid_and_says_whose_it_is(device: Device, asks: Asks, cast: Cast) -> None:
    verdict = asks(device.presents())
    assert verdict.result is Result.VALID
    assert verdict.number == device.case.instance().number
    assert verdict.expires_at == device.key.expires_at
    assert verdict.enterprise is not None
    assert len(verdict.credit_code or "") == 18


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "GET"},
        {"path": "/attendance/records?device=2"},
        {"timestamp": "1790000000"},
        {"nonce": "another-nonce-0001"},
        {"body_sha256": hashlib.sha256(b"another body").hexdigest()},
        {"signature": "0" * 64},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_was_changed_on_the_way_is_found_out(device: Device, asks: Asks, changed: dict[str, str]) -> None:
    verdict = asks(device.presents(**changed))
    assert verdict == Verdict(Result.SIGNATURE_WRONG)


def test_a_request_is_good_once(device: Device, asks: Asks) -> None:
    presented = device.presents()
    assert asks(presented).result is Result.VALID
    assert asks(presented) == Verdict(Result.NONCE_REPLAYED)
    assert asks(device.presents()).result is Result.VALID


def test_of_many_at_once_one_is_good(device: Device, asks: Asks) -> None:
    presented = device.presents()
    with ThreadPoolExecutor(6) as pool:
        results = sorted(verdict.result for verdict in pool.map(lambda _: asks(presented), range(6)))
    assert results == sorted([Result.VALID, *[Result.NONCE_REPLAYED] * 5])


@pytest.mark.parametrize(("off", "result"), [(0, Result.VALID), (1, Result.TIMESTAMP_STALE)])
@pytest.mark.parametrize("way", [1, -1], ids=["ahead", "behind"])
def test_a_device_may_be_five_minutes_off(device: Device, asks: Asks, off: int, result: Result, way: int) -> None:
    moment = device.case.now + way * (WINDOW + timedelta(seconds=off))
    what = replace(device.presents(), timestamp=str(int(moment.timestamp())))
    assert asks(device.signs(what)).result is result


def test_a_key_ends_when_it_expires_and_not_before(device: Device, asks: Asks) -> None:
    last = device.key.expires_at
    assert asks(device.presents(), now=last - timedelta(seconds=1)).result is Result.VALID
    assert asks(device.presents(), now=last) == Verdict(Result.EXPIRED)


def test_a_reissued_key_replaces_the_old_one_at_once(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    old = Device(case, newest_key(case), cast.enterprise)
    caller = system_of(case, cast.admin, "440100")
    case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    case.step(by="主管部门", does="核实情况", fills={"verification": "founded"})
    case.step(by="主管部门", does="组织技术支持单位限期整改", fills={"rectification": "two_days"})
    case.step(by="技术支持单位", does="重新提供测试密钥或接口", fills={"remedy": "key"})
    new = Device(case, newest_key(case), cast.enterprise)

    def ask(device: Device) -> Result:
        return verify(case.runtime, caller, device.presents(), now=case.now, real_now=case.now).result

    assert (ask(old), ask(new)) == (Result.REVOKED, Result.VALID)


def test_another_city_learns_nothing_without_a_right_signature(device: Device, asks: Asks, cast: Cast) -> None:
    shenzhen = system_of(device.case, cast.admin, "440300")
    assert asks(device.presents(), caller=shenzhen) == Verdict(Result.NOT_THIS_CITY)
    forged = device.presents(signature="0" * 64)
    nobody = replace(forged, key_id="0" * 32)
    assert asks(forged, caller=shenzhen) == asks(nobody, caller=shenzhen) == Verdict(Result.UNKNOWN)


def test_uses_become_one_entry_of_the_history_when_their_minute_is_over(
    device: Device, guangzhou: Caller, asks: Asks
) -> None:
    case, runtime = device.case, device.case.runtime
    for presented in (device.presents(), device.presents(), device.presents(signature="0" * 64)):
        asks(presented)
    assert record_uses(runtime, case.now) == 0
    later = case.now + timedelta(minutes=1)

    assert record_uses(runtime, later) == 1
    assert record_uses(runtime, later) == 0

    with runtime.database.read() as session:
        entry = session.scalars(select(Event).where(Event.kind == EventKind.KEY_USED)).one()
        key = session.get_one(IssuedKey, device.key.id)
        assert session.scalar(select(func.count()).select_from(KeyUse)) == 0
        assert verify_audit(runtime.database).flaws == ()
    counted = {use["result"]: use["count"] for use in entry.details["uses"]}
    assert counted == {"valid": 2, "signature_wrong": 1}
    assert {use["system_id"] for use in entry.details["uses"]} == {guangzhou.system_id}
    assert device.secret not in str(entry.details)
    assert key.last_used_at == case.now.replace(second=0, microsecond=0)


def test_nonces_are_kept_as_long_as_their_timestamp_counts(device: Device, asks: Asks) -> None:
    presented = device.presents()
    asks(presented)
    runtime, ends = device.case.runtime, presented.at + WINDOW
    with runtime.database.write() as session:
        assert forget_nonces(session, ends) == 0
    with runtime.database.write() as session:
        assert forget_nonces(session, ends + timedelta(seconds=1)) == 1
        assert session.scalars(select(KeyNonce)).all() == []


def test_a_system_that_asks_too_often_is_told_and_others_are_not_held_up(
    device: Device, asks: Asks, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "QUESTIONS", Rate(burst=1, every=timedelta(minutes=1)))
    other = system_of(device.case, cast.admin, "440100")
    assert asks(device.presents()).result is Result.VALID
    with pytest.raises(TooOften):
        asks(device.presents())
    assert asks(device.presents(), caller=other).result is Result.VALID


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (None, {""}),
        ([], {""}),
        ({}, {"key_id", "method", "path", "timestamp", "nonce", "body_sha256", "signature"}),
        ({"key_id": 1}, {"key_id"}),
        ({"key_id": "0" * 32 + "\n"}, {"key_id"}),
        ({"method": "POST\nGET"}, {"method"}),
        ({"path": "/a\n/b"}, {"path"}),
        ({"path": "records"}, {"path"}),
        ({"timestamp": "17900000000"}, {"timestamp"}),
        ({"timestamp": "１７９０００００００"}, {"timestamp"}),
        ({"nonce": "short"}, {"nonce"}),
        ({"signature": "A" * 64}, {"signature"}),
        ({"city": "440100"}, {"city"}),
    ],
)
def test_what_can_not_be_read_is_told_by_field(given: object, wrong: set[str]) -> None:
    good = {
        "key_id": "0" * 32,
        "method": "POST",
        "path": "/",
        "timestamp": "1790000000",
        "nonce": "0" * 16,
        "body_sha256": EMPTY,
        "signature": EMPTY,
    }
    assert Presented.checked(good).signed.splitlines()[0] == "RNTEST-HMAC-SHA256"
    with pytest.raises(PresentedRefused) as refusal:
        Presented.checked({**good, **given} if isinstance(given, dict) and given else given)
    assert set(refusal.value.errors) == wrong


def test_every_verdict_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Result)


def test_credentials_are_hashed_belong_to_a_city_and_end_when_revoked(case: Case, cast: Cast) -> None:
    database, now = case.runtime.database, case.now
    manager = replace(cast.guangzhou, manages=True)
    with database.write() as session:
        system, credential = systems.issue(session, manager, name=" 正式  环境 ", city="440300", now=now)
    assert (system.organisation_id, system.name) == (cast.guangzhou.organisation_id, "正式 环境")
    assert credential not in (system.credential_hash, system.hint)
    assert systems.authenticate(database, credential, address=NOWHERE, now=now).system_id == system.id
    for stranger in (cast.guangzhou, cast.enterprise, replace(cast.enterprise, manages=True), cast.province):
        with database.write() as session, pytest.raises(NotAllowed):
            systems.issue(session, stranger, name="x", city=None, now=now)
    with database.write() as session, pytest.raises(NotFound):
        systems.revoke(session, replace(cast.shenzhen, manages=True), system.id, now=now)
    with database.read() as session:
        assert systems.listed(session, replace(cast.shenzhen, manages=True)) == []
        assert [entry.id for entry in systems.listed(session, manager)] == [system.id]
    with database.write() as session:
        systems.revoke(session, manager, system.id, now=now)
    with database.write() as session, pytest.raises(NotFound):
        systems.revoke(session, manager, system.id, now=now)
    with pytest.raises(CredentialRefused):
        systems.authenticate(database, credential, address=NOWHERE, now=now)
    with database.read() as session:
        kinds = session.scalars(select(SystemEvent.kind).order_by(SystemEvent.sequence)).all()
        assert kinds[-2:] == [SystemEventKind.SYSTEM_ADDED, SystemEventKind.SYSTEM_REVOKED]
        assert session.get_one(System, system.id).revoked_at == now


def test_a_credential_needs_a_name_and_a_city_that_is_registered(case: Case, cast: Cast) -> None:
    for name, city, refusal in (
        (" ", "440100", NameMissing),
        ("x" * 61, "440100", NameMissing),
        ("x", "1", NoSuchCity),
    ):
        with case.runtime.database.write() as session, pytest.raises(refusal):
            systems.issue(session, cast.admin, name=name, city=city, now=case.now)


def test_guessing_credentials_is_slowed_down_by_address(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "FROM_ONE_ADDRESS", Rate(burst=1, every=timedelta(minutes=1)))
    database = case.runtime.database
    with pytest.raises(CredentialRefused):
        systems.authenticate(database, "rnsys_guess", address=NOWHERE, now=case.now)
    with pytest.raises(TooOften):
        systems.authenticate(database, "rnsys_another", address=NOWHERE, now=case.now)
    with pytest.raises(CredentialRefused):
        systems.authenticate(database, "rnsys_another", address="192.0.2.1", now=case.now)
