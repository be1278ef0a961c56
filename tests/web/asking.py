"""schemathesis asks by an OpenAPI document: whatever is sent, the answer is one that it has.

wrong, tried = asked(schema, headers, GenerationMode.POSITIVE, tries, prepare)
"""

from collections.abc import Callable
from typing import Any

import hypothesis
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def asked(
    schema: Any,
    headers: dict[str, str],
    mode: GenerationMode,
    tries: Callable[[str], int],
    prepare: Callable[[schemathesis.Case], None],
) -> tuple[str, int]:
    """What was wrong, in words, and how many operations were tried; `tries` says how often by the
    path, `prepare` is done to each question before it is asked.
    """
    wrong, tried = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.settings(
            max_examples=tries(operation.path),
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: schemathesis.Case) -> None:
            prepare(case)
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            attempt()
        except hypothesis.errors.Unsatisfiable:
            continue  # nothing wrong can be said to an operation without parameters
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 - all that is wrong, at once
            wrong.append(f"{operation.label}: {str(fault)[:900]}")
        tried += 1
    return "\n".join(wrong), tried
