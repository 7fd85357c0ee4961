"""What lies around one service, in the scripted world and in the strict front behind the real adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.surroundings import AwsSurroundingsReader
from migrate.core.documents import document, fields
from migrate.core.facts import Architecture, Cluster, Service, TaskDefinition
from migrate.core.surroundings import (
    AutoScalingGroup,
    CapacityProvider,
    ContainerInstance,
    InstanceType,
    Launch,
    ProviderKind,
    ScalableTarget,
    ScalingPolicy,
    ScheduledAction,
    Subnet,
    Surroundings,
)
from migrate.sandbox.front.machines import INSTANCE_TYPES
from tests.contracts.aws_scenes import front_session
from tests.fakes.aws_ports import FakeServiceReader
from tests.fakes.aws_surroundings import FakeSurroundingsReader
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import FrontHost

ARM64_IMAGE = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
X86_IMAGE = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"


@dataclass(frozen=True)
class Graviton:
    """A capacity provider to make: its group's sizes, types and image; several types make a mixed policy."""

    types: Sequence[str] = ("m7g.large",)
    image: str = ARM64_IMAGE
    maximum: int = 4
    desired: int = 0
    managed_scaling: bool = True


class Around(Protocol):
    """A service of four tasks on Fargate in two subnets, and what others put around it."""

    provider: str

    def scale(self, minimum: int, maximum: int) -> None: ...
    def suspend(self) -> None: ...
    def schedule(self, name: str, expression: str, minimum: int, maximum: int) -> None: ...
    def add_provider(self, wanted: Graviton) -> None: ...
    def add_instance(self, kind: str, docker: str, *, of_the_provider: bool = True) -> None: ...
    def read(self, *wanted: str) -> Surroundings: ...
    def without_subnets(self) -> Surroundings: ...


@dataclass
class FakeAround:
    """In the scripted world."""

    world: World = field(default_factory=lambda: World.with_demo_service(FakeClock()))
    provider: str = "graviton"

    def __post_init__(self) -> None:
        self._set(subnets=(Subnet("subnet-1", "us-east-1a", "use1-az1"), Subnet("subnet-2", "us-east-1b", "use1-az2")))
        settings = next(iter(self.world.settings.values()))
        settings["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"]}}

    def _set(self, **more: Any) -> None:
        self.world.surroundings = replace(self.world.surroundings, **more)

    def scale(self, minimum: int, maximum: int) -> None:
        self._set(
            scalable_target=ScalableTarget(minimum, maximum),
            scaling_policies=(ScalingPolicy("cpu", "TargetTrackingScaling", scale_in_disabled=True),),
        )

    def suspend(self) -> None:
        assert self.world.surroundings.scalable_target
        self._set(scalable_target=replace(self.world.surroundings.scalable_target, scale_out_suspended=True))

    def schedule(self, name: str, expression: str, minimum: int, maximum: int) -> None:
        known = self.world.surroundings.scheduled_actions
        made = ScheduledAction(name, expression, "Europe/Berlin", minimum, maximum)
        self._set(scheduled_actions=tuple(sorted((*known, made), key=lambda item: item.name)))

    def add_provider(self, wanted: Graviton) -> None:
        arn = f"arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:1:autoScalingGroupName/{self.provider}"
        architecture = Architecture.ARM64 if "arm64" in wanted.image else Architecture.X86_64
        launches = tuple(Launch(kind, "", wanted.image, architecture) for kind in wanted.types)
        sizes = (wanted.maximum, wanted.desired, wanted.desired)
        self._set(
            capacity_providers=(
                CapacityProvider(
                    self.provider,
                    kind=ProviderKind.AUTO_SCALING_GROUP,
                    update_status="UPDATE_COMPLETE",
                    group_arn=arn,
                    managed_scaling=wanted.managed_scaling,
                    target_capacity=100,
                ),
            ),
            groups=(AutoScalingGroup(arn, self.provider, 0, *sizes, launches),),
            instance_types=tuple(_kind(name) for name in sorted(INSTANCE_TYPES)),
        )

    def add_instance(self, kind: str, docker: str, *, of_the_provider: bool = True) -> None:
        there = self.world.surroundings.container_instances or ()
        cpu, memory = _resources(kind)
        made = ContainerInstance(
            arn=f"arn:aws:ecs:us-east-1:111122223333:container-instance/demo/{len(there)}",
            instance_id=f"i-{len(there)}",
            provider=self.provider if of_the_provider else None,
            agent_version="1.90.0",
            docker_version=docker,
            registered_cpu=cpu,
            registered_memory=memory,
            remaining_cpu=cpu,
            remaining_memory=memory,
            attributes=_attributes(kind),
        )
        self._set(container_instances=(*there, made), instance_types=tuple(map(_kind, sorted(INSTANCE_TYPES))))

    def read(self, *wanted: str) -> Surroundings:
        return self._read(self._service(), wanted)

    def without_subnets(self) -> Surroundings:
        service = self._service()
        gone = fields(service.document) | {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}}
        return self._read(replace(service, document=document(gone)), ())

    def _service(self) -> Service:
        return FakeServiceReader(self.world).service("demo", "web")

    def _read(self, service: Service, wanted: Sequence[str]) -> Surroundings:
        definition = self.world.revisions[service.task_definition_arn]
        return FakeSurroundingsReader(self.world).read(service, definition, self.world.cluster, wanted)


