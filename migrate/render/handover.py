"""What stays of a migration as code: Pulumi in Python, Terraform, CloudFormation.

Exact is what a migration changes: platform, image and capacity. Each text says what it leaves to the owner. Sources:
pulumi_aws 7.51.1 (ServiceArgs, TaskDefinitionArgs); the Terraform aws provider's documentation of aws_ecs_service and
aws_ecs_task_definition with their imports; CloudFormation's template reference, AWS::ECS::Service and
AWS::ECS::TaskDefinition, and "Import AWS resources into a CloudFormation stack".
"""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

from migrate.core.documents import Json
from migrate.core.handover import Handover, LeftService, OwnersTool

_NAMES_OF_THEIR_OWN = frozenset({"dockerLabels", "options", "driverOpts", "labels"})
"""Maps whose keys are the operator's, not the API's."""
_ARM64 = "arm64"
"""What sets the names of a twin's resources apart."""


def code(left: Handover, tool: OwnersTool) -> str:
    """Return the code for a tool, ready to be saved."""
    written = {OwnersTool.PULUMI: _pulumi, OwnersTool.TERRAFORM: _terraform, OwnersTool.CLOUDFORMATION: _cloudformation}
    return written[tool](left)


def _pulumi(left: Handover) -> str:
    return "\n".join(
        [
            '"""The service as a migration left it. The imports adopt what runs: `pulumi preview` must show no change,',
            'and once `pulumi up` has run they can go. The desired count is left to auto scaling."""',
            "",
            "import pulumi",
            "import pulumi_aws as aws",
            "",
            *(line for service in left.services for line in _pulumi_service(left, service)),
            "",
        ]
    )


def _pulumi_service(left: Handover, service: LeftService) -> list[str]:
    ending = f"-{_ARM64}" if service.is_twin else ""
    settings = {**service.service_arguments, "name": service.name, "cluster": left.cluster_arn, **_where(service)}
    return [
        f"task_definition{ending.replace('-', '_')} = aws.ecs.TaskDefinition(",
        f'    "task-definition{ending}",',
        *_keywords({**service.task_definition_arguments}),
        f"    opts=pulumi.ResourceOptions(import_={service.revision_arn!r}, retain_on_delete=True),",
        ")",
        f"service{ending.replace('-', '_')} = aws.ecs.Service(",
        f'    "service{ending}",',
        *_keywords(settings),
        f"    task_definition={service.revision_arn.rsplit('/', 1)[-1]!r},",
        "    opts=pulumi.ResourceOptions(",
        f"        import_={f'{left.cluster}/{service.name}'!r},",
        '        ignore_changes=["desired_count"],',
        "        retain_on_delete=True,",
        "    ),",
        ")",
    ]


def _where(left: LeftService) -> dict[str, Any]:
    if left.launch_type is not None:
        return {"launch_type": left.launch_type}
    items = [{"capacity_provider": item.provider, "weight": item.weight, "base": item.base} for item in left.strategy]
    return {"capacity_provider_strategies": items}


