"""Bundles: all files of a release under one digest, stored once, opaque but for BPMN and DMN.

The content is addressed: equal files give an equal digest on every machine, and a stored bundle never changes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from types import MappingProxyType

import orjson
import zstandard
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from engine.models import BundleRow, CurrentBundle

#: Bytes of all files of a bundle. A release has some hundred kilobytes.
MAX_SIZE = 50 * 2**20
#: Bundles kept in the process. A release is some hundred kilobytes; more than a few dozen are never in use.
CACHE_SIZE = 64


@dataclass(frozen=True)
class Bundle:
    """The files of one release; a path is relative to its root (``bpmn/complaint.bpmn``)."""

    digest: str
    files: Mapping[str, bytes]

    def under(self, folder: str, suffix: str = "") -> dict[str, bytes]:
        """The files of a folder, by path, in order."""
        return {
            path: content
            for path, content in sorted(self.files.items())
            if path.startswith(f"{folder}/") and path.endswith(suffix)
        }

    @cached_property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(content) for content in self.files.values())


#: The name of the one row that says which bundle is current.
_CURRENT = "main"

_cache: dict[str, Bundle] = {}
_lock = Lock()


def digest(files: Mapping[str, bytes]) -> str:
    """The content's address: SHA-256 over paths and contents in the order of the paths."""
    total = hashlib.sha256(b"hejie-bundle-1")
    for path in sorted(files):
        total.update(len(path.encode()).to_bytes(4, "big") + path.encode())
        total.update(len(files[path]).to_bytes(8, "big") + files[path])
    return total.hexdigest()


def save(session: Session, files: Mapping[str, bytes], *, now: datetime) -> str:
    """Store the files and answer with their digest. Storing the same files again changes nothing."""
    address = digest(files)
    if session.scalar(select(BundleRow.digest).where(BundleRow.digest == address)) is None:
        session.add(BundleRow(digest=address, content=pack(files), saved_at=now))
        session.flush()
    return address


def load(session: Session, address: str) -> Bundle:
    """The bundle of this digest. Raises NotFound."""
    found = _cache.get(address)
    if found is not None:
        return found
    content = session.scalar(select(BundleRow.content).where(BundleRow.digest == address))
    if content is None:
        raise NotFound(
            f"There is no release with the digest {address[:12]}….", code="bundle.not_found", digest=address
        )
    bundle = Bundle(address, MappingProxyType(unpack(content)))
    with _lock:
        if len(_cache) >= CACHE_SIZE:
            _cache.pop(next(iter(_cache)))
        _cache[address] = bundle
    return bundle


def make_current(session: Session, address: str, *, now: datetime) -> None:
    """From now on new instances start on this bundle; running ones stay on theirs. Raises NotFound."""
    load(session, address)
    row = session.get(CurrentBundle, _CURRENT, with_for_update=True)
    if row is None:
        session.add(CurrentBundle(name=_CURRENT, digest=address, since=now))
    elif row.digest != address:
        row.digest, row.since = address, now
    session.flush()


def current(session: Session) -> str:
    """The digest of the bundle on which new instances start. Raises NotFound before the first deployment."""
    address = session.scalar(select(CurrentBundle.digest).where(CurrentBundle.name == _CURRENT))
    if address is None:
        raise NotFound("还没有部署流程。 No release is deployed yet: hejie deploy workflows.", code="release.none")
    return address


def pack(files: Mapping[str, bytes]) -> bytes:
    paths = sorted(files)
    index = orjson.dumps([[path, len(files[path])] for path in paths])
    packed = len(index).to_bytes(4, "big") + index + b"".join(files[path] for path in paths)
    return zstandard.ZstdCompressor(level=9).compress(packed)


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of a packed bundle. Raises ValueError for one that is damaged, or that would fill the memory."""
    try:
        if not 0 <= zstandard.frame_content_size(content) <= MAX_SIZE:
            raise ValueError(f"The bundle says that it is larger than {MAX_SIZE} bytes.")
        packed = zstandard.ZstdDecompressor().decompress(content)
    except zstandard.ZstdError as error:
        raise ValueError(f"The bundle is damaged: {error}") from error
    start = 4 + int.from_bytes(packed[:4], "big")
    files = {}
    for path, length in orjson.loads(packed[4:start]):
        files[path] = packed[start : start + length]
        start += length
    if start != len(packed):
        raise ValueError("The bundle is damaged: its files are not as long as they should be.")
    return files
