"""企业注册: an enterprise that has no account yet asks for one. On real time.

Who asks is a stranger. It is told whether its enterprise takes part already, as it has to know whom to ask; nothing
else that is in the database can be learned here, not even which user names are taken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database, new_id
from engine.definitions import checks
from engine.errors import Conflict, FormRefused
from engine.membership.tables import Registration, RegistrationState
from engine.people import throttling
from engine.people.accounts import UsernameRefused, checked_username, organisation_for
from engine.people.tables import Role
from engine.people.throttling import Rate
from engine.text import Text

FROM_ONE_ADDRESS = Rate(burst=5, every=timedelta(minutes=10))

FIELDS: Mapping[str, Text] = {
    "name": Text("企业名称", "Name of the enterprise"),
    "code": Text("统一社会信用代码", "Unified social credit code"),
    "legal_representative": Text("法定代表人", "Legal representative"),
    "contact": Text("联系人", "Contact person"),
    "mobile": Text("手机号", "Mobile number"),
    "email": Text("电子邮箱", "E-mail address"),
    "username": Text("用户名", "User name"),
}
_MOST = {"name": 200, "code": 18, "legal_representative": 60, "contact": 60, "mobile": 20, "email": 254, "username": 60}
_CHECKS = {"code": checks.uscc, "mobile": checks.mobile, "email": checks.email}
_MISSING = Text("请填写{label}。", "Fill in “{label}”.")
_TOO_LONG = Text("{label}最多 {most} 个字。", "“{label}” can have {most} characters at most.")
_UNPRINTABLE = Text("{label}含有不能使用的字符。", "“{label}” holds characters that can't be used.")


class EnterpriseRegistered(Conflict):
    sentence = Text(
        "代码为 {code} 的企业已经注册，请向本企业的账号管理员索取账号。",
        "The enterprise with the code {code} is registered already; ask its account manager for an account.",
    )


def register(database: Database, given: Mapping[str, str], *, address: str, now: datetime) -> None:
    """Ask for the first account of an enterprise, from a network address. Asking again with the same code and e-mail
    address while that waits changes nothing. Raises FormRefused, EnterpriseRegistered, TooOften."""
    answers = _checked(given)
    with database.write() as session:  # by itself, so that a refusal counts too
        throttling.take(session, FROM_ONE_ADDRESS, "register from", throttling.source(address), now=now)
    with database.write() as session:
        if organisation_for(session, Role.ENTERPRISE, answers["code"]):
            raise EnterpriseRegistered(code=answers["code"])
        if not _waits_already(session, answers["code"], answers["email"]):
            registration = Registration(id=new_id(), applied_at=now, **answers)
            session.add(registration)
            session.flush()
            kind = SystemEventKind.REGISTRATION_RECEIVED
            record(session, kind, at=now, actor_id=None, registration_id=registration.id)


def _waits_already(session: Session, code: str, email: str) -> bool:
    same = (Registration.code == code, Registration.email == email, Registration.state == RegistrationState.WAITING)
    return bool(session.scalar(select(exists().where(*same))))


def _checked(given: Mapping[str, str]) -> dict[str, str]:
    answers, errors = {}, {}
    for field, label in FIELDS.items():
        found = _answer(field, label, given.get(field, "").strip())
        if isinstance(found, Text):
            errors[field] = found
        else:
            answers[field] = found
    if errors:
        raise FormRefused(errors)
    return answers


def _answer(field: str, label: Text, value: str) -> str | Text:
    """As it is kept, or what is wrong with it."""
    most = _MOST[field]
    if not value:
        return _MISSING.filled(label=label)
    if field in _CHECKS and len(value) <= 2 * most:  # a code may be typed with spaces
        found = _CHECKS[field](value)
        return found.filled(label=label) if isinstance(found, Text) else found
    if len(value) > most:
        return _TOO_LONG.filled(label=label, most=most)
    if not value.isprintable():
        return _UNPRINTABLE.filled(label=label)
    if field == "username":
        try:
            return checked_username(value)
        except UsernameRefused as refusal:
            return refusal.text
    return value