def _keywords(arguments: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, value in sorted(arguments.items()):
        shown = pprint.pformat(value, width=110, sort_dicts=True).replace("\n", "\n    ")
        lines.append(f"    {name}={shown},")
    return lines


def _terraform(left: Handover) -> str:
    lines = [
        "# What a migration changed is exact: runtime_platform, image and capacity_provider_strategy. Network, load",
        "# balancers, roles, volumes and the deployment configuration are yours: carry them over from your own code",
        "# where a line is missing, until `terraform plan` shows nothing but the imports.",
    ]
    lines += [line for service in left.services for line in _terraform_service(left, service)]
    return "\n".join([*lines, ""])


def _terraform_service(left: Handover, service: LeftService) -> list[str]:
    name = "".join(letter if letter.isalnum() else "_" for letter in service.name)
    # Identifiers begin with no digit (Terraform language, "Identifiers").
    name = f"service_{name}" if name[0].isdigit() else name
    lines = [
        "import {",
        f"  to = aws_ecs_task_definition.{name}",
        f"  id = {_quoted(service.revision_arn)}",
        "}",
        "",
        "import {",
        f"  to = aws_ecs_service.{name}",
        f"  id = {_quoted(f'{left.cluster}/{service.name}')}",
        "}",
        "",
        *_terraform_definition(name, service),
        f'resource "aws_ecs_service" "{name}" {{',
        f"  name            = {_quoted(service.name)}",
        f"  cluster         = {_quoted(left.cluster_arn)}",
        f"  task_definition = aws_ecs_task_definition.{name}.arn",
    ]
    if service.launch_type is not None:
        lines.append(f"  launch_type     = {_quoted(service.launch_type)}")
    for item in service.strategy:
        lines += [
            "  capacity_provider_strategy {",
            f"    capacity_provider = {_quoted(item.provider)}",
            f"    weight            = {item.weight}",
            f"    base              = {item.base}",
            "  }",
        ]
    return [*lines, "  lifecycle {", "    ignore_changes = [desired_count]", "  }", "}", ""]


def _terraform_definition(name: str, service: LeftService) -> list[str]:
    containers = json.dumps(service.task_definition.get("containerDefinitions", []), indent=2, sort_keys=True)
    platform = service.task_definition.get("runtimePlatform")
    system = platform.get("operatingSystemFamily", "LINUX") if isinstance(platform, dict) else "LINUX"
    return [
        f'resource "aws_ecs_task_definition" "{name}" {{',
        *_scalars(service.task_definition),
        "  skip_destroy             = true",
        "  runtime_platform {",
        f"    cpu_architecture        = {_quoted(service.architecture)}",
        f"    operating_system_family = {_quoted(str(system))}",
        "  }",
        "  container_definitions = <<-JSON",
        *(f"    {line}" for line in _template(containers).splitlines()),
        "  JSON",
        "}",
        "",
    ]


def _scalars(definition: Mapping[str, Json]) -> list[str]:
    names = {
        "family": "family",
        "cpu": "cpu",
        "memory": "memory",
        "networkMode": "network_mode",
        "executionRoleArn": "execution_role_arn",
        "taskRoleArn": "task_role_arn",
    }
    lines = [
        f"  {name:24} = {_quoted(str(definition[field]))}" for field, name in names.items() if definition.get(field)
    ]
    needs = definition.get("requiresCompatibilities")
    if isinstance(needs, list) and needs:
        lines.append(f"  requires_compatibilities = [{', '.join(_quoted(str(item)) for item in needs)}]")
    return lines


def _quoted(text: str) -> str:
    return _template(json.dumps(text))


def _template(text: str) -> str:
    """Keep HCL from reading templates into a text (Terraform language, "Strings and Templates")."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _cloudformation(left: Handover) -> str:
    identified = "; ".join(
        f"{name} by {identifier}" for service in left.services for name, identifier in _identifiers(left, service)
    )
    template = {
        "Description": "What a migration changed is exact: RuntimePlatform, Image and CapacityProviderStrategy. Carry "
        "network, load balancers and deployment configuration of the service over from your own template. The "
        "metadata names what a change set of type IMPORT adopts.",
        "Metadata": {"ResourcesToImport": identified},
        "Resources": {
            name: resource for service in left.services for name, resource in _cloudformation_service(left, service)
        },
    }
    return json.dumps(template, indent=2) + "\n"


def _identifiers(left: Handover, service: LeftService) -> list[tuple[str, str]]:
    ending = _ARM64.capitalize() if service.is_twin else ""
    return [
        (f"TaskDefinition{ending}", f"TaskDefinitionArn {service.revision_arn}"),
        (f"Service{ending}", f"ServiceArn {service.arn} and Cluster {left.cluster_arn}"),
    ]


def _cloudformation_service(left: Handover, service: LeftService) -> list[tuple[str, dict[str, Any]]]:
    where: dict[str, Any] = {"LaunchType": service.launch_type}
    if service.launch_type is None:
        strategy = [
            {"CapacityProvider": item.provider, "Weight": item.weight, "Base": item.base} for item in service.strategy
        ]
        where = {"CapacityProviderStrategy": strategy}
    ending = _ARM64.capitalize() if service.is_twin else ""
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    definition = {"Type": "AWS::ECS::TaskDefinition", **kept, "Properties": _capitalised(service.task_definition)}
    properties = {
        "ServiceName": service.name,
        "Cluster": left.cluster_arn,
        "TaskDefinition": service.revision_arn,
        **where,
    }
    return [
        (f"TaskDefinition{ending}", definition),
        (f"Service{ending}", {"Type": "AWS::ECS::Service", **kept, "Properties": properties}),
    ]


def _capitalised(value: Json) -> Any:
    if isinstance(value, list):
        return [_capitalised(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name[:1].upper() + name[1:]: inside if name in _NAMES_OF_THEIR_OWN else _capitalised(inside)
        for name, inside in value.items()
    }
