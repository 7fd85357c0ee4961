"""The settings of a running service as arguments of ``aws.ecs.Service``.

Sources: ECS API reference, Service and Deployment; pulumi_aws 7.51.1, ServiceArgs; provider.md section 2.

Left out on purpose: ``desiredCount`` (auto scaling owns it, case C35), ``roleArn`` (optional and computed, and a change
replaces the service), ``launchType`` and ``capacityProviderStrategy`` (the stage decides), ``taskDefinition``.
"""

from __future__ import annotations

import json

from migrate.core.documents import Document, Json, fields
from migrate.core.provider.translation import (
    Arguments,
    Field,
    Table,
    is_empty,
    number_to_text,
    same,
    tags_to_values,
    translate,
    untranslated,
)

DECIDED_ELSEWHERE = (
    "serviceArn",
    "serviceName",
    "clusterArn",
    "status",
    "desiredCount",
    "runningCount",
    "pendingCount",
    "launchType",
    "capacityProviderStrategy",
    "platformFamily",
    "taskDefinition",
    "taskSets",
    "deployments",
    "roleArn",
    "events",
    "createdAt",
    "createdBy",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "resourceManagementType",
)
"""Fields of DescribeServices that are counts, history, identity, or decided by the stage."""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


_SERVICE_CONNECT: Table = {
    **same("enabled", "namespace"),
    "accessLogConfiguration": Field("access_log_configuration", same("format", "includeQueryParameters")),
    "logConfiguration": Field(
        "log_configuration",
        {**same("logDriver", "options"), "secretOptions": Field("secret_options", same("name", "valueFrom"))},
    ),
    "services": Field(
        "services",
        {
            **same("portName", "discoveryName", "ingressPortOverride"),
            "clientAliases": Field(
                "client_alias",
                {
                    **same("port", "dnsName"),
                    "testTrafficRules": Field(
                        "test_traffic_rules",
                        {"header": Field("header", {**same("name"), "value": Field("value", same("exact"))})},
                        listed=True,
                    ),
                },
            ),
            "timeout": Field("timeout", same("idleTimeoutSeconds", "perRequestTimeoutSeconds")),
            "tls": Field(
                "tls",
                {
                    **same("kmsKey", "roleArn"),
                    "issuerCertificateAuthority": Field("issuer_cert_authority", same("awsPcaAuthorityArn")),
                },
            ),
        },
    ),
}

_VOLUME: Table = {
    "name": Field("name"),
    "managedEBSVolume": Field(
        "managed_ebs_volume",
        {
            **same("encrypted", "kmsKeyId", "volumeType", "snapshotId", "volumeInitializationRate", "iops"),
            **same("throughput", "roleArn"),
            "sizeInGiB": Field("size_in_gb"),
            "filesystemType": Field("file_system_type"),
            "tagSpecifications": Field(
                "tag_specifications",
                {**same("resourceType", "propagateTags"), "tags": Field("tags", convert=tags_to_values)},
            ),
        },
    ),
}

_DEPLOYMENT: Table = {
    "strategy": Field("strategy"),
    "bakeTimeInMinutes": Field("bake_time_in_minutes", convert=number_to_text),
    "lifecycleHooks": Field(
        "lifecycle_hooks",
        {
            **same("targetType", "hookTargetArn", "roleArn", "lifecycleStages"),
            "hookDetails": Field("hook_details", convert=_text),
            "timeoutConfiguration": Field("timeout_configuration", same("timeoutInMinutes", "action")),
        },
    ),
    "linearConfiguration": Field(
        "linear_configuration",
        {
            "stepPercent": Field("step_percent"),
            "stepBakeTimeInMinutes": Field("step_bake_time_in_minutes", convert=number_to_text),
        },
    ),
    "canaryConfiguration": Field(
        "canary_configuration",
        {
            "canaryPercent": Field("canary_percent"),
            "canaryBakeTimeInMinutes": Field("canary_bake_time_in_minutes", convert=number_to_text),
        },
    ),
}

