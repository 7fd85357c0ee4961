"""A change to a service in the words of the tool that owns it: files to edit, commands to run, what to look out for.

Sources: the Terraform aws provider's documentation of aws_ecs_service, aws_ecs_task_definition and
aws_ecs_cluster_capacity_providers; CloudFormation's resource schemas of AWS::ECS; the CDK API reference, aws_ecs
(ForceNewDeployment since 2.259.0); Copilot's manifest and "YAML patch overrides"; ecspresso's README.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.core.desired_state import ClusterInputs
from migrate.core.facts import Service, Strategy
from migrate.core.owner.change import Capacity, OwnerChange
from migrate.core.service_settings import service_tags
from migrate.core.settings import OwnerLanguage


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a file, or a command; ``syntax`` is hcl, json, yaml, typescript or sh."""

    place: str
    syntax: str
    text: str


@dataclass(frozen=True, slots=True)
class OwnerText:
    """A change in one language: what to write, what to run, and what to look out for."""

    language: OwnerLanguage
    title: str
    snippets: tuple[Snippet, ...]
    remarks: tuple[str, ...]


def written(change: OwnerChange, language: OwnerLanguage, service: Service) -> OwnerText:
    """Return a change in a language."""
    snippets = () if change.is_empty else tuple(_LANGUAGES[language](change, service))
    return OwnerText(language, change.title, snippets, tuple(_remarks(change, language)))


def told(text: OwnerText) -> str:
    """Return a change as lines for people."""
    lines = []
    for snippet in text.snippets:
        lines += [f"{snippet.place}:", *(f"  {line}" for line in snippet.text.splitlines())]
    return "\n".join([*lines, *text.remarks])


def _remarks(change: OwnerChange, language: OwnerLanguage) -> Iterator[str]:
    capacity = change.capacity
    if change.deployment:
        yield "First push the multi-platform image under the service's own tag: only a new deployment reads it."
    if capacity is None:
        return
    if capacity.launch_type is not None:
        yield (
            f"Only an empty strategy gives launch type {capacity.launch_type} back in place (ECS API, UpdateService); "
            "a tool that would replace the service for it must not be let."
        )
    elif change.leaves_launch_type and language is not OwnerLanguage.COPILOT:
        yield "It takes the place of the launch type: take that line out. The service must not be replaced."


def _terraform(change: OwnerChange, service: Service) -> Iterator[Snippet]:
    name = _identifier(service.name)
    blocks = []
    if change.architecture is not None:
        platform = [
            f'cpu_architecture        = "{change.architecture}"',
            f'operating_system_family = "{change.system}"',
        ]
        blocks.append(_block(f'resource "aws_ecs_task_definition" "{name}"', _block("runtime_platform", platform)))
    lines: list[str] = []
    if change.deployment or change.capacity is not None:
        lines.append("force_new_deployment = true")
    if change.deployment:
        lines.append(f"triggers = {{ image = {json.dumps(change.deployment)} }}")
    if change.capacity is not None:
        lines += _terraform_strategy("capacity_provider_strategy", change.capacity.strategy)
        if change.capacity.launch_type is not None:
            lines.append(f"launch_type = {json.dumps(change.capacity.launch_type)}")
    if lines:
        blocks.append(_block(f'resource "aws_ecs_service" "{name}"', lines))
    if change.cluster is not None:
        blocks.append(_terraform_cluster(change.cluster))
    if blocks:
        yield Snippet("the Terraform configuration", "hcl", "\n".join(line for block in blocks for line in block))


def _terraform_cluster(cluster: ClusterInputs) -> list[str]:
    names = ", ".join(json.dumps(name) for name in cluster.capacity_providers)
    lines = [f"cluster_name       = {json.dumps(cluster.name)}", f"capacity_providers = [{names}]"]
    lines += _terraform_strategy("default_capacity_provider_strategy", cluster.default_strategy)
    return _block(f'resource "aws_ecs_cluster_capacity_providers" "{_identifier(cluster.name)}"', lines)


def _terraform_strategy(block: str, strategy: Strategy) -> Iterator[str]:
    for item in strategy:
        yield from _block(
            block,
            [
                f"capacity_provider = {json.dumps(item.provider)}",
                f"weight            = {item.weight}",
                f"base              = {item.base}",
            ],
        )


def _block(head: str, inside: list[str]) -> list[str]:
    return [f"{head} {{", *(f"  {line}" for line in inside), "}"]


def _identifier(name: str) -> str:
    # Identifiers begin with no digit (Terraform language, "Identifiers").
    found = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_" for letter in name)
    return found if found[:1].isalpha() else f"service_{found}"


def _cloudformation(change: OwnerChange, service: Service) -> Iterator[Snippet]:
    logical = service_tags(service.document).get("aws:cloudformation:logical-id", "Service")
    resources: dict[str, Any] = {}
    if change.architecture is not None:
        platform = {"CpuArchitecture": change.architecture.value, "OperatingSystemFamily": change.system}
        resources["TaskDefinition"] = {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"RuntimePlatform": platform},
        }
    properties = dict(_cloudformation_service(change))
    if properties:
        resources[logical] = {"Type": "AWS::ECS::Service", "Properties": properties}
    if change.cluster is not None:
        resources["CapacityProviders"] = {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": change.cluster.name,
                "CapacityProviders": list(change.cluster.capacity_providers),
                "DefaultCapacityProviderStrategy": _items(change.cluster.default_strategy, capital=True),
            },
        }
    if resources:
        yield Snippet("the CloudFormation template", "json", json.dumps({"Resources": resources}, indent=2))


