"""The properties of ``aws:ecs/service:Service`` (reference/provider.md section 2)."""

from __future__ import annotations

import json
from typing import Any

from migrate.sandbox.aws_plugin.resources.cluster_capacity_providers import STRATEGY
from migrate.sandbox.aws_plugin.schema import (
    Table,
    arn,
    between,
    block,
    blocks,
    flag,
    length,
    mapping,
    matching,
    number,
    one_of,
    strings,
    text,
    whole,
    whole_text,
)
from migrate.sandbox.aws_plugin.values import Props

DAEMON = "DAEMON"
_PORT = between(0, 65535)
_MOST_COUNT = 2_147_483_647


def _ignored_for_daemon(old: Any, new: Any, planned: Props) -> bool:
    return planned.get("schedulingStrategy") == DAEMON or old == new


def _none_is_unset(old: Any, new: Any, _planned: Props) -> bool:
    return (old or "NONE") == (new or "NONE")


def _same_json(old: Any, new: Any, _planned: Props) -> bool:
    try:
        return bool(json.loads(old) == json.loads(new))
    except (TypeError, ValueError):
        return bool(old == new)


def _daemon_default(default: int) -> Any:
    """Give an equality that hides the way back to a default which a DAEMON service cannot have."""
    return lambda old, new, planned: old == new or (planned.get("schedulingStrategy") == DAEMON and new == default)


_ADVANCED = {
    "alternateTargetGroupArn": text(arn, required=True),
    "productionListenerRule": text(arn, required=True),
    "roleArn": text(arn, required=True),
    "testListenerRule": text(arn),
}
_BALANCER = {
    "advancedConfiguration": block(_ADVANCED),
    "containerName": text(required=True),
    "containerPort": whole(between(0, 65536), required=True),
    "elbName": text(),
    "targetGroupArn": text(arn),
}
_ALARMS = {
    "alarmNames": strings(required=True),
    "enable": flag(required=True),
    "rollback": flag(required=True),
}
_HOOK_TIMEOUT = {
    "action": text(one_of("ROLLBACK", "CONTINUE"), default="ROLLBACK"),
    "timeoutInMinutes": whole(between(1, 20_160), default=1440),
}
_HOOK = {
    "hookDetails": text(equal=_same_json),
    "hookTargetArn": text(arn),
    "lifecycleStages": strings(ordered=True, required=True),
    "roleArn": text(arn),
    "targetType": text(one_of("AWS_LAMBDA", "PAUSE"), default="AWS_LAMBDA"),
    "timeoutConfiguration": block(_HOOK_TIMEOUT),
}
_MINUTES = whole_text(0, 1440)
_DEPLOYMENT = {
    "bakeTimeInMinutes": text(_MINUTES, computed=True),
    "canaryConfiguration": block(
        {"canaryBakeTimeInMinutes": text(_MINUTES), "canaryPercent": number(between(0.1, 100))}
    ),
    "lifecycleHooks": blocks(_HOOK),
    "linearConfiguration": block({"stepBakeTimeInMinutes": text(_MINUTES), "stepPercent": number(between(3, 100))}),
    "strategy": text(one_of("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"), computed=True),
}
_NETWORK = {
    "assignPublicIp": flag(default=False),
    "securityGroups": strings(),
    "subnets": strings(required=True),
}
_SECRET_OPTION = {"name": text(required=True), "valueFrom": text(required=True)}
_LOG = {
    "logDriver": text(required=True),
    "options": mapping(computed=True),
    "secretOptions": blocks(_SECRET_OPTION, ordered=True),
}
_ALIAS = {"dnsName": text(computed=True), "port": whole(_PORT, required=True)}
_AUTHORITY = {"awsPcaAuthorityArn": text(arn, required=True)}
_TLS = {"issuerCertAuthority": block(_AUTHORITY, required=True), "kmsKey": text(), "roleArn": text(arn)}
_TIMEOUT = {"idleTimeoutSeconds": whole(), "perRequestTimeoutSeconds": whole()}
_CONNECTED = {
    "clientAlias": blocks(_ALIAS, ordered=True),
    "discoveryName": text(computed=True),
    "ingressPortOverride": whole(_PORT),
    "portName": text(required=True),
    "timeout": block(_TIMEOUT),
    "tls": block(_TLS),
}
_CONNECT = {
    "enabled": flag(required=True),
    "logConfiguration": block(_LOG),
    "namespace": text(computed=True),
    "services": blocks(_CONNECTED, ordered=True),
}
_REGISTRIES = {
    "containerName": text(),
    "containerPort": whole(_PORT),
    "port": whole(_PORT),
    "registryArn": text(arn, required=True),
}
_EBS = {
    "encrypted": flag(default=True),
    "fileSystemType": text(default="xfs"),
    "iops": whole(),
    "kmsKeyId": text(),
    "roleArn": text(arn, required=True),
    "sizeInGb": whole(),
    "snapshotId": text(),
    "throughput": whole(between(0, 1000)),
    "volumeInitializationRate": whole(),
    "volumeType": text(),
}
_LATTICE_PORT = matching(r"^[0-9a-z_][0-9a-z_-]*$", "can only contain lowercase letters, numbers, hyphens, underscores")
_LATTICE = {
    "portName": text(length(1, 64), _LATTICE_PORT, required=True),
    "roleArn": text(arn, required=True),
    "targetGroupArn": text(arn, required=True),
}
_CONTROLLER = {"type": text(one_of("ECS", "CODE_DEPLOY", "EXTERNAL"), default="ECS")}
_CONSTRAINT = {"expression": text(), "type": text(one_of("distinctInstance", "memberOf"), required=True)}
_BREAKER = {"enable": flag(required=True), "rollback": flag(required=True)}