TABLE: Table = {
    **same("platformVersion", "schedulingStrategy", "healthCheckGracePeriodSeconds", "enableExecuteCommand"),
    **same("propagateTags", "availabilityZoneRebalancing"),
    "enableECSManagedTags": Field("enable_ecs_managed_tags"),
    "maximumPercent": Field("deployment_maximum_percent"),
    "minimumHealthyPercent": Field("deployment_minimum_healthy_percent"),
    "deploymentCircuitBreaker": Field("deployment_circuit_breaker", same("enable", "rollback")),
    "alarms": Field("alarms", same("alarmNames", "enable", "rollback")),
    "deploymentConfiguration": Field("deployment_configuration", _DEPLOYMENT),
    "deploymentController": Field("deployment_controller", same("type")),
    "loadBalancers": Field(
        "load_balancers",
        {
            **same("targetGroupArn", "containerName", "containerPort"),
            "loadBalancerName": Field("elb_name"),
            "advancedConfiguration": Field(
                "advanced_configuration",
                same("alternateTargetGroupArn", "productionListenerRule", "testListenerRule", "roleArn"),
            ),
        },
    ),
    "networkConfiguration": Field(
        "network_configuration",
        {
            **same("subnets", "securityGroups"),
            "assignPublicIp": Field("assign_public_ip", convert=lambda value: value == "ENABLED"),
        },
    ),
    "placementStrategy": Field("ordered_placement_strategies", same("type", "field")),
    "placementConstraints": Field("placement_constraints", same("type", "expression")),
    "serviceConnectConfiguration": Field("service_connect_configuration", _SERVICE_CONNECT),
    "serviceRegistries": Field("service_registries", same("registryArn", "port", "containerName", "containerPort")),
    "volumeConfigurations": Field("volume_configuration", _VOLUME),
    "vpcLatticeConfigurations": Field("vpc_lattice_configurations", same("roleArn", "targetGroupArn", "portName")),
    "tags": Field("tags", convert=tags_to_values),
}
"""Settings of a service, once ``_flattened``."""

LEFT_ALONE = frozenset(
    {
        # Circuit-breaker thresholds came after pulumi-aws 7.51.1 (facts F8).
        "deploymentCircuitBreaker.resetOnHealthyTask",
        "deploymentCircuitBreaker.thresholdConfiguration",
        "deploymentConfiguration.earlySuccessCriteria",
        "serviceConnectConfiguration.containerConfigurations",
        "vpcLatticeConfigurations.advancedConfiguration",
    }
)
"""Settings of the API that the provider has no word for, and that no update of ours touches: it sends what changed."""

_ONE_OF_A_LIST = ("service_registries", "volume_configuration")


def service_arguments(document: Document) -> Arguments:
    """Return the arguments that keep every setting of the service as it was found, without a diff on import.

    ``document`` is the settings part of DescribeServices; Service Connect, volumes and VPC Lattice, which the API
    keeps in the PRIMARY deployment, are expected beside the others.
    """
    settings = _flattened(document)
    arguments = translate(settings, TABLE)
    for name in _ONE_OF_A_LIST:
        if name in arguments:
            arguments[name] = arguments[name][0]
    if settings.get("schedulingStrategy") == "DAEMON":
        # Not valid for daemons (pulumi_aws, ServiceArgs); the API answers 100 all the same.
        arguments.pop("deployment_maximum_percent", None)
    return {name: value for name, value in arguments.items() if not _means_nothing(name, value)}


def untranslated_service_fields(document: Document) -> tuple[str, ...]:
    """Return the settings with content that the provider cannot express, as dotted paths (facts F8).

    The provider leaves them alone at an update; a service made anew from our program would not have them.
    """
    found = untranslated(
        {name: value for name, value in _flattened(document).items() if name not in DECIDED_ELSEWHERE}, TABLE
    )
    more = [f"{name}[1]" for name in ("serviceRegistries", "volumeConfigurations") if _count(document, name) > 1]
    return tuple(sorted((*found, *more)))


def _flattened(document: Document) -> dict[str, Json]:
    """Return the settings with what the API nests and the provider does not on the outside."""
    settings = fields(document)
    deployment = settings.get("deploymentConfiguration")
    if isinstance(deployment, dict):
        outside = ("maximumPercent", "minimumHealthyPercent", "deploymentCircuitBreaker", "alarms")
        settings |= {name: deployment[name] for name in outside if name in deployment}
        settings["deploymentConfiguration"] = {key: value for key, value in deployment.items() if key not in outside}
    network = settings.get("networkConfiguration")
    if isinstance(network, dict):
        settings["networkConfiguration"] = network.get("awsvpcConfiguration")
    return settings


def _means_nothing(name: str, value: object) -> bool:
    """Tell arguments that the API writes out though nobody set them, and that the provider takes for its default."""
    if name == "alarms" and isinstance(value, dict):
        return is_empty(value.get("alarm_names"))
    if name == "deployment_configuration" and isinstance(value, dict):
        return (
            value.get("strategy") in {None, "ROLLING"}
            and set(value) <= {"strategy", "bake_time_in_minutes"}
            and (value.get("bake_time_in_minutes") in {None, "0"})
        )
    if name == "health_check_grace_period_seconds":
        return value == 0
    return name == "propagate_tags" and value == "NONE"


def _count(document: Document, name: str) -> int:
    value = fields(document).get(name)
    return len(value) if isinstance(value, list) else 0
