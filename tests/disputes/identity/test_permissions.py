"""The page of permissions: who may, and above all who may not."""

import itertools
from uuid import UUID, uuid4

import pytest

from core.refusals import Forbidden
from disputes.identity import permissions
from disputes.identity.actor import SYSTEM, Actor
from disputes.identity.permissions import PERMISSIONS, allows, may
from disputes.identity.roles import MEMBERSHIP_ROLES, Role

# Not random: parametrized tests must have the same names in every process.
ME, OTHER, OFFICE, ELSEWHERE, MERCHANT, RIVAL, COURT, BODY = (UUID(int=n) for n in range(1, 9))
CASE, OTHER_CASE = str(UUID(int=11)), str(UUID(int=12))

RELATION = {
    "case_key": CASE,
    "complainant_id": ME,
    "merchant_id": MERCHANT,
    "office_id": [OFFICE],
    "mediation_body_id": BODY,
    "court_id": COURT,
}


def staff(role: Role, place=OFFICE) -> Actor:  # type: ignore[no-untyped-def]
    return Actor(uuid4(), "王芳", frozenset({(role, place)}))


@pytest.mark.parametrize(
    ("actor", "permission", "expected"),
    [
        (Actor(ME, "张三"), "case.read", True),
        (Actor(OTHER, "李四"), "case.read", False),
        (Actor.anonymous(), "case.read", False),
        (Actor.guest(CASE, "complainant"), "case.read", True),
        (Actor.guest(OTHER_CASE, "complainant"), "case.read", False),
        (Actor.guest(CASE, "respondent"), "case.withdraw", False),
        (Actor.guest(CASE, "complainant"), "case.withdraw", True),
        (staff(Role.RESPONDENT, MERCHANT), "case.read", True),
        (staff(Role.RESPONDENT, RIVAL), "case.read", False),
        (staff(Role.RESPONDENT, MERCHANT), "note.read", False),
        (staff(Role.RESPONDENT, MERCHANT), "personal_data.see", False),
        (staff(Role.RESPONDENT, OFFICE), "case.read", False),
        (staff(Role.OFFICER), "case.read", True),
        (staff(Role.OFFICER, ELSEWHERE), "case.read", False),
        (staff(Role.OFFICER), "personal_data.see", True),
        (staff(Role.DESIGNER), "case.read", False),
        (staff(Role.ADMIN), "case.read", False),
        (staff(Role.ADMIN), "personal_data.see", False),
        (staff(Role.COURT_LIAISON, COURT), "handover.receipt", True),
        (staff(Role.COURT_LIAISON, OFFICE), "handover.receipt", False),
        (staff(Role.STATION_CLERK), "case.return_to_centre", False),
        (staff(Role.MEDIATOR, BODY), "case.read", True),
        (staff(Role.SUPERVISOR), "task.reassign", True),
        (staff(Role.OFFICER), "task.reassign", False),
        (SYSTEM, "case.cancel", True),
    ],
)
def test_who_may_do_what_to_a_case(actor: Actor, permission: str, expected: bool) -> None:
    assert may(actor, permission, **RELATION) is expected


@pytest.mark.parametrize(
    ("role", "place", "expected"),
    [
        (Role.OFFICER, OFFICE, True),
        (Role.OFFICER, ELSEWHERE, False),
        (Role.MEDIATOR, OFFICE, False),
    ],
)
def test_a_task_is_for_its_role_in_its_organisation(role: Role, place, expected: bool) -> None:  # type: ignore[no-untyped-def]
    assert may(staff(role, place), "task.claim", role="officer", organisation_id=OFFICE) is expected


def test_a_task_without_an_organisation_is_for_its_role_anywhere() -> None:
    assert may(staff(Role.CENTRE_CLERK, ELSEWHERE), "task.claim", role="centre_clerk", organisation_id=None)
    assert not may(staff(Role.OFFICER, ELSEWHERE), "task.claim", role="centre_clerk", organisation_id=None)


def test_a_relation_that_is_nobody_holds_for_nobody() -> None:
    nobody = dict.fromkeys(permissions.RELATIONS)
    for actor, permission in itertools.product(
        [Actor.anonymous(), Actor(ME, "张三"), *(staff(role) for role in MEMBERSHIP_ROLES)], PERMISSIONS
    ):
        if may(actor, permission, **nobody):
            # Only what needs no relation: everybody's, every signed-in person's, or the role's anywhere.
            kinds = {grant.kind for grant in PERMISSIONS[permission]}
            assert kinds & {"anyone", "signed_in", "role"}, (actor.roles, permission)


def test_who_may_do_it_to_one_thing_is_let_through_the_route() -> None:
    for actor, permission in itertools.product(
        [Actor.anonymous(), Actor(ME, "张三"), Actor.guest(CASE, "respondent"), Actor.guest(CASE, "complainant")]
        + [staff(role, place) for role in MEMBERSHIP_ROLES for place in (OFFICE, MERCHANT, COURT, BODY)],
        PERMISSIONS,
    ):
        relation = {**RELATION, "person_id": ME, "organisation_id": OFFICE, "role": "officer", "mediator_id": ME}
        if may(actor, permission, **relation):
            assert allows(actor, permission), (actor, permission)


def test_a_token_does_no_more_than_its_scopes() -> None:
    token = Actor(ME, "张三", scopes=frozenset({"case.read", "task.*"}))
    assert may(token, "case.read", complainant_id=ME)
    assert not may(token, "case.withdraw", complainant_id=ME)
    assert may(token, "task.answer", person_id=ME)
    assert may(token, "network.read"), "what everybody may needs no scope"
    everything = Actor(ME, "张三", scopes=permissions.SCOPES)
    for permission in permissions.NEVER_BY_TOKEN:
        assert not may(everything, permission, person_id=ME)


def test_a_token_does_no_more_than_its_person() -> None:
    assert not may(Actor(OTHER, "李四", scopes=frozenset({"case.*"})), "case.read", complainant_id=ME)


def test_require_names_the_permission() -> None:
    with pytest.raises(Forbidden) as refused:
        permissions.require(Actor.anonymous(), "case.read", **RELATION)
    assert refused.value.facts == {"permission": "case.read"}


def test_a_mistake_of_the_caller_is_loud() -> None:
    with pytest.raises(KeyError):
        may(SYSTEM, "case.reed")
    with pytest.raises(TypeError):
        may(SYSTEM, "case.read", complainant=ME)


def test_every_name_on_the_page_is_area_dot_verb_and_has_somebody() -> None:
    for name, grants in PERMISSIONS.items():
        area, dot, verb = name.partition(".")
        assert dot and area.isidentifier() and verb.isidentifier(), name
        assert grants, name


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        (SYSTEM, "system"),
        (Actor(ME, "张三"), f"person:{ME}"),
        (Actor.guest(CASE, "respondent"), f"guest:respondent:{CASE}"),
        (Actor.anonymous(), "anonymous"),
    ],
)
def test_an_actor_is_written_without_a_name(actor: Actor, text: str) -> None:
    assert str(actor) == text
