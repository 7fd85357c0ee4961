"""One task of a revision beside a service that runs none: proof at the operator's own hand (case C47)."""

from __future__ import annotations

import json
import shlex

from migrate.core.documents import fields
from migrate.core.facts import Service, Strategy

STARTED_BY = "migrate-smoke-test"
_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})


def smoke_test_command(service: Service, task_definition_arn: str, strategy: Strategy, launch_type: str | None) -> str:
    """Return the ``aws ecs run-task`` command that runs one task as the service would, outside the service.

    The desired count stays as it is. On Fargate it runs on on-demand capacity: whether the program starts does not
    depend on Spot. The architecture is that of the revision (ECS API, RunTask; facts F25, F26).
    """
    command = ["aws", "ecs", "run-task", "--cluster", service.cluster_arn, "--task-definition", task_definition_arn]
    command += ["--count", "1", "--started-by", STARTED_BY]
    if strategy:
        command += ["--capacity-provider-strategy", *_items(strategy)]
    elif launch_type:
        command += ["--launch-type", launch_type]
    on_fargate = {item.provider for item in strategy} <= _FARGATE if strategy else launch_type == "FARGATE"
    if on_fargate and service.platform_version:
        command += ["--platform-version", service.platform_version]
    network = fields(service.document).get("networkConfiguration")
    if network:
        command += ["--network-configuration", json.dumps(network, separators=(",", ":"))]
    return shlex.join(command)


def _items(strategy: Strategy) -> list[str]:
    if all(item.provider in _FARGATE for item in strategy):
        return ["capacityProvider=FARGATE,weight=1"]
    return [f"capacityProvider={item.provider},weight={item.weight},base={item.base}" for item in strategy]
