"""What an operator can set, all from the environment. Each setting is described in docs/operations.md."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.definitions import checks
from engine.errors import Invalid
from engine.files.scanning import Clamd
from engine.people.tables import Role
from engine.secrets import write_once
from engine.text import Text
from web import trial_cast

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ROOT = Path(__file__).resolve().parent.parent
_LOOPBACK = ("localhost", "127.0.0.1")
_HOST = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")  # a dot in front: with all its subdomains
_MAIL_PORTS: dict[Literal["none", "starttls", "smtps"], int] = {"none": 25, "starttls": 587, "smtps": 465}


class SettingRefused(Invalid):
    sentence = Text("配置项 {name} 的值“{value}”不可用：{why}", "The setting {name} can't be “{value}”: {why}")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Through whom e-mail leaves, and as whom."""

    host: str
    port: int
    tls: Literal["none", "starttls", "smtps"]
    sender: str  # an e-mail address
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignOn:
    """The OpenID provider through which people may log in."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    username_claim: str  # names the account at the first sign-on
    scopes: str
    label: str
    label_en: str
    role_claim: str = ""  # says what somebody is; a dot leads into it: realm_access.roles
    roles: Mapping[str, Role] = field(default_factory=dict)  # by the value of that claim
    organisation_claim: str = ""  # the organisation's key: credit code or city code
    name_claim: str = "name"
    second_factor: frozenset[str] = frozenset()  # values of `amr` (RFC 8176) that stand for one


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the assembly needs to know. Durations in seconds, sizes in bytes."""

    database_url: str
    data_dir: Path
    secret_key: str
    keyring_file: Path
    keyring: str = field(default="", repr=False)  # the keys themselves, in place of the file
    trial: bool = False
    trial_password: str = trial_cast.PASSWORD
    https_only: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    allowed_hosts: tuple[str, ...] = ()  # none: any
    host: str = "127.0.0.1"
    port: int = 8000
    max_request_bytes: int = 220 * 1024 * 1024
    tick_seconds: float = 5.0
    anchor_minutes: int = 10
    check_seconds: float = 60.0  # 0: never
    public_url: str = ""  # without a slash at its end; empty: messages carry no links
    mail: MailServer | None = None
    clamd: Clamd | None = None  # looks at every upload; none: nobody does
    signon: SignOn | None = None
    private_webhooks: bool = False  # may a webhook lead to this machine or a private network?

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def makes_keyring(self) -> bool:
        """Only a keyring in the data folder is made where there is none: one kept elsewhere must not be missed."""
        return self.keyring_file.parent == self.data_dir

    @property
    def mails_links(self) -> bool:
        """Can a letter lead somebody back here? Not by the name a request came under: anybody can make that up."""
        return self.mail is not None and bool(self.public_url)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises SettingRefused. Makes the data folder, and in it a secret key where none was given."""
        data_dir = Path(environ.get("DATA_DIR") or ROOT / "var").absolute()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial, public_url = _switch(environ, "TRIAL"), _public_url(environ.get("PUBLIC_URL", ""))
        host = environ.get("HOST") or "127.0.0.1"
        secured = public_url.startswith("https:") or (not trial and host not in _LOOPBACK)
        return cls(
            database_url=_database_url(environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'onboarding.db'}"),
            data_dir=data_dir,
            secret_key=environ.get("SECRET_KEY") or _kept(data_dir / "secret_key"),
            keyring_file=Path(environ.get("KEYRING_FILE") or data_dir / "keyring").absolute(),
            keyring=_keyring(environ),
            trial=trial,
            trial_password=environ.get("TRIAL_PASSWORD") or trial_cast.PASSWORD,
            https_only=_switch(environ, "HTTPS_ONLY", default=secured),
            trusted_proxies=_networks(environ.get("TRUSTED_PROXIES", "")),
            allowed_hosts=_hosts(environ.get("ALLOWED_HOSTS", ""), public_url),
            host=host,
            port=_number(environ, "PORT", 8000, range(1, 65536)),
            max_request_bytes=_number(environ, "MAX_REQUEST_MB", 220, range(1, 4097)) * 1024 * 1024,
            tick_seconds=float(_number(environ, "TICK_SECONDS", 5, range(1, 3601))),
            check_seconds=float(_number(environ, "CHECK_SECONDS", 60, range(86401))),
            anchor_minutes=_number(environ, "ANCHOR_MINUTES", 10, range(1, 1441)),
            public_url=public_url,
            mail=_mail_server(environ.get("SMTP_URL", ""), environ.get("MAIL_FROM", "")),
            clamd=_clamd(environ.get("CLAMD", "")),
            signon=_signon(environ, public_url),
            private_webhooks=_switch(environ, "PRIVATE_WEBHOOKS"),
        )


def _database_url(url: str) -> str:
    """The URL with the driver this project ships, where an operator wrote the usual short form."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise SettingRefused(
        name="DATABASE_URL",
        value=url.split("://")[0] + "://…",  # the rest may hold a password
        why=Text("只支持 sqlite:/// 和 postgresql://。", "only sqlite:/// and postgresql:// are supported."),
    )


