"""Who acts. Operations and permissions are handed an Actor; below the edge nobody reads a request."""

from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from disputes.identity.roles import STAFF_ROLES, Role


@dataclass(frozen=True)
class Actor:
    """A person with roles, a guest who proved to hold a case's phone or link, or the system itself.

    ``str(actor)`` is the form that the engine, the events and the audit store: ``person:<uuid>``,
    ``guest:<complainant or respondent>:<case>``, ``system`` or ``anonymous``.
    """

    person_id: UUID | None
    name: str
    roles: frozenset[tuple[Role, UUID]] = frozenset()
    language: str = "zh"
    #: What an API token is limited to (permissions or ``area.*``); None: no limit beyond the roles.
    scopes: frozenset[str] | None = None
    #: The one case that a phone code or a claim link has opened, and the side on which it lets the guest stand.
    guest_case: str | None = None
    guest_side: Literal["complainant", "respondent"] | None = None
    is_system: bool = False

    @classmethod
    def system(cls) -> Self:
        """The diagrams, the timers and the nightly jobs."""
        return cls(None, "系统", is_system=True)

    @classmethod
    def anonymous(cls, language: str = "zh") -> Self:
        """Somebody who has not signed in."""
        return cls(None, "", language=language)

    @classmethod
    def guest(cls, case_key: str, side: Literal["complainant", "respondent"], language: str = "zh") -> Self:
        """Somebody without an account who may see, or answer, exactly one case."""
        return cls(None, "", language=language, guest_case=case_key, guest_side=side)

    @property
    def signed_in(self) -> bool:
        return self.person_id is not None

    @property
    def is_staff(self) -> bool:
        return any(role in STAFF_ROLES for role, _ in self.roles)

    def has(self, role: Role | str) -> bool:
        """Does this person hold the role in any organisation?"""
        return any(held == role for held, _ in self.roles)

    def organisations(self, *roles: Role | str) -> frozenset[UUID]:
        """The organisations in which this person holds one of the roles (any role when none is named)."""
        return frozenset(place for held, place in self.roles if not roles or held in roles)

    def __str__(self) -> str:
        if self.is_system:
            return "system"
        if self.person_id is not None:
            return f"person:{self.person_id}"
        if self.guest_case is not None:
            return f"guest:{self.guest_side}:{self.guest_case}"
        return "anonymous"


SYSTEM = Actor.system()