class FrontAround:
    """In a front, read through the real adapter."""

    def __init__(self, host: FrontHost) -> None:
        self.account = Account(host)
        self.provider = f"graviton-{self.account.name}"
        self._scaling = host.client("application-autoscaling")
        self._ec2, self._groups = host.client("ec2"), host.client("autoscaling")
        vpc = self._ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            self._ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
            for number, zone in enumerate("ab")
        ]
        network = {"awsvpcConfiguration": {"subnets": [item["Subnet"]["SubnetId"] for item in subnets]}}
        self.account.create(networkConfiguration=network)
        session = front_session(host)
        self._reader, self._services = AwsSurroundingsReader(session), EcsServiceReader(session)
        self._named = {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{self.account.cluster}/{self.account.name}",
            "ScalableDimension": "ecs:service:DesiredCount",
        }

    def scale(self, minimum: int, maximum: int) -> None:
        self._scaling.register_scalable_target(**self._named, MinCapacity=minimum, MaxCapacity=maximum)
        tracking = {
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "DisableScaleIn": True,
        }
        self._scaling.put_scaling_policy(
            **self._named,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )

    def suspend(self) -> None:
        self._scaling.register_scalable_target(**self._named, SuspendedState={"DynamicScalingOutSuspended": True})

    def schedule(self, name: str, expression: str, minimum: int, maximum: int) -> None:
        self._scaling.put_scheduled_action(
            **self._named,
            ScheduledActionName=name,
            Schedule=expression,
            Timezone="Europe/Berlin",
            ScalableTargetAction={"MinCapacity": minimum, "MaxCapacity": maximum},
        )

    def add_provider(self, wanted: Graviton) -> None:
        data = {"InstanceType": wanted.types[0], "ImageId": f"resolve:ssm:{wanted.image}"}
        template = self._ec2.create_launch_template(LaunchTemplateName=self.provider, LaunchTemplateData=data)
        named = {"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"}
        mixed = {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": named,
                "Overrides": [{"InstanceType": kind} for kind in wanted.types],
            }
        }
        starts: dict[str, Any] = {"MixedInstancesPolicy": mixed} if len(wanted.types) > 1 else {"LaunchTemplate": named}
        self._groups.create_auto_scaling_group(
            AutoScalingGroupName=self.provider,
            MinSize=0,
            MaxSize=wanted.maximum,
            DesiredCapacity=wanted.desired,
            AvailabilityZones=["us-east-1a"],
            **starts,
        )
        (group,) = self._group()
        self.account.ecs.create_capacity_provider(
            name=self.provider,
            autoScalingGroupProvider={
                "autoScalingGroupArn": group["AutoScalingGroupARN"],
                "managedScaling": {
                    "status": "ENABLED" if wanted.managed_scaling else "DISABLED",
                    "targetCapacity": 100,
                },
            },
        )
        self.account.ecs.put_cluster_capacity_providers(
            cluster=self.account.cluster,
            capacityProviders=["FARGATE", "FARGATE_SPOT", self.provider],
            defaultCapacityProviderStrategy=[],
        )

    def _group(self) -> Any:
        return self._groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.provider])["AutoScalingGroups"]

    def add_instance(self, kind: str, docker: str, *, of_the_provider: bool = True) -> None:
        members = self._group()[0]["Instances"] if of_the_provider else []
        there = self.account.ecs.list_container_instances(cluster=self.account.cluster)["containerInstanceArns"]
        identity = members[len(there)]["InstanceId"] if of_the_provider else f"i-elsewhere-{len(there)}"
        cpu, memory = _resources(kind)
        self.account.ecs.register_container_instance(
            cluster=self.account.cluster,
            instanceIdentityDocument=json.dumps({"instanceId": identity}),
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
            ],
            versionInfo={"agentVersion": "1.90.0", "dockerVersion": f"DockerVersion: {docker}"},
            attributes=[{"name": name, "value": value} for name, value in _attributes(kind)],
        )

    def read(self, *wanted: str) -> Surroundings:
        service, definition, cluster = self._described()
        return self._reader.read(service, definition, cluster, wanted)

    def without_subnets(self) -> Surroundings:
        service, definition, cluster = self._described()
        gone = fields(service.document) | {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}}
        return self._reader.read(replace(service, document=document(gone)), definition, cluster, ())

    def _described(self) -> tuple[Service, TaskDefinition, Cluster]:
        service = self._services.service(self.account.cluster, self.account.name)
        definition = self._services.task_definition(service.task_definition_arn)
        return service, definition, self._services.cluster(service.cluster_arn)


def _kind(name: str) -> InstanceType:
    architecture, vcpus, memory, interfaces = INSTANCE_TYPES[name]
    return InstanceType(name, (Architecture(architecture.upper()),), vcpus, memory, interfaces)


def _resources(kind: str) -> tuple[int, int]:
    _, vcpus, memory, _ = INSTANCE_TYPES[kind]
    return vcpus * 1024, int(memory * 0.95)


def _attributes(kind: str) -> tuple[tuple[str, str], ...]:
    return (("ecs.cpu-architecture", INSTANCE_TYPES[kind][0]), ("ecs.instance-type", kind))