def _keyring(environ: Mapping[str, str]) -> str:
    """One place only: of two, the one that isn't used would be taken for the backup."""
    text = environ.get("KEYRING", "")
    if text and environ.get("KEYRING_FILE"):
        why = Text("KEYRING 和 KEYRING_FILE 只能设一个。", "set either KEYRING or KEYRING_FILE.")
        raise SettingRefused(name="KEYRING", value="…", why=why)
    return text


def _public_url(url: str) -> str:
    if url and isinstance(checks.url(url), Text):
        why = Text("应为浏览器访问本系统的完整网址。", "it is the full address by which browsers reach this system.")
        raise SettingRefused(name="PUBLIC_URL", value=url, why=why)
    return url.rstrip("/")


def _mail_server(url: str, sender: str) -> MailServer | None:
    """smtp://user:password@host:port?tls=starttls (or none), smtps://…; the sender's address is needed with it."""
    if not url:
        return None
    if isinstance(checks.email(sender), Text):
        why = Text("设置了 SMTP_URL，就须填发件邮箱。", "with SMTP_URL, the sender's e-mail address is needed.")
        raise SettingRefused(name="MAIL_FROM", value=sender, why=why)
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        tls = "smtps" if parts.scheme == "smtps" else options.pop("tls", "starttls")
        if parts.scheme in ("smtp", "smtps") and parts.hostname and not options and parts.path in ("", "/"):
            for known, port in _MAIL_PORTS.items():
                if tls == known:
                    name, password = unquote(parts.username or ""), unquote(parts.password or "")
                    return MailServer(parts.hostname, parts.port or port, known, sender, name, password)
    except ValueError:
        pass  # a port or a query that can't be read
    raise SettingRefused(
        name="SMTP_URL",
        value=url.split("://")[0] + "://…",  # the rest may hold a password
        why=Text(
            "应如 smtp://用户:密码@主机:587?tls=starttls、smtp://主机:25?tls=none 或 smtps://用户:密码@主机:465。",
            "write smtp://user:password@host:587?tls=starttls, smtp://host:25?tls=none "
            "or smtps://user:password@host:465.",
        ),
    )


def _clamd(where: str) -> Clamd | None:
    """host:port, or the path of a Unix socket."""
    if not where:
        return None
    host, _, port = where.rpartition(":")
    if where.startswith("/"):
        return Clamd(where)
    if host and port.isdecimal() and int(port) in range(1, 65536):
        return Clamd((host.strip("[]"), int(port)))
    why = Text("应如 127.0.0.1:3310，或 /run/clamav/clamd.ctl。", "write 127.0.0.1:3310, or /run/clamav/clamd.ctl.")
    raise SettingRefused(name="CLAMD", value=where, why=why)


def _signon(environ: Mapping[str, str], public_url: str) -> SignOn | None:
    """All that is needed or nothing. In clear only on this machine: who can change an answer on its way is anybody."""
    issuer = environ.get("SIGNON_ISSUER", "")
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        why = Text(
            "应为 https 网址，与认证服务声明的完全一致。", "an https address is needed, exactly the provider's own."
        )
        raise SettingRefused(name="SIGNON_ISSUER", value=issuer, why=why)
    secret_file = environ.get("SIGNON_CLIENT_SECRET_FILE", "")
    given = {
        "PUBLIC_URL": public_url,
        "SIGNON_CLIENT_ID": environ.get("SIGNON_CLIENT_ID", ""),
        "SIGNON_CLIENT_SECRET": environ.get("SIGNON_CLIENT_SECRET", "") or _read(secret_file),
        "SIGNON_USERNAME_CLAIM": environ.get("SIGNON_USERNAME_CLAIM", ""),
    }
    for name, value in given.items():
        if not value:
            why = Text("设置了 SIGNON_ISSUER，就须填写此项。", "it is needed with SIGNON_ISSUER.")
            raise SettingRefused(name=name, value="", why=why)
    scopes = environ.get("SIGNON_SCOPES") or "openid profile"
    if "openid" not in scopes.split():
        why = Text("须包含 openid。", "openid must be among them.")
        raise SettingRefused(name="SIGNON_SCOPES", value=scopes, why=why)
    return SignOn(
        issuer,
        given["SIGNON_CLIENT_ID"],
        given["SIGNON_CLIENT_SECRET"],
        given["SIGNON_USERNAME_CLAIM"],
        scopes,
        environ.get("SIGNON_LABEL") or "统一身份认证登录",
        environ.get("SIGNON_LABEL_EN") or "Sign on with your organisation",
        **_places(environ),
        name_claim=environ.get("SIGNON_NAME_CLAIM") or "name",
        second_factor=frozenset(environ.get("SIGNON_SECOND_FACTOR", "").replace(",", " ").split()),
    )


