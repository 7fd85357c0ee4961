"""What the deployer refuses before the engine is asked, and which login an operation gets."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from migrate.adapters.pulumi.deployer import PulumiDeployer, _refuse_to_lose
from migrate.adapters.pulumi.workspace import StackAddress
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs, TaskDefinitionInputs, desired_state
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


REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

_PULUMI = """#!/bin/sh
[ "$1" = version ] && {{ echo v3.274.1; exit; }}
cat "$DOCKER_CONFIG/config.json" >> {heard} 2>/dev/null && echo >> {heard}
"""


@pytest.fixture
def deployer(tmp_path: Path) -> PulumiDeployer:
    """Give a deployer whose engine writes down the login that it is given."""
    program = tmp_path / "pulumi"
    program.write_text(_PULUMI.format(heard=tmp_path / "logins"))
    program.chmod(0o755)
    tokens = count(1)
    return PulumiDeployer(
        StackAddress("123456789012", "eu-west-1", "demo", "web", REGISTRY),
        tmp_path / "state",
        {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "HOME": str(tmp_path)},
        credentials=lambda _: ("AWS", f"token-{next(tokens)}"),
    )


def test_c28_every_operation_that_pushes_gets_a_token_of_its_own_and_the_state_none(
    deployer: PulumiDeployer, tmp_path: Path
) -> None:
    operator = Operator.of()
    operator.reach(0)
    inputs: ImageStackInputs = desired_state(operator.record, operator.settings, Stage.IMAGE).image
    for _ in range(3):
        deployer.up_image(inputs)
    lines = [json.loads(line) for line in (tmp_path / "logins").read_text().splitlines() if line]
    given = [base64.b64decode(line["auths"][REGISTRY]["auth"]).decode() for line in lines]
    assert given == ["AWS:token-1", "AWS:token-2", "AWS:token-3"]
    written = [path.read_text() for path in (tmp_path / "state").rglob("*.yaml")]
    assert written
    assert not any("token-" in text for text in written)
