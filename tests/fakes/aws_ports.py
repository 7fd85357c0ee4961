"""The AWS ports over a scripted world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrate.core.documents import document
from migrate.core.facts import (
    Account,
    Alarm,
    Cluster,
    Deployment,
    Service,
    ServiceDeployment,
    TargetHealth,
    Task,
    TaskContainer,
    TaskDefinition,
)
from migrate.core.record import OriginalImage
from migrate.core.task_definition import containers
from migrate.errors import BlockedError, NotFoundError, ToolFaultError, WorldChangedError
from tests.fakes.aws_simulation import SimulatedDeployment, SimulatedService, SimulatedTask
from tests.fakes.aws_world import ACCOUNT, PREFIX, REGION, World
from tests.fakes.image_content import digest_of

_RUNNING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED"})


@dataclass(frozen=True)
class FakeServiceReader:
    """The port ServiceReader."""

    world: World

    def account(self) -> Account:
        self.world.called("account")
        return Account(ACCOUNT, REGION, f"arn:aws:iam::{ACCOUNT}:user/operator")

    def clusters(self) -> tuple[str, ...]:
        self.world.called("clusters")
        return (self.world.cluster.name,)

    def services(self, cluster: str) -> tuple[str, ...]:
        self.world.called("services")
        self._known_cluster(cluster)
        return tuple(sorted(service.name for service in self.world.services.values()))

    def service(self, cluster: str, name: str) -> Service:
        self.world.called("service")
        self._known_cluster(cluster)
        for arn, simulated in self.world.services.items():
            if name in {arn, simulated.name}:
                return _service(self.world, arn, simulated)
        raise NotFoundError(f"The service {name} does not exist.", then="Correct its name.")

    def task_definition(self, arn: str) -> TaskDefinition:
        self.world.called("task_definition")
        family, _, revision = arn.rpartition("/")[2].partition(":")
        of_family = [item for item in self.world.revisions.values() if item.family == family]
        named = [item for item in of_family if f"{item.revision}" == revision or (not revision and _active(item))]
        if not named:
            raise NotFoundError(f"The task definition {arn} does not exist.", then="Correct its name.")
        return max(named, key=lambda item: item.revision)

    def cluster(self, name: str) -> Cluster:
        self.world.called("cluster")
        return self._known_cluster(name)

    def tasks(self, service: Service) -> tuple[Task, ...]:
        self.world.called("tasks")
        return self._shown(self.world.services[service.arn].living())

    def stopped_tasks(self, service: Service) -> tuple[Task, ...]:
        self.world.called("stopped_tasks")
        simulated = self.world.services[service.arn]
        going = [task for task in simulated.tasks if task.stopped_at is not None or task.leaving_since is not None]
        # What a revision that is gone altogether was made of, this world no longer knows.
        return self._shown([task for task in going if task.deployment.task_definition_arn in self.world.revisions])

    def service_deployments(self, service: Service) -> tuple[ServiceDeployment, ...] | None:
        self.world.called("service_deployments")
        if not self.world.reporting.service_deployments:
            return None
        begun = [item for item in self.world.services[service.arn].history if item.undoes is None]
        return tuple(
            ServiceDeployment(
                deployment_arn(service.name, item),
                item.service_status,
                item.rollout_reason,
                f"{PREFIX}:service-revision/demo/{service.name}/{item.id.rpartition('/')[2]}",
                item.created_at,
                started_at=item.created_at,
                finished_at=item.finished_at,
            )
            for item in reversed(begun)
        )

    def _known_cluster(self, cluster: str) -> Cluster:
        if cluster not in {self.world.cluster.name, self.world.cluster.arn}:
            raise NotFoundError(f"The cluster {cluster} does not exist.", then="Correct its name.")
        return self.world.cluster

    def _shown(self, tasks: Sequence[SimulatedTask]) -> tuple[Task, ...]:
        return tuple(sorted((_task(self.world, task) for task in tasks), key=lambda task: task.arn))


@dataclass(frozen=True)
class FakeHealthReader:
    """The port HealthReader: a target for each task that runs or drains."""

    world: World

    def target_health(self, target_group_arns: Sequence[str]) -> tuple[TargetHealth, ...]:
        self.world.called("target_health")
        return tuple(target for arn in target_group_arns for target in self._targets(arn))

    def alarms(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        self.world.called("alarms")
        found = (self.world.alarm(name) for name in dict.fromkeys(names))
        return tuple(alarm for alarm in found if alarm is not None)

    def _targets(self, group: str) -> Iterator[TargetHealth]:
        registered = [
            simulated
            for arn, simulated in self.world.services.items()
            if any(item["targetGroupArn"] == group for item in self.world.settings[arn]["loadBalancers"])
        ]
        if not registered:
            raise NotFoundError(f"The target group {group} does not exist.", then="Correct its name.")
        tasks = [(simulated, task) for simulated in registered for task in simulated.tasks]
        for simulated, task in [] if group in self.world.empty_target_groups else tasks:
            if task.stopped_at is None and task.running_since is not None:
                state, reason = self._state(simulated, task)
                yield TargetHealth(group, f"{task.address}:8080", state, reason)

    def _state(self, simulated: SimulatedService, task: SimulatedTask) -> tuple[str, str]:
        if task.leaving_since is not None:
            return "draining", "Target.DeregistrationInProgress: Target deregistration is in progress"
        if simulated.is_healthy(task, self.world.clock.now()):
            return "healthy", ""
        if task.running_since is None or self.world.clock.now() - task.running_since < simulated.pace.health:
            return "initial", "Elb.RegistrationInProgress: Target registration is in progress"
        return "unhealthy", "Target.Timeout: Request timed out"


@dataclass(frozen=True)
class FakeSafetyActions:
    """The port SafetyActions, with the same looks before each act as the real one."""

    world: World

    def put_guard_tag(self, image: OriginalImage) -> None:
        self.world.called("put_guard_tag")
        if self.world.digest_of_tag(image.guard_tag) not in {None, image.digest}:
            raise BlockedError("The guard tag already points at another image.", then="Look who needs it.")
        self._tag(image, image.guard_tag)

    def restore_tag(self, image: OriginalImage) -> None:
        self.world.called("restore_tag")
        if image.reference.tag:
            self._tag(image, image.reference.tag)

    def stop_deployment(self, service_deployment_arn: str) -> None:
        self.world.called("stop_deployment")
        for simulated in self.world.services.values():
            for item in simulated.history:
                if service_deployment_arn == deployment_arn(simulated.name, item):
                    if item.service_status in _RUNNING and item is simulated.primary:
                        simulated.roll_back(self.world.clock.now(), "Service deployment was stopped.")
                        self.world.writes.append("stop deployment")
                    return
        raise NotFoundError("The service deployment does not exist.", then="Look at the console.")

    def force_deployment(self, service: Service) -> str:
        self.world.called("force_deployment")
        live = self._live(service)
        if service.primary is not None and live.primary is not None and live.primary.id != service.primary.id:
            return live.primary.id
        return self.world.apply_update(force=True, service=service.arn)

    def return_to_launch_type(self, service: Service) -> str:
        self.world.called("return_to_launch_type")
        live = self._live(service)
        if not live.strategy:
            return self.world.services[service.arn].primary.id
        return self.world.apply_update(strategy=(), force=True, service=service.arn)

    def _live(self, service: Service) -> Service:
        if service.arn not in self.world.services:
            raise NotFoundError(f"The service {service.name} does not exist.", then="Correct its name.")
        live = _service(self.world, service.arn, self.world.services[service.arn])
        if live.task_definition_arn != service.task_definition_arn:
            raise WorldChangedError("The service runs another task definition than a moment ago.", then="Plan again.")
        return live

    def _tag(self, image: OriginalImage, tag: str) -> None:
        if self.world.digest_of_tag(tag) == image.digest:
            return
        if digest_of(image.manifest.encode()) != image.digest:
            raise ToolFaultError("The recorded manifest is not the original one.", then="Restore the record.")
        self.world.push(tag, image.media_type, image.manifest.encode())
        self.world.writes.append(f"tag {tag}")


def deployment_arn(service: str, deployment: SimulatedDeployment) -> str:
    """Return the ARN of the service deployment behind a deployment."""
    return f"{PREFIX}:service-deployment/demo/{service}/{deployment.id.rpartition('/')[2]}"


def _service(world: World, arn: str, simulated: SimulatedService) -> Service:
    primary, settings = simulated.primary, world.settings[arn]
    living = simulated.living()
    running = sum(task.running_since is not None for task in living)
    return Service(
        arn=arn,
        name=simulated.name,
        cluster_arn=world.cluster.arn,
        status="ACTIVE",
        task_definition_arn=primary.task_definition_arn,
        desired_count=simulated.desired,
        running_count=running,
        pending_count=len(living) - running,
        launch_type=None if primary.strategy else primary.launch_type,
        strategy=primary.strategy,
        platform_version="LATEST",
        scheduling_strategy="REPLICA",
        deployment_controller="ECS",
        target_group_arns=tuple(item["targetGroupArn"] for item in settings["loadBalancers"]),
        alarm_names=tuple(settings["deploymentConfiguration"]["alarms"]["alarmNames"]),
        deployments=tuple(_deployment(simulated, item) for item in simulated.deployments),
        events=tuple(simulated.events[:100]),
        document=document(settings),
    )


def _deployment(simulated: SimulatedService, item: SimulatedDeployment) -> Deployment:
    living = simulated.living(item)
    running = sum(task.running_since is not None for task in living)
    return Deployment(
        id=item.id,
        status=item.status,
        task_definition_arn=item.task_definition_arn,
        rollout_state=item.rollout_state,
        rollout_state_reason=item.rollout_reason,
        desired_count=simulated.desired if item.status == "PRIMARY" else 0,
        running_count=running,
        pending_count=len(living) - running,
        failed_tasks=item.failed,
        created_at=item.created_at,
    )


def _task(world: World, task: SimulatedTask) -> Task:
    deployment = task.deployment
    architecture = world.architecture_of(deployment.task_definition_arn)
    attribute = {"X86_64": "x86_64", "ARM64": "arm64"}[architecture]
    child = world.child_of(deployment.digest, architecture)
    digest = {"child": child, "index": deployment.digest}.get(world.reporting.digest)
    status = "STOPPED" if task.stopped_at else "RUNNING" if task.running_since else "PENDING"
    definition = world.revisions[deployment.task_definition_arn]
    return Task(
        arn=f"{PREFIX}:task/demo/{task.id}",
        task_definition_arn=deployment.task_definition_arn,
        last_status="DEACTIVATING" if status == "RUNNING" and task.leaving_since else status,
        health_status="UNKNOWN",
        architecture=attribute if world.reporting.architecture else None,
        provider=task.provider,
        launch_type="FARGATE",
        platform_version="1.4.0",
        started_by=deployment.id,
        containers=tuple(
            TaskContainer(str(item["name"]), str(item["image"]), digest, status, task.exit_code, task.reason)
            for item in containers(definition.document)
        ),
        stop_code=task.stop_code,
        stopped_reason=task.reason,
        created_at=task.created_at,
        started_at=task.running_since,
        stopped_at=task.stopped_at,
        addresses=(task.address,),
    )


def _active(definition: TaskDefinition) -> bool:
    return definition.status == "ACTIVE"
