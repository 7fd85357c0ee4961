from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from migrate.core.documents import Json, document
from migrate.core.provider.task_definition import (
    TABLE,
    task_definition_arguments,
    untranslated_task_definition_fields,
)
from migrate.core.task_definition import ANSWER_ONLY_FIELDS, REGISTERED_FIELDS
from tests.unit.stacks.api_shapes import filled, keys_and_leaves, leaves
from tests.unit.stacks.recording import requested_by


def _whole() -> dict[str, Json]:
    return filled("TaskDefinition", leave_out=frozenset({*ANSWER_ONLY_FIELDS, "containerDefinitions"}))


def test_every_registered_field_has_its_argument() -> None:
    assert set(TABLE) == set(REGISTERED_FIELDS)


def test_no_registered_field_is_lost() -> None:
    whole = _whole()
    # Not registered any more, or not known to pulumi-aws 7.51.1: told, not lost in silence (case C54).
    unknown = {"inferenceAccelerators", "trustedExecutionConfiguration"}
    assert set(untranslated_task_definition_fields(document(whole))) == unknown
    registered = {name: value for name, value in whole.items() if name not in unknown}
    arguments = task_definition_arguments(document(registered), ())
    assert set(leaves(registered)) <= set(keys_and_leaves(arguments))


def test_the_provider_takes_every_argument() -> None:
    arguments = task_definition_arguments(document({**_whole(), "containerDefinitions": [{"name": "app"}]}), ())
    requested = requested_by(lambda: _declare(arguments))["definition"]
    assert set(leaves(arguments)) <= set(leaves(requested.inputs))


def _declare(arguments: dict[str, Any]) -> None:
    aws.ecs.TaskDefinition("definition", **arguments)


def test_c54_what_only_the_answer_has_is_not_registered() -> None:
    answer = {
        "family": "app",
        "revision": 4,
        "status": "ACTIVE",
        "compatibilities": ["EC2"],
        "registeredBy": "somebody",
    }
    assert task_definition_arguments(document(answer), ()) == {"family": "app"}


def test_c33_containers_are_carried_over_as_they_are() -> None:
    containers: list[Json] = [
        {"name": "app", "environment": [{"name": "B", "value": "2"}], "cpu": 0, "mountPoints": []}
    ]
    arguments = task_definition_arguments(document({"family": "app", "containerDefinitions": containers}), ())
    assert json.loads(arguments["container_definitions"]) == containers


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"name": "v", "host": {}}, {"name": "v"}),
        ({"name": "v", "host": {"sourcePath": "/data"}}, {"name": "v", "host_path": "/data"}),
        ({"name": "v", "configuredAtLaunch": False}, {"name": "v", "configure_at_launch": False}),
    ],
)
def test_volumes_change_their_shape(volume: Json, expected: dict[str, object]) -> None:
    arguments = task_definition_arguments(document({"volumes": [volume]}), ())
    assert arguments["volumes"] == [expected]


def test_tags_are_applied_again() -> None:
    assert task_definition_arguments(document({"family": "app"}), (("team", "a"),))["tags"] == {"team": "a"}
