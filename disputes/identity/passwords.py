"""Passwords as argon2id digests, made again when the parameters have grown."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: About 40 ms and 32 MiB each: above the floor of OWASP's cheat sheet (19 MiB, two rounds, one lane), and low
#: enough that eight people signing in at once stay under 300 MiB.
_HASHER = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
#: Checked against when there is no such account, so that the answer takes as long as for one that exists.
_NOBODY = _HASHER.hash("there is nobody of this name")


def hashed(password: str) -> str:
    """A salted digest of the password."""
    return _HASHER.hash(password)


def fits(password: str, digest: str | None) -> bool:
    """Is this the password? Takes as long when there is no digest."""
    try:
        return _HASHER.verify(digest or _NOBODY, password) and digest is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(digest: str) -> bool:
    """Was the digest made with weaker parameters than today's?"""
    return _HASHER.check_needs_rehash(digest)
