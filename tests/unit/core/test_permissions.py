"""The table of permissions against AWS's own reference, and the policies made from it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import policy_sentry
import pytest

from migrate.core.gate_checks import GateCheck, MetricSource, ProbeSource
from migrate.core.permission.answers import is_root, questions, simulated_principal
from migrate.core.permission.calls import BEYOND_A_SMOOTH_RUN, calls_of
from migrate.core.permission.needed import (
    CALLS,
    PUSHING,
    Condition,
    Permission,
    Target,
    Verb,
    permissions_of,
    permissions_to_act,
)
from migrate.core.permission.policy import LARGEST_POLICY, Scope, policy, settings_scope, size, without_use
from migrate.core.settings import (
    ArchitectureMode,
    GateSettings,
    ImageMode,
    ImageSettings,
    ServiceOwner,
    ServiceSettings,
    Settings,
)

ALL = tuple(sorted({permission for permissions in CALLS.values() for permission in permissions}))
KNOWN = Scope(
    region="eu-central-1",
    account="111122223333",
    cluster="shop",
    service="web",
    family="web",
    repository="arn:aws:ecr:eu-central-1:111122223333:repository/shop/web",
    images=("arn:aws:ecr:eu-central-1:111122223333:repository/shop/web",),
    roles=("arn:aws:iam::111122223333:role/task",),
    caller="arn:aws:iam::111122223333:role/deploy",
)
REFERENCE_TYPES = {
    Target.CLUSTER: "cluster",
    Target.SERVICE: "service",
    Target.TWIN: "service",
    Target.SERVICE_DEPLOYMENTS: "service-deployment",
    Target.TASKS: "task",
    Target.TASK_DEFINITION: "task-definition",
    Target.CAPACITY_PROVIDERS: "capacity-provider",
    Target.CONTAINER_INSTANCES: "container-instance",
    Target.IMAGES: "repository",
    Target.REPOSITORY: "repository",
    Target.TASK_ROLES: "role",
    Target.CALLER: "role",
    Target.CALLER_ROLE: "role",
    Target.TOPICS: "topic",
    Target.EVENT_BUSES: "event-bus",
}
ONLY_WHOLE = {"cloudwatch:DescribeAlarms": "alarm", "ecs:ListTasks": "container-instance"}
"""Actions that could be narrowed to a type and are not, because the answer would not be the one that is needed."""


@cache
def reference() -> dict[str, Any]:
    """Return the Service Authorization Reference as policy_sentry keeps it."""
    path = Path(policy_sentry.__file__).parent / "shared" / "data" / "iam-definition.json"
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def entry(action: str) -> dict[str, Any]:
    service, _, name = action.partition(":")
    found: dict[str, Any] = reference()[service]["privileges"][name]
    return found


@pytest.mark.parametrize("action", sorted({permission.action for permission in ALL}))
def test_every_action_stands_in_the_service_authorization_reference(action: str) -> None:
    assert entry(action)["privilege"] == action.partition(":")[2]


@pytest.mark.parametrize("permission", ALL, ids=lambda item: f"{item.action} {item.target}")
def test_every_permission_is_on_a_resource_that_its_action_takes(permission: Permission) -> None:
    types = {name: item["required"] for name, item in entry(permission.action)["resource_types"].items() if name}
    if permission.target is not Target.ANYTHING:
        assert REFERENCE_TYPES[permission.target] in types
    elif types:
        assert ONLY_WHOLE[permission.action] in types


@pytest.mark.parametrize("action", sorted({permission.action for permission in ALL}))
def test_every_resource_type_that_an_action_asks_for_is_granted(action: str) -> None:
    needed = {name for name, item in entry(action)["resource_types"].items() if name and item["required"]}
    granted = {REFERENCE_TYPES.get(item.target, "") for item in ALL if item.action == action}
    assert needed <= granted | {ONLY_WHOLE.get(action, "")}


@pytest.mark.parametrize("permission", [item for item in ALL if item.condition], ids=lambda item: item.action)
def test_every_condition_key_belongs_to_its_action(permission: Permission) -> None:
    keys = {key for item in entry(permission.action)["resource_types"].values() for key in item["condition_keys"]}
    expected = {
        Condition.IN_CLUSTER: "ecs:cluster",
        Condition.PASSED_TO_TASKS: "iam:PassedToService",
        Condition.WITH_A_NEW_REVISION: "ecs:CreateAction",
        Condition.WITH_THE_TWIN: "ecs:CreateAction",
    }
    assert expected[permission.condition] in keys


@pytest.mark.parametrize("permission", ALL, ids=lambda item: item.action)
def test_what_reads_is_what_the_reference_calls_read_or_list(permission: Permission) -> None:
    assert permission.reads == (entry(permission.action)["access_level"] in {"Read", "List"})


def test_nothing_but_the_twin_is_ever_deleted_and_no_verb_that_looks_changes_anything() -> None:
    strong = {item for item in ALL if re.search("Delete|Deregister|Create", item.action)}
    assert {(item.action, item.target) for item in strong} == {
        ("ecs:CreateService", Target.TWIN),
        ("ecs:DeleteService", Target.TWIN),
    }
    for verb in (Verb.INIT, Verb.PLAN, Verb.CHECK, Verb.STATUS):
        assert all(item.reads for item in permissions_of([verb]))
    assert {item.action for item in permissions_of([Verb.FINISH]) if not item.reads} == {
        "sns:Publish",
        "events:PutEvents",
    }


@pytest.mark.parametrize("verb", Verb)
def test_every_call_of_a_verb_has_its_permissions(verb: Verb) -> None:
    assert calls_of(verb) <= CALLS.keys()


def test_every_call_in_the_table_is_one_that_a_verb_makes() -> None:
    assert frozenset().union(*(calls_of(verb) for verb in Verb)) == CALLS.keys()
    assert CALLS.keys() >= BEYOND_A_SMOOTH_RUN.keys()


@pytest.mark.parametrize("stage", range(4))
def test_a_stage_may_take_its_own_way_back(stage: int) -> None:
    assert set(permissions_of([Verb.ROLLBACK], stage)) <= set(permissions_of([Verb.APPLY], stage))


@pytest.mark.parametrize("scope", [Scope(), KNOWN], ids=["nothing known", "all known"])
@pytest.mark.parametrize("verbs", [(verb,) for verb in Verb] + [tuple(Verb)], ids="+".join)
def test_a_policy_is_one_that_iam_takes(verbs: tuple[Verb, ...], scope: Scope) -> None:
    made = policy(permissions_of(verbs), scope)
    assert size(made) <= LARGEST_POLICY
    assert made["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in made["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    for statement in made["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert statement["Effect"] == "Allow"
        assert statement["Action"]
        assert all(item == "*" or re.fullmatch(r"arn:aws:(ecs|ecr|iam):\S*:\S*:\S+", item) for item in resources)
        assert "*" not in resources or len(resources) == 1


def test_a_policy_with_the_longest_names_still_fits() -> None:
    long = "a" * 255
    role = f"arn:aws:iam::111122223333:role/{'b' * 64}"
    repository = f"arn:aws:ecr:ap-southeast-1:111122223333:repository/{'c' * 200}"
    scope = Scope(
        "ap-southeast-1", "1" * 12, long[:100], long[:100], "", long[:100], repository, (repository,), (role,)
    )
    assert size(policy(permissions_of(Verb), scope)) <= LARGEST_POLICY


def test_a_role_is_passed_to_tasks_only_and_no_other_than_the_tasks_own() -> None:
    (statement,) = (
        item for item in policy(permissions_of([Verb.APPLY]), KNOWN)["Statement"] if item["Action"] == ["iam:PassRole"]
    )
    assert statement["Resource"] == "arn:aws:iam::111122223333:role/task"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_a_twin_may_be_made_and_deleted_only_where_the_settings_have_one() -> None:
    made = settings_scope(
        Settings(ServiceSettings("shop", "web"), ImageSettings("web"), architecture=ArchitectureMode.CANARY),
        "eu-west-1",
    )
    statements = policy(permissions_of([Verb.APPLY], 2), made)["Statement"]
    (strong,) = (item for item in statements if "ecs:DeleteService" in item["Action"])
    assert strong["Action"] == ["ecs:CreateService", "ecs:DeleteService"]
    assert strong["Resource"] == "arn:aws:ecs:eu-west-1:*:service/shop/web-migrate-arm64"
    updates = next(item for item in statements if "ecs:UpdateService" in item["Action"])
    assert updates["Resource"] == [strong["Resource"].removesuffix("-migrate-arm64"), strong["Resource"]]
    rolling = json.dumps(policy(permissions_of(Verb), KNOWN))
    assert not re.search("Delete|Create(?!Action)", rolling)


def test_a_task_without_roles_passes_none() -> None:
    made = policy(permissions_of(Verb), Scope(roles=()))
    assert not any("iam:PassRole" in item["Action"] for item in made["Statement"])


def test_a_stage_narrows_what_may_be_changed() -> None:
    actions = {stage: {item.action for item in permissions_of([Verb.APPLY], stage)} for stage in range(4)}
    assert "ecs:PutClusterCapacityProviders" in actions[0]
    assert actions[1] >= PUSHING
    assert "ecs:RegisterTaskDefinition" not in actions[1]
    assert {"ecs:RegisterTaskDefinition", "iam:PassRole", "ecs:TagResource"} <= actions[2]
    assert not actions[2] & PUSHING


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws"), ("*", "aws")],
)
def test_the_partition_follows_the_region(region: str, partition: str) -> None:
    assert Scope(region=region).cluster_arn.startswith(f"arn:{partition}:ecs:")


def test_settings_by_name_and_by_arn_narrow_a_policy_alike() -> None:
    def scope(cluster: str, service: str) -> Scope:
        return settings_scope(Settings(ServiceSettings(cluster, service), ImageSettings("web")), None)

    named = scope("shop", "web")
    assert named.resources(Target.SERVICE) == ("arn:aws:ecs:*:*:service/shop/web",)
    arn = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web"
    by_arn = scope("arn:aws:ecs:eu-west-1:111122223333:cluster/shop", arn)
    assert by_arn.resources(Target.SERVICE) == (arn,)
    assert by_arn.resources(Target.CLUSTER) == ("arn:aws:ecs:eu-west-1:111122223333:cluster/shop",)
    short = scope("shop", "arn:aws:ecs:eu-west-1:111122223333:service/web")
    assert short.resources(Target.SERVICE) == ("arn:aws:ecs:eu-west-1:111122223333:service/web",)


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        ("arn:aws:sts::111122223333:assumed-role/deploy/ada", "arn:aws:iam::111122223333:role/deploy"),
        ("arn:aws-cn:sts::111122223333:assumed-role/deploy/ada@x", "arn:aws-cn:iam::111122223333:role/deploy"),
        ("arn:aws:iam::111122223333:user/people/ada", "arn:aws:iam::111122223333:user/people/ada"),
        ("arn:aws:sts::111122223333:federated-user/ada", None),
        ("arn:aws:iam::111122223333:root", None),
        ("", None),
    ],
)
def test_who_is_simulated_for_a_caller(caller: str, principal: str | None) -> None:
    assert simulated_principal(caller) == principal
    assert is_root(caller) == caller.endswith(":root")


def test_each_permission_is_asked_for_once_and_under_its_first_stage() -> None:
    asked = questions((3, 1, 2), KNOWN)
    pairs = [(item.action, item.resource) for item in asked]
    assert len(set(pairs)) == len(pairs)
    first = {item.action: item.stage for item in asked}
    assert (first["ecr:PutImage"], first["ecs:UpdateService"], first["iam:PassRole"]) == (1, 1, 2)
    assert not {item.action for item in asked} & {"ecs:DescribeServices", "iam:SimulatePrincipalPolicy"}
    assert dict(next(item.context for item in asked if item.action == "iam:PassRole")) == {
        "iam:PassedToService": "ecs-tasks.amazonaws.com"
    }
    assert "ecs:UpdateService" not in {item.action for item in questions((0,), KNOWN, not_needed=["ecs:UpdateService"])}


def test_looking_needs_nothing_beyond_what_a_look_has_used() -> None:
    used = {permission for call in calls_of(Verb.STATUS) for permission in CALLS[call]}
    assert all(not set(permissions_to_act(stage)) & used for stage in range(4))


def test_metrics_need_a_permission_only_where_a_gate_watches_one_or_a_twin_is_compared() -> None:
    def useless(*checks: GateCheck, mode: ArchitectureMode = ArchitectureMode.ROLLING) -> frozenset[str]:
        service, gate = ServiceSettings("shop", "web"), GateSettings(checks=checks)
        return without_use(Settings(service, ImageSettings("web"), mode, gate=gate))

    probe = GateCheck("page", ProbeSource("http://localhost", status=(200,)))
    metric = GateCheck("errors", MetricSource("AWS/ECS", "Errors", "Sum"))
    assert "cloudwatch:GetMetricData" in useless(probe)
    assert "cloudwatch:GetMetricData" not in useless(probe, metric)
    assert "cloudwatch:GetMetricData" not in useless(probe, mode=ArchitectureMode.CANARY)
    needed = {permission.action for permission in permissions_of([Verb.APPLY], 2)}
    assert "cloudwatch:GetMetricData" in needed


def test_whoever_leaves_a_service_to_its_owner_needs_no_permission_to_deploy_it() -> None:
    service = ServiceSettings("shop", "web", owner=ServiceOwner.EXTERNAL)
    useless = without_use(Settings(service, ImageSettings("web", mode=ImageMode.EXTERNAL)))
    left = {item.action for item in permissions_of([Verb.APPLY, Verb.ROLLBACK]) if not item.reads} - useless
    assert left == {"ecr:PutImage", "ecs:StopServiceDeployment", "sns:Publish", "events:PutEvents"}
