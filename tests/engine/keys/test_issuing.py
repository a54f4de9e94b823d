"""测试密钥: encrypted, shown once to the enterprise it is for, revoked by its successor."""

import pytest
from sqlalchemy import select

from engine.errors import NotAllowed, NotFound
from engine.keys import issuing
from engine.keys.issuing import KeyRevoked, KeyShown
from engine.runtime.tables import IssuedKey
from tests.casework import Case
from tests.conftest import Cast


def _keys(case: Case) -> list[IssuedKey]:
    with case.runtime.database.read() as session:
        return list(session.scalars(select(IssuedKey).order_by(IssuedKey.issued_at)))


def test_a_key_is_shown_once_and_only_to_its_enterprise(case: Case, cast: Cast) -> None:
    (key,) = _keys(case.goes("收到测试密钥"))
    for stranger in (cast.guangzhou, cast.province, cast.admin):
        with pytest.raises(NotAllowed):
            issuing.reveal(case.runtime, key.id, stranger, case.now)
    with pytest.raises(NotFound):
        issuing.reveal(case.runtime, key.id, cast.other_enterprise, case.now)

    plain = issuing.reveal(case.runtime, key.id, cast.enterprise, case.now)

    assert len(plain) >= 32
    assert plain.endswith(key.hint)
    assert plain.encode() not in key.ciphertext
    with pytest.raises(KeyShown):
        issuing.reveal(case.runtime, key.id, cast.enterprise_colleague, case.now)


def test_a_new_key_revokes_the_old_one_and_keeps_its_endpoint(case: Case, cast: Cast) -> None:
    case.goes("投诉属实并限期整改").step(by="技术支持单位", does="重新提供测试密钥或接口", fills={"remedy": "key"})

    old, new = _keys(case)
    assert old.revoked_at is not None
    assert new.revoked_at is None
    assert new.endpoint == old.endpoint
    with pytest.raises(KeyRevoked):
        issuing.reveal(case.runtime, old.id, cast.enterprise, case.now)
    assert issuing.reveal(case.runtime, new.id, cast.enterprise, case.now)


def test_no_key_stands_in_the_instance(case: Case, cast: Cast) -> None:
    import zlib

    (key,) = _keys(case.goes("收到测试密钥"))
    plain = issuing.reveal(case.runtime, key.id, cast.enterprise, case.now)

    assert plain.encode() not in zlib.decompress(case.instance().state)
