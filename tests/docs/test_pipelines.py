"""The pipelines of the runbook: what their own schemas say, what our command line says, and nothing that leaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from tests.docs.command_line import mistake_in
from tests.docs.markdown import code_blocks
from tests.docs.pipelines import PATH, github, gitlab, texts, words_of

GITHUB, GITLAB = github(), gitlab()
JOBS = {name: job for name, job in GITLAB.items() if isinstance(job, dict) and "script" in job}
_PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d[\d.]*$")


def _schema(name: str) -> dict[str, Any]:
    text = files("check_jsonschema").joinpath("builtin_schemas", "vendor", f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _scripts() -> Iterator[tuple[str, str]]:
    for name, job in GITHUB["jobs"].items():
        for step in job["steps"]:
            yield from ((f"github {name}", line) for line in step.get("run", "").splitlines())
    for name, job in JOBS.items():
        yield from ((f"gitlab {name}", line) for line in job["script"])


SCRIPTS = list(_scripts())


@pytest.mark.parametrize(
    ("pipeline", "name"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")], ids=["github", "gitlab"]
)
def test_a_pipeline_is_what_its_schema_says(pipeline: Any, name: str) -> None:
    schema = _schema(name)
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(pipeline)] == []
    assert not validator.is_valid({**pipeline, "jobs": {"x": {"run-on": 1}}, "x": {"scripts": 1}})


@pytest.mark.parametrize("stage", ["0", "1", "2", "3"])
def test_every_command_of_ours_parses_for_every_stage_that_can_be_chosen(stage: str) -> None:
    assert GITHUB["on"]["workflow_dispatch"]["inputs"]["stage"]["options"] == ["0", "1", "2", "3"]
    assert GITLAB["variables"]["WANTED_STAGE"]["options"] == ["0", "1", "2", "3"]
    ours = [line for _, line in SCRIPTS if line.startswith("migrate ")]
    assert len(ours) == 10
    assert [(line, told) for line in ours if (told := mistake_in(words_of(line, stage)))] == []


def test_both_plan_apply_the_approved_plan_and_judge() -> None:
    for host in ("github", "gitlab"):
        lines = {job.split()[1]: line for job, line in SCRIPTS if job.startswith(host) and line.startswith("migrate ")}
        assert "--output markdown" in lines["comment"]
        assert "--plan plan.json --yes" in lines["apply"]
        assert "--junit gate.xml" in lines["gate"]
    assert (GITHUB["jobs"]["apply"]["needs"], GITHUB["jobs"]["gate"]["needs"]) == ("plan", "apply")
    assert (JOBS["apply"]["needs"], JOBS["gate"]["needs"]) == (["plan"], ["apply"])
    given = [step["with"] for step in GITHUB["jobs"]["plan"]["steps"] if "upload-artifact" in step.get("uses", "")]
    taken = [step["with"] for step in GITHUB["jobs"]["apply"]["steps"] if "download-artifact" in step.get("uses", "")]
    assert given == [{"name": "plan", "path": "plan.json"}]
    assert taken == [{"name": "plan"}]
    assert "plan.json" in JOBS["plan"]["artifacts"]["paths"]


def test_only_an_approved_run_on_the_default_branch_applies_and_nothing_cuts_it_off() -> None:
    jobs = GITHUB["jobs"]
    assert {name for name, job in jobs.items() if job["environment"] == "production"} == {"apply"}
    assert jobs["apply"]["concurrency"] == {"group": "migrate-apply", "cancel-in-progress": False}
    assert "default_branch" in jobs["plan"]["if"]
    acting = [name for name, job in jobs.items() if "APPLY_ROLE_ARN" in json.dumps(job)]
    assert acting == ["apply"]
    apply = JOBS["apply"]
    assert (apply["environment"]["name"], apply["interruptible"]) == ("production", False)
    assert apply["resource_group"]
    assert (apply["rules"][0]["when"], apply["rules"][0]["allow_failure"]) == ("manual", False)
    assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in apply["rules"][0]["if"]
    assert [name for name, job in JOBS.items() if "APPLY_ROLE_ARN" in json.dumps(job)] == ["apply"]


def test_a_job_of_github_may_do_no_more_than_it_does() -> None:
    assert set(GITHUB["on"]) == {"pull_request", "workflow_dispatch"}
    assert GITHUB["permissions"] == {}
    allowed = {"contents": "read", "id-token": "write"}
    commenting = {**allowed, "pull-requests": "write"}
    for name, job in GITHUB["jobs"].items():
        assert job["permissions"] == (commenting if name == "comment" else allowed)
        assert job["timeout-minutes"] < 360
        checkouts = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
        assert [step["with"]["persist-credentials"] for step in checkouts] == [False]
    assert "head.repo.full_name == github.repository" in GITHUB["jobs"]["comment"]["if"]


def test_every_action_is_pinned_and_no_foreign_text_gets_into_a_shell() -> None:
    used = [line.strip().removeprefix("- ") for line in texts()[0].splitlines() if "uses:" in line]
    assert len(used) >= 15
    assert [line for line in used if not _PINNED.match(line)] == []
    assert [line for _, line in SCRIPTS if "${{" in line] == []


@pytest.mark.parametrize("text", texts(), ids=["github", "gitlab"])
def test_no_key_of_aws_is_named_and_the_token_of_the_job_is(text: str) -> None:
    assert not re.search(r"access.key|AKIA|session.token", text, re.IGNORECASE)
    assert "id-token: write" in text or "id_tokens:" in text


def test_the_token_of_gitlab_is_written_where_aws_looks_for_it_and_nobody_else_reads() -> None:
    base = GITLAB[".migrate"]
    (name,) = base["id_tokens"]
    assert base["before_script"] == ["umask 077", f'printf %s "${name}" > "$AWS_WEB_IDENTITY_TOKEN_FILE"']
    assert {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_DEFAULT_REGION"} <= set(base["variables"])
    assert {job["extends"] for job in JOBS.values()} == {".migrate"}


@pytest.mark.parametrize("block", range(2))
def test_a_role_trusts_one_environment_or_branch_of_one_repository(block: int) -> None:
    (statement,) = json.loads(code_blocks(PATH, "json")[block])["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    conditions = statement["Condition"]["StringEquals"]
    subject = next(value for name, value in conditions.items() if name.endswith(":sub"))
    assert any(name.endswith(":aud") for name in conditions)
    assert subject.endswith((":environment:production", ":ref:main"))
    assert "*" not in subject
