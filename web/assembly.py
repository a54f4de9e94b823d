"""Where the program is put together: settings → database → engine and handlers → pages. The one place that sees all."""

import importlib
import pkgutil
from datetime import timedelta
from functools import cache

from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from engine.database import Database
from engine.files import FileStore
from engine.migrations import upgrade
from engine.people.sessions import IDLE
from engine.runtime.runtime import Runtime
from engine.runtime.trial import refuse_moved_clock
from engine.secrets import Keyring
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
    proof,
    receiving,
    samples,
    session,
    signon,
    trial_cast,
)
from web.patience import PatientServer
from web.proxies import NamedProxies
from web.settings import Settings


def create_app(settings: Settings) -> Flask:
    """The web application with its command line. Raises what the settings give rise to."""
    app = Flask("web")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="onboarding",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https_only,
        PERMANENT_SESSION_LIFETIME=IDLE,
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,  # everything that is not a file
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a long form must not be lost to a token's age
        WTF_CSRF_SSL_STRICT=settings.https_only,
        TRUSTED_HOSTS=settings.allowed_hosts,
        TRIAL=settings.trial,
    )
    app.extensions["settings"] = settings
    app.extensions["runtime"] = open_runtime(settings)
    app.before_request(cache(lambda: refuse_moved_clock(app.extensions["runtime"])))  # asked until it is answered once
    app.wsgi_app = PatientServer(NamedProxies(app.wsgi_app, settings.trusted_proxies))  # type: ignore[method-assign]
    app.jinja_options = {
        "loader": ChoiceLoader(
            [PackageLoader("web"), PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
        ),
    }
    receiving.init_app(app)
    headers.init_app(app, https_only=settings.https_only)
    language.init_app(app)
    look.init_app(app)
    formview.init_app(app)
    samples.init_app(app)
    session.init_app(app)
    signon.init_app(app, settings)
    navigation.init_app(app)
    once.init_app(app)
    proof.init_app(app)
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
    """The engine over the migrated database, with everything it is given."""
    database = Database(settings.database_url)
    upgrade(database)
    return Runtime(
        database=database,
        handlers=HANDLERS,
        keyring=(
            Keyring.from_text(settings.keyring)
            if settings.keyring
            else Keyring.from_file(settings.keyring_file, create=settings.makes_keyring)
        ),
        files=FileStore(settings.files_dir, settings.clamd),
        trial=settings.trial,
        anchor_every=timedelta(minutes=settings.anchor_minutes),
    )
