"""The front refuses and answers as AWS does: over a fake MiniStack with virtual time, and over the real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.front_account import Account, refused

MUST_FORCE = "you must force a new deployment."
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]


def test_c37_launch_type_to_strategy_needs_a_forced_deployment(account: Account) -> None:
    account.create()
    code, text = refused(account.update, capacityProviderStrategy=FARGATE)
    assert code == "InvalidParameterException"
    assert text.endswith(MUST_FORCE)
    account.update(capacityProviderStrategy=FARGATE, forceNewDeployment=True)
    service = account.settle()
    assert "launchType" not in service
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]


def test_strategy_to_strategy_needs_a_forced_deployment_but_the_same_one_does_not(account: Account) -> None:
    account.create(capacityProviderStrategy=FARGATE)
    before = account.primary()["id"]
    account.update(capacityProviderStrategy=FARGATE)
    assert account.primary()["id"] == before
    assert refused(account.update, capacityProviderStrategy=SPOT)[1].endswith(MUST_FORCE)


def test_an_empty_strategy_with_force_goes_back_to_the_original_launch_type(account: Account) -> None:
    account.create()
    account.update(capacityProviderStrategy=SPOT, forceNewDeployment=True)
    account.settle()
    assert refused(account.update, capacityProviderStrategy=[])[1].endswith(MUST_FORCE)
    account.update(capacityProviderStrategy=[], forceNewDeployment=True)
    service = account.settle()
    assert service["launchType"] == "FARGATE"
    assert "capacityProviderStrategy" not in service
    assert {task.get("capacityProviderName") for task in account.tasks()} == {None}


@pytest.mark.parametrize(
    ("strategy", "part"),
    [
        ([{"capacityProvider": "FARGATE", "weight": 0}], "weight value greater than zero"),
        ([{"capacityProvider": "FARGATE", "weight": 1001}], "between 0 and 1000"),
        (
            [
                {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1},
            ],
            "Only one capacity provider",
        ),
        ([{"capacityProvider": f"p{n}", "weight": 1} for n in range(21)], "maximum of 20"),
        (
            [{"capacityProvider": "FARGATE", "weight": 1}, {"capacityProvider": "graviton", "weight": 1}],
            "cannot contain a mix of capacity providers",
        ),
        ([{"capacityProvider": "graviton", "weight": 1}], "not associated with the cluster"),
    ],
)
def test_a_bad_strategy_is_refused(account: Account, strategy: Any, part: str) -> None:
    account.create()
    code, text = refused(account.update, capacityProviderStrategy=strategy, forceNewDeployment=True)
    assert (code, part in text) == ("InvalidParameterException", True), text


def test_both_choices_at_creation_are_refused(account: Account) -> None:
    code, text = refused(account.create, launchType="FARGATE", capacityProviderStrategy=FARGATE)
    assert code == "InvalidParameterException"
    assert text.startswith("Specifying both a launch type and capacity provider strategy is not supported.")


def test_a_service_without_either_copies_the_clusters_default(account: Account) -> None:
    account.ecs.put_cluster_capacity_providers(
        cluster=account.cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=SPOT,
    )
    account.ecs.create_service(
        cluster=account.cluster,
        serviceName=account.name,
        taskDefinition=account.define(),
        desiredCount=1,
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    assert account.settle()["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"


def test_c32_an_inactive_revision_is_refused(account: Account) -> None:
    account.create()
    arn = account.define()
    account.ecs.deregister_task_definition(taskDefinition=arn)
    assert refused(account.update, taskDefinition=arn) == ("ClientException", "TaskDefinition is inactive")
    assert refused(account.update, taskDefinition="nothing:1") == ("ClientException", "TaskDefinition not found.")


def test_capacity_providers_are_replaced_as_a_whole_list(account: Account) -> None:
    account.create(capacityProviderStrategy=SPOT)
    put = account.ecs.put_cluster_capacity_providers
    code, text = refused(
        put, cluster=account.cluster, capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    assert code == "ResourceInUseException"
    assert text == "The specified capacity provider is in use and cannot be removed."
    code, _ = refused(put, cluster=account.cluster, capacityProviders=["none"], defaultCapacityProviderStrategy=[])
    assert code == "InvalidParameterException"
    code, _ = refused(
        put, cluster=account.cluster, capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=FARGATE
    )
    assert code == "InvalidParameterException"
    put(cluster=account.cluster, capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[])
    (cluster,) = account.ecs.describe_clusters(clusters=[account.cluster])["clusters"]
    assert cluster["capacityProviders"] == ["FARGATE_SPOT"]


def test_the_default_strategy_argument_is_required(account: Account) -> None:
    body = json.dumps({"cluster": account.cluster, "capacityProviders": ["FARGATE"]}).encode()
    target = "AmazonEC2ContainerServiceV20141113.PutClusterCapacityProviders"
    status, headers, _ = account.host.http("POST", "/", body, {"x-amz-target": target})
    assert (status, headers["x-amzn-errortype"]) == (400, "InvalidParameterException")


def test_a_service_is_deleted_only_when_scaled_to_zero(account: Account) -> None:
    account.create()
    code, text = refused(account.ecs.delete_service, cluster=account.cluster, service=account.name)
    assert (code, text) == (
        "InvalidParameterException",
        "The service cannot be stopped while it is scaled above 0.",
    )
    assert refused(account.ecs.delete_cluster, cluster=account.cluster)[0] == "ClusterContainsServicesException"
    account.update(desiredCount=0)
    account.settle()
    account.ecs.delete_service(cluster=account.cluster, service=account.name)
    assert account.service()["status"] == "INACTIVE"
    assert refused(account.update, desiredCount=1)[0] == "ServiceNotActiveException"
    account.ecs.delete_cluster(cluster=account.cluster)


def test_missing_things_are_named_as_aws_names_them(account: Account) -> None:
    assert refused(account.update, desiredCount=1)[0] == "ServiceNotFoundException"
    code, _ = refused(account.ecs.describe_services, cluster="nowhere", services=[account.name])
    assert code == "ClusterNotFoundException"
    found = account.ecs.describe_services(cluster=account.cluster, services=[account.name])
    assert found["failures"][0]["reason"] == "MISSING"
    code, text = refused(account.ecs.describe_services, cluster=account.cluster, services=[str(n) for n in range(11)])
    assert (code, text) == ("InvalidParameterException", "Services cannot have more than 10 elements.")


def test_fargate_refuses_sizes_it_does_not_have(account: Account) -> None:
    code, text = refused(account.define, cpu="256", memory="4096")
    assert (code, text) == ("ClientException", "No Fargate configuration exists for given values.")
