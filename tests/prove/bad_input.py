"""Whatever is sent to the API, it answers with a status that it described, and never with a failure of its own."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import hypothesis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from core.db import Database
from tests.api.district import Talker

#: Who sends it: nobody, a consumer, a stranger, and everybody whose permissions differ.
CALLERS = (
    "",
    "consumer",
    "merchant20",
    "officer",
    "centre",
    "supervisor",
    "mediator",
    "court",
    "designer",
    "admin",
)

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


def throw_everything(
    app: Flask,
    database: Database,
    known: dict[str, list[str]],
    *,
    examples: int,
    operations: int | None = None,
    seed: int = 1,
) -> Counter[int]:
    """Send generated requests, good and bad, to every operation (or a sample); how often each status was answered.

    ``known`` gives ids of things that exist, by the name of the path's parameter, so that more than 404 is met.
    """
    callers = {login: Talker(app, database, login).headers if login else {} for login in CALLERS}
    schema: Any = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    statuses: Counter[int] = Counter()
    described = [found.ok() for found in schema.get_all_operations()]
    if operations is not None:
        described = random.Random(seed).sample(described, operations)
    for operation in described:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _throw(operation, mode, callers, known, statuses, examples=examples, seed=seed)
    return statuses


def _throw(
    operation: Any,
    mode: GenerationMode,
    callers: dict[str, dict[str, str]],
    known: dict[str, list[str]],
    statuses: Counter[int],
    *,
    examples: int,
    seed: int,
) -> None:
    cases = operation.as_strategy(generation_mode=mode)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @hypothesis.given(case=cases, caller=strategies.sampled_from(CALLERS), pick=strategies.integers(0, 1000))
    def send(case: Any, caller: str, pick: int) -> None:
        if pick % 3:
            for name in case.path_parameters or {}:
                if known.get(name):
                    case.path_parameters[name] = known[name][pick % len(known[name])]
        response = case.call(headers=callers[caller])
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        send()
    except hypothesis.errors.Unsatisfiable:
        statuses[0] += 0  # an operation without arguments has no bad ones
