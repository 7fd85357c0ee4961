"""What the deployer refuses before the engine is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.adapters.pulumi.deployer import _refuse_to_lose
from migrate.core.desired_state import ServiceStackInputs, TaskDefinitionInputs, desired_state
from migrate.core.documents import document
from migrate.core.stages import Stage
from migrate.errors import BlockedError
from tests.fakes.migration import Operator

UNKNOWN = document({"family": "web", "volumes": [{"name": "data", "holographicVolumeConfiguration": {"size": 1}}]})


def _inputs(import_arn: str | None) -> ServiceStackInputs:
    operator = Operator.of().reach(0)
    inputs = desired_state(operator.record, operator.runtime.settings, Stage.BASELINE).service
    return replace(inputs, task_definitions=(TaskDefinitionInputs("web", UNKNOWN, (), import_arn, keep=True),))


def test_a_new_revision_that_would_lose_a_field_is_refused_with_the_fields_name() -> None:
    with pytest.raises(BlockedError) as refused:
        _refuse_to_lose(_inputs(None))
    assert "volumes.holographicVolumeConfiguration" in refused.value.what


def test_a_revision_that_exists_loses_nothing_and_is_imported() -> None:
    _refuse_to_lose(_inputs("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1"))
