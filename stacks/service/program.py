"""The service stack: the service, its task definitions, and the capacity providers that its cluster lacks.

Every resource but the twin is retained on delete: what a stage made is never taken away by a preview of a way back.
References are written as an import reads them, clusters as ARNs and task definitions as family:revision: any other
spelling is a difference (case C34, provider.md section 2). The steady state is not awaited (facts F5).
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from migrate.core.desired_state import ClusterInputs, ServiceInputs, ServiceStackInputs, TaskDefinitionInputs
from migrate.core.facts import Strategy
from migrate.core.provider.service import service_arguments
from migrate.core.provider.task_definition import task_definition_arguments
from migrate.core.provider.translation import Arguments
from migrate.core.twin import TWIN, TwinInputs
from stacks.configuration import read_inputs

SERVICE = "service"
CLUSTER = "cluster"


def main() -> None:
    """Declare the service stack as its configuration says."""
    declare_service_stack(read_inputs(ServiceStackInputs))


def declare_service_stack(inputs: ServiceStackInputs) -> None:
    """Declare all resources; outputs are ``task_definition_arns`` by logical name, ``service_arn`` and ``twin_arn``."""
    definitions = {
        item.logical_name: _declare_task_definition(item, adopt=inputs.adopt) for item in inputs.task_definitions
    }
    cluster = _declare_cluster(inputs.cluster, adopt=inputs.adopt) if inputs.cluster is not None else None
    service = _declare_service(
        inputs.service, definitions[inputs.service.task_definition], adopt=inputs.adopt, cluster=cluster
    )
    twin = inputs.twin
    if twin is not None:
        pulumi.export("twin_arn", _declare_twin(twin, definitions[twin.task_definition], cluster).arn)
    pulumi.export("task_definition_arns", {name: definition.arn for name, definition in definitions.items()})
    pulumi.export("service_arn", service.arn)


def _declare_task_definition(inputs: TaskDefinitionInputs, *, adopt: bool) -> aws.ecs.TaskDefinition:
    arguments: Arguments = task_definition_arguments(inputs.document, inputs.tags)
    if inputs.keep:
        arguments["skip_destroy"] = True
    options = pulumi.ResourceOptions(
        import_=inputs.import_arn if adopt and inputs.import_arn is not None else None, retain_on_delete=True
    )
    return aws.ecs.TaskDefinition(inputs.logical_name, opts=options, **arguments)


def _declare_cluster(inputs: ClusterInputs, *, adopt: bool) -> aws.ecs.ClusterCapacityProviders:
    # The API replaces the whole list (facts F12): what the cluster had comes first, unchanged.
    arguments: Arguments = {
        "cluster_name": inputs.name,
        "capacity_providers": list(inputs.capacity_providers),
        "default_capacity_provider_strategies": strategy_arguments(inputs.default_strategy),
    }
    return aws.ecs.ClusterCapacityProviders(
        CLUSTER,
        **arguments,
        opts=pulumi.ResourceOptions(import_=inputs.name if adopt else None, retain_on_delete=True, protect=True),
    )


def _declare_service(
    inputs: ServiceInputs,
    definition: aws.ecs.TaskDefinition,
    *,
    adopt: bool,
    cluster: aws.ecs.ClusterCapacityProviders | None,
) -> aws.ecs.Service:
    arguments = _arguments_of(inputs)
    if inputs.force_new_deployment:
        arguments["force_new_deployment"] = True
        arguments["triggers"] = dict(inputs.triggers)
    options = pulumi.ResourceOptions(
        import_=f"{inputs.cluster_arn.rpartition('/')[2]}/{inputs.name}" if adopt else None,
        # Auto scaling owns the count (case C35): it is neither set nor put back.
        ignore_changes=["desiredCount"],
        retain_on_delete=True,
        protect=True,
        depends_on=[cluster] if cluster is not None else None,
    )
    return aws.ecs.Service(
        SERVICE,
        name=inputs.name,
        cluster=inputs.cluster_arn,
        task_definition=definition.arn.apply(lambda arn: arn.rpartition("/")[2]),
        opts=options,
        **arguments,
    )


def _declare_twin(
    inputs: TwinInputs, definition: aws.ecs.TaskDefinition, cluster: aws.ecs.ClusterCapacityProviders | None
) -> aws.ecs.Service:
    arguments = _arguments_of(inputs)
    return aws.ecs.Service(
        TWIN,
        name=inputs.name,
        cluster=inputs.cluster_arn,
        task_definition=definition.arn.apply(lambda arn: arn.rpartition("/")[2]),
        desired_count=inputs.count,
        # A twin whose deployment never ends must be able to go (aws provider, Service, Delete).
        force_delete=True,
        # The one resource that is meant to go again: neither kept on delete nor protected. ECS knows no forceDelete,
        # so that an import must not ask for it; the up that follows writes it.
        opts=pulumi.ResourceOptions(
            import_=f"{inputs.cluster_arn.rpartition('/')[2]}/{inputs.name}" if inputs.adopt else None,
            ignore_changes=["desiredCount", "forceDelete"] if inputs.adopt else ["desiredCount"],
            depends_on=[cluster] if cluster is not None else None,
        ),
        **arguments,
    )


def _arguments_of(inputs: ServiceInputs | TwinInputs) -> Arguments:
    """Return what the service and its twin are declared alike by: the settings, and where the tasks run."""
    arguments = service_arguments(inputs.document)
    if inputs.strategy:
        arguments["capacity_provider_strategies"] = strategy_arguments(inputs.strategy)
    if inputs.launch_type is not None:
        arguments["launch_type"] = inputs.launch_type
    return arguments


def strategy_arguments(strategy: Strategy) -> list[Arguments]:
    """Return a strategy as arguments of a service or of a cluster."""
    return [{"capacity_provider": item.provider, "base": item.base, "weight": item.weight} for item in strategy]
