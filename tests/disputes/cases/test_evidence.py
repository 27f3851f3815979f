"""Files laid before a case: what is taken, where it lies, who may open it."""

import hashlib
from pathlib import Path

import pytest

from core.db import Database
from core.refusals import Forbidden, Invalid, NotFound, WrongState
from disputes.cases.evidence import LARGEST_FILE, add_evidence, kind_of, read_evidence, share
from tests.disputes.world import NOW, build_world

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where the files lie: beside the database, not with it."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"ID3\x04", "audio/mpeg"),
        (b"<html><script>", None),
        (b"MZ\x90\x00", None),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_the_kind_is_told_by_the_first_bytes(content: bytes, mime: str | None) -> None:
    assert kind_of(content) == mime


def test_a_file_lies_sealed_on_disk_and_comes_back_as_it_was(sqlite_database: Database, files: Path) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session)
        owner = world.actor(session, "complainant")
        first = add_evidence(session, case, name="C:\\照片\\票.png", content=PNG, files=files, by=owner, now=NOW)
        again = add_evidence(session, case, name="b.png", content=PNG, files=files, by=owner, now=NOW)
        assert again.id == first.id
        assert (first.name, first.sha256, first.size) == ("票.png", hashlib.sha256(PNG).hexdigest(), len(PNG))
        stored = [path for path in files.rglob("*") if path.is_file()]
        assert [path.name for path in stored] == [first.sha256]
        assert b"picture" not in stored[0].read_bytes()
        _, content = read_evidence(session, first.id, files=files, by=owner)
        assert content == PNG


@pytest.mark.parametrize(
    ("name", "visible_to", "is_identity", "sees"),
    [
        ("complainant", (), False, True),
        ("officer", (), False, True),
        ("supervisor", (), False, True),
        ("mediator", (), False, False),
        ("mediator", ("mediator",), False, True),
        ("respondent", (), False, False),
        ("respondent", ("respondent",), False, True),
        ("other_respondent", ("respondent",), False, False),
        ("other_officer", ("respondent",), False, False),
        ("stranger", ("respondent",), False, False),
        ("court_liaison", ("court_liaison",), False, True),
        ("respondent", ("respondent",), True, False),
        ("mediator", ("mediator",), True, False),
        ("officer", (), True, True),
    ],
)
def test_who_may_open_a_file(
    sqlite_database: Database,
    files: Path,
    name: str,
    visible_to: tuple[str, ...],
    is_identity: bool,
    sees: bool,
) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session, mediator_id=world.people["mediator"].id, court_id=world.places["court"].id)
        evidence = add_evidence(
            session,
            case,
            name="票.png",
            content=PNG,
            visible_to=visible_to,
            is_identity=is_identity,
            files=files,
            by=world.actor(session, "complainant"),
            now=NOW,
        )
        actor = world.actor(session, name)
        if sees:
            assert read_evidence(session, evidence.id, files=files, by=actor)[1] == PNG
        else:
            with pytest.raises(NotFound):
                read_evidence(session, evidence.id, files=files, by=actor)


def test_what_does_not_fit_is_refused_and_leaves_nothing_behind(sqlite_database: Database, files: Path) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session)
        owner = world.actor(session, "complainant")
        for content in (b"", b"<html>", PNG + b"x" * LARGEST_FILE):
            with pytest.raises(Invalid):
                add_evidence(session, case, name="a", content=content, files=files, by=owner, now=NOW)
        with pytest.raises(Invalid):
            add_evidence(
                session, case, name="a", content=PNG, visible_to=("admin",), files=files, by=owner, now=NOW
            )
        with pytest.raises(NotFound):
            stranger = world.actor(session, "stranger")
            add_evidence(session, case, name="a", content=PNG, files=files, by=stranger, now=NOW)
        case.closed_at = NOW
        with pytest.raises(WrongState):
            add_evidence(session, case, name="a", content=PNG, files=files, by=owner, now=NOW)
        assert not list(files.iterdir())


def test_a_file_that_was_altered_on_disk_is_not_shown(sqlite_database: Database, files: Path) -> None:
    from core import sealing

    with sqlite_database.transaction() as session:
        world = build_world(session)
        owner = world.actor(session, "complainant")
        evidence = add_evidence(session, world.case(session), name="a", content=PNG, files=files, by=owner, now=NOW)
        (files / evidence.sha256[:2] / evidence.sha256).write_bytes(sealing.seal_bytes(PNG + b"!"))
        with pytest.raises(WrongState):
            read_evidence(session, evidence.id, files=files, by=owner)


def test_only_its_owner_and_the_office_share_a_file(sqlite_database: Database, files: Path) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session)
        evidence = add_evidence(
            session,
            case,
            name="a",
            content=PNG,
            visible_to=("respondent",),
            files=files,
            by=world.actor(session, "complainant"),
            now=NOW,
        )
        with pytest.raises(Forbidden):
            share(session, evidence.id, ["mediator"], by=world.actor(session, "respondent"))
        share(session, evidence.id, ["mediator"], by=world.actor(session, "officer"))
        with pytest.raises(NotFound):
            share(session, evidence.id, ["respondent"], by=world.actor(session, "respondent"))
        assert evidence.visible_to == ["mediator"]
