"""Where the program is put together: settings → database → engine and handlers → pages. The one place that sees all."""

import importlib
import pkgutil

from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.database import Database
from engine.errors import Invalid
from engine.files import FileStore
from engine.migrations import upgrade
from engine.runtime.runtime import Runtime
from engine.runtime.tables import TrialClock
from engine.secrets import Keyring
from engine.text import Text
from handlers import HANDLERS
from web import (
    commands,
    errors,
    formview,
    headers,
    language,
    look,
    navigation,
    once,
    pages,
    samples,
    session,
    trial_cast,
)
from web.settings import Settings


class TrialClockMoved(Invalid):
    sentence = Text(
        "这个数据库的流程时钟曾在试用中被拨快，不能用于正式运行；请设置 TRIAL=1，或换用新的数据库。",
        "The process clock of this database was moved in a trial, so it can't be used for real; "
        "set TRIAL=1 or use a new database.",
    )


def create_app(settings: Settings) -> Flask:
    """The web application with its command line. Raises TrialClockMoved, and what the settings give rise to."""
    app = Flask("web")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="onboarding",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https_only,
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,  # everything that is not a file
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a long form must not be lost to a token's age
        WTF_CSRF_SSL_STRICT=settings.https_only,
        TRIAL=settings.trial,
    )
    app.extensions["settings"] = settings
    app.extensions["runtime"] = open_runtime(settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.jinja_options = {
        "loader": ChoiceLoader(
            [PackageLoader("web"), PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
        ),
    }
    headers.init_app(app, https_only=settings.https_only)
    language.init_app(app)
    look.init_app(app)
    formview.init_app(app)
    samples.init_app(app)
    session.init_app(app)
    navigation.init_app(app)
    once.init_app(app)
    errors.init_app(app)
    for module in pkgutil.iter_modules(pages.__path__, "web.pages."):
        for blueprint in vars(importlib.import_module(module.name)).values():
            if isinstance(blueprint, Blueprint):
                app.register_blueprint(blueprint)
    commands.init_app(app)
    if settings.trial:
        app.context_processor(trial_cast.for_log_in_page)
    return app


def open_runtime(settings: Settings) -> Runtime:
    """The engine over the migrated database, with everything it is given. Raises TrialClockMoved."""
    database = Database(settings.database_url)
    upgrade(database)
    if not settings.trial:
        with database.read() as reading:
            if reading.scalar(select(TrialClock.offset_seconds)):
                raise TrialClockMoved()
    return Runtime(
        database=database,
        handlers=HANDLERS,
        keyring=Keyring.from_file(settings.keyring_file, create=settings.makes_keyring),
        files=FileStore(settings.files_dir),
        trial=settings.trial,
    )
