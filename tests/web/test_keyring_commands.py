"""`keyring`: an operator changes the keys that encrypt at rest and sees what still needs which."""

from click.testing import Result
from flask import Flask

from engine.people import second_factor
from engine.runtime.runtime import Runtime
from engine.secrets import Keyring
from tests.conftest import Cast


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["keyring", *words])


def test_keys_are_rotated_and_the_old_one_retired(app: Flask, runtime: Runtime, cast: Cast) -> None:
    with runtime.database.write() as session:
        second_factor.prepare(session, runtime.keyring, cast.admin.account_id)
    (old,) = runtime.keyring.ids

    assert run(app, "retire", old).exit_code == 1
    rotated = run(app, "rotate")
    assert rotated.exit_code == 0
    new, kept = runtime.keyring.ids
    assert (kept, new in rotated.output, "重新加密 1 条" in rotated.output) == (old, True, True)
    assert "加密  两步验证 1" in run(app, "status").output
    assert run(app, "retire", old).exit_code == 0
    assert runtime.keyring.ids == (new,)
    assert "重新加密 0 条" in run(app, "reencrypt").output


def test_a_missing_key_is_told_by_the_exit_code(app: Flask, runtime: Runtime, cast: Cast) -> None:
    assert run(app, "status").exit_code == 0
    lost = Keyring.from_text(Keyring.new_text())
    with runtime.database.write() as session:
        second_factor.prepare(session, lost, cast.admin.account_id)
    status = run(app, "status")
    assert status.exit_code == 1
    assert lost.ids[0] in status.output
    assert run(app, "reencrypt").exit_code == 1


def test_a_printed_key_is_one_that_can_be_used(app: Flask) -> None:
    ring = Keyring.from_text(run(app, "new").output)
    sealed = ring.encrypt(b"x", bound_to="y")
    assert ring.decrypt(sealed, bound_to="y") == b"x"
