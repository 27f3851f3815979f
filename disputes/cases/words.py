"""The names of a diagram's elements in both languages, from the release on which a case runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Event, Instance, bundles

_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@dataclass(frozen=True)
class Names:
    """Element → its names, by process."""

    chinese: Mapping[tuple[str, str], str]
    english: Mapping[tuple[str, str], str]

    def of(self, process: str, element: str) -> tuple[str, str]:
        """Chinese and English; an element without a name is called by its id."""
        zh = self.chinese.get((process, element)) or element.replace("_", " ")
        return zh, self.english.get((process, element)) or zh


def names_of(session: Session, instance_id: UUID | None) -> Names:
    """The names in the release of an instance, and in those on which it ran before."""
    digest = session.scalar(select(Instance.bundle).where(Instance.id == instance_id))
    if digest is None:
        return Names({}, {})
    names = names_in(session, digest)
    for payload in session.scalars(
        select(Event.payload).where(Event.instance_id == instance_id, Event.kind == "instance.migrated")
    ):
        # What happened under an earlier release is called by that release's names.
        earlier = names_in(session, payload["from"]) if payload else Names({}, {})
        names = Names({**earlier.chinese, **names.chinese}, {**earlier.english, **names.english})
    return names


def names_in(session: Session, digest: str) -> Names:
    """The names in a release."""
    found = _cache.get(digest)
    if found is None:
        found = _cache[digest] = _read(bundles.load(session, digest).under("bpmn"))
        if len(_cache) > 64:
            _cache.pop(next(iter(_cache)))
    return found


_cache: dict[str, Names] = {}


def _read(files: Mapping[str, bytes]) -> Names:
    chinese: dict[tuple[str, str], str] = {}
    english: dict[tuple[str, str], str] = {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for path, content in files.items():
        if not path.endswith(".bpmn"):
            continue
        words = json.loads(files.get(path.removesuffix(".bpmn") + ".en.json", b"{}"))
        for process in etree.fromstring(content, parser).iter(f"{_BPMN}process"):
            for element in process.iter():
                name, element_id = element.get("name"), element.get("id")
                if not element_id:
                    continue
                key = (str(process.get("id")), str(element_id))
                if name:
                    chinese[key] = str(name)
                said = words.get(str(element_id))
                text = said.get("name") if isinstance(said, dict) else said
                if text:
                    english[key] = str(text)
    return Names(chinese, english)
