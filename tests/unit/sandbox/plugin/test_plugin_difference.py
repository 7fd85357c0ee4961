from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.sandbox.aws_plugin.difference import compare, delete_before_replace, keep_ignored, planned
from migrate.sandbox.aws_plugin.resources import RESOURCE_TYPES
from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props

SERVICE = RESOURCE_TYPES["aws:ecs/service:Service"].table
DEFINITION = RESOURCE_TYPES["aws:ecs/taskDefinition:TaskDefinition"].table
REPOSITORY = RESOURCE_TYPES["aws:ecr/repository:Repository"].table
POLICY = RESOURCE_TYPES["aws:ecr/lifecyclePolicy:LifecyclePolicy"].table
CLUSTER = RESOURCE_TYPES["aws:ecs/cluster:Cluster"].table


def changes(table: Any, state: Props, inputs: Props, *ignored: str) -> dict[str, str]:
    found = compare(table, state, inputs, ignored)
    return {item.path: f"{item.act.value}{'-replace' if item.replace else ''}" for item in found}


ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "capacityProvider": st.sampled_from(["FARGATE", "FARGATE_SPOT", "graviton"]),
            "base": st.integers(0, 3),
            "weight": st.integers(0, 9),
        }
    ),
    max_size=5,
    unique_by=lambda item: item["capacityProvider"],
)


@given(items=ITEMS, data=st.data())
def test_the_order_of_a_set_is_no_change(items: list[Props], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(items))
    state = {"capacityProviderStrategies": items}
    assert changes(SERVICE, state, {"capacityProviderStrategies": shuffled}) == {}


@given(one=ITEMS, other=ITEMS)
def test_two_sets_are_the_same_only_with_the_same_members(one: list[Props], other: list[Props]) -> None:
    found = changes(SERVICE, {"capacityProviderStrategies": one}, {"capacityProviderStrategies": other})
    same = sorted(map(str, one)) == sorted(map(str, other))
    assert (found == {}) == same


def test_what_aws_fills_is_no_change_when_left_out() -> None:
    state = {"launchType": "FARGATE", "platformVersion": "LATEST", "triggers": {"a": "1"}, "cluster": "arn:c"}
    assert changes(SERVICE, state, {}) == {}


