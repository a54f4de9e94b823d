"""Messages leave after the commit, at least once; what fails comes back by itself, and in the end to an operator."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import clock
from engine.database import Database
from engine.errors import NotAllowed
from engine.levers import incidents
from engine.people.tables import Contact, ContactKind
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.secrets import Keyring
from engine.telling import contacts, outbox
from engine.telling.outbox import LEASE, MOST_ATTEMPTS, Parcel, SenderDown, deliver_due
from engine.telling.tables import Notice, OutboxMessage, OutboxState
from handlers import HANDLERS
from tests.casework import Case, open_incidents
from tests.conftest import ROOT, Cast

Told = list[Parcel]


def mail_to(runtime: Runtime, address: str, role: str = "authority", key: str = "440100") -> str:
    entry, _ = contacts.add(runtime, role=role, key=key, kind="email", address=address, private=False, now=clock.now())
    return entry.id


def overdue(case: Case) -> Case:
    """The authority has let its limit pass: a 预警 to the authority itself and the province."""
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None
    assert timers.fire_due(case.runtime, due) == 1
    return case


def messages(runtime: Runtime) -> list[OutboxMessage]:
    with runtime.database.read() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.address)))


def fixed(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def keeping(told: Told) -> Mapping[str, outbox.Sender]:
    return {"email": told.append, "webhook": told.append}


def refusing(problem: Exception) -> Mapping[str, outbox.Sender]:
    def refuse(parcel: Parcel) -> None:
        raise problem

    return {"email": refuse, "webhook": refuse}


def test_a_notice_reaches_every_contact_of_its_organisation_once(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    mail_to(runtime, "second@gz.example.cn")
    mail_to(runtime, "elsewhere@sz.example.cn", key="440300")
    overdue(case)
    told: Told = []

    assert deliver_due(runtime, clock.now, keeping(told)) == 2
    assert deliver_due(runtime, clock.now, keeping(told)) == 0

    assert sorted(parcel.address for parcel in told) == ["first@gz.example.cn", "second@gz.example.cn"]
    with runtime.database.read() as session:
        notice = session.scalars(select(Notice).join(OutboxMessage)).first()
    assert notice is not None
    assert told[0].body == {
        "notice_id": notice.id,
        "instance_id": case.id,
        "number": case.instance().number,
        "kind": "warning",
        "role": "authority",
        "text": notice.text,
        "text_en": notice.text_en,
        "at": notice.at.isoformat(),
    }
    assert {(m.state, m.attempts, m.last_error) for m in messages(runtime)} == {(OutboxState.SENT, 1, None)}


def test_a_step_that_is_undone_tells_nobody(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None

    def warns_and_fails(call: Any, **params: Any) -> None:
        HANDLERS["raise_warning"](call, **params)
        call.session.flush()
        raise RuntimeError("after the notice was written")

    broken = replace(runtime, handlers={**HANDLERS, "raise_warning": warns_and_fails})
    assert timers.fire_due(broken, due) == 0
    assert messages(runtime) == []


def test_what_is_refused_comes_back_later_and_later_and_recovers_by_itself(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    now, told = clock.now(), Told()
    pauses = []
    for _ in range(4):
        assert deliver_due(runtime, fixed(now), refusing(OSError("550 no"))) == 0
        (message,) = messages(runtime)
        assert (message.state, message.last_error) == (OutboxState.WAITING, "OSError: 550 no")
        pauses.append((message.next_attempt_at - now) / timedelta(minutes=1))
        assert deliver_due(runtime, fixed(message.next_attempt_at - timedelta(seconds=1)), keeping(told)) == 0
        now = message.next_attempt_at

    assert [low <= pause <= low * 1.25 for low, pause in zip((1, 2, 4, 8), pauses, strict=True)] == [True] * 4
    assert deliver_due(runtime, fixed(now), keeping(told)) == 1
    assert told[0].idempotency_key == messages(runtime)[0].idempotency_key


def test_pauses_end_at_six_hours_and_differ_between_messages() -> None:
    lengths = [outbox.pause("0" * 32, attempts) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert lengths == sorted(lengths)
    assert timedelta(hours=6) <= lengths[-1] <= timedelta(hours=7.5)
    assert len({outbox.pause(f"{i:032x}", 5) for i in range(50)}) == 50


def test_at_the_limit_an_operator_hears_of_it_and_can_have_it_sent(runtime: Runtime, case: Case, cast: Cast) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    now = clock.now()
    for _ in range(MOST_ATTEMPTS):
        deliver_due(runtime, fixed(now), refusing(OSError("550 no such mailbox")))
        now += timedelta(hours=8)

    (message,) = messages(runtime)
    assert (message.state, message.attempts) == (OutboxState.GIVEN_UP, MOST_ATTEMPTS)
    with runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert (incident.action, incident.instance_id) == ("outbox", case.id)
    assert "first@gz.example.cn" in incident.cause
    assert "550 no such mailbox" in incident.cause

    told: Told = []
    assert deliver_due(runtime, fixed(now), keeping(told)) == 0
    with pytest.raises(NotAllowed):
        incidents.retry(runtime, incident.id, cast.guangzhou, case.now)
    incidents.retry(runtime, incident.id, cast.admin, case.now)
    assert deliver_due(runtime, clock.now, keeping(told)) == 1
    assert told[0].idempotency_key == message.idempotency_key
    with runtime.database.read() as session:
        assert open_incidents(session) == []


def test_a_message_whose_every_attempt_kills_the_process_is_given_up_too(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    now, told = clock.now(), Told()
    with runtime.database.write() as session:
        session.execute(update(OutboxMessage).values(attempts=MOST_ATTEMPTS))
    assert deliver_due(runtime, fixed(now), keeping(told)) == 0
    assert [m.state for m in messages(runtime)] == [OutboxState.GIVEN_UP]
    with runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert "died" in incident.cause


def test_without_a_sender_of_its_kind_a_message_waits_and_is_counted(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    told: Told = []
    assert deliver_due(runtime, clock.now, {"webhook": told.append}) == 0
    (message,) = messages(runtime)
    assert (message.state, message.attempts) == (OutboxState.WAITING, 0)
    with runtime.database.read() as session:
        assert outbox.count_waiting(session) == {"email": 1}


def test_a_removed_contact_gets_nothing_more_and_no_operator_is_troubled(runtime: Runtime, case: Case) -> None:
    gone = mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    with runtime.database.write() as session:
        contacts.remove(session, gone, now=clock.now())
    told: Told = []
    assert deliver_due(runtime, clock.now, keeping(told)) == 0
    assert [m.state for m in messages(runtime)] == [OutboxState.GIVEN_UP]
    overdue(Case(runtime))
    assert deliver_due(runtime, clock.now, keeping(told)) == 0
    with runtime.database.read() as session:
        assert open_incidents(session) == []


def test_one_dead_receiver_is_asked_once_and_holds_up_nobody(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "alive@gz.example.cn")
    mail_to(runtime, "dead@gz.example.cn")
    overdue(case)
    overdue(Case(runtime))
    tried: list[str] = []

    def sender(parcel: Parcel) -> None:
        tried.append(parcel.address)
        if parcel.address.startswith("dead"):
            raise TimeoutError("no answer")

    assert deliver_due(runtime, clock.now, {"email": sender}) == 2
    assert Counter(tried) == {"alive@gz.example.cn": 2, "dead@gz.example.cn": 1}


def test_when_the_mail_server_is_down_nothing_more_is_tried_there(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    mail_to(runtime, "second@gz.example.cn")
    overdue(case)
    assert deliver_due(runtime, clock.now, refusing(SenderDown("connection refused"))) == 0
    assert sorted(m.attempts for m in messages(runtime)) == [0, 1]


def test_no_lock_is_held_and_no_second_process_sends_while_one_is_sending(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    meanwhile: list[int] = []

    def sender(parcel: Parcel) -> None:
        with runtime.database.write() as session:  # would wait for ever for a lock on the row or on the file
            session.execute(update(OutboxMessage).values(last_error="somebody else was here"))
        meanwhile.append(deliver_due(runtime, clock.now, keeping([])))

    assert deliver_due(runtime, clock.now, {"email": sender}) == 1
    assert meanwhile == [0]


def test_who_comes_back_after_the_lease_leaves_the_marking_to_whoever_took_over(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    now, told = clock.now(), Told()

    def asleep(parcel: Parcel) -> None:
        assert deliver_due(runtime, fixed(now + LEASE), keeping(told)) == 1
        raise TimeoutError("woke up late")

    assert deliver_due(runtime, fixed(now), {"email": asleep}) == 0
    assert len(told) == 1
    assert [(m.state, m.attempts, m.last_error) for m in messages(runtime)] == [(OutboxState.SENT, 2, None)]


DIES = """
import os, signal, sys
from pathlib import Path
from engine import clock
from engine.database import Database
from engine.files import FileStore
from engine.telling.outbox import deliver_due
from engine.runtime.runtime import Runtime
from engine.secrets import Keyring

