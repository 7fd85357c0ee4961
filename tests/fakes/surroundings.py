"""Surroundings of the small service in tests/fakes/facts.py; every builder takes what a test cares about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrate.core.documents import Json, document, fields
from migrate.core.facts import Architecture, StrategyItem
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.surroundings import surroundings_findings
from migrate.core.settings import Settings
from migrate.core.surroundings import (
    AutoScalingGroup,
    CapacityProvider,
    ContainerInstance,
    InstanceType,
    Launch,
    ProviderKind,
    Subnet,
    Surroundings,
)
from tests.fakes import facts

PROVIDER = "graviton"
ARM64_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
X86_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
TYPES = {
    "t4g.small": (Architecture.ARM64, 2, 2048, 3),
    "m7g.large": (Architecture.ARM64, 2, 8192, 3),
    "m7g.xlarge": (Architecture.ARM64, 4, 16384, 4),
    "m5.large": (Architecture.X86_64, 2, 8192, 3),
}


def kinds() -> tuple[InstanceType, ...]:
    return tuple(InstanceType(name, (values[0],), *values[1:]) for name, values in TYPES.items())


def launch(kind: str = "m7g.large", image: Architecture | None = Architecture.ARM64) -> Launch:
    parameter = X86_PARAMETER if image is Architecture.X86_64 else ARM64_PARAMETER if image else ""
    return Launch(kind, "" if image else "ami-0123", parameter, image)


def group(*launches: Launch, **more: Any) -> AutoScalingGroup:
    values: dict[str, Any] = {"maximum": 10, "launches": launches or (launch(),)}
    return AutoScalingGroup("arn:group/autoScalingGroupName/g", "g", **(values | more))


def provider(**more: Any) -> CapacityProvider:
    values: dict[str, Any] = {
        "kind": ProviderKind.AUTO_SCALING_GROUP,
        "update_status": "UPDATE_COMPLETE",
        "group_arn": "arn:group/autoScalingGroupName/g",
        "managed_scaling": True,
        "target_capacity": 100,
    }
    return CapacityProvider(PROVIDER, **(values | more))


def instance(number: int = 1, kind: str = "m7g.large", **more: Any) -> ContainerInstance:
    architecture, vcpus, memory, _ = TYPES[kind]
    attributes = [("ecs.cpu-architecture", architecture.value.lower()), ("ecs.instance-type", kind)]
    attributes += more.pop("attributes", [])
    values: dict[str, Any] = {
        "instance_id": f"i-{number}",
        "provider": PROVIDER,
        "docker_version": "25.0.8",
        "registered_cpu": vcpus * 1024,
        "registered_memory": int(memory * 0.95),
        "remaining_cpu": vcpus * 1024,
        "remaining_memory": int(memory * 0.95),
        "attributes": tuple(attributes),
    }
    return ContainerInstance(f"arn:instance/{number}", **(values | more))


def machines(
    made: AutoScalingGroup | None = None,
    *instances: ContainerInstance,
    of: CapacityProvider | None = None,
    **more: Any,
) -> Surroundings:
    """Return surroundings with the provider ``graviton`` over one group, and the instances that are registered."""
    values: dict[str, Any] = {
        "capacity_providers": (of or provider(),),
        "groups": (made or group(),),
        "instance_types": kinds(),
        "container_instances": instances,
        "trunking": False,
    }
    return Surroundings(**(values | more))


def subnet(number: int = 1, zone_id: str = "use1-az1", free: int | None = 200) -> Subnet:
    return Subnet(f"subnet-{number}", "us-east-1a", zone_id, free)


def to_graviton(base: int = 0) -> Settings:
    """Return settings whose target is the Auto Scaling group provider."""
    return replace(facts.settings(), capacity=(StrategyItem(PROVIDER, weight=1, base=base),))


def on_subnets(*subnets: Subnet, named: tuple[str, ...] = (), **more: Any) -> Observation:
    """Return the service in the subnets; ``named`` are those it names, where they are others than EC2 shows."""
    service = more.pop("service", facts.service(launch_type="FARGATE", strategy=()))
    names = named or tuple(item.id for item in subnets)
    network: dict[str, Json] = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": list[Json](names)}}}
    whole = replace(service, document=document(fields(service.document) | network))
    around = replace(more.pop("surroundings", Surroundings()), subnets=subnets)
    return facts.observation(service=whole, surroundings=around, **more)


def task(cpu: str = "1024", memory: str = "2048", mode: str = "awsvpc", **more: Any) -> Any:
    """Return a task definition of this size."""
    container = {"name": "app", "image": "app:1", **more}
    return facts.definition({"cpu": cpu, "memory": memory, "networkMode": mode, "containerDefinitions": [container]})


def found(observation: Observation, settings: Settings | None = None) -> dict[str, Finding]:
    """Return what preflight says about the surroundings, by code."""
    made = list(surroundings_findings(observation, settings or facts.settings()))
    assert len({item.code for item in made}) == len(made), made
    return {item.code: item for item in made}


def grades(observation: Observation, settings: Settings | None = None) -> dict[str, Grade]:
    return {code: item.grade for code, item in found(observation, settings).items()}
