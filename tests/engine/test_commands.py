"""Random commands on random diagrams agree with the token game (the small version; make prove gives ten thousand)."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from core.db import Database
from tests.oracle.machine import CaseMachine


def test_random_commands_agree_with_the_token_game(database: Database) -> None:
    class Machine(CaseMachine):
        pass

    Machine.database = database
    Machine.commands.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert sum(Machine.commands.values()) > 100
