"""``aws:ecs/taskDefinition:TaskDefinition`` (reference/provider.md section 3, facts F7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin import container_definitions, tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
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
    one_of,
    strings,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_ARN = re.compile(r"^arn:[^:]+:ecs:[^:]+:[^:]+:task-definition/[^/:]+:\d+$")
_WRONG_ID = "Expected ID in format of arn:PARTITION:ecs:REGION:ACCOUNTID:task-definition/FAMILY:REVISION and provided: "
_FAMILY = matching(
    r"^[0-9A-Za-z_-]+$", 'must only contain alphanumeric characters, hyphens, and underscores in "family"'
)
_SYSTEMS = (
    "LINUX",
    *(f"WINDOWS_SERVER_{name}" for name in ("2004_CORE", "20H2_CORE", "2016_FULL", "2019_CORE", "2019_FULL")),
    *(f"WINDOWS_SERVER_{name}" for name in ("2022_CORE", "2022_FULL", "2025_CORE", "2025_FULL")),
)


def _or(default: str) -> Callable[[Any, Any, Props], bool]:
    """Give an equality under which an absent value is ``default``."""
    return lambda old, new, _: (old or default) == (new or default)


_ENCRYPTION = one_of("ENABLED", "DISABLED")
_EFS = {
    "authorizationConfig": block({"accessPointId": text(replace=True), "iam": text(_ENCRYPTION, replace=True)}),
    "fileSystemId": text(required=True),
    "rootDirectory": text(default="/"),
    "transitEncryption": text(_ENCRYPTION),
    "transitEncryptionPort": whole(between(0, 65535), default=0),
}
_FSX_AUTHORIZATION = {"credentialsParameter": text(required=True), "domain": text(required=True)}
_FSX = {
    "authorizationConfig": block(_FSX_AUTHORIZATION, required=True),
    "fileSystemId": text(required=True),
    "rootDirectory": text(required=True),
}
_S3_FILES = {
    "accessPointArn": text(),
    "fileSystemArn": text(required=True),
    "rootDirectory": text(),
    "transitEncryptionPort": whole(),
}
_DOCKER = {
    "autoprovision": flag(default=False),
    "driver": text(computed=True, equal=_or("local")),
    "driverOpts": mapping(),
    "labels": mapping(),
    "scope": text(one_of("shared", "task"), computed=True, equal=_or("task")),
}
_VOLUME = {
    "configureAtLaunch": flag(computed=True),
    "dockerVolumeConfiguration": block(_DOCKER),
    "efsVolumeConfiguration": block(_EFS),
    "fsxWindowsFileServerVolumeConfiguration": block(_FSX),
    "hostPath": text(),
    "name": text(required=True),
    "s3filesVolumeConfiguration": block(_S3_FILES),
}
_RUNTIME = {"cpuArchitecture": text(one_of("X86_64", "ARM64")), "operatingSystemFamily": text(one_of(*_SYSTEMS))}
_PROXY = {
    "containerName": text(required=True),
    "properties": mapping(),
    "type": text(one_of("APPMESH"), default="APPMESH"),
}
TABLE = Table(
    token="aws:ecs/taskDefinition:TaskDefinition",  # noqa: S106 - a resource type's token
    tagged=True,
    properties={
        "family": text(length(1, 255), _FAMILY, required=True, replace=True),
        "containerDefinitions": text(
            container_definitions.problem, required=True, replace=True, equal=container_definitions.equivalent
        ),
        "cpu": text(replace=True),
        "memory": text(replace=True),
        "networkMode": text(one_of("bridge", "host", "awsvpc", "none"), computed=True, replace=True),
        "requiresCompatibilities": strings(replace=True),
        "runtimePlatform": block(_RUNTIME, replace=True),
        "executionRoleArn": text(arn, replace=True),
        "taskRoleArn": text(arn, replace=True),
        "ephemeralStorage": block({"sizeInGib": whole(between(21, 200), required=True)}, replace=True),
        "enableFaultInjection": flag(computed=True, replace=True),
        "ipcMode": text(one_of("host", "none", "task"), replace=True),
        "pidMode": text(one_of("host", "task"), replace=True),
        "placementConstraints": blocks(
            {"expression": text(), "type": text(one_of("memberOf"), required=True)}, replace=True, at_most=10
        ),
        "proxyConfiguration": block(_PROXY, replace=True),
        "volumes": blocks(_VOLUME, replace=True),
        "skipDestroy": flag(default=False),
        "trackLatest": flag(default=False),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
        "arnWithoutRevision": text(output=True),
        "revision": whole(output=True),
    },
)
_GONE = ("INACTIVE", "DELETE_IN_PROGRESS")
_BAD_REQUEST = 400
_PLAIN = (
    "family",
    "cpu",
    "memory",
    "networkMode",
    "requiresCompatibilities",
    "runtimePlatform",
    "executionRoleArn",
    "taskRoleArn",
    "ipcMode",
    "pidMode",
    "placementConstraints",
    "enableFaultInjection",
)


class TaskDefinition:
    """A revision of a task definition: never changed, only replaced by a new one."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """RegisterTaskDefinition."""
        family = str(planned["family"])
        try:
            created = session.call("ecs", "RegisterTaskDefinition", **_expanded(planned))
        except ApiError as error:
            raise PluginError(f"creating ECS Task Definition ({family}): {error.what}") from error
        keep(family)
        return family, {"arn": created["taskDefinition"]["taskDefinitionArn"]}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the full ARN with revision; the id is the family."""
        if not _ARN.fullmatch(given):
            raise PluginError(f"{_WRONG_ID}{given}")
        return given.rpartition("/")[2].rpartition(":")[0], {"arn": given}

    def read(self, session: Session, _resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeTaskDefinition by the state's ARN, or the family's newest with trackLatest."""
        reference = state.get("family") if state.get("trackLatest") else state.get("arn")
        try:
            answered = session.call("ecs", "DescribeTaskDefinition", taskDefinition=reference, include=["TAGS"])
        except ApiError as error:
            if error.status == _BAD_REQUEST:
                return None
            raise
        definition = answered["taskDefinition"]
        if definition.get("status") in _GONE:
            return None
        found = {**_flattened(definition), "region": session.region}
        found |= tags.state_of(session.aws.configuration, "ecs", answered.get("tags") or [])
        kept = state.get("containerDefinitions")
        if kept and container_definitions.equivalent(kept, found["containerDefinitions"], found):
            found["containerDefinitions"] = kept
        return str(definition["family"]), {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """Write the tags; nothing else of a revision can change."""
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, update.planned.get("tagsAll") or {}
            tags.write_changes(session, "ecs", str(update.state["arn"]), old, new)

    def delete(self, session: Session, _resource_id: str, state: Props) -> None:
        """DeregisterTaskDefinition, unless the state says skipDestroy."""
        if state.get("skipDestroy"):
            return
        try:
            session.call("ecs", "DeregisterTaskDefinition", taskDefinition=state["arn"])
        except ApiError as error:
            if "in the process of being deleted" not in error.message:
                raise PluginError(f"deleting ECS Task Definition ({state['arn']}): {error.what}") from error


def _expanded(planned: Props) -> dict[str, Any]:
    request = {name: planned[name] for name in _PLAIN if planned.get(name) not in (None, "", [], {})}
    request["containerDefinitions"] = container_definitions.parse(planned["containerDefinitions"])
    if planned.get("ephemeralStorage"):
        request["ephemeralStorage"] = {"sizeInGiB": planned["ephemeralStorage"]["sizeInGib"]}
    if planned.get("proxyConfiguration"):
        proxy = planned["proxyConfiguration"]
        pairs = [{"name": name, "value": value} for name, value in (proxy.get("properties") or {}).items()]
        request["proxyConfiguration"] = {
            "type": proxy["type"],
            "containerName": proxy["containerName"],
            "properties": pairs,
        }
    if planned.get("volumes"):
        request["volumes"] = [_volume_to_api(volume) for volume in planned["volumes"]]
    if tagged := tags.to_api("ecs", planned.get("tagsAll")):
        request["tags"] = tagged
    return request


def _volume_to_api(volume: Props) -> Props:
    shaped = {name: value for name, value in volume.items() if name != "hostPath" and value is not None}
    if volume.get("hostPath"):
        shaped["host"] = {"sourcePath": volume["hostPath"]}
    efs = shaped.get("efsVolumeConfiguration")
    if efs and not efs.get("transitEncryptionPort"):
        shaped["efsVolumeConfiguration"] = {k: v for k, v in efs.items() if k != "transitEncryptionPort"}
    return shaped


def _volume_state(volume: Props) -> Props:
    shaped = {name: value for name, value in volume.items() if name != "host"}
    shaped["hostPath"] = (volume.get("host") or {}).get("sourcePath", "")
    shaped.setdefault("configureAtLaunch", False)
    return shaped


def _flattened(definition: Props) -> Props:
    full = str(definition["taskDefinitionArn"])
    proxy = definition.get("proxyConfiguration")
    if proxy:
        pairs = {item["name"]: item["value"] for item in proxy.get("properties") or []}
        proxy = {
            "type": proxy.get("type", "APPMESH"),
            "containerName": proxy["containerName"],
            "properties": pairs,
        }
    storage = definition.get("ephemeralStorage")
    return {
        **{name: definition.get(name) for name in _PLAIN},
        "containerDefinitions": container_definitions.written(definition["containerDefinitions"]),
        "enableFaultInjection": bool(definition.get("enableFaultInjection")),
        "runtimePlatform": definition.get("runtimePlatform") or None,
        "ephemeralStorage": {"sizeInGib": storage["sizeInGiB"]} if storage else None,
        "proxyConfiguration": proxy,
        "volumes": [_volume_state(volume) for volume in definition.get("volumes") or []],
        "arn": full,
        "arnWithoutRevision": full.rpartition(":")[0],
        "revision": definition["revision"],
    }
