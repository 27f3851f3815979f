"""What follows from where a case waits: its status, its stage and whose turn it is; and what a person may see.

``STANDINGS`` is the one table. Every element of the procedure's diagrams that can wait has a row; a guard
test compares it with ``workflows/bpmn``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from disputes.cases.models import Exit, Stage, Status


@dataclass(frozen=True)
class Standing:
    """What a case is while an element waits. ``turn`` names the roles that owe the next step."""

    status: Status
    stage: Stage
    turn: tuple[str, ...]


_PARTIES = ("complainant", "respondent")


def _rows(
    process: str, stage: Stage, rows: Iterable[tuple[str, Status, tuple[str, ...]]]
) -> dict[tuple[str, str], Standing]:
    return {(process, element): Standing(status, stage, turn) for element, status, turn in rows}


#: (process, waiting element) → standing. Later rows are further along: with several waits the last one speaks.
STANDINGS: dict[tuple[str, str], Standing] = {
    **_rows("complaint", Stage.REGISTRATION, [("answer_elsewhere", Status.REGISTERED, ("centre_clerk",))]),
    **_rows(
        "sunshine",
        Stage.SETTLEMENT,
        [
            ("claim_order", Status.SETTLEMENT_REQUESTED, ("respondent",)),
            ("review_notice", Status.SETTLEMENT_REQUESTED, ("centre_clerk",)),
            ("await_claim", Status.SETTLEMENT_REQUESTED, ("respondent",)),
        ],
    ),
    **_rows(
        "offers",
        Stage.SETTLEMENT,
        [
            ("make_offer", Status.SETTLING, ("respondent",)),
            ("answer_offer", Status.SETTLING, ("complainant",)),
        ],
    ),
    **_rows("settlement", Stage.SETTLEMENT, [("confirm_performance", Status.PERFORMING, ("complainant",))]),
    **_rows("complaint", Stage.SETTLEMENT, [("choose_route", Status.SETTLEMENT_FAILED, ("complainant",))]),
    **_rows(
        "dispatching",
        Stage.REGISTRATION,
        [
            ("dispatch", Status.TO_DISPATCH, ("centre_clerk",)),
            ("dispatch_overdue", Status.TO_DISPATCH, ("supervisor",)),
        ],
    ),
    **_rows(
        "acceptance",
        Stage.ACCEPTANCE,
        [
            ("first_contact", Status.TO_ACCEPT, ("officer",)),
            ("await_identity", Status.SUPPLEMENTING, ("complainant",)),
            ("verify_identity", Status.TO_ACCEPT, ("officer",)),
            ("decide_acceptance", Status.TO_ACCEPT, ("officer",)),
            ("decide_overdue", Status.TO_ACCEPT, ("supervisor",)),
            ("answer_mediation", Status.ACCEPTED, _PARTIES),
        ],
    ),
    **_rows(
        "mediation",
        Stage.MEDIATION,
        [
            ("plan_session", Status.MEDIATING, ("mediator",)),
            ("hold_session", Status.MEDIATING, ("mediator",)),
            ("await_appraisal", Status.APPRAISING, ("mediator",)),
            ("draft_agreement", Status.MEDIATING, ("mediator",)),
            ("sign_agreement", Status.AGREED, _PARTIES),
        ],
    ),
    **_rows(
        "termination",
        Stage.MEDIATION,
        [
            ("decide_termination", Status.MEDIATING, ("officer",)),
            ("tell_termination", Status.TERMINATED, ("officer",)),
            ("tell_termination_overdue", Status.TERMINATED, ("supervisor",)),
        ],
    ),
    **_rows("court_link", Stage.COURT, [("choose_court", Status.TO_DELEGATE, _PARTIES)]),
    **_rows(
        "mediator_choice",
        Stage.COURT,
        [
            ("choose_mediator", Status.DELEGATED, _PARTIES),
            ("designate_mediator", Status.DELEGATED, ("court_liaison",)),
            ("designate_overdue", Status.DELEGATED, ("court_liaison",)),
            ("confirm_mediator", Status.DELEGATED, ("mediator",)),
        ],
    ),
    **_rows(
        "court_delegation",
        Stage.COURT,
        [
            ("receipt_package", Status.TO_DELEGATE, ("court_liaison",)),
            ("correct_package", Status.TO_DELEGATE, ("officer",)),
            ("ask_other_side", Status.DELEGATED, ("mediator",)),
            ("mediate_for_court", Status.DELEGATED, ("mediator",)),
        ],
    ),
    **_rows("court_link", Stage.COURT, [("want_confirmation", Status.AGREED, _PARTIES)]),
    **_rows(
        "judicial_confirmation",
        Stage.COURT,
        [
            ("sign_application", Status.CONFIRMING, _PARTIES),
            ("decide_docket", Status.CONFIRMING, ("court_liaison",)),
            ("docket_overdue", Status.CONFIRMING, ("court_liaison",)),
            ("rule_confirmation", Status.CONFIRMING, ("court_liaison",)),
            ("ruling_overdue", Status.CONFIRMING, ("court_liaison",)),
        ],
    ),
    **_rows(
        "court_link",
        Stage.COURT,
        [("confirm_performance_mediated", Status.PERFORMING, ("complainant",))],
    ),
    **_rows(
        "closure",
        Stage.REVISIT,
        [
            ("return_visit", Status.TO_REVISIT, ("centre_clerk",)),
            ("rectify", Status.RECTIFYING, ("officer",)),
            ("review_bad_case", Status.RECTIFYING, ("supervisor",)),
        ],
    ),
}

_ORDER = {key: index for index, key in enumerate(STANDINGS)}

#: The status that a case keeps for good, by its exit; all others are archived.
_FINAL = {
    Exit.REFUSED: Status.REFUSED,
    Exit.LAPSED_IDENTITY: Status.REFUSED,
}


def standing(position: Iterable[tuple[str, str]]) -> Standing | None:
    """The standing of a case whose diagram waits at ``position``; None when no known element waits."""
    waiting = [key for key in position if key in STANDINGS]
    if not waiting:
        return None
    furthest = max(waiting, key=_ORDER.__getitem__)
    chosen = STANDINGS[furthest]
    return Standing(chosen.status, chosen.stage, chosen.turn)


def final_status(exit: Exit) -> Status:
    """The status of a case whose procedure has ended."""
    return _FINAL.get(exit, Status.ARCHIVED)


#: The desk's word for each status, Chinese and English.
STATUS_NAMES: dict[Status, tuple[str, str]] = {
    Status.REGISTERED: ("已登记", "Registered"),
    Status.TO_DISPATCH: ("待分送", "To be dispatched"),
    Status.TO_ACCEPT: ("待受理", "Awaiting the decision on acceptance"),
    Status.SUPPLEMENTING: ("补正中", "Awaiting proof of identity"),
    Status.ACCEPTED: ("已受理", "Accepted"),
    Status.REFUSED: ("不予受理", "Refused"),
    Status.SETTLEMENT_REQUESTED: ("和解申请", "Settlement requested"),
    Status.SETTLING: ("和解中", "Settling with the shop"),
    Status.SETTLED: ("已和解", "Settled"),
    Status.SETTLEMENT_FAILED: ("和解未成", "Settlement failed"),
    Status.MEDIATING: ("调解中", "In mediation"),
    Status.APPRAISING: ("鉴定检测中（计时暂停）", "Being appraised (the clock stands)"),
    Status.AGREED: ("已达成协议", "Agreed"),
    Status.PERFORMING: ("履行中", "Being performed"),
    Status.TERMINATED: ("终止调解", "Mediation terminated"),
    Status.TO_DELEGATE: ("待委派确认", "Awaiting delegation by the court"),
    Status.DELEGATED: ("委派调解中", "In delegated mediation"),
    Status.CONFIRMING: ("司法确认申请中", "Judicial confirmation applied for"),
    Status.CONFIRMED: ("确认有效", "Confirmed"),
    Status.DISMISSED: ("驳回确认", "Confirmation dismissed"),
    Status.CLOSED: ("已办结", "Closed"),
    Status.TO_REVISIT: ("待回访", "Awaiting the return visit"),
    Status.RECTIFYING: ("差评整改中", "Being rectified"),
    Status.ARCHIVED: ("已归档", "Archived"),
}

STAGE_NAMES: dict[Stage, tuple[str, str]] = {
    Stage.REGISTRATION: ("登记", "Registration"),
    Stage.ACCEPTANCE: ("受理", "Acceptance"),
    Stage.SETTLEMENT: ("和解", "Settlement"),
    Stage.MEDIATION: ("调解", "Mediation"),
    Stage.COURT: ("诉调对接", "Court"),
    Stage.CLOSURE: ("办结", "Closure"),
    Stage.REVISIT: ("回访", "Return visit"),
}

EXIT_NAMES: dict[Exit, tuple[str, str]] = {
    Exit.SETTLED_IN_HOUSE: ("店内和解", "Settled in the shop"),
    Exit.SETTLED_SUNSHINE: ("阳光和解", "Settled by the sunshine channel"),
    Exit.REFUSED: ("不予受理", "Refused"),
    Exit.MEDIATED: ("调解成功", "Mediated"),
    Exit.COURT_CONFIRMED: ("司法确认有效", "Confirmed by the court"),
    Exit.WITHDRAWN: ("投诉人撤回", "Withdrawn"),
    Exit.LAPSED_IDENTITY: ("逾期未补交身份材料，不予受理", "Refused: no proof of identity in time"),
    Exit.TERMINATED: ("终止调解，已告知诉讼等途径", "Terminated; told of the other routes"),
    Exit.NOT_PURSUED: ("和解未成，未继续投诉", "Not pursued after a failed settlement"),
    Exit.POINTED_ELSEWHERE: ("已答复并指明去处", "Answered and pointed elsewhere"),
}


def status_name(status: Status | str, language: str = "zh") -> str:
    """The status in the reader's language."""
    return STATUS_NAMES[Status(status)][1 if language == "en" else 0]


def stage_name(stage: Stage | str, language: str = "zh") -> str:
    """The stage in the reader's language."""
    return STAGE_NAMES[Stage(stage)][1 if language == "en" else 0]


def exit_name(exit: Exit | str, language: str = "zh") -> str:
    """The exit in the reader's language."""
    return EXIT_NAMES[Exit(exit)][1 if language == "en" else 0]
