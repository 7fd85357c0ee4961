"""A task definition from a file: as the AWS CLI prints it, or as it takes it."""

from __future__ import annotations

import json

from migrate.core.documents import Json, document
from migrate.core.facts import RuntimePlatform, TaskDefinition
from migrate.errors import SettingsError

_THEN = (
    "Give JSON as `aws ecs describe-task-definition --task-definition FAMILY --include TAGS` prints it, or as "
    "`aws ecs register-task-definition --cli-input-json` takes it."
)


def read_task_definition(text: str, name: str) -> TaskDefinition:
    """Read a task definition. ``name`` is the file's, for messages. Raises SettingsError for anything else."""
    try:
        content: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise _refused(name, f"Line {error.lineno}, column {error.colno}: {error.msg}.", "is not JSON") from error
    except RecursionError as error:
        raise _refused(name, "It is nested too deeply.", "is not JSON that can be read") from error
    if not isinstance(content, dict):
        raise _refused(name, "It holds no JSON object.")
    definition = content.get("taskDefinition", content)
    if not isinstance(definition, dict):
        raise _refused(name, "`taskDefinition` is no object; in a service it only names one.")
    _check_containers(definition, name)
    family, platform = str(definition.get("family") or "unnamed"), definition.get("runtimePlatform")
    named = platform if isinstance(platform, dict) else {}
    revision = definition.get("revision")
    return TaskDefinition(
        arn=str(definition.get("taskDefinitionArn") or family),
        family=family,
        revision=revision if isinstance(revision, int) else 0,
        status=str(definition.get("status") or "ACTIVE"),
        runtime_platform=RuntimePlatform(
            _text(named.get("cpuArchitecture")), _text(named.get("operatingSystemFamily"))
        ),
        document=document({key: value for key, value in definition.items() if key != "tags"}),
        tags=tuple(_tags(content.get("tags") or definition.get("tags"))),
    )


def _check_containers(definition: dict[str, Json], name: str) -> None:
    containers = definition.get("containerDefinitions")
    if not isinstance(containers, list) or not containers:
        hint = "It has no `containerDefinitions`."
        if "ContainerDefinitions" in definition or "Resources" in definition:
            hint += " CloudFormation spells the fields otherwise."
        raise _refused(name, hint)
    for number, container in enumerate(containers):
        if not isinstance(container, dict) or not isinstance(container.get("name"), str):
            raise _refused(name, f"$.containerDefinitions[{number}] is no container with a name.")


def _refused(name: str, why: str, what: str = "is no task definition") -> SettingsError:
    return SettingsError(f"{name} {what}.", why=why, then=_THEN, runbook="errors#task-definition-file")


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _tags(value: Json) -> list[tuple[str, str]]:
    items = value if isinstance(value, list) else []
    return [(str(item.get("key")), str(item.get("value"))) for item in items if isinstance(item, dict)]
