"""Encryption of personal data at rest, and keyed fingerprints to find it again.

The keys are a property of the process, as the database's password is: the edge calls ``unlock`` once.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator


class SealedError(RuntimeError):
    """Personal data was read or written before the keys were given, or with the wrong ones."""


class _Keys:
    fernet: MultiFernet | None = None
    fingerprint: bytes = b""


def unlock(keys: tuple[str, ...]) -> None:
    """Give the process its keys; the first encrypts, all decrypt. Deriving is deterministic."""
    if not keys:
        raise SealedError("At least one data key is needed.")
    derived = [base64.urlsafe_b64encode(hashlib.sha256(f"hejie:data:{k}".encode()).digest()) for k in keys]
    _Keys.fernet = MultiFernet([Fernet(k) for k in derived])
    # Fingerprints must survive rotation: they hang on the last (oldest) key.
    _Keys.fingerprint = hashlib.sha256(f"hejie:fingerprint:{keys[-1]}".encode()).digest()


@contextmanager
def with_throwaway_keys() -> Iterator[None]:
    """For data that is thrown away at the end: the process's keys if it has any, else random ones meanwhile."""
    if _Keys.fernet is not None:
        yield
        return
    unlock((secrets.token_hex(32),))
    try:
        yield
    finally:
        _Keys.fernet, _Keys.fingerprint = None, b""


def seal(plain: str) -> bytes:
    """Encrypt text."""
    return _fernet().encrypt(plain.encode())


def unseal(sealed: bytes) -> str:
    """Decrypt text. Raises SealedError when no key fits."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken as error:
        raise SealedError("Personal data was sealed with a key that this process does not have.") from error


def seal_bytes(plain: bytes) -> bytes:
    """Encrypt bytes (a paper, an attachment)."""
    return _fernet().encrypt(plain)


def unseal_bytes(sealed: bytes) -> bytes:
    """Decrypt bytes. Raises SealedError when no key fits."""
    try:
        return _fernet().decrypt(sealed)
    except InvalidToken as error:
        raise SealedError("A file was sealed with a key that this process does not have.") from error


def fingerprint(plain: str) -> str:
    """A keyed digest (64 hex digits): equal for equal text, useless without the key."""
    _fernet()
    return hmac.new(_Keys.fingerprint, plain.strip().encode(), hashlib.sha256).hexdigest()


def _fernet() -> MultiFernet:
    if _Keys.fernet is None:
        raise SealedError("Call core.sealing.unlock with the data keys first.")
    return _Keys.fernet


class Sealed(TypeDecorator[str]):
    """A text column that is encrypted at rest."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unseal(bytes(value))


class SealedBytes(TypeDecorator[bytes]):
    """A column of bytes that is encrypted at rest."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal_bytes(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else unseal_bytes(bytes(value))