TABLE = Table(
    token="aws:ecs/service:Service",  # noqa: S106 - a resource type's token
    named=True,
    tagged=True,
    properties={
        "name": text(required=True, replace=True),
        "cluster": text(computed=True, replace=True),
        "taskDefinition": text(),
        "desiredCount": whole(equal=_ignored_for_daemon),
        "launchType": text(one_of("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"), computed=True, replace=True),
        "capacityProviderStrategies": blocks(STRATEGY),
        "schedulingStrategy": text(one_of("REPLICA", DAEMON), default="REPLICA", replace=True),
        "platformVersion": text(computed=True),
        "deploymentMaximumPercent": whole(default=200, equal=_daemon_default(200)),
        "deploymentMinimumHealthyPercent": whole(default=100, equal=_daemon_default(100)),
        "deploymentCircuitBreaker": block(_BREAKER, lenient=True),
        "alarms": block(_ALARMS, lenient=True),
        "deploymentConfiguration": block(_DEPLOYMENT, computed=True),
        "deploymentController": block(_CONTROLLER, lenient=True),
        "availabilityZoneRebalancing": text(one_of("ENABLED", "DISABLED"), computed=True),
        "enableEcsManagedTags": flag(default=False),
        "enableExecuteCommand": flag(default=False),
        "forceNewDeployment": flag(),
        "forceDelete": flag(),
        "triggers": mapping(computed=True),
        "waitForSteadyState": flag(default=False),
        "sigintRollback": flag(),
        "healthCheckGracePeriodSeconds": whole(between(0, _MOST_COUNT)),
        "iamRole": text(computed=True, replace=True),
        "loadBalancers": blocks(_BALANCER),
        "networkConfiguration": block(_NETWORK),
        "orderedPlacementStrategies": blocks(
            {"field": text(computed=True), "type": text(one_of("random", "spread", "binpack"), required=True)},
            ordered=True,
            at_most=5,
        ),
        "placementConstraints": blocks(_CONSTRAINT, at_most=10),
        "propagateTags": text(one_of("SERVICE", "TASK_DEFINITION", "NONE"), equal=_none_is_unset),
        "serviceConnectConfiguration": block(_CONNECT),
        "serviceRegistries": block(_REGISTRIES),
        "volumeConfiguration": block({"managedEbsVolume": block(_EBS, required=True), "name": text(required=True)}),
        "vpcLatticeConfigurations": blocks(_LATTICE),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
    },
)
