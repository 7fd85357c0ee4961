"""A service with a short ARN is never tagged, and keeps what its owner said about tags (case C62)."""

from __future__ import annotations

from typing import Any

from migrate.adapters.aws.calls import WRITES
from migrate.core.documents import fields
from migrate.core.provider.service import service_arguments
from migrate.core.stack.preview import SERVICE
from migrate.core.stages import Stage
from migrate.errors import ExitCode
from tests.fakes.aws_world import PREFIX, World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import Operator

SHORT = f"{PREFIX}:service/web"
FOUND: dict[str, Any] = {"propagateTags": "SERVICE", "enableECSManagedTags": True, "enableExecuteCommand": True}


def short_arn_world() -> World:
    """Return the demo's service as it was made before long ARNs: without the cluster's name."""
    world = World.with_demo_service(FakeClock())
    long = next(iter(world.services))
    world.services = {SHORT: world.services[long]}
    world.settings = {SHORT: {**world.settings[long], **FOUND, "serviceArn": SHORT}}
    return world


def test_c62_a_service_with_a_short_arn_goes_all_the_way_and_back_without_a_tag() -> None:
    operator = Operator.of(short_arn_world()).reach(3)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    changed = {name for item in operator.stacks.previewed if item.type == SERVICE for name in item.properties}
    assert changed <= {"capacityProviderStrategies", "forceNewDeployment", "launchType", "taskDefinition", "triggers"}
    held = fields(operator.service.document)
    assert {name: held[name] for name in FOUND} == FOUND
    assert operator.record.baseline.service.arn == SHORT


def test_c62_the_program_writes_no_tags_and_what_is_found_about_them_stays() -> None:
    operator = Operator.of(short_arn_world()).reach(0)
    arguments = service_arguments(operator.record.baseline.service.document)
    assert "tags" not in arguments
    assert arguments["propagate_tags"] == "SERVICE"
    assert arguments["enable_ecs_managed_tags"] is True
    assert arguments["enable_execute_command"] is True


def test_c62_no_call_of_ours_tags_anything() -> None:
    assert not [name for name in WRITES if name.endswith("TagResource")]
    assert not [name for parameters in WRITES.values() for name in parameters if name == "tags"]
