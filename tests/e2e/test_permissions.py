"""The table of permissions against the calls of a whole migration, and a policy from it against the sandbox's IAM."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from migrate.adapters.aws.calls import is_read
from migrate.core.permission.calls import BEYOND_A_SMOOTH_RUN, calls_of
from migrate.core.permission.needed import Verb
from migrate.errors import ExitCode
from tests.e2e.conftest import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BOTO3_NAMES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""The names that requests are signed for, where boto3 calls the service otherwise."""

NOT_HERE = {
    ("plan", "ecr:GetAuthorizationToken"): "this registry lets everybody read",
    ("check", "ecr:GetAuthorizationToken"): "this registry lets everybody read",
    ("status", "ecr:GetAuthorizationToken"): "this registry lets everybody read",
    ("finish", "ecr:GetAuthorizationToken"): "this registry lets everybody read",
    ("gate", "ecr:GetAuthorizationToken"): "this registry lets everybody read",
    ("plan", "ecr:BatchGetImage"): "no index is in the repository yet",
    ("check", "ecr:BatchGetImage"): "no index is in the repository yet",
    ("rollback", "ecs:RegisterTaskDefinition"): "the original revision is still ACTIVE",
    ("stack", "ecs:DescribeClusters"): "a preview reads nothing anew",
}
"""Calls of a verb that this migration gives no reason for, and why."""
NOW_AND_THEN = {("apply", "ecs:ListServiceDeployments"), ("gate", "ecs:ListServiceDeployments")}
"""What a gate asks only where its first look comes before the deployment is complete."""

ROLE = "deploy"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def counted(operator: Operator, method: str = "GET") -> Counter[str]:
    """Return the calls that the sandbox was asked since they were last forgotten (``DELETE``), and how often."""
    found: Counter[str] = Counter()
    for item in operator.asked_sandbox("calls", method):
        service, _, operation = item["call"].partition(":")
        found[f"{BOTO3_NAMES.get(service, service)}:{operation}"] += item["count"]
    return found


def asked(operator: Operator, method: str = "GET") -> set[str]:
    """Return which calls the sandbox was asked."""
    return set(counted(operator, method))


def written(operator: Operator) -> Counter[str]:
    """Return the calls that change something; of a push, the manifests: how many layers it has is the image's."""
    calls = counted(operator)
    return Counter({name: calls[name] for name in calls if name == "registry:PutManifest" or _is_write(name)})


def _is_write(name: str) -> bool:
    return name.startswith(("ecs:", "ecr:")) and not is_read(name.partition(":")[2])


def recorded(operator: Operator, *arguments: str) -> set[str]:
    """Return the calls of one command that ends well."""
    asked(operator, "DELETE")
    operator.done(*arguments)
    return asked(operator)


def test_a_whole_migration_makes_the_calls_of_the_table_and_no_other(operator: Operator) -> None:
    made: dict[Verb, set[str]] = {verb: set() for verb in Verb}
    asked(operator, "DELETE")
    operator.init()
    made[Verb.INIT] = asked(operator)
    _hold(Verb.INIT, made[Verb.INIT])
    for verb in (Verb.PLAN, Verb.CHECK, Verb.STATUS):
        made[verb] = recorded(operator, verb.value)
        _hold(verb, made[verb])
    plan = _a_plan_fails_on_what_it_is_told_to(operator)
    for stage in range(4):
        found = recorded(operator, "apply", "--stage", str(stage), "--yes")
        promised = Counter(item["call"] for item in plan["stages"][stage]["requests"])
        assert written(operator) == promised, f"stage {stage}"
        _hold(Verb.APPLY, found, stage)
        made[Verb.APPLY] |= found
    made[Verb.GATE] = recorded(operator, "gate", "--stage", "3")
    _hold(Verb.GATE, made[Verb.GATE])
    made[Verb.STACK] = recorded(operator, "stack", "service", "--", "preview")
    made[Verb.STACK] |= recorded(operator, "stack", "image", "--", "preview")
    _hold(Verb.STACK, made[Verb.STACK])
    made[Verb.FINISH] = recorded(operator, "finish", "--print", "terraform")
    _hold(Verb.FINISH, made[Verb.FINISH])
    _a_role_with_the_policy_lacks_nothing_and_one_without_is_told(operator)
    for stage, target in ((3, "2"), (2, "1"), (1, "0"), (0, "original")):
        to = ("--to", "original") if target == "original" else ("--to-stage", target)
        found = recorded(operator, "rollback", *to, "--yes")
        _hold(Verb.ROLLBACK, found, stage)
        made[Verb.ROLLBACK] |= found
    _nothing_is_declared_that_nobody_asks_for(made)


def _a_plan_fails_on_what_it_is_told_to(operator: Operator) -> Any:
    plan = operator.done("plan", "--fail-on", "never", "--output", "json").json
    assert plan["counts"]["block"] == 0
    warned = operator.run("plan", "--fail-on", "warn")
    assert warned.code == (ExitCode.BLOCKED if plan["counts"]["warn"] else ExitCode.DONE)
    return plan


def _hold(verb: Verb, found: set[str], stage: int | None = None) -> None:
    assert sorted(found - calls_of(verb, stage)) == [], f"{verb} {stage}"


def _nothing_is_declared_that_nobody_asks_for(made: dict[Verb, set[str]]) -> None:
    # Left over may be what only trouble, or a service of another kind, brings about.
    left = {
        (verb.value, call)
        for verb, calls in made.items()
        for call in calls_of(verb) - calls - BEYOND_A_SMOOTH_RUN.keys()
    }
    assert left - NOW_AND_THEN == NOT_HERE.keys()


def _a_role_with_the_policy_lacks_nothing_and_one_without_is_told(operator: Operator) -> None:
    policy = json.loads(operator.done("iam", "--look").stdout)
    assert not [item for item in policy["Statement"] if item["Resource"] == "*" and item["Sid"].startswith("Change")]
    for item in policy["Statement"]:
        # MiniStack's simulator, unlike AWS's, takes no condition keys from who asks.
        item.pop("Condition", None)
    # Without its record the service is looked at as if all stages were still to come.
    directory = operator.directory / "fresh"
    directory.mkdir(exist_ok=True)
    settings = (operator.directory / "migrate.toml").read_text(encoding="utf-8")
    (directory / "migrate.toml").write_text(settings, encoding="utf-8")
    credentials = _role(operator, policy)
    config = str(directory / "migrate.toml")
    good = operator.run("check", "--config", config, "--output", "json", **credentials)
    assert not [item for item in json.loads(good.stdout)["findings"] if item["code"].startswith("permissions.")]
    narrowed = re.sub(r'"ecs:RegisterTaskDefinition"', '"ecs:ListTaskDefinitions"', json.dumps(policy))
    _put(operator, json.loads(narrowed))
    bad = operator.run("check", "--config", config, "--output", "json", **credentials)
    (missing,) = (item for item in json.loads(bad.stdout)["findings"] if item["code"].startswith("permissions."))
    assert (missing["code"], missing["grade"], missing["stage"]) == ("permissions.missing", "block", 2)
    assert "ecs:RegisterTaskDefinition" in missing["text"]
    assert bad.code == ExitCode.BLOCKED


def _role(operator: Operator, policy: Any) -> dict[str, str]:
    iam = operator.aws("iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    _put(operator, policy)
    session = operator.aws("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def _put(operator: Operator, policy: Any) -> None:
    operator.aws("iam").put_role_policy(RoleName=ROLE, PolicyName="migrate", PolicyDocument=json.dumps(policy))
