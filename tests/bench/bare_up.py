"""What a person without the tool runs: Pulumi's preview and up of a stack as it is configured, then a wait for ECS.

``python -m tests.bench.bare_up WAY DIRECTORY CLUSTER SERVICE``; the environment is the sandbox's. WAY is ``api``, a
program on the Automation API as its guide has it, or ``command``, what somebody types: `pulumi up`, one process that
previews and updates. The program is at hand in it at once, while a language host of its own would start it twice.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import boto3
from pulumi import automation
from pulumi.automation._stack import StackInitMode
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from stacks.service.program import main as program

INTERVAL_SECONDS = 1
LONGEST_SECONDS = 180


class _Typed(automation.PulumiCommand):
    """The command line as it is typed: nothing is asked before, and the `up` previews."""

    def __init__(self) -> None:
        # The parent's constructor would start it, for its version.
        self.command, self.version = "pulumi", None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: automation.OnOutput | None = None,
        on_error: automation.OnOutput | None = None,
    ) -> automation.CommandResult:
        typed = [argument for argument in args if argument != "--skip-preview"]
        return super().run(typed, cwd, additional_env, on_output, on_error)


class _Selected(automation.LocalWorkspace):
    """A workspace whose stack is selected already, as it is for whoever works in its directory."""

    def select_stack(self, stack_name: str) -> None:
        pass


class _Alone(automation.Stack):
    """A stack that is not asked for outputs and history after an ``up``."""

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool | None = None) -> automation.UpdateSummary:
        del show_secrets
        return automation.UpdateSummary("", datetime.fromtimestamp(0, UTC), "", {}, {}, "")


def main(way: str, directory: Path, cluster: str, service: str) -> None:
    """Bring the stack up, and wait until its deployment is complete, as often as the gate beside it looks."""
    if way == "command":
        workspace = _Selected(work_dir=str(directory), program=program, pulumi_command=_Typed())
        _Alone(directory.name, workspace, StackInitMode.SELECT).up()
    else:
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
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
