"""What a person without the tool runs: Pulumi's preview and up of a stack as it is configured, then a wait for ECS.

``python -m tests.bench.bare_up DIRECTORY CLUSTER SERVICE``; the environment is the sandbox's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
from pulumi import automation
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from stacks.service.program import main as program

INTERVAL_SECONDS = 1
LONGEST_SECONDS = 180


def main(directory: Path, cluster: str, service: str) -> None:
    """Bring the stack up, and wait until its deployment is complete, as often as the gate beside it looks."""
    stack = automation.select_stack(
        stack_name=directory.name,
        project_name=directory.parent.name,
        program=program,
        opts=automation.LocalWorkspaceOptions(work_dir=str(directory)),
    )
    stack.preview()
    stack.up()
    ecs = boto3.client("ecs")

    def complete() -> bool:
        found = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["deployments"]
        return [item["rolloutState"] for item in found] == ["COMPLETED"]

    waiting = Retrying(
        retry=retry_if_result(lambda done: not done),
        wait=wait_fixed(INTERVAL_SECONDS),
        stop=stop_after_delay(LONGEST_SECONDS),
    )
    waiting(complete)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
