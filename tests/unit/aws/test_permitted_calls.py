"""The permissions of our own calls stand in the table, and the table names no call that is gone."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import migrate.adapters.aws
from migrate.core.permission.calls import OF_THE_PROVIDER_ALONE
from migrate.core.permission.needed import CALLS
from tests.unit.aws.recordings import made_up_core

SOURCES = sorted(Path(migrate.adapters.aws.__file__).parent.glob("*.py"))
SERVICES = {
    "application_autoscaling": "application-autoscaling",
    "autoscaling": "autoscaling",
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs",
    "elbv2": "elbv2",
    "events": "events",
    "iam": "iam",
    "pricing": "pricing",
    "sns": "sns",
    "sts": "sts",
}
"""The session's clients by the names of boto3's services."""


@cache
def _methods() -> dict[str, frozenset[str]]:
    """Return the calls that a client method of a name may be."""
    core, found = made_up_core(), dict[str, set[str]]()
    for name in SERVICES.values():
        client = core.create_client(name, region_name="eu-central-1")
        for method, operation in client.meta.method_to_api_mapping.items():
            found.setdefault(method, set()).add(f"{name}:{operation}")
    return {method: frozenset(calls) for method, calls in found.items()}


def _called() -> list[tuple[str, frozenset[str]]]:
    """Return file and possible calls of every client method and paginator that a source names."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                if name == "get_paginator" and isinstance(node.args[0], ast.Constant):
                    name = str(node.args[0].value)
                if name in _methods():
                    found.append((path.name, _methods()[name]))
    return found


def test_every_call_of_ours_has_permissions_in_the_table() -> None:
    missing = [(name, sorted(calls)) for name, calls in _called() if not calls & CALLS.keys()]
    assert missing == []


def test_the_table_names_no_call_that_nobody_makes() -> None:
    made = frozenset().union(*(calls for _, calls in _called()))
    own = {call for call in CALLS if not call.startswith("registry:")} - OF_THE_PROVIDER_ALONE
    assert own <= made
    assert CALLS.keys() >= OF_THE_PROVIDER_ALONE


def test_every_client_of_the_session_is_looked_at() -> None:
    session = next(path for path in SOURCES if path.name == "session.py").read_text(encoding="utf-8")
    clients = {
        str(node.args[0].value)
        for node in ast.walk(ast.parse(session))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_client"
        and isinstance(node.args[0], ast.Constant)
    }
    assert clients == set(SERVICES.values())
