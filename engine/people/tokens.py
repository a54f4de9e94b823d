"""Secrets that let somebody in: the person holds the token, the database its hash, so that whoever reads one can't pass
for the other."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hashed_token(token: str) -> str:
    """A token is random enough to be hashed plainly."""
    return hashlib.sha256(token.encode()).hexdigest()
