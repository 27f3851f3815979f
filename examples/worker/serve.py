"""A server to try the worker on: an empty database, ten parcels that are waited for, and a token.

python examples/worker/serve.py                     # prints the second command
"""

import os
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import waitress

import core.now
from api import schema_version
from api.app import create_app
from api.server import open_database
from core.db import Database
from core.settings import Settings
from disputes.identity import operations, tokens
from disputes.network.models import Organisation
from engine import Engine, bundles

HERE = Path(__file__).parent
#: The last one is lost, as the worker knows by its number.
PARCELS = (*(f"SF{number:04}" for number in range(1, 10)), "LOST0010")


def main() -> None:
    """Serve until Ctrl-C."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8320
    with tempfile.TemporaryDirectory(prefix="hejie-parcels-") as folder:
        settings = Settings.from_environment(os.environ)
        if "HEJIE_DATABASE_URL" not in os.environ:
            settings = replace(settings, database_url=f"sqlite:///{folder}/parcels.db")
        database = open_database(settings)
        schema_version.upgrade(database)
        token = furnish(database)
        print(f"HEJIE_TOKEN={token} {sys.executable} {HERE / 'track.py'} http://127.0.0.1:{port}", flush=True)
        waitress.serve(create_app(settings, database=database), host="127.0.0.1", port=port, threads=8)


def furnish(database: Database) -> str:
    """Start a process for each parcel; answers the token of an account for the worker."""
    now, engine = core.now.now(), Engine(services={})
    with database.transaction() as session:
        carrier = Organisation(code="PARCELS", name="示范快递", kind="office", region="330299", created_at=now)
        session.add(carrier)
        session.flush()
        person = operations.register(session, name="包裹查询程序", now=now)
        operations.grant(session, person, "worker", carrier.id, now=now)
        _, token = tokens.issue(session, person, name="parcels", scopes=["job.*"], lasts=timedelta(days=1), now=now)
        bundle = bundles.save(session, {"bpmn/parcels.bpmn": (HERE / "parcels.bpmn").read_bytes()}, now=now)
        for number in PARCELS:
            moment, data = core.now.now(), {"parcel_no": number}
            engine.start(session, bundle=bundle, process="parcels", key=number, data=data, now=moment, by="system")
    return token


if __name__ == "__main__":
    main()
