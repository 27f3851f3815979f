"""Registering people, giving and taking roles, changing passwords. Nothing here commits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from core.refusals import Conflict, Forbidden, Invalid, NotFound
from disputes.identity import passwords, rules
from disputes.identity.models import IdKind, Membership, Person
from disputes.identity.roles import MEMBERSHIP_ROLES, Role


def register(
    session: Session,
    *,
    name: str,
    login: str | None = None,
    password: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    id_kind: str | None = None,
    id_no: str | None = None,
    address: str | None = None,
    language: str = "zh",
    synthetic: bool = False,
    now: datetime,
) -> Person:
    """Register a person, with an account if a login is given.

    Raises Invalid (by field) and Conflict (the login is taken).
    """
    faults: dict[str, list[str]] = {}
    person = Person(name="", language=language, synthetic=synthetic, created_at=now)
    if language not in ("zh", "en"):
        faults["language"] = ["请选择 zh 或者 en。 Choose zh or en."]
    _set_name(person, name, faults)
    _set_contact(person, phone, email, address, faults)
    _set_identity(person, id_kind, id_no, faults)
    if login is not None:
        person.login = rules.normal_login(login)
        if person.login is None:
            faults["login"] = [
                "登录名为 3 至 64 个小写字母、数字、点、下划线或者短横。 3 to 64 letters, digits, . _ or -."
            ]
        _set_password(person, password or "", faults)
    elif password is not None:
        faults["login"] = ["有密码就要有登录名。 A password needs a login."]
    _refuse(faults)
    if person.login is not None and session.scalars(select(Person.id).where(Person.login == person.login)).first():
        raise Conflict("这个登录名已被使用。 This login is taken.", code="identity.login_taken")
    session.add(person)
    session.flush()
    return person


def edit_contact(
    session: Session,
    person: Person,
    *,
    name: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    address: str | None = None,
    language: str | None = None,
) -> Person:
    """Change what is given; an empty text removes it (but never the name). Raises Invalid."""
    faults: dict[str, list[str]] = {}
    if name is not None:
        _set_name(person, name, faults)
    _set_contact(person, phone, email, address, faults)
    if language is not None:
        if language in ("zh", "en"):
            person.language = language
        else:
            faults["language"] = ["请选择 zh 或者 en。 Choose zh or en."]
    _refuse(faults)
    session.flush()
    return person


def record_identity(session: Session, person: Person, *, id_kind: str, id_no: str) -> None:
    """Keep the identity document that the person has shown. Raises Invalid."""
    faults: dict[str, list[str]] = {}
    _set_identity(person, id_kind, id_no, faults)
    _refuse(faults)
    session.flush()


def change_password(session: Session, person: Person, *, old: str, new: str) -> None:
    """Change one's own password; every other session ends. Raises Forbidden and Invalid."""
    if not passwords.fits(old, person.password_hash):
        raise Forbidden("原密码不正确。 The present password is wrong.", code="identity.wrong_password")
    set_password(session, person, new)


def set_password(session: Session, person: Person, new: str) -> None:
    """Give an account a password; all its sessions end. Raises Invalid."""
    if person.login is None:
        raise Invalid("没有登录名就没有密码。 An account without a login has no password.")
    faults: dict[str, list[str]] = {}
    _set_password(person, new, faults)
    _refuse(faults)
    sign_out_everywhere(session, person)


def sign_out_everywhere(session: Session, person: Person) -> None:
    """End all sessions of a person: each carries the epoch in which it began."""
    person.session_epoch += 1
    session.flush()


def deactivate(session: Session, person: Person) -> None:
    """Close an account: its sessions and tokens stop working at once; what it did stays."""
    person.active = False
    sign_out_everywhere(session, person)


def reactivate(session: Session, person: Person) -> None:
    """Open a closed account again; its old sessions stay ended."""
    person.active = True
    session.flush()


def grant(
    session: Session, person: Person, role: Role | str, organisation_id: UUID, *, now: datetime
) -> Membership:
    """Give a person a role in an organisation; once is enough. Raises Invalid for a role that a case gives."""
    if role not in MEMBERSHIP_ROLES:
        raise Invalid(
            f"'{role}' 不是可以授予的身份。 '{role}' is not a role that a membership carries.",
            code="identity.role",
            roles=sorted(MEMBERSHIP_ROLES),
        )
    for held in person.memberships:
        if held.role == role and held.organisation_id == organisation_id:
            return held
    membership = Membership(person=person, organisation_id=organisation_id, role=str(Role(role)), since=now)
    session.add(membership)
    session.flush()
    return membership


def withdraw(session: Session, person: Person, role: Role | str, organisation_id: UUID) -> None:
    """Take a role away; sessions end, so that no open page goes on with it. Raises NotFound."""
    for held in list(person.memberships):
        if held.role == role and held.organisation_id == organisation_id:
            person.memberships.remove(held)
            sign_out_everywhere(session, person)
            return
    raise NotFound(
        "此人在这个机构没有这一身份。 This person does not hold this role there.", code="identity.no_role"
    )


def _set_name(person: Person, name: str, faults: dict[str, list[str]]) -> None:
    normal = rules.normal_name(name)
    if normal is None:
        faults["name"] = ["请填写姓名，不超过 100 个字。 A name of at most 100 characters is needed."]
    else:
        person.name = normal


def _set_contact(
    person: Person, phone: str | None, email: str | None, address: str | None, faults: dict[str, list[str]]
) -> None:
    if phone is not None:
        normal = rules.normal_phone(phone) if phone.strip() else ""
        if normal is None:
            faults["phone"] = ["这不是电话号码。 This is not a telephone number."]
        else:
            person.phone = normal or None
            person.phone_fingerprint = sealing.fingerprint(normal) if normal else None
    if email is not None:
        normal = rules.normal_email(email) if email.strip() else ""
        if normal is None:
            faults["email"] = ["这不是电子邮箱。 This is not a mail address."]
        else:
            person.email = normal or None
            person.email_fingerprint = sealing.fingerprint(normal.lower()) if normal else None
    if address is not None:
        address = " ".join(address.split())
        if len(address) > 200 or not rules.is_clean(address):
            faults["address"] = ["地址不超过 200 个字。 An address has at most 200 characters."]
        else:
            person.address = address or None


def _set_identity(person: Person, kind: str | None, number: str | None, faults: dict[str, list[str]]) -> None:
    if number is None and kind is None:
        return
    if kind not in set(IdKind):
        faults["id_kind"] = ["请选择证件类型。 Choose the kind of document."]
        return
    normal = rules.normal_id_no(kind, number or "")
    if normal is None:
        faults["id_no"] = ["证件号码有误，请核对。 The number of the document is not right."]
        return
    person.id_kind, person.id_no = kind, normal
    person.id_no_fingerprint = sealing.fingerprint(normal)


def _set_password(person: Person, password: str, faults: dict[str, list[str]]) -> None:
    fault = rules.password_fault(password, login=person.login, name=person.name)
    if fault is not None:
        faults["password"] = [" ".join(fault)]
    else:
        person.password_hash = passwords.hashed(password)


def _refuse(faults: dict[str, list[str]]) -> None:
    if faults:
        raise Invalid("有些内容需要改正。 Some of this needs to be corrected.", fields=faults)
