"""One furnished place for all tests of this folder: a request leaves nothing behind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.access.place import Place, furnish
from web.assembly import create_app
from web.settings import Settings


@pytest.fixture(scope="session")
def place(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    shutil.copyfile(sqlite_template, folder / "onboarding.db")
    app = create_app(
        Settings(
            database_url=f"sqlite:///{folder / 'onboarding.db'}",
            data_dir=folder,
            secret_key="a key for tests only",
            keyring_file=folder / "keyring",
            trial=True,
        )
    )
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    place = furnish(Place(app))
    yield place
    place.close()
    app.extensions["runtime"].database.close()