@pytest.mark.parametrize(
    ("state", "inputs", "expected"),
    [
        ({"launchType": "FARGATE"}, {"launchType": "EC2"}, {"launchType": "update-replace"}),
        ({"launchType": ""}, {"launchType": "FARGATE"}, {"launchType": "update-replace"}),
        ({"cluster": "c"}, {"cluster": "arn:c"}, {"cluster": "update-replace"}),
        ({"taskDefinition": "app:42"}, {"taskDefinition": "arn:42"}, {"taskDefinition": "update"}),
        ({"taskDefinition": "arn:42"}, {"taskDefinition": UNKNOWN}, {"taskDefinition": "update"}),
        ({"desiredCount": 4}, {}, {"desiredCount": "delete"}),
        ({"desiredCount": 0}, {}, {}),
        ({"desiredCount": 4, "schedulingStrategy": "DAEMON"}, {"schedulingStrategy": "DAEMON"}, {}),
        ({"propagateTags": "NONE"}, {}, {}),
        ({"propagateTags": "SERVICE"}, {}, {"propagateTags": "delete"}),
        ({}, {"forceNewDeployment": True}, {"forceNewDeployment": "add"}),
        ({"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "2", "c": "3"}}, None),
        ({"region": "us-east-1"}, {"region": "eu-west-1"}, {"region": "update-replace"}),
    ],
)
def test_single_properties_of_a_service(state: Props, inputs: Props, expected: dict[str, str] | None) -> None:
    wanted = {"tags.a": "update", "tags.b": "delete", "tags.c": "add"} if expected is None else expected
    assert changes(SERVICE, state, inputs) == wanted


@pytest.mark.parametrize(
    ("breaker", "expected"),
    [
        ({"enable": False, "rollback": False}, {}),
        (
            {"enable": True, "rollback": True},
            {"deploymentCircuitBreaker.enable": "update", "deploymentCircuitBreaker.rollback": "update"},
        ),
    ],
)
def test_a_removed_breaker_is_a_change_only_while_it_is_on(breaker: Props, expected: dict[str, str]) -> None:
    state = {"deploymentCircuitBreaker": breaker, "deploymentController": {"type": "ECS"}}
    assert changes(SERVICE, state, {}) == expected


def test_lists_keep_their_order() -> None:
    one = [{"type": "spread", "field": "attribute:az"}, {"type": "binpack", "field": "cpu"}]
    found = changes(SERVICE, {"orderedPlacementStrategies": one}, {"orderedPlacementStrategies": one[::-1]})
    assert set(found) == {
        "orderedPlacementStrategies[0].type",
        "orderedPlacementStrategies[0].field",
        "orderedPlacementStrategies[1].type",
        "orderedPlacementStrategies[1].field",
    }


def test_ignored_paths_are_left_out_with_all_below_them() -> None:
    state = {"desiredCount": 4, "tags": {"a": "1", "b": "1"}, "networkConfiguration": {"subnets": ["a"]}}
    inputs = {"desiredCount": 1, "tags": {"a": "2", "b": "2"}, "networkConfiguration": {"subnets": ["b"]}}
    assert changes(SERVICE, state, inputs, "desiredCount", 'tags["a"]', "networkConfiguration") == {"tags.b": "update"}
    assert keep_ignored(inputs, state, ["desiredCount"])["desiredCount"] == 4
    assert keep_ignored({"desiredCount": 1}, {}, ["desiredCount"]) == {}


def test_c33_every_change_of_a_revision_replaces_it_but_tags_and_switches() -> None:
    state = {
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "requiresCompatibilities": ["EC2", "FARGATE"],
        "networkMode": "awsvpc",
        "skipDestroy": False,
    }
    inputs = {
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "requiresCompatibilities": ["FARGATE", "EC2"],
        "skipDestroy": True,
        "tags": {"a": "b"},
    }
    assert changes(DEFINITION, state, inputs) == {
        "runtimePlatform.cpuArchitecture": "update-replace",
        "skipDestroy": "update",
        "tags.a": "add",
    }


def test_c33_volumes_differ_only_in_what_they_mean() -> None:
    state = {
        "volumes": [
            {"name": "b", "hostPath": "", "configureAtLaunch": False},
            {"name": "a", "hostPath": "/x", "dockerVolumeConfiguration": {"driver": "local", "scope": "task"}},
        ]
    }
    assert changes(DEFINITION, state, {"volumes": [{"name": "a", "hostPath": "/x"}, {"name": "b"}]}) != {}
    docker = {"name": "a", "hostPath": "/x", "dockerVolumeConfiguration": {}}
    assert changes(DEFINITION, state, {"volumes": [docker, {"name": "b"}]}) == {}


def test_a_repositorys_default_encryption_needs_not_be_written() -> None:
    state = {"encryptionConfigurations": [{"encryptionType": "AES256", "kmsKey": ""}], "imageTagMutability": "MUTABLE"}
    assert changes(REPOSITORY, state, {"imageTagMutability": "MUTABLE"}) == {}
    kms = {"encryptionConfigurations": [{"encryptionType": "KMS"}]}
    assert changes(REPOSITORY, state, kms) == {"encryptionConfigurations[0].encryptionType": "update-replace"}


def test_a_lifecycle_policy_is_compared_by_its_rules() -> None:
    one = '{"rules":[{"rulePriority":2,"selection":{"tagPrefixList":["b","a"]}},{"rulePriority":1,"x":1}]}'
    other = (
        '{"rules":[{"rulePriority":1},{"rulePriority":2,"selection":{"tagPrefixList":["a","b"],"tagPatternList":[]}}]}'
    )
    assert changes(POLICY, {"policy": one}, {"policy": other}) == {}
    assert changes(POLICY, {"policy": one}, {"policy": "{}"}) == {"policy": "update-replace"}


@pytest.mark.parametrize(
    ("table", "old_inputs", "expected"),
    [
        (SERVICE, {"name": "x", DEFAULTS: []}, True),
        (SERVICE, {"name": "x", DEFAULTS: ["name"]}, False),
        (SERVICE, {"name": "x"}, False),
        (DEFINITION, {"family": "x", DEFAULTS: []}, False),
        (POLICY, {DEFAULTS: []}, True),
    ],
)
def test_a_given_name_goes_before_it_comes_again(table: Any, old_inputs: Props, expected: bool) -> None:
    assert delete_before_replace(table, old_inputs) is expected


def test_the_plan_keeps_what_aws_filled() -> None:
    state = {"launchType": "FARGATE", "arn": "arn:s", "desiredCount": 4}
    assert planned(SERVICE, state, {"name": "web", DEFAULTS: []}) == {
        "launchType": "FARGATE",
        "arn": "arn:s",
        "name": "web",
    }


def test_cluster_settings_are_a_set_that_aws_fills() -> None:
    state = {"settings": [{"name": "containerInsights", "value": "disabled"}]}
    assert changes(CLUSTER, state, {}) == {}
    on = {"settings": [{"name": "containerInsights", "value": "enabled"}]}
    assert changes(CLUSTER, state, on) == {"settings[0]": "update"}
