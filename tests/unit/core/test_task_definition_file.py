"""Files that people have: what the AWS CLI prints, what it takes, and what is neither."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.facts import RuntimePlatform
from migrate.core.task_definition import containers
from migrate.core.task_definition_file import read_task_definition
from migrate.errors import ExitCode, SettingsError

WEB = {"name": "web", "image": "nginx:1.29", "essential": True}
INPUT: dict[str, Any] = {
    "family": "web",
    "containerDefinitions": [WEB],
    "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    "tags": [{"key": "team", "value": "shop"}],
}
ARN = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:42"


def test_the_input_of_register_is_read() -> None:
    found = read_task_definition(json.dumps(INPUT), "file.json")
    assert (found.arn, found.family, found.revision, found.status) == ("web", "web", 0, "ACTIVE")
    assert found.runtime_platform == RuntimePlatform("ARM64", "LINUX")
    assert found.tags == (("team", "shop"),)
    assert [item["name"] for item in containers(found.document)] == ["web"]
    assert "tags" not in json.loads(found.document)


def test_the_answer_of_describe_is_read() -> None:
    described = {**INPUT, "taskDefinitionArn": ARN, "revision": 42, "status": "INACTIVE"}
    del described["tags"]
    found = read_task_definition(json.dumps({"taskDefinition": described, "tags": INPUT["tags"]}), "file.json")
    assert (found.arn, found.revision, found.status) == (ARN, 42, "INACTIVE")
    assert found.tags == (("team", "shop"),)


def test_nulls_and_missing_fields_are_no_faults() -> None:
    found = read_task_definition(
        json.dumps({"containerDefinitions": [WEB], "runtimePlatform": None, "tags": None}), "f"
    )
    assert (found.family, found.runtime_platform, found.tags) == ("unnamed", RuntimePlatform(), ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Line 1, column 1"),
        ("family: web\ncontainerDefinitions:\n- name: web\n", "Line 1, column 1"),
        ('{"family": "web",\n "containerDefinitions": [}', "Line 2, column 27"),
        ("[]", "no JSON object"),
        ("42", "no JSON object"),
        ("{}", "containerDefinitions"),
        ('{"containerDefinitions": []}', "containerDefinitions"),
        ('{"containerDefinitions": [{"image": "x"}]}', "$.containerDefinitions[0]"),
        ('{"containerDefinitions": [{"name": "a"}, 3]}', "$.containerDefinitions[1]"),
        ('{"taskDefinition": "arn:aws:ecs:x:1:task-definition/web:1"}', "service"),
        ('{"Resources": {}}', "CloudFormation"),
        ('{"Family": "web", "ContainerDefinitions": []}', "CloudFormation"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=lambda value: value[:30],
)
def test_anything_else_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_task_definition(text, "file.json")
    assert told in caught.value.why
    assert caught.value.what.startswith("file.json ")
    assert caught.value.exit_code is ExitCode.USAGE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*INPUT, "taskDefinition", "name"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(content: object) -> None:
    try:
        found = read_task_definition(json.dumps(content), "file.json")
    except SettingsError:
        return
    assert containers(found.document)