def _cloudformation_service(change: OwnerChange) -> Iterator[tuple[str, Any]]:
    if change.deployment:
        nonce = change.deployment
        yield "ForceNewDeployment", {"EnableForceNewDeployment": True, "ForceNewDeploymentNonce": nonce}
    if change.capacity is not None:
        # An empty list takes a strategy away (template reference, AWS::ECS::Service, CapacityProviderStrategy).
        yield "CapacityProviderStrategy", _items(change.capacity.strategy, capital=True)


def _items(strategy: Strategy, *, capital: bool = False) -> list[dict[str, Any]]:
    names = ("capacityProvider", "weight", "base")
    if capital:
        names = ("CapacityProvider", "Weight", "Base")
    return [dict(zip(names, (item.provider, item.weight, item.base), strict=True)) for item in strategy]


def _cdk(change: OwnerChange, service: Service) -> Iterator[Snippet]:
    del service
    if change.architecture is not None:
        system = {"LINUX": "LINUX"}.get(change.system, f"of('{change.system}')")
        lines = [
            "runtimePlatform: {",
            f"  cpuArchitecture: ecs.CpuArchitecture.{change.architecture},",
            f"  operatingSystemFamily: ecs.OperatingSystemFamily.{system},",
            "},",
        ]
        yield Snippet("the properties of the task definition", "typescript", "\n".join(lines))
    lines = []
    if change.deployment:
        lines.append(f"forceNewDeployment: {{ enabled: true, nonce: {json.dumps(change.deployment)} }},")
    if change.capacity is not None:
        items = ", ".join(
            f"{{ capacityProvider: {json.dumps(item.provider)}, weight: {item.weight}, base: {item.base} }}"
            for item in change.capacity.strategy
        )
        lines.append(f"capacityProviderStrategies: [{items}],")
    if lines:
        yield Snippet("the properties of the service", "typescript", "\n".join(lines))
    if change.cluster is not None:
        yield from _put_providers(change.cluster)


def _copilot(change: OwnerChange, service: Service) -> Iterator[Snippet]:
    if change.architecture is not None:
        architecture = "arm64" if change.architecture.value == "ARM64" else "x86_64"
        yield Snippet("the service's manifest.yml", "yaml", f"platform: linux/{architecture}")
    if change.capacity is not None:
        # A manifest knows a number of tasks on Spot only, and no weights.
        yield Snippet("overrides/cfn.patches.yml", "yaml", _patches(change.capacity, change))
    if change.cluster is not None:
        yield from _put_providers(change.cluster)
    name = service_tags(service.document).get("copilot-service", service.name)
    if change.deployment or change.capacity is not None:
        yield Snippet("then", "sh", f"copilot svc deploy --name {shlex.quote(name)} --force")
    else:
        yield Snippet("then", "sh", f"copilot svc deploy --name {shlex.quote(name)}")


def _patches(capacity: Capacity, change: OwnerChange) -> str:
    path = "/Resources/Service/Properties"
    lines = ["- op: remove", f"  path: {path}/LaunchType"] if change.leaves_launch_type else []
    if capacity.launch_type is not None:
        lines += ["- op: add", f"  path: {path}/LaunchType", f"  value: {capacity.launch_type}"]
    lines += ["- op: add", f"  path: {path}/CapacityProviderStrategy"]
    items = _items(capacity.strategy, capital=True)
    if not items:
        lines.append("  value: []")
        return "\n".join(lines)
    lines.append("  value:")
    for item in items:
        lines += [f"    - CapacityProvider: {json.dumps(item['CapacityProvider'])}"]
        lines += [f"      {name}: {item[name]}" for name in ("Weight", "Base")]
    return "\n".join(lines)


def _ecspresso(change: OwnerChange, service: Service) -> Iterator[Snippet]:
    del service
    if change.architecture is not None:
        platform = {"cpuArchitecture": change.architecture.value, "operatingSystemFamily": change.system}
        yield Snippet("ecs-task-def.json", "json", json.dumps({"runtimePlatform": platform}, indent=2))
    if change.capacity is not None:
        strategy = {"capacityProviderStrategy": _items(change.capacity.strategy)}
        yield Snippet("ecs-service-def.json", "json", json.dumps(strategy, indent=2))
    if change.cluster is not None:
        yield from _put_providers(change.cluster)
    forced = " --force-new-deployment" if change.deployment or change.capacity is not None else ""
    yield Snippet("then", "sh", f"ecspresso deploy{forced}")


def _put_providers(cluster: ClusterInputs) -> Iterator[Snippet]:
    options = [
        *("--cluster", cluster.name, "--capacity-providers", *cluster.capacity_providers),
        *("--default-capacity-provider-strategy", json.dumps(_items(cluster.default_strategy))),
    ]
    command = shlex.join(["aws", "ecs", "put-cluster-capacity-providers", *options])
    yield Snippet("once for the cluster", "sh", command)


_LANGUAGES: Mapping[OwnerLanguage, Callable[[OwnerChange, Service], Iterator[Snippet]]] = {
    OwnerLanguage.TERRAFORM: _terraform,
    OwnerLanguage.CLOUDFORMATION: _cloudformation,
    OwnerLanguage.CDK: _cdk,
    OwnerLanguage.COPILOT: _copilot,
    OwnerLanguage.ECSPRESSO: _ecspresso,
}
