from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.sandbox.aws_plugin.configuration import SERVICES, config_failures, read_configuration, require_loopback
from migrate.sandbox.aws_plugin.errors import PluginError

LOCAL = "http://127.0.0.1:4566"
REGION = {"region": "us-east-1"}


def test_settings_arrive_as_json_text() -> None:
    found = read_configuration(
        {
            **REGION,
            "endpoints": json.dumps([dict.fromkeys(SERVICES, LOCAL)]),
            "defaultTags": json.dumps({"tags": {"a": "1"}}),
            "ignoreTags": json.dumps({"keys": ["k"], "keyPrefixes": ["p:"]}),
            "skipCredentialsValidation": "true",
        },
        {},
    )
    assert (found.default_tags, found.skip_credentials_validation) == ({"a": "1"}, True)
    assert found.without_ignored({"k": "1", "p:x": "2", "z": "3"}) == {"z": "3"}


@pytest.mark.parametrize(
    ("properties", "environment", "expected"),
    [
        ({}, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1"),
        ({}, {"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"region": "ap-south-1"}, {"AWS_REGION": "eu-west-1"}, "ap-south-1"),
    ],
)
def test_the_region_comes_from_the_settings_then_the_environment(
    properties: Any, environment: dict[str, str], expected: str
) -> None:
    assert read_configuration(properties, {"AWS_ENDPOINT_URL": LOCAL, **environment}).region == expected


def test_without_a_region_the_text_says_how_to_set_one() -> None:
    with pytest.raises(PluginError, match="pulumi config set aws:region"):
        read_configuration({}, {"AWS_ENDPOINT_URL": LOCAL})


def test_the_providers_endpoints_beat_the_services_and_that_beats_the_general_one() -> None:
    one, two, three = (f"http://127.0.0.1:{port}" for port in (1, 2, 3))
    found = read_configuration(
        {**REGION, "endpoints": [{"ecs": one}]}, {"AWS_ENDPOINT_URL_ECR": two, "AWS_ENDPOINT_URL": three}
    )
    assert dict(found.endpoints) == {**dict.fromkeys(SERVICES, three), "ecs": one, "ecr": two}


@pytest.mark.parametrize("url", [LOCAL, "https://localhost:1", "http://[::1]:4566"])
def test_loopback_is_allowed(url: str) -> None:
    require_loopback("ecs", url)


@pytest.mark.parametrize(
    "url",
    ["https://ecs.us-east-1.amazonaws.com", "http://10.0.0.1:4566", "http://0.0.0.0:1", "http://192.0.2.1", "nonsense"],
)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(PluginError, match="refuses the endpoint"):
        require_loopback("ecs", url)
    with pytest.raises(PluginError, match="refuses the endpoint"):
        read_configuration(REGION, {"AWS_ENDPOINT_URL": LOCAL, "AWS_ENDPOINT_URL_STS": url})
    assert config_failures({"endpoints": [{"ecs": url}]})[0][0] == "endpoints"


def test_without_an_endpoint_it_does_not_start() -> None:
    with pytest.raises(PluginError, match="no endpoint is set for ecs"):
        read_configuration(REGION, {})


def test_the_old_key_is_named() -> None:
    assert config_failures({"assumeRole": {}}) == [
        ("assumeRole", "invalid config key 'aws:assumeRole', should be 'aws:assumeRoles'")
    ]
