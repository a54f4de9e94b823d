"""The people of a trial: enough organisations to play every part of the process, in every city of Guangdong.

All of them are made up. They share one password, which the log-in page of a trial shows.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.calendar.regions import CITIES, PROVINCE
from engine.people.accounts import create_account, create_organisation, organisation_for
from engine.people.tables import Account, Role
from engine.text import Text

PASSWORD = "lianban-2026"  # noqa: S105  (public on purpose: the log-in page of a trial shows it)
_OWN_SUPPORT = ("440100", "440300")  # the other cities share one unit
_MANAGERS = ("guangzhou2", "shenzhen2")  # they look after their authority's accounts
_HEADS = ("guangzhou2", "shenzhen2")  # 科长
_OFFICIALS = {"440100": ("何敏", "梁志强"), "440300": ("黄晓彤", "罗建国")}


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation of the cast with its people: user name → the person's name."""

    role: Role
    name: Text
    keys: tuple[str, ...]
    people: dict[str, str]


def members(cities: tuple[str, ...] = tuple(CITIES)) -> list[Member]:
    """The cast for these cities, enterprises first."""
    return [
        Member(
            Role.ENTERPRISE,
            Text("粤筑智联（演示）科技有限公司", "Yuezhu Zhilian (Demo) Technology Co., Ltd."),
            ("91440101MA5TRYA01X",),
            {"enterprise-a": "陈嘉欣", "enterprise-a2": "李文博"},
        ),
        Member(
            Role.ENTERPRISE,
            Text("鹏程安建（演示）设备有限公司", "Pengcheng Anjian (Demo) Equipment Co., Ltd."),
            ("91440300MA5TRYA02W",),
            {"enterprise-b": "吴俊杰"},
        ),
        *(_authority(city) for city in cities),
        *(
            Member(
                Role.SUPPORT,
                Text("{city}实名制系统技术支持单位", "Technical support unit of {city}").filled(city=CITIES[city]),
                (city,),
                {f"support-{CITIES[city].en.lower()}": person},
            )
            for city, person in zip(_OWN_SUPPORT, ("周立", "郑凯"), strict=True)
        ),
        Member(
            Role.SUPPORT,
            Text("粤东西北实名制系统联合技术支持单位", "Joint technical support unit of the other cities"),
            tuple(city for city in CITIES if city not in _OWN_SUPPORT),
            {"support-joint": "冯雪"},
        ),
        Member(
            Role.PROVINCE,
            Text("广东省建筑工人管理服务信息平台（省级监督）", "Provincial platform (supervision)"),
            (PROVINCE,),
            {"province": "谢丽华"},
        ),
        Member(Role.ANALYST, Text("流程管理组", "Process analysts"), ("analysts",), {"analyst": "林思远"}),
        Member(Role.ADMIN, Text("平台运维组", "Platform operations"), ("operations",), {"admin": "叶卫东"}),
    ]


def _authority(city: str) -> Member:
    name, name_en = CITIES[city].zh, CITIES[city].en
    login = name_en.lower()
    officials = _OFFICIALS.get(city, (f"{name.removesuffix('市')}经办人",))
    return Member(
        Role.AUTHORITY,
        Text(f"{name}住房和城乡建设局", f"Housing and Urban-Rural Development Bureau of {name_en}"),
        (city,),
        {login + (str(place) if place > 1 else ""): official for place, official in enumerate(officials, 1)},
    )


def seed(session: Session, *, password: str, now: datetime, cities: tuple[str, ...] = tuple(CITIES)) -> int:
    """Register whoever of the cast is missing yet, and say how many accounts were made."""
    existing = set(session.scalars(select(Account.username)))
    made = 0
    for member in members(cities):
        organisation = organisation_for(session, member.role, member.keys[0]) or create_organisation(
            session, member.role, member.name.zh, member.keys, now=now, name_en=member.name.en
        )
        for username, person in member.people.items():
            if username not in existing:
                create_account(
                    session,
                    organisation=organisation,
                    username=username,
                    password=password,
                    name=person,
                    manages=username in _MANAGERS,
                    heads=username in _HEADS,
                    now=now,
                )
                made += 1
    return made


def for_log_in_page() -> dict[str, object]:
    """For templates: `trial_cast()` and `trial_password`."""
    return {"trial_cast": listed, "trial_password": current_app.extensions["settings"].trial_password}


def listed() -> list[tuple[Role, Text, str, str]]:
    """(role, organisation, user name, person) of the two cities with a support unit of their own."""
    return [
        (member.role, member.name, username, person)
        for member in members(_OWN_SUPPORT)
        for username, person in member.people.items()
    ]