# The platform's own people, administrators and analysts, are made by hand.
_BY_CLAIMS = (Role.ENTERPRISE, Role.AUTHORITY, Role.SUPPORT, Role.PROVINCE)


def _places(environ: Mapping[str, str]) -> dict[str, Any]:
    """Which claims say role and organisation: both or neither."""
    given = {name: environ.get(name, "") for name in ("SIGNON_ROLE_CLAIM", "SIGNON_ROLES", "SIGNON_ORGANISATION_CLAIM")}
    if not any(given.values()):
        return {}
    for name, value in given.items():
        if not value:
            why = Text("角色和单位的三项设置须一起填写。", "it is needed with the others on role and organisation.")
            raise SettingRefused(name=name, value="", why=why)
    roles = {}
    for each in given["SIGNON_ROLES"].split(","):
        value, _, role = each.strip().rpartition("=")
        if not value.strip() or role.strip() not in _BY_CLAIMS:
            why = Text(
                "应如 officials=authority,companies=enterprise；角色只能是 {roles}。",
                "write officials=authority,companies=enterprise; a role is one of {roles}.",
            )
            raise SettingRefused(name="SIGNON_ROLES", value=each, why=why.filled(roles=", ".join(_BY_CLAIMS)))
        roles[value.strip()] = Role(role.strip())
    return {
        "role_claim": given["SIGNON_ROLE_CLAIM"],
        "roles": roles,
        "organisation_claim": given["SIGNON_ORGANISATION_CLAIM"],
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip() if path else ""
    except OSError:
        why = Text("读不到这个文件。", "this file can't be read.")
        raise SettingRefused(name="SIGNON_CLIENT_SECRET_FILE", value=path, why=why) from None


def _networks(named: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each.strip(), strict=False) for each in named.split(",") if each.strip())
    except ValueError:
        why = Text("应为 IP 地址或网段，用逗号隔开。", "write IP addresses or networks, separated by commas.")
        raise SettingRefused(name="TRUSTED_PROXIES", value=named, why=why) from None


def _hosts(named: str, public_url: str) -> tuple[str, ...]:
    """Where none is named, that of the public address, and this machine's own for those who look after it."""
    hosts = tuple(each.strip().lower() for each in named.split(",") if each.strip())
    if all(_HOST.fullmatch(host) for host in hosts):
        return hosts or ((urlsplit(public_url).hostname or "", *_LOOPBACK) if public_url else ())
    why = Text("应为不带端口的主机名，用逗号隔开。", "write host names without ports, separated by commas.")
    raise SettingRefused(name="ALLOWED_HOSTS", value=named, why=why)


def _switch(environ: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    value = environ.get(name, "")
    if value in ("", "0", "1"):
        return value == "1" if value else default
    raise SettingRefused(name=name, value=value, why=Text("请填 0 或 1。", "it is 0 or 1."))


def _number(environ: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    value = environ.get(name) or str(default)
    if value.isdecimal() and int(value) in allowed:
        return int(value)
    bounds = {"low": allowed.start, "high": allowed.stop - 1}
    why = Text("须为 {low} 至 {high} 的整数。", "a whole number from {low} to {high} is needed.")
    raise SettingRefused(name=name, value=value, why=why.filled(**bounds))


def _kept(path: Path) -> str:
    """The secret in this file, made on the first start."""
    if not path.exists():
        write_once(path, secrets.token_hex())
    return path.read_text("ascii").strip()
