"""A registered task definition as arguments of ``aws.ecs.TaskDefinition``.

Sources: ECS API reference, TaskDefinition; pulumi_aws 7.51.1, TaskDefinitionArgs; provider.md section 3.
"""

from __future__ import annotations

import json

from migrate.core.documents import Document, Json, fields
from migrate.core.provider.container import unknown_container_fields
from migrate.core.provider.translation import Arguments, Field, Table, names_to_values, same, translate, untranslated
from migrate.core.task_definition import ANSWER_ONLY_FIELDS, registrable

_VOLUME: Table = {
    "name": Field("name"),
    "configuredAtLaunch": Field("configure_at_launch"),
    "host": Field("host_path", convert=lambda value: value.get("sourcePath") if isinstance(value, dict) else None),
    "dockerVolumeConfiguration": Field(
        "docker_volume_configuration", same("scope", "autoprovision", "driver", "driverOpts", "labels")
    ),
    "efsVolumeConfiguration": Field(
        "efs_volume_configuration",
        {
            **same("fileSystemId", "rootDirectory", "transitEncryption", "transitEncryptionPort"),
            "authorizationConfig": Field("authorization_config", same("accessPointId", "iam")),
        },
    ),
    "fsxWindowsFileServerVolumeConfiguration": Field(
        "fsx_windows_file_server_volume_configuration",
        {
            **same("fileSystemId", "rootDirectory"),
            "authorizationConfig": Field("authorization_config", same("credentialsParameter", "domain")),
        },
    ),
    "s3filesVolumeConfiguration": Field(
        "s3files_volume_configuration",
        same("fileSystemArn", "accessPointArn", "rootDirectory", "transitEncryptionPort"),
    ),
}


def _sorted_text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


TABLE: Table = {
    **same("family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory"),
    **same("pidMode", "ipcMode", "enableFaultInjection"),
    "containerDefinitions": Field("container_definitions", convert=_sorted_text),
    "volumes": Field("volumes", _VOLUME),
    "placementConstraints": Field("placement_constraints", same("type", "expression")),
    "proxyConfiguration": Field(
        "proxy_configuration",
        {**same("type", "containerName"), "properties": Field("properties", convert=names_to_values)},
    ),
    "ephemeralStorage": Field("ephemeral_storage", {"sizeInGiB": Field("size_in_gib")}),
    "runtimePlatform": Field("runtime_platform", same("cpuArchitecture", "operatingSystemFamily")),
}
"""Every field of migrate.core.task_definition.REGISTERED_FIELDS."""


def task_definition_arguments(document: Document, tags: tuple[tuple[str, str], ...]) -> Arguments:
    """Return the arguments that register the document, or import the revision that it describes without a diff."""
    arguments = translate(registrable(document), TABLE)
    if tags:
        arguments["tags"] = dict(tags)
    return arguments


def untranslated_task_definition_fields(document: Document) -> tuple[str, ...]:
    """Return the fields with content that a revision made by the provider would lose, as dotted paths."""
    answer = {name: value for name, value in fields(document).items() if name not in ANSWER_ONLY_FIELDS}
    return tuple(sorted((*untranslated(answer, TABLE), *unknown_container_fields(answer.get("containerDefinitions")))))
