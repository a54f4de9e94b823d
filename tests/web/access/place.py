"""A small province to try the pages on: two enterprises that each apply in two cities, in every state that matters.

Whose something is depends on who asks: an enterprise owns what it applied for in whichever city, an official what was
applied for in the own city by whomever. So there are four corners, and each holds the same things once.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from engine import clock
from engine.definitions.deployment import deploy, read_forms
from engine.definitions.tables import DefinitionVersion
from engine.files import StoredFile
from engine.people import management, sessions, systems
from engine.people.accounts import Actor, actor_named
from engine.people.tables import Account, LoginSession, Role
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Instance, IssuedKey, Task, Timer
from engine.scenarios.reading import Samples, read_samples
from engine.scenarios.sampling import filled_in
from engine.telling import contacts
from engine.telling.tables import Notice, Severity
from handlers import HANDLERS
from tests.casework import FOLDER, Case
from tests.conftest import CAST_SINCE
from tests.engine.levers.test_limit_levers import with_levers
from tests.engine.membership.newcomers import registers
from tests.web.conftest import logged_in

PEOPLE: Mapping[str, str | None] = {
    "nobody": None,
    "enterprise": "enterprise-a",
    "colleague": "enterprise-a2",
    "official": "guangzhou",
    "manager": "guangzhou2",
    "support": "support-guangzhou",
    "province": "province",
    "analyst": "analyst",
    "admin": "admin",
}
STRANGERS = {"other enterprise": "enterprise-b", "other official": "shenzhen", "other support": "support-shenzhen"}
LEVERS = ("suspend", "resume", "cancel", "move", "deadline", "correct", "hold", "lift", "pause", "extend", "explode")
ANSWER, TITLE = "model of", "product of"  # how what nobody but the parties reads begins, and what lists call a case
_STATES = {
    "reviewing": "递交申请材料",  # the authority has a review with a limit open
    "testing": "收到测试密钥",  # a key is issued, the enterprise tests with it
    "complained": "收到测试密钥",  # and has complained
    "rectifying": "投诉属实并限期整改",  # the support unit has to offer a new key
}


@dataclass(frozen=True, slots=True)
class Corner:
    """One enterprise in one city, and the ids of what is between them: parameter of an address → which one → id."""

    enterprise: str  # user name
    city: str  # user name of its official
    ids: Mapping[str, Mapping[str, str]]
    secrets: frozenset[str]  # texts that only those may read whose application it is

    def is_own(self, person: str) -> bool:
        """Whether it is what somebody of `PEOPLE` has to do with."""
        if person in ("enterprise", "colleague"):
            return self.enterprise == "enterprise-a"
        return self.city == "guangzhou"


@dataclass
class Place:
    app: Flask
    corners: list[Corner] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)  # user name → cookie
    _as_it_was: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:"))

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.app.extensions["runtime"]
        return runtime

    def browser(self, username: str | None) -> FlaskClient:
        client = self.app.test_client()
        if username:
            client.set_cookie("onboarding", self.cookies[username])
        return client

    def ask(self, username: str | None, method: str, address: str, **sent: Any) -> TestResponse:
        """Somebody's request, after which everything is as it was before."""
        before = self.version()
        answer = self.browser(username).open(address, method=method, buffered=True, **sent)
        if self.version() != before:
            self.put_back()
        return answer

    def version(self) -> int:
        """Another one as soon as anything was written."""
        return int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def remember(self) -> None:
        self._watching = sqlite3.connect(self._path, isolation_level=None)
        with closing(sqlite3.connect(self._path)) as now:
            now.backup(self._as_it_was)

    def put_back(self) -> None:
        with closing(sqlite3.connect(self._path)) as now:
            self._as_it_was.backup(now)
        self.version()

    def changes(self) -> dict[str, list[tuple[object, ...]]]:
        """Table → the rows in it that are new or hold something else, but for how often something was tried."""
        with closing(sqlite3.connect(self._path)) as now:
            tables = [name for (name,) in now.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            every = {name: f"SELECT * FROM {name}" for name in tables if name != "throttles"}
            before = {name: self._as_it_was.execute(query).fetchall() for name, query in every.items()}
            after = {name: now.execute(query).fetchall() for name, query in every.items()}
        changed = {name: rows for name, rows in after.items() if rows != before[name]}
        return {name: [row for row in rows if row not in before[name]] for name, rows in changed.items()}

    def close(self) -> None:
        self._watching.close()
        self._as_it_was.close()

    @property
    def _path(self) -> str:
        return str(self.runtime.database.engine.url.database)


def furnish(place: Place) -> Place:
    """The place with everybody logged in and everything in it."""
    app = place.app
    runtime = place.runtime
    with runtime.database.write() as writing:
        deploy(writing, diagram=with_levers(), forms=read_forms(FOLDER), handlers=HANDLERS, by=None, now=CAST_SINCE)
        actors = {name: actor_named(writing, name) for name in _everybody()}
    for name, actor in actors.items():
        cookie = logged_in(app, actor).get_cookie("onboarding")
        assert cookie
        place.cookies[name] = cookie.value
    common = _common(runtime, actors)
    for enterprise in ("enterprise-a", "enterprise-b"):
        for city, code in (("guangzhou", "440100"), ("shenzhen", "440300")):
            place.corners.append(_corner(runtime, actors, enterprise, city, code, common))
    with runtime.database.write() as writing:  # however long the tests take, nobody has to prove again who sits there
        later = clock.now() + timedelta(hours=6)
        writing.execute(update(LoginSession).values(seen_at=later, proven_at=later))
    place.remember()
    return place


def _everybody() -> list[str]:
    return [name for name in (*PEOPLE.values(), *STRANGERS.values(), "support-shenzhen") if name]


def _common(runtime: Runtime, actors: Mapping[str, Actor]) -> dict[str, dict[str, str]]:
    """What is in no corner: a version of the process, and what administrators look after."""
    entry, _ = contacts.add(
        runtime,
        role=Role.AUTHORITY,
        key="440100",
        kind="email",
        address="someone@example.com",
        private=False,
        now=clock.now(),
    )
    registration = registers(runtime)
    with runtime.database.write() as writing:
        incident = Incident(action="timer", cause="ValueError: broken", stack="", at=clock.now())
        writing.add(incident)
        account = writing.get_one(Account, actors["guangzhou"].account_id)
        token = management.issue_link(writing, account, by=None, now=clock.now())
        writing.flush()
        return {
            "version_id": {"": writing.scalars(select(DefinitionVersion.id)).one()},
            "process_id": {"": "onboarding"},
            "message": {"": "complaint"},
            "kind": {"": "notice"},
            "incident_id": {"": incident.id},
            "contact_id": {"": entry.id},
            "token": {"": token},
            "registration_id": {"": registration.id},
            "filename": {"": "icon.svg"},
            "lever": {lever: lever for lever in LEVERS},
        }


def _corner(
    runtime: Runtime,
    actors: Mapping[str, Actor],
    enterprise: str,
    city: str,
    code: str,
    common: Mapping[str, Mapping[str, str]],
) -> Corner:
    cases = {}
    for state, passage in _STATES.items():
        case = cases[state] = Case(runtime, begins=clock.now(), samples=_samples(enterprise, city, code, state))
        case.goes(passage)
        if state == "complained":
            case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    draft = _draft(runtime, actors[enterprise])
    with runtime.database.write() as writing:
        for timer in writing.scalars(select(Timer).where(Timer.instance_id == cases["reviewing"].id)):
            timer.shortened_to = clock.now()
        for name in (enterprise, city):
            sessions.begin(writing, actors[name].account_id, agent="", address="", now=clock.now())
        system, _ = systems.issue(writing, actors["admin"], name="a system", city=code, now=clock.now())
        return Corner(
            enterprise,
            city,
            {
                **common,
                "system_id": {"": system.id},
                "instance_id": {state: case.id for state, case in cases.items()},
                "task_id": {
                    "enterprise": cases["testing"].task("Test_Connection").id,
                    "authority": cases["reviewing"].task("审核材料").id,
                    "complaint": cases["complained"].task("核实情况").id,
                    "support": cases["rectifying"].task("重新提供测试密钥或接口").id,
                    "done": _first(writing, Task, instance_id=cases["testing"].id, name="审核材料"),
                },
                "timer_id": {"": _first(writing, Timer, instance_id=cases["reviewing"].id)},
                "file_id": {
                    "handed-in": _first(writing, StoredFile, instance_id=cases["testing"].id),
                    "evidence": _first(writing, StoredFile, instance_id=cases["rectifying"].id, name="evidence.png"),
                    "draft": draft,
                },
                "key_id": {"": _first(writing, IssuedKey, instance_id=cases["testing"].id)},
                "notice_id": {
                    "enterprise": _notice(writing, cases["testing"], actors[enterprise], Severity.INFO),
                    "warning": _notice(writing, cases["complained"], actors[city], Severity.WARNING),
                },
                "account_id": {
                    "enterprise": actors[enterprise].account_id,
                    "authority": actors[city].account_id,
                },
                "session_id": {
                    "enterprise": _first(writing, LoginSession, account_id=actors[enterprise].account_id),
                    "authority": _first(writing, LoginSession, account_id=actors[city].account_id),
                },
            },
            frozenset(_secrets(writing, cases, enterprise, city)),
        )


def _samples(enterprise: str, city: str, code: str, state: str) -> Samples:
    samples = read_samples(FOLDER)
    people = {**samples.people, "企业": enterprise, "主管部门": city, "技术支持单位": f"support-{city}"}
    basic = {
        **samples.answers["basic"]["first"],
        "city": code,
        "product": _named(TITLE, enterprise, city, state),
        "model": _named(ANSWER, enterprise, city, state),
    }
    complaint = {**samples.answers["complaint"]["key_unusable"], "evidence": [{"file": "evidence.png"}]}
    changed = {"basic": {"first": basic}, "complaint": {"key_unusable": complaint}}
    return replace(samples, people=people, answers={**samples.answers, **changed})


def _named(what: str, enterprise: str, city: str, state: str) -> str:
    return f"{what} {enterprise} in {city} {state}"


def _draft(runtime: Runtime, actor: Actor) -> str:
    uploaded = filled_in(runtime, {"form": {"file": "draft.pdf"}}, actor, clock.now())
    return str(uploaded["form"]["file_id"])


def _notice(session: Session, case: Case, to: Actor, severity: Severity) -> str:
    return _first(session, Notice, instance_id=case.id, organisation_id=to.organisation_id, severity=severity)


def _first(session: Session, table: type, **wanted: str) -> str:
    found = session.scalars(select(table).filter_by(**wanted).order_by(table.id).limit(1)).first()  # type: ignore[attr-defined]
    assert found, (table, wanted)
    return str(found.id)


def _secrets(session: Session, cases: Mapping[str, Case], enterprise: str, city: str) -> Iterator[str]:
    """What a page about somebody else's application must not hold: an answer, its title, number, ids of every kind."""
    for state, case in cases.items():
        yield from (_named(what, enterprise, city, state) for what in (ANSWER, TITLE))
        yield case.id
        yield session.get_one(Instance, case.id).number or case.id
        for table in (Task, Timer, StoredFile, IssuedKey):
            yield from session.scalars(select(table.id).where(table.instance_id == case.id))
