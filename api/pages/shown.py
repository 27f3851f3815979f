"""What templates draw, as plain data: every word decided, nothing to look up, nothing the reader may not see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from api.pages.clocks import Clock
from api.pages.shell import Link

Words = str | Markup


@dataclass(frozen=True)
class Stage:
    """One of the seven stages of the case line."""

    name: str
    state: Literal["done", "now", "skipped", "todo"]
    #: For those who cannot see the line.
    says: str


@dataclass(frozen=True)
class CaseLine:
    """Where the case is, whose turn it is, and by when."""

    stages: Sequence[Stage]
    turn: Literal["you", "other", "none"]
    icon: str
    who: str
    what: str
    when: Words = ""
    #: On a phone, where the names of the stages are not shown.
    where: Words = ""
    next: str = ""
    action: Link | None = None


@dataclass(frozen=True)
class Party:
    """A party, mediator or office: shape and character tell the role."""

    kind: Literal["consumer", "merchant", "mediator", "office", "council", "court", "system"]
    sign: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """One sentence of the timeline."""

    when: Words
    text: Words
    kind: str = ""
    party: Party | None = None
    note: str = ""
    link: Link | None = None
    #: Who else can read it, when not everybody can.
    only: str = ""


@dataclass(frozen=True)
class Exit:
    """One of the routes of 消法 第三十九条."""

    name: str
    icon: str
    current: bool = False
    #: Beside the name: why it cannot be taken now.
    note: str = ""
    #: 会关上, 不会丢, 到哪里.
    facts: Sequence[tuple[str, str]] = ()
    closes: str = ""
    action: Link | None = None


@dataclass(frozen=True)
class Round:
    """What each side proposed in one round."""

    n: int
    asked: str
    offered: str


@dataclass(frozen=True)
class Offer:
    """The offer that stands, and the rounds before it."""

    title: str
    state: Literal["open", "accepted", "rejected", "lapsed"]
    sum: str
    sub: str
    round: int
    most: int
    left: str
    right: str
    rounds: Sequence[Round]
    facts: Sequence[tuple[str, Words]] = ()
    words: str = ""
    by: str = ""
    when: Words = ""
    task_url: str = ""


@dataclass(frozen=True)
class Tile:
    """A file laid before the case."""

    name: str
    note: Words
    url: str = ""
    masked: bool = False


@dataclass(frozen=True)
class PaperLine:
    """An issued paper."""

    title: str
    note: Words
    url: str


@dataclass(frozen=True)
class NoteShown:
    """A note of the office."""

    text: str
    by: str
    when: Words
    only: str


@dataclass(frozen=True)
class Waiting:
    """Something that the case waits for."""

    what: str
    who: str
    state: str
    word: str
    when: Words = ""
    url: str = ""
    process: str = ""
    process_name: str = ""
    element: str = ""


@dataclass(frozen=True)
class Row:
    """A case or a task in a list."""

    url: str
    what: str
    who: str
    step: str
    state: str
    word: str
    when: Words = ""
    sum: str = ""
    owner: str = ""
    #: Needs this reader today.
    mine: bool = False
    claim: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under one heading."""

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class StopShown:
    """Why a case does not go on."""

    state: Literal["paused", "overdue"]
    word: str
    text: str
    #: For the office alone.
    why: str = ""
    link: Link | None = None


@dataclass(frozen=True)
class CasePage:
    """One case as one reader may see it."""

    title: str
    case_no: str
    meta: Sequence[str]
    back: Link
    line: CaseLine
    facts: str
    particulars: Sequence[tuple[str, Words]]
    clocks: Sequence[Clock]
    parties: Sequence[Party]
    timeline: Sequence[Entry]
    diagram_url: str
    done_clocks: Sequence[Clock] = ()
    exits: Sequence[Exit] = ()
    offer: Offer | None = None
    evidence: Sequence[Tile] = ()
    evidence_url: str = ""
    papers: Sequence[PaperLine] = ()
    waiting: Sequence[Waiting] = ()
    #: None: this reader sees no notes at all.
    notes: Sequence[NoteShown] | None = None
    note_url: str = ""
    withdraw_url: str = ""
    #: Shown above everything while the case stands still.
    stops: Sequence[StopShown] = ()


@dataclass(frozen=True)
class Notice:
    """A sentence above a form, with the action that settles it."""

    level: Literal["note", "warn", "stop", "ok"]
    text: str
    claim_url: str = ""


@dataclass(frozen=True)
class Reassign:
    """To whom a task may be given."""

    url: str
    version: int
    people: Sequence["Choice"]


@dataclass(frozen=True)
class Choice:
    """A person to choose."""

    id: str
    name: str


@dataclass(frozen=True)
class TaskPage:
    """One task with its form and the facts beside."""

    what: str
    title: str
    meta: Sequence[str]
    case_url: str
    url: str
    facts: str
    particulars: Sequence[tuple[str, Words]]
    parties: Sequence[Party]
    offer: Offer | None = None
    evidence: Sequence[Tile] = ()
    clock: Clock | None = None
    may_answer: bool = True
    why_not: str = ""
    fields: Markup = field(default_factory=Markup)
    summary: Markup = field(default_factory=Markup)
    digest: str = ""
    submit: str = ""
    draft_url: str = ""
    saved_at: str = ""
    notice: Notice | None = None
    unclaim_url: str = ""
    reassign: Reassign | None = None


@dataclass(frozen=True)
class ExitPage:
    """A second page that says what taking a route does, before anything is done."""

    headline: str
    title: str
    hint: str
    facts: Sequence[tuple[str, str]]
    case_url: str
    url: str
    key: str = ""
    #: The words of the button; empty: nothing happens here, the page prepares.
    confirm: str = ""
    papers: Sequence[PaperLine] = ()


@dataclass(frozen=True)
class ClaimPage:
    """What the bearer of a claim link sees before opening the case."""

    merchant: str
    title: str
    notice: str
    particulars: Sequence[tuple[str, Words]]
    when: Words
    url: str
    clock: Clock | None = None


@dataclass(frozen=True)
class DiagramShown:
    """One diagram of the case."""

    process: str
    name: str
    url: str
    tokens: Sequence[dict[str, str]]
    done: Sequence[str]


@dataclass(frozen=True)
class DiagramPage:
    """The diagrams of a case, with its tokens."""

    title: str
    headline: str
    case_no: str
    case_url: str
    says: str
    first: str
    diagrams: Sequence[DiagramShown]
    waiting: Sequence[Waiting]
    diagrams_json: str
