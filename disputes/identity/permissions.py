"""Who may do what: one page, as data. A route names its permission; operations ask ``may`` with the relation.

Two questions are asked of the same line. ``allows(actor, permission)``: may such a person do such a thing at all,
for some case? (the route's guard). ``may(actor, permission, **relation)``: may this person do it to *this* thing?
The relation is plain data that the caller knows: see ``RELATIONS``. What is not on this page nobody may do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from core.refusals import Forbidden
from disputes.identity.actor import Actor
from disputes.identity.roles import STAFF_ROLES, Role

#: What a caller may say about the thing; each an id, several ids, or None.
RELATIONS: dict[str, str] = {
    "case_key": "the case, for guests who hold its phone code or claim link",
    "complainant_id": "the person who complains, and the representatives and agents",
    "merchant_id": "the organisation complained of, once it may know of the case",
    "office_id": "the office or station in charge and all organisations above it",
    "mediator_id": "the person who mediates",
    "mediation_body_id": "the body that mediates",
    "court_id": "the court that holds a package",
    "council_id": "the consumer council that takes part",
    "organisation_id": "the organisation whose thing it is: a notice, a task; None: any organisation",
    "role": "the role that a task or a notice asks for",
    "person_id": "the person whose thing it is: a notice, a task, a token, an account",
}


@dataclass(frozen=True)
class Grant:
    """One way to hold a permission."""

    kind: Literal["anyone", "signed_in", "role", "role_at", "holder", "self", "guest"]
    roles: frozenset[Role] = frozenset()
    relation: str = ""

    def at_all(self, actor: Actor) -> bool:
        """Could this grant ever hold for the actor?"""
        match self.kind:
            case "anyone":
                return True
            case "signed_in" | "self":
                return actor.signed_in
            case "holder":
                return bool(actor.roles)
            case "guest":
                return actor.guest_case is not None and actor.guest_side == self.relation
            case _:
                return any(role in self.roles for role, _ in actor.roles)

    def holds(self, actor: Actor, relation: dict[str, frozenset[object]]) -> bool:
        """Does this grant hold for the actor and the thing?"""
        if self.kind == "self":
            return actor.person_id is not None and actor.person_id in relation.get(self.relation, ())
        if self.kind == "role_at":
            places = relation.get(self.relation, frozenset())
            return any(role in self.roles and place in places for role, place in actor.roles)
        if self.kind == "holder":
            wanted, places = relation.get("role", frozenset()), relation.get("organisation_id", frozenset())
            return any(role in wanted and (not places or place in places) for role, place in actor.roles)
        if self.kind == "guest":
            return self.at_all(actor) and actor.guest_case in relation.get("case_key", ())
        return self.at_all(actor)


ANYONE = Grant("anyone")
SIGNED_IN = Grant("signed_in")
#: Whoever holds the role that the task or notice asks for, in its organisation if it names one.
HOLDER = Grant("holder")


def role(*roles: Role) -> Grant:
    """Holders of a role in any organisation."""
    return Grant("role", frozenset(roles))


def at(relation: str, *roles: Role) -> Grant:
    """Holders of a role in the organisation that stands in this relation to the thing."""
    return Grant("role_at", frozenset(roles), relation)


def is_the(relation: str) -> Grant:
    """The very person who stands in this relation to the thing."""
    return Grant("self", relation=relation)


def guest(side: Literal["complainant", "respondent"]) -> Grant:
    """Somebody without an account who holds the phone code or the claim link of the case."""
    return Grant("guest", relation=side)


R = Role
COMPLAINANT = (is_the("complainant_id"), guest("complainant"))
MERCHANT = (at("merchant_id", R.RESPONDENT), guest("respondent"))
PARTIES = COMPLAINANT + MERCHANT
MEDIATOR = (is_the("mediator_id"), at("mediation_body_id", R.MEDIATOR, R.HEAD))
#: The people of the office in charge; the centre and the bureau stand above every office.
OFFICE = (at("office_id", R.OFFICER, R.STATION_CLERK, R.CENTRE_CLERK, R.SUPERVISOR, R.HEAD, R.MEDIATOR),)
LIAISONS = (at("court_id", R.COURT_LIAISON), at("council_id", R.COUNCIL_LIAISON))
#: The counter: whoever registers for somebody.
CLERKS = (role(R.CENTRE_CLERK, R.STATION_CLERK, R.OFFICER),)
#: The office's decisions; a station may help but never decide (办法 第三十条: the department decides).
DECIDERS = (at("office_id", R.OFFICER, R.SUPERVISOR, R.HEAD),)
SUPERVISION = (at("office_id", R.SUPERVISOR, R.HEAD),)
ALL_OF_CASE = PARTIES + MEDIATOR + OFFICE + LIAISONS
STAFF_OF_CASE = MEDIATOR + OFFICE + LIAISONS
STAFF = (role(*STAFF_ROLES),)
ADMIN = (role(R.ADMIN),)
DESIGNER = (role(R.DESIGNER),)
#: The person to whom a task is given, and whoever holds its role in its organisation.
TASK = (is_the("person_id"), HOLDER)
GUESTS = (guest("complainant"), guest("respondent"))

PERMISSIONS: dict[str, tuple[Grant, ...]] = {
    # -- the house itself
    "service.read": (ANYONE,),  # health, readiness, the API's description
    "service.metrics": ADMIN,  # from elsewhere; on the machine itself Prometheus needs no token
    # -- accounts
    "account.sign_in": (ANYONE,),
    "account.register": (ANYONE,),
    "account.read": (is_the("person_id"), *ADMIN),
    "account.edit": (is_the("person_id"), *ADMIN),
    "token.list": (is_the("person_id"), *ADMIN),
    "token.issue": (is_the("person_id"),),
    "token.revoke": (is_the("person_id"), *ADMIN),
    "person.list": ADMIN,
    "person.edit": ADMIN,
    "membership.edit": ADMIN,
    # -- cases
    "case.file": (ANYONE,),  # a consumer needs no account to be heard (消法 第三十九条)
    "case.file_for_another": CLERKS,
    "case.track": (ANYONE,),  # by case number and a code sent to the phone on record
    "case.list": (SIGNED_IN,),  # each sees the own ones
    "case.list_all": (role(R.CENTRE_CLERK, R.SUPERVISOR, R.HEAD, R.ADMIN),),
    "case.read": ALL_OF_CASE,
    "case.timeline": ALL_OF_CASE,
    "case.deadlines": ALL_OF_CASE,
    "case.diagram": ALL_OF_CASE,
    "case.exits": ALL_OF_CASE,
    "case.withdraw": COMPLAINANT,
    "case.file_now": COMPLAINANT,  # 我要投诉, at any time during in-store settlement
    "case.supply_identity": (*COMPLAINANT, at("office_id", R.OFFICER, R.STATION_CLERK, R.CENTRE_CLERK)),
    "case.return_to_centre": (at("office_id", R.OFFICER, R.SUPERVISOR, R.HEAD),),  # 办法 第四十一条
    "case.edit": (*DECIDERS, at("office_id", R.CENTRE_CLERK)),
    "case.cancel": SUPERVISION,  # ends somebody's complaint: the office answers for it, no administrator
    "case.suspend": (*SUPERVISION, *ADMIN),  # a fault may need it at once, whoever is on duty
    # Where a case goes on is the office's decision, with the administrator's hand; designers move no case.
    "case.repair": (*SUPERVISION, *ADMIN),
    # -- what is laid before a case
    "evidence.list": PARTIES + STAFF_OF_CASE,
    "evidence.read": PARTIES + STAFF_OF_CASE,
    "evidence.add": PARTIES + MEDIATOR + OFFICE,
    "note.read": STAFF_OF_CASE,
    "note.write": STAFF_OF_CASE,
    # -- personal data without its mask; every look is recorded
    "personal_data.see": (
        is_the("complainant_id"),
        is_the("mediator_id"),
        at("mediation_body_id", R.MEDIATOR),
        at("office_id", R.OFFICER, R.CENTRE_CLERK, R.STATION_CLERK, R.SUPERVISOR, R.HEAD),
        at("court_id", R.COURT_LIAISON),
    ),
    # -- tasks
    "task.list": (SIGNED_IN,),
    "task.read": TASK + GUESTS + SUPERVISION,
    "task.claim": TASK,
    "task.unclaim": TASK + SUPERVISION,
    "task.draft": TASK,
    "task.answer": TASK + GUESTS,
    "task.reassign": (*SUPERVISION, at("organisation_id", R.SUPERVISOR, R.HEAD)),
    "task.bulk": STAFF,
    # -- settlement by the claim link of the sunshine channel
    "settlement.claim": (guest("respondent"), at("merchant_id", R.RESPONDENT)),
    # -- messages from outside, external workers, incidents
    "message.deliver": (*PARTIES, *OFFICE, at("court_id", R.COURT_LIAISON)),
    "signal.throw": ADMIN,  # to every case at once
    "job.work": (role(R.WORKER), *ADMIN),
    "incident.list": (role(R.ADMIN, R.DESIGNER, R.SUPERVISOR),),
    "incident.read": (role(R.ADMIN, R.DESIGNER), *SUPERVISION),
    "incident.resolve": (role(R.ADMIN, R.DESIGNER), *SUPERVISION),  # repeats what somebody else commanded
    # -- papers and notices
    "paper.list": ALL_OF_CASE,
    "paper.read": ALL_OF_CASE,
    "paper.verify": (ANYONE,),  # a print and its code
    "paper.withdraw": SUPERVISION,
    "notice.list": (SIGNED_IN,),
    "notice.read": (is_the("person_id"), HOLDER),
    "mail.list": ADMIN,
    "mail.retry": ADMIN,
    # -- the court
    "handover.list": (role(R.COURT_LIAISON, R.COUNCIL_LIAISON, R.OFFICER, R.SUPERVISOR, R.HEAD),),
    "handover.read": (at("court_id", R.COURT_LIAISON), *OFFICE),
    "handover.receipt": (at("court_id", R.COURT_LIAISON),),
    # -- the network
    "network.read": (ANYONE,),  # offices, stations, bodies: public addresses
    "network.read_merchants": (SIGNED_IN,),
    "network.edit": ADMIN,
    "network.find_competence": (ANYONE,),
    "merchant.join": (at("merchant_id", R.RESPONDENT), *ADMIN),
    # -- the procedure
    "release.list": (*DESIGNER, role(R.SUPERVISOR, R.ADMIN)),
    "release.read": (*DESIGNER, role(R.SUPERVISOR, R.ADMIN)),
    "release.check": DESIGNER,
    "release.deploy": DESIGNER,
    "release.retire": (*DESIGNER, *ADMIN),
    "migration.read": (*DESIGNER, role(R.SUPERVISOR, R.ADMIN)),
    "migration.plan": (*DESIGNER, *ADMIN),  # a rehearsal changes nothing
    "migration.apply": (*DESIGNER, *ADMIN),
    "diagram.read": (SIGNED_IN,),
    "form.preview": DESIGNER,
    "scenario.run": DESIGNER,
    "scenario.record": DESIGNER,  # a case without anybody's data: stand-ins for all of it
    # -- time
    "calendar.read": (ANYONE,),
    "calendar.edit": ADMIN,
    "limit.read": (ANYONE,),
    "deadline.compute": (ANYONE,),
    "deadline.pause": DECIDERS,  # for the reasons that the limit names, each with its article
    "deadline.resume": DECIDERS,
    "deadline.extend": (*DECIDERS, *MEDIATOR, at("court_id", R.COURT_LIAISON)),  # asks; somebody else approves
    "deadline.decide": (*SUPERVISION, at("court_id", R.COURT_LIAISON)),
    "rederivation.read": (role(R.SUPERVISOR, R.HEAD, R.ADMIN),),
    "rederivation.rehearse": (role(R.SUPERVISOR, R.ADMIN),),
    "rederivation.apply": ADMIN,
    "deadline.board": (role(R.SUPERVISOR, R.HEAD, R.CENTRE_CLERK),),
    # -- retention: how long personal data is kept, and its end
    "retention.ask": COMPLAINANT,  # 个人信息保护法 第四十七条
    "retention.decide": SUPERVISION,
    "retention.hold": (*SUPERVISION, *ADMIN),
    "retention.read": (*SUPERVISION, *COMPLAINANT, *ADMIN),
    "retention.list": (role(R.SUPERVISOR, R.HEAD, R.ADMIN),),
    # -- supervision
    "audit.read": ADMIN,
    "audit.verify": ADMIN,
    "statistics.read": (role(R.SUPERVISOR, R.HEAD, R.CENTRE_CLERK, R.ADMIN),),
    "history.read": (role(R.SUPERVISOR, R.HEAD),),  # of one's own places; parties are not named
    "case.conformance": SUPERVISION,
    "export.events": (role(R.SUPERVISOR, R.ADMIN),),
}


def allows(actor: Actor, permission: str) -> bool:
    """Could the actor do this to something? The guard of routes. KeyError: the page has no such permission."""
    grants = PERMISSIONS[permission]
    if actor.is_system:
        return True
    return _in_scope(actor, permission) and any(grant.at_all(actor) for grant in grants)


def may(actor: Actor, permission: str, **relation: UUID | str | Iterable[UUID | str] | None) -> bool:
    """May the actor do this to the thing that stands in this relation to people and organisations?

    ``may(actor, "case.read", case_key=str(case.id), complainant_id=case.complainant_id, office_id=path)``.
    A relation that is not given, or is None, holds for nobody. KeyError and TypeError: a mistake in the caller.
    """
    grants = PERMISSIONS[permission]
    unknown = relation.keys() - RELATIONS.keys()
    if unknown:
        raise TypeError(f"Unknown relation {sorted(unknown)}; known are {sorted(RELATIONS)}.")
    if actor.is_system:
        return True
    if not _in_scope(actor, permission):
        return False
    ids = {name: _ids(value) for name, value in relation.items()}
    return any(grant.holds(actor, ids) for grant in grants)


def require(actor: Actor, permission: str, **relation: UUID | str | Iterable[UUID | str] | None) -> None:
    """Refuse an actor who may not. Raises Forbidden."""
    if not may(actor, permission, **relation):
        raise Forbidden(
            "您没有办理这一事项的权限。 You may not do this.", code="permission.missing", permission=permission
        )


def is_scope(scope: str) -> bool:
    """Is this something that a token can be limited to: a permission, or a whole area (``case.*``)?"""
    return scope in PERMISSIONS or scope in SCOPES


#: Whole areas: ``case.*``, ``task.*`` and so on.
SCOPES: frozenset[str] = frozenset(f"{name.partition('.')[0]}.*" for name in PERMISSIONS)
#: Never through a token: a token could otherwise make itself a stronger or longer-lived one.
NEVER_BY_TOKEN = frozenset({"token.issue", "account.edit", "membership.edit", "person.edit"})


def _in_scope(actor: Actor, permission: str) -> bool:
    if actor.scopes is None or ANYONE in PERMISSIONS[permission]:
        return True
    if permission in NEVER_BY_TOKEN:
        return False
    return permission in actor.scopes or f"{permission.partition('.')[0]}.*" in actor.scopes


def _ids(value: UUID | str | Iterable[UUID | str] | None) -> frozenset[object]:
    if value is None:
        return frozenset()
    if isinstance(value, UUID | str):
        return frozenset((value,))
    return frozenset(value)
