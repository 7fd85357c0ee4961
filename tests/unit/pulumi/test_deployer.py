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
from migrate.errors import BlockedError, EngineError, TransientError
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


_THROTTLED = "error: operation error ECS: UpdateService, ThrottlingException: Rate exceeded"
_TROUBLED = """#!/bin/sh
[ "$1" = version ] && {{ echo v3.274.1; exit; }}
case " $* " in *" up "*|*" preview "*) ;; *) exit 0;; esac
echo "$*" >> {heard}
[ $(wc -l < {heard}) -gt {failures} ] && exit
echo "{error}" >&2
exit 255
"""


def _troubled(folder: Path, failures: int, error: str) -> tuple[PulumiDeployer, list[str], Path]:
    """Return a deployer whose engine fails so many times, what it tells, and where its operations are written down."""
    program, told = folder / "pulumi", list[str]()
    program.write_text(_TROUBLED.format(heard=folder / "heard", failures=failures, error=error))
    program.chmod(0o755)
    deployer = PulumiDeployer(
        StackAddress("123456789012", "eu-west-1", "demo", "web", REGISTRY),
        folder / "state",
        {"PATH": f"{folder}{os.pathsep}{os.defpath}", "HOME": str(folder)},
        credentials=lambda _: ("AWS", "token"),
        tell=told.append,
        pauses=(0.0, 0.0, 0.0),
    )
    return deployer, told, folder / "heard"


def test_an_operation_that_aws_did_not_answer_is_done_again_and_said(tmp_path: Path) -> None:
    deployer, told, heard = _troubled(tmp_path, 2, _THROTTLED)
    deployer.up_service(_inputs("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1"))
    assert len(heard.read_text().splitlines()) == 3
    assert [line.partition(",")[0] for line in told] == ["AWS throttled Pulumi's work on the service stack"] * 2
    assert all("Trying again" in line for line in told)


@pytest.mark.parametrize("operation", ["preview_service", "up_service"])
def test_an_operation_that_is_never_answered_ends_with_what_was_said(operation: str, tmp_path: Path) -> None:
    deployer, told, heard = _troubled(tmp_path, 99, _THROTTLED)
    with pytest.raises(TransientError, match="AWS throttled"):
        getattr(deployer, operation)(_inputs("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1"))
    assert len(heard.read_text().splitlines()) == 4
    assert len(told) == 3


def test_an_operation_that_failed_by_itself_is_not_done_again(tmp_path: Path) -> None:
    deployer, told, heard = _troubled(tmp_path, 1, "error: ClientException: Invalid CPU value")
    with pytest.raises(EngineError, match="could not update"):
        deployer.up_service(_inputs("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1"))
    assert len(heard.read_text().splitlines()) == 1
    assert told == []


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
