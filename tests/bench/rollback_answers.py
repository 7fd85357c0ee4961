"""What three tools say after ECS's circuit breaker has rolled a deployment back, and after how many seconds.

Each tool runs with its own defaults, and each sees the same: a deployment whose tasks all fail to start after five
seconds, which is when the breaker trips. A figure ``..._reports_failure`` is 1 when the tool says that it failed; its
words go to standard error.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from botocore.exceptions import WaiterError
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from migrate.core.evidence import EventKind
from migrate.errors import ExitCode
from migrate.sandbox.demo.seed import CLUSTER, SERVICE, seed
from migrate.sandbox.sandbox import REGION, Sandbox
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.uv import find_uv
from tests.e2e.conftest import Operator

Figure = tuple[str, float, str]

#: fabfuel's ecs-deploy on PyPI.
ECS_DEPLOY = "ecs-deploy==1.17.0"
_START_SECONDS = 5
_SETTLED_SECONDS = 60
_DEPLOY_SECONDS = 600


def rollback_figures() -> Iterator[Figure]:
    """Yield seconds and answer of migrate's gate, of boto3's waiter, and of ecs-deploy."""
    os.environ["MIGRATE_FRONT_TASK_SECONDS"] = str(_START_SECONDS)
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as folder, Sandbox.start(Path(folder) / "sandbox") as up:
        del os.environ["MIGRATE_FRONT_TASK_SECONDS"]
        operator = Operator(Path(folder), up, seed(up))
        operator.init()
        for stage in ("0", "1"):
            operator.done("apply", "--stage", stage, "--yes")
        yield from _gate(operator)
        yield from _waiter(operator)
        yield from _ecs_deploy(operator)


def _gate(operator: Operator) -> Iterator[Figure]:
    _gate_as_shipped(operator.directory / "migrate.toml")
    _let_tasks_fail(operator)
    ended = operator.run("apply", "--stage", "2", "--yes")
    verdict = next(event for event in operator.events() if event.kind is EventKind.VERDICT and "fail" in event.text)
    yield "gate_detects_failure_s", verdict.at.timestamp() - _rolled_back(operator), "s"
    yield "gate_reports_failure", float(ended.code == ExitCode.ROLLED_BACK), "bool"
    sys.stderr.write(f"migrate (exit code {ended.code}): {ended.stdout.partition('Mend')[0]}\n")


def _waiter(operator: Operator) -> Iterator[Figure]:
    ecs = operator.aws("ecs")
    _let_tasks_fail(operator)
    ecs.update_service(cluster=CLUSTER, service=SERVICE, forceNewDeployment=True)
    said, failed = "services_stable: the service is stable", False
    try:
        ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=[SERVICE])
    except WaiterError as error:
        said, failed = str(error), True
    answered = time.time()
    yield "boto3_waiter_s", answered - _rolled_back(operator), "s"
    yield "boto3_waiter_reports_failure", float(failed), "bool"
    sys.stderr.write(f"boto3: {said}\n")


def _ecs_deploy(operator: Operator) -> Iterator[Figure]:
    # Installed before the clock runs, into uv's cache and away from this project's environment.
    command = [str(find_uv(Progress())), "tool", "run", "--from", ECS_DEPLOY, "ecs"]
    subprocess.run([*command, "--version"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    _let_tasks_fail(operator)
    ended = subprocess.run(
        [*command, "deploy", CLUSTER, SERVICE, "--region", REGION],
        env=operator.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_DEPLOY_SECONDS,
        check=False,
    )
    answered = time.time()
    yield "ecs_deploy_s", answered - _rolled_back(operator), "s"
    yield "ecs_deploy_reports_failure", float(ended.returncode != 0), "bool"
    sys.stderr.write(f"ecs-deploy (exit code {ended.returncode}): {ended.stdout.strip()}\n")


def _let_tasks_fail(operator: Operator) -> None:
    fault = {"kind": "tasks_fail_to_start", "service": SERVICE, "deployments": 1, "reason": "the bench wants it so"}
    url = f"{operator.sandbox.endpoint}/_sandbox/faults"
    verify = operator.environment["AWS_CA_BUNDLE"]
    httpx.post(url, json=fault, verify=verify, trust_env=False).raise_for_status()


def _rolled_back(operator: Operator) -> float:
    """Return when the newest deployment began, in seconds since the epoch, once ECS has rolled it back."""
    ecs = operator.aws("ecs")

    def newest() -> Any:
        return ecs.list_service_deployments(cluster=CLUSTER, service=SERVICE)["serviceDeployments"][0]

    again = Retrying(
        retry=retry_if_result(lambda item: item["status"] != "ROLLBACK_SUCCESSFUL"),
        stop=stop_after_delay(_SETTLED_SECONDS),
        wait=wait_fixed(1),
    )
    return float(again(newest)["createdAt"].timestamp())


def _gate_as_shipped(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r'^interval = "1s"$', 'interval = "15s"', text, flags=re.MULTILINE), encoding="utf-8")
