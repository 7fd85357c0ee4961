"""Deployments and tasks of the front go as they go in ECS, faults on purpose included; over both hosts."""

from __future__ import annotations

import pytest

from tests.fakes.front_account import Account, refused

MUST_FORCE = "you must force a new deployment."
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]


def test_tasks_follow_base_and_weights(account: Account) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 2},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    account.create(capacityProviderStrategy=strategy, desiredCount=10)
    providers = [task["capacityProviderName"] for task in account.tasks()]
    assert (providers.count("FARGATE"), providers.count("FARGATE_SPOT")) == (4, 6)
    account.update(desiredCount=2)
    account.settle()
    assert [task["capacityProviderName"] for task in account.tasks()] == ["FARGATE", "FARGATE"]


def test_a_task_shows_its_architecture_revision_provider_and_digest(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    index = account.index_text(("amd64", account.image_text("amd64")), ("arm64", account.image_text("arm64")))
    pushed = account.push(index, "v1")
    arn = account.define(
        f"{account.host.registry_host}/{account.repository}:v1",
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    )
    account.create(arn, capacityProviderStrategy=SPOT)
    for task in account.tasks():
        assert {"name": "ecs.cpu-architecture", "value": "arm64"} in task["attributes"]
        assert task["taskDefinitionArn"] == arn
        assert (task["capacityProviderName"], task["launchType"]) == ("FARGATE_SPOT", "FARGATE")
        assert task["platformVersion"] == "1.4.0"
        assert task["containers"][0]["imageDigest"] == pushed[1]["docker-content-digest"]
        assert task["startedBy"] == account.primary()["id"]


def test_a_tag_is_resolved_once_for_a_deployment(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    first = account.push(account.image_text("amd64", "1"), "v1")[1]["docker-content-digest"]
    account.create(account.define(f"{account.host.registry_host}/{account.repository}:v1"), desiredCount=1)
    second = account.push(account.image_text("amd64", "2"), "v1")[1]["docker-content-digest"]
    account.update(desiredCount=2)
    account.settle()
    assert {task["containers"][0]["imageDigest"] for task in account.tasks()} == {first}
    account.update(forceNewDeployment=True)
    account.settle()
    assert {task["containers"][0]["imageDigest"] for task in account.tasks()} == {second}


def test_c31_an_image_without_the_platform_trips_the_circuit_breaker(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    account.push(account.image_text("amd64"), "v1")
    image = f"{account.host.registry_host}/{account.repository}:v1"
    good = account.define(image)
    account.create(good)
    before = account.primary()["id"]
    bad = account.define(image, runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})
    failing = next(
        item["id"] for item in account.update(taskDefinition=bad)["deployments"] if item["status"] == "PRIMARY"
    )
    service = account.settle()
    assert service["taskDefinition"] == good
    assert account.primary()["id"] not in (before, failing)
    assert service["runningCount"] == 4
    reasons = {task["stoppedReason"] for task in account.tasks("STOPPED") if task["taskDefinitionArn"] == bad}
    assert len(reasons) == 1
    assert "image Manifest does not contain descriptor matching platform 'linux/arm64'" in reasons.pop()
    messages = " ".join(event["message"] for event in service["events"])
    assert "deployment failed: tasks failed to start." in messages
    assert f"rolling back to deployment {before}." in messages
    newest = account.ecs.list_service_deployments(cluster=account.cluster, service=account.name)["serviceDeployments"][
        0
    ]
    assert newest["status"] == "ROLLBACK_SUCCESSFUL"
    assert failing.partition("/")[2] in newest["targetServiceRevisionArn"]
    (described,) = account.ecs.describe_service_deployments(serviceDeploymentArns=[newest["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    assert described["rollback"]["serviceRevisionArn"].endswith(before.partition("/")[2])
    assert described["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert described["deploymentCircuitBreaker"]["threshold"] == 3


@pytest.mark.parametrize(("machine", "state"), [(0x3E, "FAILED"), (0xB7, "COMPLETED")])
def test_c06_a_program_for_another_machine_dies_whatever_the_labels_say(
    account: Account, machine: int, state: str
) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    arm = account.image_text("arm64", machine=machine)
    account.push(account.index_text(("amd64", account.image_text("amd64")), ("arm64", arm)), "v1")
    image = f"{account.host.registry_host}/{account.repository}:v1"
    account.create(account.define(image))
    wanted = account.define(image, runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})
    account.update(taskDefinition=wanted)
    service = account.settle()
    assert (service["taskDefinition"] == wanted) == (state == "COMPLETED")
    dead = [task for task in account.tasks("STOPPED") if task["stopCode"] == "EssentialContainerExited"]
    assert {task["containers"][0]["exitCode"] for task in dead} == ({255} if state == "FAILED" else set())


def test_a_container_without_version_consistency_follows_its_tag(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    account.push(account.image_text("amd64", "1"), "v1")
    image = f"{account.host.registry_host}/{account.repository}:v1"
    loose = [{"name": "app", "image": image, "versionConsistency": "disabled"}]
    account.create(account.define(containerDefinitions=loose), desiredCount=1)
    second = account.push(account.image_text("amd64", "2"), "v1")[1]["docker-content-digest"]
    account.update(desiredCount=2)
    account.settle()
    digests = [task["containers"][0]["imageDigest"] for task in account.tasks()]
    assert (len(set(digests)), second in digests) == (2, True)


def test_c20_a_deleted_digest_breaks_scale_out(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    account.push(account.image_text("amd64"), "v1")
    account.create(account.define(f"{account.host.registry_host}/{account.repository}:v1"), desiredCount=1)
    account.ecr.batch_delete_image(repositoryName=account.repository, imageIds=[{"imageTag": "v1"}])
    account.update(desiredCount=2)
    account.host.wait(1)
    stopped = account.tasks("STOPPED")
    assert "not found" in stopped[0]["stoppedReason"]
    assert stopped[0]["stopCode"] == "TaskFailedToStart"


def test_a_forced_deployment_replaces_the_primary_and_drains_the_old_one(account: Account) -> None:
    account.create()
    before = account.primary()["id"]
    account.fault(kind="deployment_latency", seconds=2)
    updated = account.update(forceNewDeployment=True)
    assert [(item["status"], item["rolloutState"]) for item in updated["deployments"]] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    assert updated["deployments"][1]["id"] == before
    account.host.wait(1)
    assert account.primary()["rolloutState"] == "IN_PROGRESS"
    assert account.settle()["deployments"][0]["id"] == updated["deployments"][0]["id"]


def test_a_plain_setting_starts_no_deployment(account: Account) -> None:
    account.create()
    before = account.primary()["id"]
    account.update(healthCheckGracePeriodSeconds=30, deploymentConfiguration={"maximumPercent": 150})
    service = account.service()
    assert (account.primary()["id"], service["healthCheckGracePeriodSeconds"]) == (before, 30)
    assert service["deploymentConfiguration"]["maximumPercent"] == 150
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_c46_percentages_that_allow_nothing_say_so(account: Account) -> None:
    account.create(desiredCount=1)
    percent = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    account.update(deploymentConfiguration=percent, forceNewDeployment=True)
    account.host.wait(1)
    assert account.primary()["rolloutState"] == "IN_PROGRESS"
    messages = [event["message"] for event in account.service()["events"]]
    assert any("was unable to stop or start tasks during a deployment" in message for message in messages)


def test_a_deployment_can_be_stopped_with_a_rollback_and_only_once(account: Account) -> None:
    account.create()
    good = account.service()["taskDefinition"]
    account.fault(kind="deployment_latency", seconds=60)
    account.update(taskDefinition=account.define())
    account.host.http("DELETE", "/_sandbox/faults")
    listed = account.ecs.list_service_deployments(cluster=account.cluster, service=account.name, status=["IN_PROGRESS"])
    (running,) = listed["serviceDeployments"]
    arn = running["serviceDeploymentArn"]
    account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert account.settle()["taskDefinition"] == good
    code, _ = refused(account.ecs.stop_service_deployment, serviceDeploymentArn=arn)
    assert code == "ConflictException"
    missing = arn[:-5] + "00000"
    code, _ = refused(account.ecs.stop_service_deployment, serviceDeploymentArn=missing)
    assert code == "ServiceDeploymentNotFoundException"
    described = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn, missing])
    assert described["serviceDeployments"][0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert described["failures"] == [{"arn": missing, "reason": "MISSING"}]


def test_service_revisions_tell_what_each_deployment_brought(account: Account) -> None:
    account.create(capacityProviderStrategy=SPOT)
    (listed,) = account.ecs.list_service_deployments(cluster=account.cluster, service=account.name)[
        "serviceDeployments"
    ]
    arn = listed["targetServiceRevisionArn"]
    (revision,) = account.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
    assert revision["taskDefinition"] == account.service()["taskDefinition"]
    assert revision["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert revision["containerImages"][0]["imageDigest"].startswith("sha256:")
    assert account.primary()["id"].partition("/")[2] in arn


def test_one_off_tasks_run(account: Account) -> None:
    (task,) = account.ecs.run_task(
        cluster=account.cluster, taskDefinition=account.define(), capacityProviderStrategy=SPOT
    )["tasks"]
    account.host.wait(0.5)
    (running,) = account.ecs.describe_tasks(cluster=account.cluster, tasks=[task["taskArn"]])["tasks"]
    assert (running["lastStatus"], running["capacityProviderName"]) == ("RUNNING", "FARGATE_SPOT")
    account.ecs.stop_task(cluster=account.cluster, task=task["taskArn"], reason="enough")
    (stopped,) = account.ecs.describe_tasks(cluster=account.cluster, tasks=[task["taskArn"]])["tasks"]
    assert (stopped["lastStatus"], stopped["stoppedReason"]) == ("STOPPED", "enough")


def test_tasks_made_to_fail_trip_the_breaker_once(account: Account) -> None:
    account.create()
    account.fault(kind="tasks_fail_to_start", service=account.name, reason="ResourceInitializationError: no secrets")
    good = account.service()["taskDefinition"]
    account.update(taskDefinition=account.define())
    assert account.settle()["taskDefinition"] == good
    assert any("no secrets" in task["stoppedReason"] for task in account.tasks("STOPPED"))
    account.update(forceNewDeployment=True)
    newest = account.settle()
    statuses = [
        item["status"]
        for item in account.ecs.list_service_deployments(cluster=account.cluster, service=account.name)[
            "serviceDeployments"
        ]
    ]
    assert (newest["deployments"][0]["failedTasks"], statuses[:2]) == (0, ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL"])


def test_a_child_that_exits_shows_code_and_reason(account: Account) -> None:
    account.create()
    account.fault(kind="child_exits", service=account.name, exit_code=255, reason="exec format error")
    account.update(forceNewDeployment=True)
    account.settle()
    stopped = [task for task in account.tasks("STOPPED") if task["stopCode"] == "EssentialContainerExited"]
    assert stopped[0]["containers"][0]["exitCode"] == 255


def test_throttling_strikes_the_named_operation_n_times(account: Account) -> None:
    account.create()
    account.fault(kind="throttle", operation="DescribeServices", times=2)
    for _ in range(2):
        assert refused(account.service) == ("ThrottlingException", "Rate exceeded")
    assert account.service()["status"] == "ACTIVE"


def test_expired_credentials_are_refused_until_the_fault_is_forgotten(account: Account) -> None:
    account.create()
    account.fault(kind="expired")
    for _ in range(2):
        assert refused(account.service)[0] == "ExpiredTokenException"
    account.forget_faults()
    assert account.service()["status"] == "ACTIVE"


def test_c60_no_spot_capacity_leaves_the_service_short(account: Account) -> None:
    account.create(capacityProviderStrategy=FARGATE)
    account.fault(kind="capacity_unavailable", service=account.name, provider="FARGATE_SPOT")
    account.update(capacityProviderStrategy=SPOT, forceNewDeployment=True)
    account.host.wait(1)
    service = account.service()
    assert account.primary()["runningCount"] == 0
    assert service["runningCount"] == 4
    assert any("Capacity is unavailable at this time" in event["message"] for event in service["events"])


def test_a_spot_interruption_stops_a_task_and_it_is_replaced(account: Account) -> None:
    account.create(capacityProviderStrategy=SPOT)
    account.fault(kind="spot_interruption", service=account.name, count=1)
    account.host.wait(1)
    assert len(account.tasks()) == 4
    (stopped,) = account.tasks("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("SpotInterruption", "Your Spot Task was interrupted.")


def test_a_task_that_exits_says_how_and_is_replaced(account: Account) -> None:
    account.create()
    account.settle()
    account.fault(kind="task_exits", service=account.name, count=1, exit_code=137, reason="OutOfMemoryError")
    account.host.wait(1)
    assert len(account.tasks()) == 4
    (stopped,) = account.tasks("STOPPED")
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    assert account.settle()["runningCount"] == 4


def test_tasks_of_one_deployment_report_another_architecture(account: Account) -> None:
    account.create()
    account.settle()
    assert {task["attributes"][0]["value"] for task in account.tasks()} == {"x86_64"}
    account.fault(kind="other_architecture", service=account.name, deployment=account.primary()["id"])
    assert {task["attributes"][0]["value"] for task in account.tasks()} == {"arm64"}
    account.update(forceNewDeployment=True)
    account.settle()
    assert {task["attributes"][0]["value"] for task in account.tasks()} == {"x86_64"}


def test_targets_follow_the_running_tasks(account: Account) -> None:
    group = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/g/" + account.cluster
    balancer = {"targetGroupArn": group, "containerName": "app", "containerPort": 8080}
    account.create(loadBalancers=[balancer])
    elb = account.host.client("elbv2")
    health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    addresses = {task["attachments"][0]["details"][0]["value"] for task in account.tasks()}
    assert {item["Target"]["Id"] for item in health} == addresses
    assert {item["TargetHealth"]["State"] for item in health} == {"healthy"}
    account.fault(kind="target_unhealthy", service=account.name, count=1)
    health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert sorted(item["TargetHealth"]["State"] for item in health) == ["healthy"] * 3 + ["unhealthy"]


def test_an_unknown_fault_is_refused_with_the_known_ones(account: Account) -> None:
    status, _, body = account.host.http("POST", "/_sandbox/faults", b'{"kind": "gremlin"}')
    assert status == 400
    assert b"tasks_fail_to_start" in body
