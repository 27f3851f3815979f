"""Serving: web and worker in one process on one machine, or apart on many."""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

import core.now
from api import schema_version
from api.app import create_app
from api.metrics import forget_process, measured
from api.worker import Worker
from core import sealing
from core.db import Database
from core.settings import Settings
from disputes.documents import rendering
from disputes.wiring import build_engine

log = logging.getLogger(__name__)

#: Threads of one web process: requests wait for the database, not for the processor.
THREADS = 8


def run(settings: Settings, *, host: str, port: int, directory: Path, demo: bool) -> None:
    """Web and one worker in this process. An empty database gets its tables, the release below ``directory`` and,
    with ``demo``, the demonstration's cases.
    """
    import waitress

    database = open_database(settings)
    schema_version.upgrade(database)
    introduction = _furnish(database, settings, directory, demo=demo)
    worker = Worker(database, measured(build_engine(settings)), settings)
    app = create_app(settings, database=database)
    server = waitress.create_server(
        app,
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=False,  # ProxyFix counts those that are trusted
        max_request_body_size=settings.max_body + 1024 * 1024,  # the application refuses first, in its own words
    )
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.close, daemon=True).start())
    worker.start()
    print(f"\n和解 Hejie: http://{host}:{port}\n{introduction}\nCtrl-C 停止 stops.", flush=True)  # noqa: T201
    try:
        server.run()
    except (KeyboardInterrupt, OSError):
        # Closing the listening socket from the signal's thread wakes the loop with an error; that is the way out.
        log.info("The web server has stopped.")
    finally:
        worker.stop()
        database.dispose()


def web(settings: Settings, *, host: str, port: int, processes: int | None) -> None:
    """The web service alone, under gunicorn; every process opens its own connections after the fork."""
    from gunicorn.app.base import BaseApplication

    class Service(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{host}:{port}",
                "workers": processes or os.cpu_count() or 1,
                "worker_class": "gthread",
                "threads": THREADS,
                "timeout": 60,
                "graceful_timeout": 30,
                "preload_app": False,
                "proc_name": "hejie-web",
                "child_exit": forget_process,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return create_app(settings)

    Service().run()


def work(settings: Settings) -> None:
    """A worker alone: fires timers, sends mails, does the nightly jobs, until it is told to stop."""
    database = open_database(settings)
    try:
        Worker(database, measured(build_engine(settings)), settings).run_until_stopped()
    finally:
        database.dispose()


def open_database(settings: Settings) -> Database:
    """The database of the settings, with the keys for what is sealed in it."""
    sealing.unlock(settings.data_keys)
    rendering.use_fonts(settings.fonts)
    return Database(settings.database_url)


def _furnish(database: Database, settings: Settings, directory: Path, *, demo: bool) -> str:
    """What an empty database needs to be of use; answers what to tell the person who started it."""
    from core.refusals import NotFound
    from disputes.wiring import judge_release, load_release
    from engine import bundles

    now, engine = core.now.now(), build_engine(settings)
    if not demo:
        judge_release(database, directory, engine, now=now)
    with database.transaction() as session:
        try:
            bundles.current(session)
            empty = False
        except NotFound:
            empty = True
            if not demo:
                load_release(session, directory, engine, now=now, by="system", name="首版")
    if not demo:
        return ""
    from disputes.demo import introduction, run

    if empty:
        print("正在准备示范案件…… Preparing the demonstration cases…", flush=True)  # noqa: T201
        run(database, end=now, directory=directory, files=settings.files, engine=build_engine(settings))
    return introduction()
