"""发放测试密钥 (boxes F7, F16): the platform makes the key, nobody types it."""

from typing import Any

from engine.keys import issuing
from engine.runtime.calls import Call


def issue_test_key(call: Call, *, endpoint: str | None = None, valid_days: int | None = None) -> dict[str, Any]:
    """Issue a key to the enterprise of the instance, valid for `valid_days` (calendar days, 30 where none is given);
    an older key of the instance is revoked. Without an endpoint the older key's stays.

    Returns `key_id`, `issued_at` and `expires_at` (ISO 8601), never the key itself.
    """
    key = issuing.issue(
        call.session, call.keyring, call.instance, endpoint=endpoint, valid_days=valid_days or 30, now=call.now
    )
    return {
        "key_id": key.id,
        "issued_at": key.issued_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
    }
