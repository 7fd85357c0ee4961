"""`migrate iam` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from migrate.cli.app import run
from migrate.cli.iam import command
from migrate.core.permission.needed import Verb
from migrate.errors import ExitCode

SETTINGS = """\
[service]
cluster = "shop"
name = "web"
region = "eu-west-1"

[image]
container = "web"
context = "app"
"""
ARN = "arn:aws:ecs:eu-west-1:*"


class Shell:
    def __init__(self, place: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.place = place
        self.captured = captured

    def settings(self, text: str = SETTINGS) -> None:
        (self.place / "migrate.toml").write_text(text)

    def policy(self, *arguments: str) -> tuple[dict[str, Any], str]:
        code = run(["iam", *arguments])
        out, err = self.captured.readouterr()
        assert code == ExitCode.DONE
        return json.loads(out), err

    def actions(self, *arguments: str) -> set[str]:
        return {action for item in self.policy(*arguments)[0]["Statement"] for action in item["Action"]}


@pytest.fixture
def shell(bare_environment: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(bare_environment, capsys)


def test_a_policy_needs_no_credentials_and_no_settings(shell: Shell) -> None:
    policy, notes = shell.policy()
    assert policy["Version"] == "2012-10-17"
    assert "no migrate.toml" in notes
    assert "--look" in notes


def test_settings_narrow_it_to_cluster_and_service(shell: Shell) -> None:
    shell.settings()
    policy, notes = shell.policy("--verb", "apply")
    resources = {item["Sid"]: item["Resource"] for item in policy["Statement"]}
    assert resources["ChangeService"] == f"{ARN}:service/shop/web"
    assert resources["ChangeCluster"] == f"{ARN}:cluster/shop"
    assert "no migrate.toml" not in notes


def test_each_verb_has_its_own_and_several_can_be_joined(shell: Shell) -> None:
    shell.settings()
    plan, status, both = (
        shell.actions(*arguments)
        for arguments in (("--verb", "plan"), ("--verb", "status"), ("--verb", "plan", "--verb", "status"))
    )
    assert status < plan == both
    assert "ecs:UpdateService" not in both
    assert shell.actions() > shell.actions("--verb", "rollback") > status - {"iam:SimulatePrincipalPolicy"}


def test_a_stage_narrows_apply(shell: Shell) -> None:
    shell.settings()
    assert "ecr:InitiateLayerUpload" in shell.actions("--verb", "apply", "--stage", "1")
    assert "ecr:InitiateLayerUpload" not in shell.actions("--verb", "apply", "--stage", "2")


def test_what_the_settings_have_no_use_for_is_left_out(shell: Shell) -> None:
    shell.settings(SETTINGS.replace('context = "app"', 'mode = "external"'))
    actions = shell.actions()
    assert "ecr:InitiateLayerUpload" not in actions
    assert "ec2:DescribeInstanceTypes" not in actions


def test_machines_of_ec2_are_looked_at_where_tasks_may_run_on_them(shell: Shell) -> None:
    shell.settings(f'{SETTINGS}\n[capacity]\nstrategy = [{{ provider = "graviton", weight = 1 }}]\n')
    assert "ec2:DescribeInstanceTypes" in shell.actions("--verb", "plan")


def test_programs_get_the_policy_and_nothing_else(shell: Shell) -> None:
    assert shell.policy("--output", "json")[1] == ""


def test_a_look_needs_credentials_and_says_so(shell: Shell) -> None:
    shell.settings()
    assert run(["iam", "--look"]) == ExitCode.BLOCKED
    assert "Runbook: errors#credentials" in shell.captured.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--verb", "conquer"), "'conquer' is not one of"),
        (("--stage", "4"), "4 is not in the range"),
        (("--config", "gone.toml"), "gone.toml"),
        (("plan",), "unexpected extra argument"),
    ],
)
def test_nonsense_is_a_usage_error(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    assert run(["iam", *arguments]) == ExitCode.USAGE
    out, err = shell.captured.readouterr()
    assert out == ""
    assert told in err


def test_a_policy_can_be_asked_for_every_verb_that_asks_aws() -> None:
    (option,) = [item for item in command.params if item.name == "verbs"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(Verb)