def sends_and_dies(parcel):
    print(parcel.idempotency_key, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

url, keyring = sys.argv[1:]
runtime = Runtime(Database(url), {}, Keyring.from_text(keyring), FileStore(Path("unused")), trial=False)
deliver_due(runtime, clock.now, {"email": sends_and_dies})
"""


def test_a_process_killed_after_sending_leads_to_a_second_one_with_the_same_key(runtime: Runtime, case: Case) -> None:
    mail_to(runtime, "first@gz.example.cn")
    overdue(case)
    url = runtime.database.engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", DIES, url, Keyring.new_text()],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    told: Told = []
    assert deliver_due(runtime, clock.now, keeping(told)) == 0
    assert deliver_due(runtime, fixed(clock.now() + LEASE), keeping(told)) == 1
    assert told[0].idempotency_key == died.stdout.strip()


def test_two_processes_at_once_send_each_message_once(runtime: Runtime, case: Case) -> None:
    for i in range(30):
        mail_to(runtime, f"n{i}@gz.example.cn")
    overdue(case)
    told: Told = []
    begin = threading.Barrier(2)
    url = runtime.database.engine.url.render_as_string(hide_password=False)
    counts: list[int] = []

    def work() -> None:
        own = replace(runtime, database=Database(url))
        begin.wait()
        counts.append(deliver_due(own, clock.now, keeping(told)))
        own.database.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 30
    assert set(Counter(parcel.idempotency_key for parcel in told).values()) == {1}
    assert {m.state for m in messages(runtime)} == {OutboxState.SENT}


def test_a_webhook_is_handed_its_own_secret_and_the_database_holds_it_encrypted(runtime: Runtime, case: Case) -> None:
    _, secret = contacts.add(
        runtime,
        role="authority",
        key="440100",
        kind=ContactKind.WEBHOOK,
        address="http://127.0.0.1:9/hook",
        private=True,
        now=clock.now(),
    )
    overdue(case)
    told: Told = []
    assert deliver_due(runtime, clock.now, keeping(told)) == 1
    assert secret is not None
    assert told[0].secret == secret
    with runtime.database.read() as session:
        stored = session.scalars(select(Contact.secret)).one()
    assert stored is not None
    assert secret.encode() not in stored
