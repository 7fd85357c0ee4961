from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from migrate.sandbox.aws_plugin.clients import Aws
from migrate.sandbox.aws_plugin.configuration import ProviderConfiguration
from migrate.sandbox.aws_plugin.difference import compare, planned
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resource import Session, Update
from migrate.sandbox.aws_plugin.resources.service import Service
from migrate.sandbox.aws_plugin.resources.service_wait import wait_stable
from migrate.sandbox.aws_plugin.values import UNKNOWN, Props
from migrate.sandbox.aws_plugin.waiting import Goal, Waiter

ARN = "arn:aws:ecs:us-east-1:1:service/c/web"
FARGATE = [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}]


class RecordedAws(Aws):
    """Answers from a script instead of a socket."""

    def __init__(self, script: dict[str, Callable[[Props], Props]]) -> None:
        super().__init__(ProviderConfiguration(region="us-east-1", endpoints={}))
        self.script = script
        self.calls: list[tuple[str, Props]] = []

    def call(self, service: str, operation: str, /, *, region: str | None = None, **arguments: Any) -> Props:
        assert (service, region) == ("ecs", "us-east-1")
        self.calls.append((operation, {name: value for name, value in arguments.items() if value is not None}))
        return self.script[operation](arguments)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waiter = Waiter(self.sleep, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def unwanted(_: str) -> None:
    raise AssertionError("nothing was made")


def session(script: dict[str, Callable[[Props], Props]], time: Time) -> tuple[Session, RecordedAws]:
    aws = RecordedAws(script)
    return Session(aws, time.waiter, "us-east-1"), aws


def an_update(state: Props, inputs: Props) -> Props:
    """Give the UpdateService request for a change, empty when there is none."""
    table, time = Service.table, Time()
    changed = frozenset(item.top for item in compare(table, state, inputs))
    active = {"services": [{"status": "ACTIVE"}]}
    made, aws = session({"UpdateService": lambda _: {}, "DescribeServices": lambda _: active}, time)
    Service().update(made, Update(ARN, state, planned(table, state, inputs), changed))
    return next((request for operation, request in aws.calls if operation == "UpdateService"), {})


@pytest.mark.parametrize(("old", "new"), [(FARGATE, SPOT), ([], FARGATE), (FARGATE, [])])
def test_c37_a_changed_strategy_without_force_fails_the_plan(old: list[Props], new: list[Props]) -> None:
    state, want = {"capacityProviderStrategies": old}, {"capacityProviderStrategies": new or None}
    problems = Service().problems(state, want)
    assert problems == ["force_new_deployment should be true when capacity_provider_strategy is being updated"]
    assert Service().problems(state, {**want, "forceNewDeployment": True}) == []
    assert Service().problems(state, {**want, "forceNewDeployment": UNKNOWN}) == []
    assert Service().problems(None, want) == []


def test_c39_triggers_act_only_with_force() -> None:
    state: Props = {"triggers": {"digest": "1"}}
    changes = compare(Service.table, state, {"triggers": {"digest": "2"}})
    assert Service().drop_quiet(changes, {"triggers": {"digest": "2"}}) == []
    forced = {"triggers": {"digest": "2"}, "forceNewDeployment": True}
    assert Service().drop_quiet(changes, forced) == changes
    removed = compare(Service.table, {"triggers": {"digest": "1"}}, {"triggers": {}})
    assert Service().drop_quiet(removed, {"triggers": {}, "forceNewDeployment": True}) == []


BASE: Props = {"cluster": "arn:c", "schedulingStrategy": "REPLICA", "desiredCount": 4}


@pytest.mark.parametrize(
    ("state", "inputs", "sent"),
    [
        ({}, {"capacityProviderStrategies": SPOT}, {"capacityProviderStrategy": SPOT}),
        ({"capacityProviderStrategies": SPOT}, {}, {"capacityProviderStrategy": []}),
        ({"taskDefinition": "a:1"}, {"taskDefinition": "a:2"}, {"taskDefinition": "a:2"}),
        ({}, {"desiredCount": 6}, {"desiredCount": 6}),
        (
            {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            {},
            {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}},
        ),
        (
            {"deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100},
            {"deploymentMaximumPercent": 150, "deploymentMinimumHealthyPercent": 100},
            {"deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 100}},
        ),
        ({"loadBalancers": [{"containerName": "a", "containerPort": 1}]}, {}, {"loadBalancers": []}),
        ({"networkConfiguration": {"subnets": ["a"]}}, {}, {}),
        ({"serviceConnectConfiguration": {"enabled": True}}, {}, {"serviceConnectConfiguration": {"enabled": False}}),
        ({"volumeConfiguration": {"name": "v", "managedEbsVolume": {"roleArn": "arn:r"}}}, {}, {}),
        ({"placementConstraints": [{"type": "distinctInstance"}]}, {}, {"placementConstraints": []}),
        ({}, {"waitForSteadyState": False, "forceNewDeployment": True}, {}),
        (
            {},
            {"deploymentConfiguration": {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 5}}},
            {"deploymentConfiguration": {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 5}}},
        ),
    ],
)
def test_an_update_sends_only_what_changed(state: Props, inputs: Props, sent: Props) -> None:
    request = an_update({**BASE, **state}, {**BASE, **inputs})
    always = {"cluster": "arn:c", "service": ARN, "forceNewDeployment": bool(inputs.get("forceNewDeployment"))}
    assert request == {**always, **sent}


@pytest.mark.parametrize("inputs", [{"forceDelete": True}, {}])
def test_switches_of_the_state_alone_make_no_call(inputs: Props) -> None:
    assert an_update(BASE, {**BASE, **inputs}) == {}


def test_a_lingering_force_rolls_tasks_on_every_later_update() -> None:
    state = {**BASE, "forceNewDeployment": True, "healthCheckGracePeriodSeconds": 10}
    request = an_update(state, {**BASE, "forceNewDeployment": True, "healthCheckGracePeriodSeconds": 20})
    assert request["forceNewDeployment"] is True


def test_a_missing_cluster_is_tried_for_four_minutes() -> None:
    time = Time()

    def refuse(_: Props) -> Props:
        raise ApiError(
            "ECS", "CreateService", "ClusterNotFoundException", "Cluster not found.", status=400, request="r"
        )

    made, aws = session({"CreateService": refuse}, time)
    wanted = {"name": "web", "deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100}
    with pytest.raises(PluginError) as caught:
        Service().create(made, wanted, unwanted)
    assert str(caught.value) == (
        "creating ECS Service (web): operation error ECS: CreateService, https response error StatusCode: 400, "
        "RequestID: r, ClusterNotFoundException: Cluster not found."
    )
    assert len(aws.calls) > 20


def test_other_refusals_are_not_tried_again() -> None:
    def refuse(_: Props) -> Props:
        raise ApiError("ECS", "CreateService", "ClientException", "TaskDefinition is inactive", status=400, request="r")

    made, aws = session({"CreateService": refuse}, Time())
    wanted = {"name": "web", "deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100}
    with pytest.raises(PluginError, match="TaskDefinition is inactive"):
        Service().create(made, wanted, unwanted)
    assert len(aws.calls) == 1


def test_a_missing_service_is_gone_after_two_minutes() -> None:
    time = Time()
    made, _ = session({"DescribeServices": lambda _: {"services": [{"status": "INACTIVE"}]}}, time)
    assert Service().read(made, ARN, {"cluster": "c"}) is None
    assert 120 <= time.now - 1000 < 140


def deployments(status: str, reason: str = "") -> dict[str, Callable[[Props], Props]]:
    primary = {"id": "ecs-svc/77", "status": "PRIMARY", "createdAt": 2000.0}
    service = {
        "status": "ACTIVE",
        "clusterArn": "arn:c",
        "deployments": [primary],
        "desiredCount": 1,
        "runningCount": 0,
    }
    listed = [{"serviceDeploymentArn": "sd", "targetServiceRevisionArn": "arn:revision/77"}]
    described = [{"status": status, "statusReason": reason}]
    return {
        "DescribeServices": lambda _: {"services": [service]},
        "ListServiceDeployments": lambda _: {"serviceDeployments": listed},
        "DescribeServiceDeployments": lambda _: {"serviceDeployments": described},
    }


def test_steady_is_what_the_service_deployment_says() -> None:
    made, _ = session(deployments("SUCCESSFUL"), Time())
    wait_stable(made, ARN, "c", 1999.0)


@pytest.mark.parametrize("status", ["STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL"])
def test_c31_a_rolled_back_deployment_is_a_failure(status: str) -> None:
    made, _ = session(deployments(status, "tasks failed to start."), Time())
    with pytest.raises(PluginError, match="tasks failed to start"):
        wait_stable(made, ARN, "c", 1999.0)


def test_an_older_deployment_is_steady_by_its_counts_alone() -> None:
    script = deployments("ROLLBACK_SUCCESSFUL")
    service = script["DescribeServices"]({})["services"][0]
    made, aws = session(script, Time())
    counts = iter((0, 1, 1))

    def describe(_: Props) -> Props:
        return {"services": [{**service, "runningCount": next(counts)}]}

    aws.script["DescribeServices"] = describe
    wait_stable(made, ARN, "c", 2000.0)
    assert {operation for operation, _ in aws.calls} == {"DescribeServices"}


def test_waiting_ends_at_its_limit_and_says_so() -> None:
    made, _ = session(deployments("IN_PROGRESS"), Time())
    with pytest.raises(PluginError) as caught:
        wait_stable(made, ARN, "c", 1999.0)
    assert str(caught.value) == (
        "timeout while waiting for state to become 'tfSTABLE' (last state: 'tfPENDING', timeout: 20m0s)"
    )


def test_something_that_never_appears_is_given_up_after_21_looks() -> None:
    with pytest.raises(PluginError, match=r"couldn't find resource \(21 retries\)"):
        Time().waiter.until(Goal("ACTIVE", (), 1200), lambda: (None, ""))
    assert Time().waiter.until(Goal("", ("ACTIVE",), 1200), lambda: (None, "")) is None
    with pytest.raises(PluginError, match="unexpected state 'ODD', wanted target 'ACTIVE'"):
        Time().waiter.until(Goal("ACTIVE", (), 1200), lambda: ({}, "ODD"))


@pytest.mark.parametrize("given", ["web", "a/b/c", "/web", "c/", ""])
def test_a_wrong_import_id_is_named(given: str) -> None:
    with pytest.raises(PluginError, match="expecting 'cluster-name/service-name'"):
        Service().import_id(session({}, Time())[0], given)
