"""The stand-in aws plugin over its gRPC interface: every resource type's whole life, and the functions, on a front."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import grpc
import pytest

from migrate.sandbox.aws_plugin.values import Props
from tests.fakes.front_account import Account
from tests.fakes.plugin_client import PluginClient

SERVICE = "aws:ecs/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER = "aws:ecs/cluster:Cluster"
PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"
REPOSITORY = "aws:ecr/repository:Repository"
BUCKET = "aws:s3/bucket:Bucket"
QUEUE = "aws:sqs/queue:Queue"
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


def test_a_revision_is_replaced_kept_or_let_go(account: Account, provider: PluginClient) -> None:
    made = provider.create(DEFINITION, definition(account, tags={"a": "1"}, skipDestroy=True))
    assert (made.id, made.state["revision"]) == (f"f-{account.cluster}", 1)
    assert made.state["arnWithoutRevision"] == made.state["arn"].rpartition(":")[0]
    assert provider.diff(made, definition(account, tags={"a": "1"}, skipDestroy=True)).changes == {}
    arm = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    planned = provider.diff(made, definition(account, tags={"a": "1"}, skipDestroy=True, runtimePlatform=arm))
    assert (planned.changes, planned.delete_first) == ({"runtimePlatform": "add-replace"}, False)
    retagged = provider.update(made, definition(account, tags={"a": "2"}, skipDestroy=True))
    assert retagged.state["tags"] == {"a": "2"}
    provider.delete(retagged)
    imported = provider.adopt(DEFINITION, made.state["arn"])
    assert imported is not None
    assert provider.diff(imported, definition(account, tags={"a": "2"})).changes == {}
    assert provider.diff(imported, definition(account, tags={"a": "2"}, skipDestroy=True)).changes == {
        "skipDestroy": "add"
    }
    provider.delete(imported)
    assert provider.refresh(made) is None
    assert "Expected ID in format of arn:" in refusal(provider.adopt, DEFINITION, f"f-{account.cluster}")


def test_track_latest_follows_revisions_made_elsewhere(account: Account, provider: PluginClient) -> None:
    made = provider.create(DEFINITION, definition(account, trackLatest=True))
    account.define(family=made.id, memory="1024")
    refreshed = provider.refresh(made)
    assert refreshed is not None
    assert (refreshed.state["revision"], refreshed.state["memory"]) == (2, "1024")
    pinned = provider.refresh(replace(made, state={**made.state, "trackLatest": False}))
    assert pinned is not None
    assert pinned.state["revision"] == 1


def test_a_cluster_lives_its_whole_life(account: Account, provider: PluginClient) -> None:
    name = f"{account.cluster}x"
    made = provider.create(CLUSTER, {"name": name})
    assert made.id.endswith(f":cluster/{name}")
    insights = {"name": name, "settings": [{"name": "containerInsights", "value": "enabled"}]}
    assert provider.diff(made, insights).changes == {"settings[0]": "update"}
    made = provider.update(made, insights)
    assert made.state["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    imported = provider.adopt(CLUSTER, name)
    assert imported is not None
    assert (imported.id, provider.diff(imported, insights).changes) == (made.id, {})
    assert provider.diff(made, {"name": f"{name}y"}).delete_first
    provider.delete(made)
    assert provider.refresh(made) is None


def test_a_clusters_capacity_providers_are_one_list(account: Account, provider: PluginClient) -> None:
    wanted: Props = {"clusterName": account.cluster, "capacityProviders": ["FARGATE_SPOT", "FARGATE"]}
    imported = provider.adopt(PROVIDERS, account.cluster)
    assert imported is not None
    assert provider.diff(imported, wanted).changes == {}
    more = {**wanted, "defaultCapacityProviderStrategies": SPOT}
    assert provider.diff(imported, more).changes == {"defaultCapacityProviderStrategies[0]": "add"}
    made = provider.update(imported, more)
    assert made.state["defaultCapacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}
    ]
    provider.delete(made)
    (cluster,) = account.ecs.describe_clusters(clusters=[account.cluster])["clusters"]
    assert (cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"]) == ([], [])


def test_a_capacity_provider_lives_its_whole_life(account: Account, provider: PluginClient) -> None:
    group = "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:autoScalingGroupName/g"
    scaling: Props = {"autoScalingGroupArn": group, "managedScaling": {"status": "ENABLED", "targetCapacity": 90}}
    wanted = {"name": f"p-{account.cluster}", "autoScalingGroupProvider": scaling}
    made = provider.create(PROVIDER, wanted)
    assert provider.diff(made, wanted).changes == {}
    changed = {**wanted, "autoScalingGroupProvider": {**scaling, "managedScaling": {"targetCapacity": 80}}}
    assert provider.diff(made, changed).changes == {"autoScalingGroupProvider.managedScaling.targetCapacity": "update"}
    made = provider.update(made, changed)
    assert provider.adopt(PROVIDER, made.id) is not None
    moved = {**wanted, "autoScalingGroupProvider": {**scaling, "autoScalingGroupArn": f"{group}2"}}
    assert provider.diff(made, moved).replaces == ["autoScalingGroupProvider"]
    assert refusal(provider.create, PROVIDER, {"name": "x"}) == (
        "exactly one of auto_scaling_group_provider or managed_instances_provider must be specified"
    )
    provider.delete(made)
    assert provider.refresh(made) is None


def test_a_repository_and_its_policy_live_their_whole_life(account: Account, provider: PluginClient) -> None:
    filters = [{"filter": "release-*", "filterType": "WILDCARD"}]
    wanted = {
        "name": account.repository,
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    }
    made = provider.create(REPOSITORY, wanted)
    assert made.state["repositoryUrl"] == f"{account.host.registry_host}/{account.repository}"
    assert provider.diff(made, wanted).changes == {}
    assert "can only be used when image_tag_mutability is set to" in refusal(
        provider.diff, made, {**wanted, "imageTagMutability": "MUTABLE"}
    )
    plain = {"name": account.repository, "imageScanningConfiguration": {"scanOnPush": True}}
    made = provider.update(made, plain)
    assert (made.state["imageTagMutability"], made.state["imageTagMutabilityExclusionFilters"]) == ("MUTABLE", [])
    assert made.state["imageScanningConfiguration"] == {"scanOnPush": True}
    imported = provider.adopt(REPOSITORY, account.repository)
    assert imported is not None
    assert provider.diff(imported, plain).changes == {}

    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    policy = {"repository": account.repository, "policy": json.dumps({"rules": [rule]})}
    kept = provider.create(POLICY, policy)
    spaced = {**policy, "policy": json.dumps({"rules": [rule]}, indent=2)}
    assert provider.diff(kept, spaced).changes == {}
    replaced = provider.diff(kept, {**policy, "policy": json.dumps({"rules": [{**rule, "rulePriority": 2}]})})
    assert (replaced.replaces, replaced.delete_first) == (["policy"], True)
    provider.delete(kept)
    assert provider.refresh(kept) is None

    account.push(account.image_text("amd64"), "v1")
    assert "not empty, consider using force_delete" in refusal(provider.delete, made)
    provider.delete(replace(made, state={**made.state, "forceDelete": True}))
    assert provider.refresh(made) is None


def test_the_functions_describe_what_is_there(account: Account, provider: PluginClient) -> None:
    account.create()
    account.ecr.create_repository(repositoryName=account.repository)
    pushed = account.push(account.image_text("amd64"), "v1")[1]["docker-content-digest"]
    arn = account.service()["taskDefinition"]
    found = provider.invoke("aws:ecr/getRepository:getRepository", name=account.repository)
    assert (found["id"], found["mostRecentImageTags"]) == (account.repository, ["v1"])
    token = provider.invoke("aws:ecr/getAuthorizationToken:getAuthorizationToken")
    assert (token["userName"], token["proxyEndpoint"]) == ("AWS", f"https://{account.host.registry_host}")
    assert provider.invoke("aws:ecr/getCredentials:getCredentials", registryId="000000000000")["password"]
    image = provider.invoke("aws:ecr/getImage:getImage", repositoryName=account.repository, imageTag="v1")
    assert (image["id"], image["imageUri"]) == (pushed, f"{found['repositoryUrl']}@{pushed}")
    newest = provider.invoke("aws:ecr/getImage:getImage", repositoryName=account.repository, mostRecent=True)
    assert newest["imageDigest"] == pushed
    web = provider.invoke("aws:ecs/getService:getService", clusterArn=account.cluster, serviceName=account.name)
    assert (web["launchType"], web["runningCount"], web["deployments"][0]["status"]) == ("FARGATE", 4, "PRIMARY")
    revision = provider.invoke("aws:ecs/getTaskDefinition:getTaskDefinition", taskDefinition=arn)
    assert (revision["id"], revision["status"], revision["requiresCompatibilities"]) == (arn, "ACTIVE", ["FARGATE"])
    cluster = provider.invoke("aws:ecs/getCluster:getCluster", clusterName=account.cluster)
    assert cluster["runningTasksCount"] == 4
    assert provider.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "000000000000"
    assert provider.invoke("aws:index/getRegion:getRegion")["region"] == "us-east-1"


@pytest.mark.parametrize(
    ("token", "args", "part"),
    [
        ("aws:ecr/getRepository:getRepository", {"name": "nowhere"}, "reading ECR Repository (nowhere): "),
        ("aws:ecs/getCluster:getCluster", {"clusterName": "nowhere"}, "reading ECS Cluster (nowhere): "),
        (
            "aws:ecs/getTaskDefinition:getTaskDefinition",
            {"taskDefinition": "no:1"},
            "reading ECS Task Definition (no:1): ",
        ),
        ("aws:ecr/getImage:getImage", {"repositoryName": "nowhere"}, "must be specified"),
        (
            "aws:ecr/getImage:getImage",
            {"repositoryName": "nowhere", "imageTag": "x"},
            "reading ECR Images: ",
        ),
        ("aws:s3/getBucket:getBucket", {}, "has no function aws:s3/getBucket:getBucket"),
    ],
)
def test_the_functions_refuse_clearly(provider: PluginClient, token: str, args: Props, part: str) -> None:
    assert part in refusal(provider.invoke, token, **args)


def test_a_bucket_lives_its_whole_life(account: Account, provider: PluginClient) -> None:
    name = f"bucket-{account.cluster}".lower().replace("_", "-")
    made = provider.create(BUCKET, {"bucket": name, "tags": {"team": "web"}})
    assert (made.id, made.state["arn"], made.state["tags"]) == (name, f"arn:aws:s3:::{name}", {"team": "web"})
    assert provider.diff(made, {"bucket": name, "tags": {"team": "web"}}).changes == {}
    made = provider.update(made, {"bucket": name})
    assert made.state["tags"] == {}
    imported = provider.adopt(BUCKET, name)
    assert imported is not None
    assert provider.diff(imported, {"bucket": name}).changes == {}
    assert provider.diff(imported, {"bucket": f"{name}-2"}).replaces == ["bucket"]
    provider.delete(made)
    assert provider.refresh(made) is None


def test_a_queue_lives_its_whole_life(account: Account, provider: PluginClient) -> None:
    name = f"queue-{account.cluster}"
    made = provider.create(QUEUE, {"name": name, "tags": {"team": "web"}})
    assert made.id == made.state["url"]
    assert (made.state["visibilityTimeoutSeconds"], made.state["tags"]) == (30, {"team": "web"})
    longer = {"name": name, "visibilityTimeoutSeconds": 60, "tags": {"team": "jobs"}}
    assert set(provider.diff(made, longer).changes) == {"visibilityTimeoutSeconds", "tags.team", "tagsAll.team"}
    made = provider.update(made, longer)
    assert (made.state["visibilityTimeoutSeconds"], made.state["tags"]) == (60, {"team": "jobs"})
    imported = provider.adopt(QUEUE, made.id)
    assert imported is not None
    assert provider.diff(imported, longer).changes == {}
    provider.delete(made)
    assert provider.refresh(made) is None
