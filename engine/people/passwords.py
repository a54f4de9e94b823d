"""Passwords: which may be chosen, and how they are kept.

Length and guessability count, nothing else: no rule asks for a capital or a digit, and none makes a good password
expire (NIST SP 800-63B, 5.1.1.2).
"""

import secrets
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from zxcvbn import zxcvbn

from engine.errors import Invalid
from engine.text import Text

LENGTHS = range(12, 129)  # characters
_LONGEST_HASHED = 200  # characters; earlier rules let passwords be that long, and more a stranger can't make us hash
_LONGEST_JUDGED = 72  # characters; judging takes longer than in proportion
_SAFE = 3  # of 4: withstands 10^8 guesses, more than throttled log-ins leave anybody
_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory profile


class PasswordRefused(Invalid):
    sentence = Text("密码须为 {shortest} 至 {longest} 个字符。", "A password needs {shortest} to {longest} characters.")


class PasswordGuessable(PasswordRefused):
    sentence = Text(
        "这个密码太容易被猜到：常用的密码、重复或连续的字符、姓名、用户名和单位名称都不行。可以用几个不相干的词连起来。",
        "This password is too easy to guess: common ones, repetitions, sequences, and your own, user or organisation's "
        "name won't do. A few unrelated words make a good one.",
    )


class PasswordSame(PasswordRefused):
    sentence = Text("新密码与原密码相同，请换一个。", "The new password is the old one; choose another.")


def check(password: str, *, about: Iterable[str]) -> None:
    """`about` are the names an attacker would try first. Raises PasswordRefused, PasswordGuessable."""
    if len(password) not in LENGTHS:
        raise PasswordRefused(shortest=LENGTHS.start, longest=LENGTHS.stop - 1)
    names = [name for name in about if name]
    if zxcvbn(password[:_LONGEST_JUDGED], user_inputs=names)["score"] < _SAFE:
        raise PasswordGuessable()


def hashed(password: str) -> str:
    return _hasher.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether it is the password of this hash. Takes as long where there is none, so that the time tells nothing."""
    try:
        _hasher.verify(stored or _hash_of_nobody(), password[: _LONGEST_HASHED + 1])
    except VerificationError:
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Was it hashed with other parameters than today's?"""
    return _hasher.check_needs_rehash(stored)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_hex())
