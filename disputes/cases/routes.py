"""The lawful routes of 消法 第三十九条 that are still open, and what taking each would close. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from disputes.cases.models import Case, Exit, Stage


@dataclass(frozen=True)
class Route:
    """One of the five routes, for one case at one moment."""

    #: 1 to 5, as the article counts them.
    number: int
    code: str
    zh: str
    en: str
    #: Why it is closed, Chinese and English; None: it is open.
    closed: tuple[str, str] | None
    #: What taking it closes, Chinese and English; None: nothing.
    closes: tuple[str, str] | None
    #: The operation of Hejie that takes it; None: it begins outside.
    action: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None


_CONFIRMED = (
    "法院已裁定确认协议有效，同一争议已经了结。",
    "The court has confirmed the agreement: the dispute is settled for good.",
)
_AGREED = (
    "双方已经达成协议；不履行时可以依协议起诉。",
    "The parties have agreed; if it is not performed, sue on the agreement.",
)
_UNDER_WAY = ("正在由市场监管部门处理。", "The market regulator is handling it.")
_REFUSED = (
    "同一争议已经决定不予受理；有新的事实和材料时可以另行投诉。",
    "The same dispute was refused; with new facts it may be complained of again.",
)
_ENDED = (
    "市场监管部门已经处理过同一争议（办法第十六条第二项）。",
    "The market regulator has handled the same dispute (Measures, art. 16(2)).",
)
_COUNCIL_CLOSES = (
    "消费者协会处理之后，市场监管部门对同一争议不再受理（办法第十六条第二项）；人民调解没有这个限制。",
    "Once a consumer association has handled it, the market regulator accepts it no more (Measures, art. 16(2)); "
    "people's mediation has no such effect.",
)
_COURT_CLOSES = (
    "法院或者仲裁机构受理之后，市场监管部门对同一争议不再受理、正在调解的终止调解（办法第十六条第二项、第二十三条）。",
    "Once a court or an arbitral body takes it, the market regulator refuses it or ends its mediation "
    "(Measures, arts. 16(2), 23).",
)
_ARBITRATION_CLOSES = (
    "先要有仲裁协议；裁决为终局，之后不能就同一争议起诉或者投诉。",
    "It needs an arbitration agreement; the award is final, with no suit or complaint after it.",
)


def routes(case: Case) -> list[Route]:
    """The five routes as they stand for this case now."""
    return [build(case) for build in _BUILDERS]


def _settle(case: Case) -> Route:
    closed = _done(case)
    if closed is None and case.stage == Stage.SETTLEMENT and case.turn:
        return Route(1, "settle", "与经营者协商和解", "Settle with the merchant", None, None, "settlement")
    return Route(1, "settle", "与经营者协商和解", "Settle with the merchant", closed, None)


def _mediate(case: Case) -> Route:
    return Route(
        2,
        "mediate",
        "请求消费者协会或者依法成立的其他调解组织调解",
        "Ask a consumer association or another lawful body to mediate",
        _done(case),
        None if case.received_at is not None else _COUNCIL_CLOSES,
    )


def _complain(case: Case) -> Route:
    closed = _done(case)
    action = None
    if closed is None:
        if case.exit in (Exit.REFUSED, Exit.LAPSED_IDENTITY):
            closed = None if case.exit == Exit.LAPSED_IDENTITY else _REFUSED
        elif case.exit == Exit.TERMINATED:
            closed = _ENDED
        elif case.received_at is not None and case.exit is None:
            closed = _UNDER_WAY
        elif case.exit is None and case.stage == Stage.SETTLEMENT:
            action = "file_now"
    return Route(
        3,
        "complain",
        "向有关行政部门投诉",
        "Complain to the competent authority",
        closed,
        None,
        action,
    )


def _arbitrate(case: Case) -> Route:
    return Route(
        4,
        "arbitrate",
        "根据与经营者达成的仲裁协议提请仲裁",
        "Arbitrate, where there is an arbitration agreement",
        _done(case),
        _ARBITRATION_CLOSES,
    )


def _sue(case: Case) -> Route:
    closed = _CONFIRMED if case.exit == Exit.COURT_CONFIRMED else None
    return Route(5, "sue", "向人民法院提起诉讼", "Sue in court", closed, None if case.exit else _COURT_CLOSES)


def _done(case: Case) -> tuple[str, str] | None:
    """Why a settled dispute leaves a route closed; None while it is not settled."""
    if case.exit == Exit.COURT_CONFIRMED:
        return _CONFIRMED
    if case.exit in (Exit.SETTLED_IN_HOUSE, Exit.SETTLED_SUNSHINE, Exit.MEDIATED):
        return _AGREED
    return None


_BUILDERS: tuple[Callable[[Case], Route], ...] = (_settle, _mediate, _complain, _arbitrate, _sue)
