"""The roles that people hold; the same words stand as candidateGroups in the diagrams."""

from enum import StrEnum


class Role(StrEnum):
    """What a person does, always for an organisation. Parties of a case hold theirs by the case."""

    COMPLAINANT = "complainant"  #: 投诉人: the consumer; follows from the case, never a membership
    RESPONDENT = "respondent"  #: 被投诉人: acts for a merchant; a membership in the merchant's organisation
    CENTRE_CLERK = "centre_clerk"  #: 处理中心: registers, dispatches, revisits
    STATION_CLERK = "station_clerk"  #: 消费维权服务站: helps people to file, settles small matters
    OFFICER = "officer"  #: 市场监管所: verifies, accepts or refuses, terminates
    SUPERVISOR = "supervisor"  #: 督办: is told before a limit passes and stands in when it has
    HEAD = "head"  #: 负责人: decides recusals and what the law reserves to the head
    MEDIATOR = "mediator"  #: 调解员: of the department, the council or a mediation body
    COUNCIL_LIAISON = "council_liaison"  #: 消保委联络员
    COURT_LIAISON = "court_liaison"  #: 法院联络员
    DESIGNER = "designer"  #: 流程设计者: owns diagrams, decisions, forms and limits
    WORKER = "worker"  #: 外部作业程序: a program that does the service tasks of diagrams; never a person
    ADMIN = "admin"  #: 管理员: people, organisations, calendar, audit


#: Roles that a membership may carry; a complainant is one by the case alone.
MEMBERSHIP_ROLES = frozenset(Role) - {Role.COMPLAINANT}

#: Roles of public servants and of those who act in their place: they may be told personal data for their duty.
STAFF_ROLES = MEMBERSHIP_ROLES - {Role.RESPONDENT, Role.WORKER}

#: Roles that a user task may name: a program answers no form.
HUMAN_ROLES = frozenset(Role) - {Role.WORKER}

NAMES: dict[Role, tuple[str, str]] = {
    Role.COMPLAINANT: ("投诉人", "Complainant"),
    Role.RESPONDENT: ("被投诉人", "Respondent"),
    Role.CENTRE_CLERK: ("处理中心工作人员", "Centre clerk"),
    Role.STATION_CLERK: ("服务站工作人员", "Station clerk"),
    Role.OFFICER: ("经办人员", "Officer"),
    Role.SUPERVISOR: ("督办人员", "Supervisor"),
    Role.HEAD: ("负责人", "Head"),
    Role.MEDIATOR: ("调解员", "Mediator"),
    Role.COUNCIL_LIAISON: ("消保委联络员", "Consumer council liaison"),
    Role.COURT_LIAISON: ("法院联络员", "Court liaison"),
    Role.DESIGNER: ("流程设计者", "Process designer"),
    Role.WORKER: ("外部作业程序", "External worker"),
    Role.ADMIN: ("管理员", "Administrator"),
}


def role_name(role: Role | str, language: str = "zh") -> str:
    """The role's name as people read it."""
    zh, en = NAMES[Role(role)]
    return en if language == "en" else zh
