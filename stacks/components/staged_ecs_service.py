"""An ECS service of a team's program, and its task definition, which follow the stage of the stack's configuration."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from migrate.core.facts import Architecture
from stacks.components.configuration import NAMESPACE, StageConfiguration, read_stage
from stacks.components.placing import at_the_root
from stacks.service.program import strategy_arguments

TRIGGER = "migrate-deployment"


def _arn(definition: aws.ecs.TaskDefinition) -> pulumi.Input[str]:
    return definition.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedEcsServiceArgs:
    """What the team's program says by itself; the stage changes as little of it as it can.

    ``task_definition`` and ``service`` are the arguments that the two resources had, but for the service's
    ``task_definition``: ``reference`` gives it, spelled as the program spelled it (another spelling is a difference).
    ``task_definition_name`` and ``service_name`` are the logical names that they had, each the component's own where it
    is not given; ``task_definition_options`` and ``service_options`` the options. Resources that stood below another
    parent, or were called otherwise, are found through aliases in those options. ``namespace`` is that of the
    configuration's keys.
    """

    task_definition: aws.ecs.TaskDefinitionArgs
    service: aws.ecs.ServiceArgs
    task_definition_name: str | None = None
    service_name: str | None = None
    task_definition_options: pulumi.ResourceOptions = field(default_factory=pulumi.ResourceOptions)
    service_options: pulumi.ResourceOptions = field(default_factory=pulumi.ResourceOptions)
    reference: Callable[[aws.ecs.TaskDefinition], pulumi.Input[str]] = _arn
    namespace: str = NAMESPACE


class StagedEcsService(pulumi.ComponentResource):
    """A service that goes from amd64 to ARM64 and on to another capacity as the configuration of its stack says.

    Without the configuration it is what the program says. The task definition stays as it is; its ARM64 revision, of
    the same family, is declared beside it (``<task definition's name>-arm64``) once a stage needs it, and stays. Both
    are retained when a release replaces them or the component goes, so that a way back finds its revision registered.
    A capacity provider strategy takes the place of launch type and strategy together, with a forced deployment, without
    which the provider refuses it (pulumi-aws 7.51.1, Service: "force_new_deployment should be true when
    capacity_provider_strategy is being updated").

    Raises pulumi.RunError when the configuration cannot be used, or the program cannot be brought there.
    """

    service: aws.ecs.Service
    task_definition: aws.ecs.TaskDefinition
    arm64_task_definition: aws.ecs.TaskDefinition | None
    """The ARM64 revision; None where no stage has needed it yet, and where the program's own is one."""

    def __init__(self, name: str, args: StagedEcsServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("migrate:components:StagedEcsService", name, None, opts)
        stage = read_stage(args.namespace)
        platform = _platform(args.task_definition)
        _check(name, args, stage, platform)
        self._declare_task_definitions(args.task_definition_name or name, args, stage, platform)
        moved = stage.architecture is Architecture.ARM64 and self.arm64_task_definition is not None
        runs = self.arm64_task_definition if moved and self.arm64_task_definition else self.task_definition
        arguments = _staged(args.service, stage)
        arguments.task_definition = args.reference(runs)
        options = at_the_root(self, args.service_options)
        self.service = aws.ecs.Service(args.service_name or name, arguments, options)
        self.register_outputs({"service_arn": self.service.arn, "task_definition_arn": runs.arn})

    def _declare_task_definitions(
        self, name: str, args: StagedEcsServiceArgs, stage: StageConfiguration, platform: Mapping[str, Any]
    ) -> None:
        kept = pulumi.ResourceOptions(retain_on_delete=True)
        options = pulumi.ResourceOptions.merge(args.task_definition_options, kept)
        self.task_definition = aws.ecs.TaskDefinition(name, args.task_definition, at_the_root(self, options))
        self.arm64_task_definition = None
        wanted = stage.architecture is Architecture.ARM64 or stage.arm64_revision
        if not wanted or platform.get("cpu_architecture") == Architecture.ARM64:
            return
        arguments = copy.copy(args.task_definition)
        arguments.runtime_platform = aws.ecs.TaskDefinitionRuntimePlatformArgs(
            cpu_architecture=Architecture.ARM64.value,
            operating_system_family=platform.get("operating_system_family") or "LINUX",
        )
        beside = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(parent=self))
        # A resource of its own: neither the other one under a new name, nor something that exists.
        beside.aliases, beside.import_ = [], None
        self.arm64_task_definition = aws.ecs.TaskDefinition(f"{name}-arm64", arguments, beside)


def _platform(arguments: aws.ecs.TaskDefinitionArgs) -> Mapping[str, Any]:
    """Return the runtime platform that a program declares, by the provider's Python names; empty without one."""
    platform: Any = arguments.runtime_platform
    if platform is None:
        return {}
    values: Mapping[str, Any] = platform if isinstance(platform, Mapping) else getattr(platform, "__dict__", {})
    if isinstance(platform, pulumi.Output) or any(isinstance(item, pulumi.Output) for item in values.values()):
        raise pulumi.RunError(
            "The runtime platform of the task definition is an output, and which revisions there are has to be known "
            "before anything is deployed. Write it as plain text."
        )
    return values


def _check(name: str, args: StagedEcsServiceArgs, stage: StageConfiguration, platform: Mapping[str, Any]) -> None:
    if args.service.task_definition is not None:
        raise pulumi.RunError(
            f"The service of {name} names a task definition, which the component does itself. Leave it out; "
            "`reference` says how it is spelled."
        )
    if stage.architecture is Architecture.X86_64 and platform.get("cpu_architecture") == Architecture.ARM64:
        raise pulumi.RunError(
            f"The task definition of {name} says ARM64, and the configuration asks for X86_64: the program itself has "
            "moved on. Take ARM64 out of the program again, or put a plain task definition and service in the "
            "component's place."
        )


def _staged(program: aws.ecs.ServiceArgs, stage: StageConfiguration) -> aws.ecs.ServiceArgs:
    """Return the service's arguments with what the stage changes of them."""
    arguments = copy.copy(program)
    if stage.capacity is not None:
        arguments.capacity_provider_strategies = [
            aws.ecs.ServiceCapacityProviderStrategyArgs(**item) for item in strategy_arguments(stage.capacity)
        ]
        arguments.launch_type = None
    if stage.deployment is not None:
        arguments.triggers = _triggers(program.triggers, stage.deployment)
    if stage.capacity is not None or stage.deployment is not None:
        arguments.force_new_deployment = True
    return arguments


def _triggers(program: Any, deployment: str) -> pulumi.Output[dict[str, str]]:
    own: pulumi.Output[Any] = pulumi.Output.from_input(program)
    return own.apply(lambda triggers: {**(triggers or {}), TRIGGER: deployment})
