"""Ten thousand random commands on random diagrams: no difference between the engine and the token game."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from core.db import Database
from tests.oracle.machine import CaseMachine

pytestmark = pytest.mark.prove

#: Commands of each part: three on SQLite, one on PostgreSQL.
COMMANDS = 2_500


def play(database: Database) -> None:
    """Machine after machine until enough commands were given; a difference is shrunk and printed with its diagram."""

    class Machine(CaseMachine):
        pass

    Machine.database = database
    Machine.commands = Machine.commands.copy()
    Machine.commands.clear()
    while sum(Machine.commands.values()) < COMMANDS:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=50,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.parametrize("part", range(3))
def test_two_and_a_half_thousand_commands_agree_on_sqlite(sqlite_database: Database, part: int) -> None:
    play(sqlite_database)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_and_a_half_thousand_commands_agree_on_postgresql(database: Database) -> None:
    play(database)
