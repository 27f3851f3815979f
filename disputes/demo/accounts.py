"""The accounts of the fictional district: one for each role to sign in with, and colleagues beside them."""

from datetime import datetime

from sqlalchemy.orm import Session

from disputes.identity import operations as identity
from disputes.identity import queries as people
from disputes.identity.roles import Role, role_name
from disputes.network.queries import by_code

#: Of all demonstration accounts. They exist only where the demonstration was played.
PASSWORD = "hejie-demo-315"  # noqa: S105 - printed by `hejie run --demo`

#: login, name, role, code of the organisation. The first of each role is the one to sign in with.
ACCOUNTS: tuple[tuple[str, str, Role, str], ...] = (
    ("centre", "方敏", Role.CENTRE_CLERK, "YX-00"),
    ("supervisor", "高远", Role.SUPERVISOR, "YX"),
    ("head", "梁正", Role.HEAD, "YX"),
    ("officer", "周启明", Role.OFFICER, "YX-01"),
    ("officer02", "唐立群", Role.OFFICER, "YX-02"),
    ("officer03", "蒋文博", Role.OFFICER, "YX-03"),
    ("officer04", "叶青", Role.OFFICER, "YX-04"),
    ("officer05", "马建国", Role.OFFICER, "YX-05"),
    ("officer06", "罗一帆", Role.OFFICER, "YX-06"),
    ("officer07", "温雅", Role.OFFICER, "YX-07"),
    ("officer08", "邓志明", Role.OFFICER, "YX-08"),
    ("officer09", "许念", Role.OFFICER, "YX-09"),
    ("mediator", "黄若溪", Role.MEDIATOR, "YX-T1"),
    ("mediator2", "何嘉怡", Role.MEDIATOR, "YX-T2"),
    ("mediator3", "陶晨", Role.MEDIATOR, "YX-T1"),
    ("council", "谢安", Role.COUNCIL_LIAISON, "YX-C"),
    ("court", "宋致远", Role.COURT_LIAISON, "YX-F"),
    ("station", "郭小满", Role.STATION_CLERK, "YX-01-01"),
    ("designer", "沈画", Role.DESIGNER, "YX"),
    ("admin", "管理员", Role.ADMIN, "YX"),
    ("merchant", "赵晓岚", Role.RESPONDENT, "M-0001"),
    ("merchant02", "钱启明", Role.RESPONDENT, "M-0002"),
    ("merchant03", "孙若溪", Role.RESPONDENT, "M-0003"),
    ("merchant04", "李建国", Role.RESPONDENT, "M-0004"),
    ("merchant05", "吴小满", Role.RESPONDENT, "M-0005"),
    ("merchant07", "周文博", Role.RESPONDENT, "M-0007"),
    ("merchant09", "郑启明", Role.RESPONDENT, "M-0009"),
    ("merchant11", "王若溪", Role.RESPONDENT, "M-0011"),
    ("merchant19", "冯文博", Role.RESPONDENT, "M-0019"),
    ("merchant20", "陈晓岚", Role.RESPONDENT, "M-0020"),
)
CONSUMER = "consumer"


def seed_accounts(session: Session, *, now: datetime) -> dict[Role, str]:
    """Add the accounts that are missing; the login to use for each role."""
    logins: dict[Role, str] = {Role.COMPLAINANT: CONSUMER}
    for login, name, role, place in ACCOUNTS:
        logins.setdefault(role, login)
        if people.by_login(session, login) is None:
            person = identity.register(session, name=name, login=login, password=PASSWORD, synthetic=True, now=now)
            identity.grant(session, person, role, by_code(session, place).id, now=now)
    if people.by_login(session, CONSUMER) is None:
        identity.register(
            session, name="林晓梅", login=CONSUMER, password=PASSWORD, phone="13900000101", synthetic=True, now=now
        )
    return logins


def introduction() -> str:
    """The accounts as ``make run`` prints them: one per role, and their password."""
    first: dict[Role, str] = {Role.COMPLAINANT: CONSUMER}
    for login, _, role, _ in ACCOUNTS:
        first.setdefault(role, login)
    lines = [f"  {login:<12} {role_name(role)}  {role_name(role, 'en')}" for role, login in first.items()]
    return "\n".join([f"账号（密码都是 the password is always {PASSWORD}）:", *lines])
