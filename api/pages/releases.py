"""Releases for those who design and run the procedure: what changed, who runs on which, and moving cases over."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api.edge import clock, current_actor, needs, read_session, write_session
from api.pages.blueprint import pages
from api.pages.dates import moment_words
from api.pages.words import _
from core.refusals import Invalid
from disputes.identity.permissions import allows
from disputes.releases import commands, moving, operations, queries
from disputes.releases.models import Migration

#: Cases of a migration on one page.
PER_PAGE = 100


@pages.get("/releases")
@needs("release.list")
def releases() -> str:
    """All releases, with who runs on each, and the migrations between them."""
    session = read_session()
    return render_template(
        "releases.html",
        releases=queries.listed(session, queries.releases(session)),
        migrations=[_shown(one) for one in moving.migrations(session, limit=20)],
        moment=_at,
        wide=True,
    )


@pages.get("/releases/<int:version>")
@needs("release.read")
def release(version: int) -> str:
    """One release: its warnings, what it says differently from the one before, and what can be done with it."""
    session, who = read_session(), current_actor()
    found = queries.find(session, min(version, 2**31 - 1))
    others = [one for one in queries.releases(session, limit=100) if one.version != found.version]
    before = request.args.get("against", type=int) or max(
        (one.version for one in others if one.version < found.version), default=0
    )
    changes = commands.between(session, before, found.version) if before else []
    return render_template(
        "release.html",
        release=queries.listed(session, [found])[0],
        others=others,
        before=before,
        changes=changes,
        drawn=queries.drawn(session, found),
        may_plan=allows(who, "migration.plan"),
        may_deploy=allows(who, "release.deploy"),
        may_retire=allows(who, "release.retire"),
        moment=_at,
        wide=True,
    )


@pages.post("/releases/<int:version>/reinstate")
@needs("release.deploy")
def reinstate_release(version: int) -> Response:
    """Let new cases start on it again."""
    back = operations.reinstate(write_session(), min(version, 2**31 - 1), now=clock(), by=str(current_actor()))
    return redirect(url_for("pages.release", version=back.version), 303)


@pages.post("/releases/<int:version>/retire")
@needs("release.retire")
def retire_release(version: int) -> Response:
    """Put it away for good."""
    operations.retire(write_session(), min(version, 2**31 - 1), now=clock(), by=str(current_actor()))
    return redirect(url_for("pages.release", version=version), 303)


@pages.post("/releases/<int:version>/moves")
@needs("migration.plan")
def plan_move(version: int) -> Response:
    """Order the rehearsal of the cases of this release."""
    planned = moving.plan(
        write_session(),
        from_version=min(version, 2**31 - 1),
        to_version=min(request.form.get("to", 0, type=int), 2**31 - 1),
        mapping=_mapping(request.form.get("mapping", "")),
        rederive="rederive" in request.form,
        why=request.form.get("why", "")[:400],
        now=clock(),
        by=str(current_actor()),
    )
    return redirect(url_for("pages.move", migration_id=planned.id), 303)


@pages.get("/moves/<uuid:migration_id>")
@needs("migration.read")
def move(migration_id: UUID) -> str:
    """One migration: what happens to each case, or why it stays where it is."""
    session = read_session()
    found = moving.find(session, migration_id)
    chosen = request.args.get("state", "")
    after = request.args.get("after", type=UUID)
    items = moving.items_of(session, migration_id, state=chosen, after=after, limit=PER_PAGE + 1)
    return render_template(
        "move.html",
        move=_shown(found),
        counts={name: (_state_words(name), count) for name, count in moving.counts_of(session, found.id).items()},
        chosen=chosen,
        items=[moving.item_json(item) for item in items[:PER_PAGE]],
        more=str(items[PER_PAGE - 1].instance_id) if len(items) > PER_PAGE else "",
        words=_state_words,
        change=_change_words,
        may_apply=allows(current_actor(), "migration.apply"),
        wide=True,
    )


@pages.post("/moves/<uuid:migration_id>/apply")
@needs("migration.apply")
def apply_move(migration_id: UUID) -> Response:
    """Carry over the cases that fit."""
    moving.begin(write_session(), migration_id, now=clock(), by=str(current_actor()))
    return redirect(url_for("pages.move", migration_id=migration_id), 303)


@pages.post("/moves/<uuid:migration_id>/abandon")
@needs("migration.apply")
def abandon_move(migration_id: UUID) -> Response:
    """Never carry it out."""
    moving.abandon(write_session(), migration_id, now=clock(), by=str(current_actor()))
    return redirect(url_for("pages.move", migration_id=migration_id), 303)


def _at(moment: datetime) -> str:
    return moment_words(moment, clock())


def _mapping(text: str) -> dict[str, str]:
    """One pair a line, ``old = new``. Raises Invalid."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        old, _sign, new = (part.strip() for part in line.partition("="))
        if not (old and new):
            raise Invalid(
                f"每行写一对：旧=新，而不是“{line}”。 One pair a line, OLD=NEW, not {line!r}.", code="migration.map"
            )
        found[old] = new
    return found


def _shown(found: Migration) -> dict[str, Any]:
    stages = {
        "rehearsing": (_("正在演练"), "soon"),
        "rehearsed": (_("已演练，等您决定"), "today"),
        "running": (_("正在迁移"), "soon"),
        "done": (_("已完成"), "done"),
        "abandoned": (_("已放弃"), "none"),
    }
    words, look = stages[str(found.state)]
    return {
        "id": found.id,
        "before": found.from_version,
        "after": found.to_version,
        "state": str(found.state),
        "words": words,
        "look": look,
        "why": found.why,
        "mapping": found.mapping,
        "rederive": found.rederive,
        "at": _at(found.created_at),
    }


def _state_words(state: str) -> str:
    return {
        "waiting": _("等待演练"),
        "fits": _("可以迁移"),
        "refused": _("留在原版本"),
        "moved": _("已迁移"),
        "gone": _("已结束或已离开"),
    }[state]


def _change_words(change: dict[str, Any]) -> str:
    """One change of a case as a sentence."""
    name, before, after = change["name"], change["before"] or "", change["after"] or ""
    if change["kind"] == "timer" or change["what"] == "due":
        before, after = (_at(datetime.fromisoformat(text)) if text else "" for text in (before, after))
    match change["what"]:
        case "armed":
            return _("“%(name)s”开始计时：%(after)s", name=name, after=after)
        case "dropped":
            return _("“%(name)s”不再等待", name=name)
        case "kept":
            return _("“%(name)s”的时间不变：%(before)s", name=name, before=before)
        case "draft":
            return _("“%(name)s”的草稿去掉了：%(before)s", name=name, before=before)
        case _:
            return _("“%(name)s”：%(before)s → %(after)s", name=name, before=before, after=after)
