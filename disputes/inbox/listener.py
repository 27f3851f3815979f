"""Mirrors the engine's tasks as inbox items, inside the transaction of the step that opened or ended them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from disputes.cases.addressing import addressee
from disputes.cases.listener import case_of
from disputes.cases.models import Case
from disputes.cases.rules import STANDINGS
from disputes.inbox.fitting import refit_drafts
from disputes.inbox.locking import locked
from disputes.inbox.models import NEVER, Draft, InboxItem, ItemState
from engine import Step, Task

#: Built once; nobody in this session holds a draft.
_DROP_DRAFTS = (
    delete(Draft)
    .where(Draft.task_id.in_(bindparam("tasks", expanding=True)))
    .execution_options(synchronize_session=False)
)


class InboxListener:
    """Opens an item for each task that opened, addressed by the case; ends it when the task ends."""

    def steps(self, session: Session, steps: Sequence[Step]) -> None:
        """Move the items of many cases whose moments were moved together."""
        moved = {row.id: row for step in steps for row in step.moved if isinstance(row, Task)}
        if moved:
            for item in locked(session, moved.keys()):
                _move(item, moved[item.task_id])

    def step(self, session: Session, step: Step) -> None:
        if step.failed:
            return
        ended = {task.id: ItemState.DONE for task in step.completed}
        ended |= {task.id: ItemState.DROPPED for task in step.cancelled}
        moved = {row.id: row for row in step.moved if isinstance(row, Task)}
        carried = _carried(session, step)
        if not (step.opened or ended or moved or carried):
            return
        case = case_of(session, step.instance.key)
        if case is None:
            return
        still_open = [task for task in step.opened if task.id not in ended]
        session.add_all(_item(session, case, task) for task in still_open)
        # Locked and read afresh: somebody may have claimed one since it was loaded.
        for item in locked(session, ended.keys() | moved.keys()):
            if item.task_id in ended:
                item.state, item.ended_at = ended[item.task_id], step.now
            else:
                _move(item, moved[item.task_id])
        for item in locked(session, carried.keys() - ended.keys()):
            _follow(session, case, item, carried[item.task_id], step)
        if ended:
            session.execute(_DROP_DRAFTS, {"tasks": list(ended)})


def _move(item: InboxItem, task: Task) -> None:
    item.due_at, item.sort_at, item.due_note = task.due_at, task.due_at or NEVER, task.due_note


def _carried(session: Session, step: Step) -> dict[UUID, Task]:
    """The open tasks that a migration took along."""
    if step.migrated is None or not step.migrated.tasks:
        return {}
    return {task.id: task for task in session.scalars(select(Task).where(Task.id.in_(step.migrated.tasks)))}


def _follow(session: Session, case: Case, item: InboxItem, task: Task, step: Step) -> None:
    """Let an item say what its task says in the other release; who holds it keeps it unless the role changed."""
    item.process, item.element, item.title = task.process, task.element, task.name
    standing = STANDINGS.get((task.process, task.element))
    item.stage = standing.stage if standing else item.stage
    role = role_of(task)
    if role != item.role:
        to = addressee(session, case, role)
        item.role, item.organisation_id, item.person_id = role, to.organisation_id, to.person_id
        item.claimed_by = item.claimed_at = None
    form_before, item.form = item.form, task.form
    refit_drafts(session, item, step, form_before=form_before)


def role_of(task: Task) -> str:
    """The one role that an item waits for."""
    return task.role.partition(",")[0].strip()


def _item(session: Session, case: Case, task: Task) -> InboxItem:
    role = role_of(task)
    to = addressee(session, case, role)
    standing = STANDINGS.get((task.process, task.element))
    return InboxItem(
        task_id=task.id,
        case_id=case.id,
        instance_id=task.instance_id,
        case_no=case.case_no,
        case_title=case.title,
        process=task.process,
        element=task.element,
        title=task.name,
        form=task.form,
        party=task.item if isinstance(task.item, str) else None,
        stage=standing.stage if standing else case.stage,
        role=role,
        organisation_id=to.organisation_id,
        person_id=to.person_id,
        opened_at=task.opened_at,
        due_at=task.due_at,
        sort_at=task.due_at or NEVER,
        due_note=task.due_note,
    )
