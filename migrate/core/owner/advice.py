"""What the owner of a service has to change so that his tool does not undo the move, in the words of that tool."""

from __future__ import annotations

from collections.abc import Callable

from migrate.core.facts import Strategy
from migrate.core.owner.marks import Owner


def owner_change(owner: Owner, strategy: Strategy) -> str:
    """Return the change for ARM64 and for ``strategy``, one or two sentences."""
    return _CHANGES[owner](strategy)


def _items(strategy: Strategy, provider: str, base: str, weight: str, sign: str = ": ") -> str:
    return ", ".join(
        f"{{ {provider}{sign}{item.provider}, {base}{sign}{item.base}, {weight}{sign}{item.weight} }}"
        for item in strategy
    )


def _cloudformation(strategy: Strategy) -> str:
    items = _items(strategy, "CapacityProvider", "Base", "Weight")
    return (
        "In the template give AWS::ECS::TaskDefinition `RuntimePlatform: { CpuArchitecture: ARM64, "
        "OperatingSystemFamily: LINUX }`, and AWS::ECS::Service, in place of LaunchType, "
        f"`CapacityProviderStrategy: [{items}]`; execute no change set that replaces the service."
    )


def _cdk(strategy: Strategy) -> str:
    items = _items(strategy, "capacityProvider", "base", "weight")
    return (
        "In the stack give the task definition `runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, "
        "operatingSystemFamily: OperatingSystemFamily.LINUX }` and the service "
        f"`capacityProviderStrategies: [{items}]`; image assets need `platform: Platform.LINUX_ARM64`. `cdk diff` must "
        "not replace the service."
    )


def _copilot(strategy: Strategy) -> str:
    spot = any(item.provider == "FARGATE_SPOT" and item.weight for item in strategy)
    also = ", and `count.spot` (the number of tasks on Spot) under `count`" if spot else ""
    return f"In the service's manifest.yml set `platform: linux/arm64`{also}, then deploy it with Copilot."


def _terraform(strategy: Strategy) -> str:
    blocks = " ".join(
        f'capacity_provider_strategy {{ capacity_provider = "{item.provider}" base = {item.base} '
        f"weight = {item.weight} }}"
        for item in strategy
    )
    return (
        'Give aws_ecs_task_definition `runtime_platform { cpu_architecture = "ARM64" operating_system_family = "LINUX" '
        f"}}`, and aws_ecs_service, in place of launch_type, `{blocks}` with `force_new_deployment = true`; or, where "
        "this tool keeps the service, `lifecycle { ignore_changes = [task_definition, capacity_provider_strategy, "
        "launch_type] }`."
    )


def _pulumi(strategy: Strategy) -> str:
    items = _items(strategy, "capacityProvider", "base", "weight")
    return (
        'In the program give the task definition `runtimePlatform: { cpuArchitecture: "ARM64", operatingSystemFamily: '
        f'"LINUX" }}` and `skipDestroy: true`, and the service, in place of launchType, `capacityProviderStrategies: '
        f"[{items}]` with `forceNewDeployment: true`. Two programs must never hold the same service."
    )


def _ecspresso(strategy: Strategy) -> str:
    items = _items(strategy, '"capacityProvider"', '"base"', '"weight"')
    return (
        'In the task definition file set `"runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": '
        f'"LINUX" }}`, in the service definition file, in place of launchType, `"capacityProviderStrategy": [{items}]`.'
    )


def _proton(strategy: Strategy) -> str:
    return f"In the service template's infrastructure file: {_cloudformation(strategy)}"


def _beanstalk(_strategy: Strategy) -> str:
    return "Beanstalk decides where its containers run: move the environment to Graviton instance types there."


def _express_mode(_strategy: Strategy) -> str:
    return (
        "ECS itself manages architecture and capacity of an Express Mode service: make an ordinary service from its "
        "task definition first."
    )


def _ecs_cli(_strategy: Strategy) -> str:
    return (
        "The ECS CLI is no longer developed and its compose files know neither runtimePlatform nor a strategy: do not "
        "run `ecs-cli compose service up` again after the move."
    )


def _pipeline(_strategy: Strategy) -> str:
    return (
        "The task definition file that the pipeline registers needs `runtimePlatform` ARM64 and LINUX from stage 2 on, "
        "and its deploy step must not name a launch type; otherwise its next run brings amd64 back."
    )


_CHANGES: dict[Owner, Callable[[Strategy], str]] = {
    Owner.CDK: _cdk,
    Owner.CLOUDFORMATION: _cloudformation,
    Owner.COPILOT: _copilot,
    Owner.PROTON: _proton,
    Owner.BEANSTALK: _beanstalk,
    Owner.EXPRESS_MODE: _express_mode,
    Owner.TERRAFORM: _terraform,
    Owner.PULUMI: _pulumi,
    Owner.ECSPRESSO: _ecspresso,
    Owner.ECS_CLI: _ecs_cli,
    Owner.PIPELINE: _pipeline,
}
