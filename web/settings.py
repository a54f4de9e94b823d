"""What an operator can set, all from the environment. Each setting is described in docs/operations.md."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Invalid
from engine.secrets import write_once
from engine.text import Text
from web import trial_cast

ROOT = Path(__file__).resolve().parent.parent


class SettingRefused(Invalid):
    sentence = Text("配置项 {name} 的值“{value}”不可用：{why}", "The setting {name} can't be “{value}”: {why}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the assembly needs to know. Durations in seconds, sizes in bytes."""

    database_url: str
    data_dir: Path
    secret_key: str
    keyring_file: Path
    trial: bool = False
    trial_password: str = trial_cast.PASSWORD
    https_only: bool = False
    trusted_proxies: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    max_request_bytes: int = 220 * 1024 * 1024
    tick_seconds: float = 5.0
    check_seconds: float = 60.0  # 0: never

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def makes_keyring(self) -> bool:
        """Only a keyring in the data folder is made where there is none: one kept elsewhere must not be missed."""
        return self.keyring_file.parent == self.data_dir

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises SettingRefused. Makes the data folder, and in it a secret key where none was given."""
        data_dir = Path(environ.get("DATA_DIR") or ROOT / "var").absolute()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(
            database_url=_database_url(environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'onboarding.db'}"),
            data_dir=data_dir,
            secret_key=environ.get("SECRET_KEY") or _kept(data_dir / "secret_key"),
            keyring_file=Path(environ.get("KEYRING_FILE") or data_dir / "keyring").absolute(),
            trial=_switch(environ, "TRIAL"),
            trial_password=environ.get("TRIAL_PASSWORD") or trial_cast.PASSWORD,
            https_only=_switch(environ, "HTTPS_ONLY"),
            trusted_proxies=_number(environ, "TRUSTED_PROXIES", 0, range(10)),
            host=environ.get("HOST") or "127.0.0.1",
            port=_number(environ, "PORT", 8000, range(1, 65536)),
            max_request_bytes=_number(environ, "MAX_REQUEST_MB", 220, range(1, 4097)) * 1024 * 1024,
            tick_seconds=float(_number(environ, "TICK_SECONDS", 5, range(1, 3601))),
            check_seconds=float(_number(environ, "CHECK_SECONDS", 60, range(86401))),
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


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    if value in ("", "0", "1"):
        return value == "1"
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
