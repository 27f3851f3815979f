"""Puts the engine together with the services, functions and listeners of all capabilities.

engine = build_engine(secret_key=settings.secret_key, base_url=settings.base_url)
with database.transaction() as session:
    load_release(session, Path("."), engine, now=now, by="system")
"""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

import disputes.courts.queries
import disputes.intake.queries
import disputes.mediation.queries
import disputes.models
import disputes.settlement.queries  # noqa: F401  # forms ask these for their context
from core.db import Database
from core.refusals import NotFound
from core.settings import DEVELOPMENT_KEY, Settings
from disputes.cases.listener import CaseListener
from disputes.closure import services as closure
from disputes.courts import services as courts
from disputes.inbox import services as inbox
from disputes.inbox.listener import InboxListener
from disputes.intake import services as intake
from disputes.mediation import services as mediation
from disputes.mediation.services import MediationListener
from disputes.releases.models import Release
from disputes.releases.operations import deploy, judge
from disputes.releases.tree import read_tree
from disputes.settlement import services as settlement
from disputes.timelimits.functions import functions_for
from disputes.timelimits.listener import TimelimitsListener
from disputes.timelimits.services import services as timelimits
from engine import Engine, Services, bundles


def build_engine(
    settings: Settings | None = None,
    *,
    secret_key: str = DEVELOPMENT_KEY,
    base_url: str = "http://127.0.0.1:8315",
) -> Engine:
    """The engine with everything that diagrams may call. ``settings`` gives key and address, if there are any."""
    if settings is not None:
        secret_key, base_url = settings.secret_key, settings.base_url
    return Engine(
        services=build_services(secret_key=secret_key, base_url=base_url),
        functions=functions_for,
        # Deadlines first: the others may read them. The case before the inbox, whose items repeat its stage.
        listeners=[TimelimitsListener(), CaseListener(), MediationListener(), InboxListener()],
    )


def build_services(*, secret_key: str = DEVELOPMENT_KEY, base_url: str = "http://127.0.0.1:8315") -> Services:
    """All services, by type."""
    return Services(
        timelimits,
        inbox.services,
        intake.services,
        settlement.services(secret=secret_key, base_url=base_url),
        mediation.services,
        courts.services,
        closure.services,
    )


def judge_release(database: Database, directory: Path, engine: Engine, *, now: datetime) -> None:
    """Let the gate judge the release below a directory, before a transaction deploys it into an empty database.

    Takes seconds, in which nobody should wait for a transaction. Raises NotDeployable.
    """
    with database.reader() as session:
        try:
            bundles.current(session)
        except NotFound:
            judge(read_tree(directory).files, services=set(engine.services), now=now)


def load_release(
    session: Session, directory: Path, engine: Engine, *, now: datetime, by: str, name: str = ""
) -> Release:
    """Deploy the diagrams, decisions, forms and limits below a directory. Raises NotDeployable with findings."""
    files = read_tree(directory).files
    return deploy(session, files, name=name, services=set(engine.services), now=now, by=by)
