"""Tasks that are containers: what the rollout waits for, what a task tells of itself, and in which order it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrate.sandbox.front.containers import Containers
from migrate.sandbox.front.engine import ContainerError, EngineSettings, Started
from migrate.sandbox.front.records import Live, LiveContainer, Target, TargetState, Task
from migrate.sandbox.front.settings import FrontSettings
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import InProcess

GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"
SETTINGS = FrontSettings(port=1, registry_host="localhost:1", engine=EngineSettings("unix:///engine", "net", "a=b"))


@dataclass
class ScriptedEngine:
    """Containers that end when the test says so; ``acts`` is what was asked of it, in order."""

    refusal: str = ""
    codes: dict[str, int] = field(default_factory=dict)
    acts: list[tuple[str, str]] = field(default_factory=list)

    def prepare(self) -> None:
        self.acts.append(("prepare", ""))

    def start(self, name: str, image: str, platform: str, container: Any, beside: str = "") -> Started:
        if self.refusal:
            raise ContainerError("CannotPullContainerError", self.refusal)
        assert name.endswith(container["name"])
        self.acts.append(("start", f"{platform} {container['name']} {beside}".strip()))
        assert image.partition("@")[2].startswith("sha256:")
        return Started(f"c-{container['name']}", "10.9.8.7", "arm64", "sha256:child")

    def exit_code(self, container: str) -> int | None:
        return self.codes.get(container)

    def stop(self, container: str, patience_seconds: int) -> None:
        self.acts.append(("stop", f"{container} {patience_seconds}"))
        self.codes[container] = 0

    def last_words(self, container: str) -> str:
        return f"the last line of {container}"

    def remove(self, container: str) -> None:
        self.acts.append(("remove", container))


def account(**changes: Any) -> tuple[InProcess, Account]:
    host = InProcess(SETTINGS)
    made = Account(host)
    made.ecs.create_service(
        cluster=made.cluster,
        serviceName=made.name,
        taskDefinition=made.define(**changes),
        desiredCount=1,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8080}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    return host, made


def only_task(host: InProcess) -> tuple[Task, Live]:
    (task,) = [task for task in host.front.world.tasks.values() if task.alive]
    assert task.live is not None
    return task, task.live


def run(task: Task, state: TargetState) -> Target:
    assert task.live is not None
    target = Target(8080, state, "")
    task.live.status, task.live.targets = "RUNNING", {GROUP: target}
    task.live.containers["app"] = LiveContainer("c1", "sha256:child")
    return target


def test_an_old_task_stays_until_the_new_one_is_healthy_in_its_target_group() -> None:
    host, made = account()
    old, _ = only_task(host)
    run(old, TargetState.HEALTHY)
    made.settle()
    made.update(forceNewDeployment=True)
    host.wait(1)
    new = next(task for task in host.front.world.tasks.values() if task is not old)
    target = run(new, TargetState.INITIAL)
    host.wait(1)
    assert (old.alive, new.running) == (True, True)
    assert made.primary()["rolloutState"] == "IN_PROGRESS"
    target.checked("", 2)
    made.settle()
    assert (old.alive, new.alive) == (False, True)


def test_a_task_that_waits_for_its_containers_is_pending_and_one_that_drains_is_not_stopped_yet() -> None:
    host, made = account()
    task, live = only_task(host)
    assert made.tasks()[0]["lastStatus"] == "PENDING"
    run(task, TargetState.HEALTHY)
    made.settle()
    assert made.tasks()[0]["lastStatus"] == "RUNNING"
    made.ecs.stop_task(cluster=made.cluster, task=task.arn)
    live.status = "DEACTIVATING"
    (draining,) = [item for item in made.tasks("STOPPED") if item["taskArn"] == task.arn]
    assert (draining["lastStatus"], "stoppedAt" in draining) == ("DEACTIVATING", False)
    live.status, live.ended = "STOPPED", host.now
    (stopped,) = [item for item in made.tasks("STOPPED") if item["taskArn"] == task.arn]
    assert (stopped["lastStatus"], "stoppedAt" in stopped) == ("STOPPED", True)


def follow(host: InProcess, engine: ScriptedEngine, *steps: Callable[[Task, Live], bool]) -> Task:
    """Let the task live with ``engine`` until each step in turn is true, moving the rollout along meanwhile."""
    task, live = only_task(host)

    async def life() -> None:
        containers = Containers(host.front.world, engine)
        await containers.prepare()
        for step in steps:
            async with asyncio.timeout(10):
                while not step(task, live):
                    host.now += 0.1
                    host.front.advance()
                    containers.follow()
                    await asyncio.sleep(0.01)
        containers.close()

    asyncio.run(life())
    return task


def running(task: Task, _live: Live) -> bool:
    return task.running


def ended(_task: Task, live: Live) -> bool:
    return live.ended is not None


def test_a_container_that_exits_stops_its_task_with_code_and_last_words() -> None:
    host, made = account()
    engine = ScriptedEngine()

    def crash(_task: Task, _live: Live) -> bool:
        engine.codes["c-app"] = 139
        return True

    task = follow(host, engine, running, crash, ended)
    (told,) = [item for item in made.tasks("STOPPED") if item["taskArn"] == task.arn]
    assert (told["stopCode"], told["containers"][0]["exitCode"]) == ("EssentialContainerExited", 139)
    assert told["containers"][0]["reason"] == "the last line of c-app"
    assert told["containers"][0]["runtimeId"] == "c-app"
    assert told["attributes"] == [{"name": "ecs.cpu-architecture", "value": "arm64"}]
    assert ("remove", "c-app") in engine.acts


def test_an_image_that_cannot_be_pulled_fails_the_task_and_counts_for_the_circuit_breaker() -> None:
    host, made = account()
    task = follow(host, ScriptedEngine(refusal="no such host"), ended, lambda task, _: not task.alive)
    assert (task.stop_code, task.stopped_reason) == ("TaskFailedToStart", "CannotPullContainerError: no such host")
    assert made.primary()["failedTasks"] >= 1


def test_a_task_answers_what_it_has_begun_to_answer_before_it_is_asked_to_end() -> None:
    host, _ = account()
    engine = ScriptedEngine()

    def busy(task: Task, live: Live) -> bool:
        live.targets[GROUP].in_flight = 1
        task.stop(host.now, "UserInitiated", "enough")
        return True

    def draining(_task: Task, live: Live) -> bool:
        return live.targets[GROUP].state is TargetState.DRAINING

    def answered(_task: Task, live: Live) -> bool:
        assert not [act for act in engine.acts if act[0] == "stop"]
        live.targets[GROUP].in_flight = 0
        return True

    follow(host, engine, running, busy, draining, answered, ended)
    assert engine.acts[-2:] == [("stop", "c-app 30"), ("remove", "c-app")]


def test_the_containers_of_a_task_share_one_network_and_only_an_essential_one_ends_it() -> None:
    beside = {"name": "beside", "image": "elsewhere/beside:1", "essential": False}
    app = {"name": "app", "image": "elsewhere/app:1", "stopTimeout": 7}
    arm = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    host, made = account(containerDefinitions=[app, beside], runtimePlatform=arm)
    engine = ScriptedEngine(codes={"c-beside": 1})
    task = follow(host, engine, running, lambda _, live: live.containers["beside"].exit_code == 1)
    assert task.running
    assert ("start", "linux/arm64 app") in engine.acts
    assert ("start", "linux/arm64 beside c-app") in engine.acts
    assert made.service()["runningCount"] == 1


@pytest.mark.parametrize(("failures", "state"), [(1, "initial"), (2, "unhealthy")])
def test_a_target_is_unhealthy_after_two_failed_checks_in_a_row(failures: int, state: str) -> None:
    target = Target(8080)
    for _ in range(failures):
        target.checked("Target.Timeout", 2)
    assert target.state == state
    target.checked("", 2)
    assert (target.state, target.reason) == ("healthy", "")
