"""The stand-in aws plugin over its gRPC interface: every resource type's whole life, and the functions, on a front."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props, from_struct
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import WholeProcess
from tests.fakes.plugin_client import Made, PluginClient, plugin

SERVICE = "aws:ecs/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER = "aws:ecs/cluster:Cluster"
PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"
REPOSITORY = "aws:ecr/repository:Repository"
POLICY = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture
def account(live_account: Account) -> Account:
    return live_account


def refusal(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    return str(caught.value.details())


def definition(account: Account, **changes: Any) -> Props:
    containers = [{"name": "app", "image": "elsewhere/app:1", "environment": [{"name": "A", "value": "1"}]}]
    return {
        "family": f"f-{account.cluster}",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": json.dumps(containers),
        **changes,
    }


def service(account: Account, made: Made, **changes: Any) -> Props:
    return {
        "name": account.name,
        "cluster": f"arn:aws:ecs:us-east-1:000000000000:cluster/{account.cluster}",
        "taskDefinition": made.state["arn"],
        "desiredCount": 2,
        "networkConfiguration": {"subnets": ["subnet-1"]},
        **changes,
    }


def test_a_service_lives_its_whole_life(account: Account, provider: PluginClient) -> None:
    revision = provider.create(DEFINITION, definition(account))
    first = service(account, revision, capacityProviderStrategies=FARGATE, tags={"a": "1"})
    made = provider.create(SERVICE, {**first, "waitForSteadyState": True})
    assert (
        made.id == made.state["arn"] == f"arn:aws:ecs:us-east-1:000000000000:service/{account.cluster}/{account.name}"
    )
    assert made.state["tagsAll"] == {"owner": "web", "a": "1"}
    assert made.state["tags"] == {"a": "1"}
    assert made.state["launchType"] == ""
    assert provider.diff(made, {**first, "waitForSteadyState": True}).changes == {}
    assert account.service()["runningCount"] == 2

    moved = {**first, "capacityProviderStrategies": SPOT}
    text = refusal(provider.diff, made, moved)
    assert text == "force_new_deployment should be true when capacity_provider_strategy is being updated"
    forced = {**moved, "forceNewDeployment": True, "triggers": {"digest": "1"}, "tags": {"b": "2"}}
    planned = provider.diff(made, forced)
    assert planned.replaces == []
    assert {"capacityProviderStrategies[0]", "forceNewDeployment", "triggers.digest"} <= set(planned.changes)
    before = account.primary()["id"]
    made = provider.update(made, forced)
    assert account.primary()["id"] != before
    assert made.state["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert made.state["tags"] == {"b": "2"}
    assert made.state["triggers"] == {"digest": "1"}
    assert provider.diff(made, forced).changes == {}

    account.settle()
    account.update(desiredCount=5)
    refreshed = provider.refresh(made)
    assert refreshed is not None
    assert refreshed.inputs["desiredCount"] == refreshed.state["desiredCount"] == 5
    assert provider.diff(refreshed, forced).changes == {"desiredCount": "update"}
    assert provider.diff(refreshed, forced, "desiredCount").changes == {}

    provider.delete(made)
    assert account.service()["status"] == "INACTIVE"
    assert provider.refresh(made, timeout=1) is None


def test_c34_an_imported_service_differs_only_in_how_its_revision_is_written(
    account: Account, provider: PluginClient
) -> None:
    account.create()
    arn = account.service()["taskDefinition"]
    made = provider.adopt(SERVICE, f"{account.cluster}/{account.name}")
    assert made is not None
    assert made.state["cluster"].startswith("arn:")
    assert made.state["taskDefinition"] == arn.rpartition("/")[2]
    assert (made.state["launchType"], made.inputs[DEFAULTS]) == ("FARGATE", [])
    wanted = {
        "name": account.name,
        "cluster": made.state["cluster"],
        "taskDefinition": arn.rpartition("/")[2],
        "launchType": "FARGATE",
        "desiredCount": 4,
        "networkConfiguration": {"subnets": ["subnet-1"]},
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "tags": {},
    }
    expected = {"tagsAll.owner": "add"}
    assert provider.diff(made, wanted).changes == expected
    assert provider.diff(made, {**wanted, "taskDefinition": arn}).changes == {**expected, "taskDefinition": "update"}
    by_name = provider.diff(made, {**wanted, "cluster": account.cluster})
    assert (by_name.replaces, by_name.changes["cluster"]) == (["cluster"], "update-replace")
    assert by_name.delete_first
    assert provider.adopt(SERVICE, f"{account.cluster}/{account.name}@us-east-1") is not None


def test_c37_from_a_launch_type_to_a_strategy_in_place_and_not_back(account: Account, provider: PluginClient) -> None:
    revision = provider.create(DEFINITION, definition(account))
    first = service(account, revision, launchType="FARGATE")
    made = provider.create(SERVICE, first)
    moved = {name: value for name, value in first.items() if name != "launchType"}
    moved |= {"capacityProviderStrategies": FARGATE, "forceNewDeployment": True}
    assert provider.diff(made, moved).replaces == []
    made = provider.update(made, moved)
    assert made.state["launchType"] == ""
    back = provider.diff(made, {**first, "forceNewDeployment": True})
    assert back.replaces == ["launchType"]


def test_a_rolled_back_deployment_fails_a_steady_update_and_not_an_unsteady_one(
    account: Account, provider: PluginClient
) -> None:
    revision = provider.create(DEFINITION, definition(account))
    breaker = {"enable": True, "rollback": True}
    first = service(account, revision, capacityProviderStrategies=FARGATE, deploymentCircuitBreaker=breaker)
    made = provider.create(SERVICE, {**first, "waitForSteadyState": True})
    second = provider.create(DEFINITION, definition(account, memory="1024"))
    account.fault(kind="tasks_fail_to_start", service=account.name, deployments=2)
    wanted = {**first, "taskDefinition": second.state["arn"]}
    text = refusal(provider.update, made, {**wanted, "waitForSteadyState": True})
    assert text.startswith(f"waiting for ECS Service ({made.id}) update: ")
    assert "circuit breaker" in text
    account.settle()
    assert provider.update(made, wanted).state["taskDefinition"] == second.state["arn"]


def test_a_service_that_never_gets_steady_stays_in_the_state(account: Account, provider: PluginClient) -> None:
    revision = provider.create(DEFINITION, definition(account))
    account.fault(kind="tasks_fail_to_start", service=account.name, deployments=1)
    wanted = service(account, revision, capacityProviderStrategies=FARGATE, waitForSteadyState=True)
    with pytest.raises(grpc.RpcError) as caught:
        provider.create(SERVICE, wanted, timeout=1)
    error: Any = caught.value
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    kept = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(kept)
    assert kept.id.endswith(f"/{account.name}")
    assert "timeout while waiting for state to become 'tfSTABLE'" in kept.reasons[0]
    assert from_struct(kept.properties)["name"] == account.name


def test_a_preview_says_what_cannot_be_known(account: Account, provider: PluginClient) -> None:
    made = provider.create(DEFINITION, definition(account), preview=True)
    assert (made.id, made.state["arn"], made.state["revision"]) == ("", UNKNOWN, UNKNOWN)
    assert made.state["family"] == f"f-{account.cluster}"
    wanted = service(account, replace(made, state={"arn": UNKNOWN}), capacityProviderStrategies=FARGATE)
    unmade = provider.create(SERVICE, wanted, preview=True)
    assert (unmade.state["taskDefinition"], unmade.state["platformVersion"]) == (UNKNOWN, UNKNOWN)
    assert account.ecs.describe_services(cluster=account.cluster, services=[account.name])["services"] == []


def test_other_resource_types_are_refused_by_name(provider: PluginClient) -> None:
    text = refusal(provider.check, "aws:sns/topic:Topic", {})
    assert "has no resource type aws:sns/topic:Topic" in text
    assert SERVICE in text


def test_a_failing_call_reads_as_the_go_sdk_writes_it(account: Account, provider: PluginClient) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    text = refusal(provider.create, REPOSITORY, {"name": account.repository})
    assert text.startswith(f"creating ECR Repository ({account.repository}): operation error ECR: CreateRepository, ")
    assert "RepositoryAlreadyExistsException: The repository with name" in text


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, "no endpoint is set"),
        ({"AWS_ENDPOINT_URL": "https://ecs.us-east-1.amazonaws.com"}, "refuses the endpoint"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": ""}, "Missing region configuration"),
    ],
)
def test_it_does_not_start_on_anything_but_loopback(environment: dict[str, str], part: str) -> None:
    with plugin({"AWS_REGION": "us-east-1", **environment}) as client:
        assert part in refusal(client.configure)


@contextmanager
def process(environment: dict[str, str]) -> Iterator[Any]:
    """Run the plugin as the engine does; gives the stub."""
    command = [sys.executable, "-m", "migrate.sandbox.aws_plugin"]
    base = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**base, **environment}, text=True) as running:
        assert running.stdout is not None
        port = int(running.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        running.terminate()
        assert running.wait(10) == 0


def test_the_process_prints_its_port_and_ends_when_told(live_front: WholeProcess) -> None:
    with process({**KEYS, "AWS_ENDPOINT_URL": live_front.url, "AWS_REGION": "us-east-1"}) as stub:
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == pulumi_aws_version()
        PluginClient(stub).configure()
        identity = PluginClient(stub).invoke("aws:index/getCallerIdentity:getCallerIdentity")
        assert identity["accountId"] == "000000000000"
        stub.Cancel(empty_pb2.Empty())


def pulumi_aws_version() -> str:
    return importlib.metadata.version("pulumi-aws")


def test_without_credentials_it_says_where_to_look(live_front: WholeProcess, tmp_path: Path) -> None:
    with process({"HOME": str(tmp_path), "AWS_ENDPOINT_URL": live_front.url, "AWS_REGION": "us-east-1"}) as stub:
        assert refusal(PluginClient(stub).configure).startswith("No valid credential sources found.")
