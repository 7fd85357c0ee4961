from __future__ import annotations

import pytest

from migrate.sandbox.aws_plugin.check import Subject, check
from migrate.sandbox.aws_plugin.configuration import ProviderConfiguration
from migrate.sandbox.aws_plugin.resources import RESOURCE_TYPES
from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props

SERVICE = "aws:ecs/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
REPOSITORY = "aws:ecr/repository:Repository"
CONFIGURATION = ProviderConfiguration(
    region="us-east-1",
    endpoints={},
    default_tags={"team": "web", "kept": "1"},
    ignored_tags=frozenset({"noise"}),
    ignored_prefixes=("tmp:",),
)


def checked(token: str, news: Props, olds: Props | None = None, seed: bytes = b"s") -> tuple[Props, list[str]]:
    subject = Subject(RESOURCE_TYPES[token].table, "web", seed)
    inputs, failures = check(subject, olds or {}, news, CONFIGURATION)
    return inputs, [item.reason for item in failures]


def test_schema_defaults_are_written_into_the_inputs_and_listed() -> None:
    inputs, failures = checked(SERVICE, {"name": "web"})
    assert failures == []
    assert (inputs["deploymentMaximumPercent"], inputs["deploymentMinimumHealthyPercent"]) == (200, 100)
    assert (inputs["schedulingStrategy"], inputs["waitForSteadyState"]) == ("REPLICA", False)
    assert "name" not in inputs[DEFAULTS]
    assert "deploymentMaximumPercent" in inputs[DEFAULTS]
    assert "forceNewDeployment" not in inputs


def test_an_automatic_name_has_seven_hexadecimal_digits_and_stays() -> None:
    inputs, _ = checked(SERVICE, {})
    stem, _, tail = inputs["name"].rpartition("-")
    assert (stem, len(tail)) == ("web", 7)
    int(tail, 16)
    assert "name" in inputs[DEFAULTS]
    again, _ = checked(SERVICE, {}, olds=inputs, seed=b"another")
    assert again["name"] == inputs["name"]


def test_a_name_once_given_is_not_taken_for_automatic() -> None:
    given, _ = checked(SERVICE, {"name": "mine"})
    inputs, _ = checked(SERVICE, {}, olds=given)
    assert inputs["name"] != "mine"


def test_tags_all_merges_the_providers_tags_under_the_resources() -> None:
    inputs, _ = checked(SERVICE, {"tags": {"team": "api", "noise": "x", "tmp:a": "y"}})
    assert inputs["tagsAll"] == {"team": "api", "kept": "1"}
    unknown, _ = checked(SERVICE, {"tags": {"team": UNKNOWN}})
    assert unknown["tagsAll"] is UNKNOWN


def test_the_region_is_copied_in() -> None:
    assert checked(SERVICE, {})[0]["region"] == "us-east-1"
    assert checked(SERVICE, {"region": "eu-west-1"})[0]["region"] == "eu-west-1"


def test_values_are_converted_as_the_bridge_does() -> None:
    inputs, failures = checked(
        DEFINITION, {"family": "f", "containerDefinitions": '[{"name":"a","image":"i"}]', "cpu": 256, "memory": 512.5}
    )
    assert failures == []
    assert (inputs["cpu"], inputs["memory"]) == ("256", "512.5")
    inputs, _ = checked(SERVICE, {"desiredCount": "3", "enableExecuteCommand": "true", "tags": {"n": 1, "b": True}})
    assert (inputs["desiredCount"], inputs["enableExecuteCommand"]) == (3, True)
    assert inputs["tags"] == {"n": "1", "b": "true"}


@pytest.mark.parametrize(
    ("token", "news", "part"),
    [
        (SERVICE, {"colour": "red"}, "Invalid or unknown key: colour"),
        (SERVICE, {"arn": "arn:x"}, "Invalid or unknown key: arn"),
        (SERVICE, {"launchType": "LAMBDA"}, 'expected to be one of ["EC2" "FARGATE"'),
        (
            SERVICE,
            {"capacityProviderStrategies": [{"capacityProvider": "F", "weight": 1001}]},
            "expected to be in the range (0 - 1000), got 1001",
        ),
        (SERVICE, {"capacityProviderStrategies": [{"weight": 1}]}, "The argument 'capacityProvider' is required"),
        (SERVICE, {"networkConfiguration": {"subnet": "s"}}, "Invalid or unknown key: subnet"),
        (SERVICE, {"desiredCount": "many"}, "Expected a value of type integer"),
        (SERVICE, {"orderedPlacementStrategies": [{"type": "random"}] * 6}, "no more than 5"),
        (DEFINITION, {"family": "f"}, "The argument 'containerDefinitions' is required"),
        (DEFINITION, {"family": "a b", "containerDefinitions": "[]"}, "must only contain alphanumeric"),
        (
            DEFINITION,
            {"family": "f", "containerDefinitions": "{"},
            "ECS Task Definition container_definitions is invalid",
        ),
        (
            DEFINITION,
            {"family": "f", "containerDefinitions": "[{}]"},
            "invalid container definition supplied at index (0)",
        ),
        (
            DEFINITION,
            {"family": "f", "containerDefinitions": '[{"name":"a","versionConsistency":"maybe"}]'},
            "invalid version consistency value (maybe) for container definition supplied at index (0)",
        ),
        (
            REPOSITORY,
            {"imageTagMutabilityExclusionFilters": [{"filter": "a*b*c*", "filterType": "WILDCARD"}]},
            "Image tag mutability exclusion filter can contain a maximum of 2 wildcards (*)",
        ),
        (
            "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
            {"clusterName": "arn:aws:ecs:us-east-1:1:cluster/c"},
            "The cluster name must consist of alphanumerics, hyphens, and underscores.",
        ),
        (
            "aws:ecr/lifecyclePolicy:LifecyclePolicy",
            {"policy": "{", "repository": "r"},
            "contains an invalid JSON",
        ),
    ],
)
def test_what_the_schema_refuses(token: str, news: Props, part: str) -> None:
    _, failures = checked(token, news)
    assert any(part in reason for reason in failures), failures
    assert all(reason.startswith(f"{token} resource 'web' has a problem: ") for reason in failures)


def test_unknown_values_are_not_judged() -> None:
    inputs, failures = checked(
        DEFINITION,
        {"family": UNKNOWN, "containerDefinitions": UNKNOWN, "runtimePlatform": {"cpuArchitecture": UNKNOWN}},
    )
    assert failures == []
    assert inputs["containerDefinitions"] is UNKNOWN


def test_nested_defaults_are_written_out() -> None:
    inputs, _ = checked(
        SERVICE,
        {
            "networkConfiguration": {"subnets": ["s"]},
            "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        },
    )
    assert inputs["networkConfiguration"]["assignPublicIp"] is False
    assert inputs["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
