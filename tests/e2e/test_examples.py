"""What the help shows is what works: every example that only looks, run on the sandbox as it stands there."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.cli.app import run
from migrate.errors import ExitCode
from tests.docs.source import help_examples
from tests.e2e.conftest import Operator
from tests.e2e.team_stack import make_team_stack
from tests.fakes.docker_states import DIGEST, docker_provider, exported, old_image
from tests.fakes.records import NOON, a_run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

LOOKING = frozenset(
    {
        *("plan", "diff", "check", "gate", "iam", "status", "history", "show", "metrics", "report", "runbook"),
        *("completion", "doctor"),
    }
)
"""Verbs that change nothing, whatever they are given."""
ANSWERS = {
    # A finding may block; what is shown may not be wrong.
    **dict.fromkeys(("plan", "check", "doctor"), (ExitCode.DONE, ExitCode.BLOCKED)),
    # What runs here is the original, and no stage's.
    "gate": (ExitCode.WORLD_CHANGED,),
}
EXAMPLES = sorted(
    item
    for item in help_examples()
    if item.split()[0] in LOOKING or item.startswith("finish --print") or item.endswith("--preview")
)
ELSEWHERE = {
    "check public.ecr.aws/nginx/nginx:1.29 docker.io/library/redis:8": "asks registries of the internet",
    "runbook incident --guided": "asks at a terminal",
}
RUN_ID = "7d1c0a54"


@pytest.fixture(scope="module")
def place(operator: Operator) -> Path:
    """Give a directory that looks like those of the examples: settings, a plan, the application, a past run."""
    operator.init()
    directory = operator.directory
    shutil.copytree(operator.seeded.context, directory / "app")
    service = operator.service()
    definition = operator.aws("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])
    (directory / "task-definition.json").write_text(json.dumps(definition, default=str))
    make_team_stack(operator, directory / "infra", "prod")
    (directory / "before.json").write_text(json.dumps(exported(docker_provider(), old_image("r.io/web:1", DIGEST))))
    past = replace(a_run(f"{RUN_ID}-0001", service=service["serviceArn"]), status="done", finished_at=NOON)
    with SqlRecordStore(f"sqlite:///{directory / '.migrate' / 'migrate.sqlite'}") as store:
        store.claim(past.service, past)
        store.release(past.service, past.id)
    return directory


@pytest.fixture
def _typed_there(operator: Operator, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (name for name in os.environ if name.startswith(("AWS_", "PULUMI_", "MIGRATE_", "DOCKER_"))):
        monkeypatch.delenv(name)
    for name, value in operator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place)


@pytest.mark.usefixtures("_typed_there")
@pytest.mark.parametrize("example", [item for item in EXAMPLES if item not in ELSEWHERE])
def test_an_example_that_looks_runs(example: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(place / Path(word).name) if word.startswith("/var/") else word for word in shlex.split(example)]
    code = run(words)
    out, err = capsys.readouterr()
    assert code in ANSWERS.get(words[0], (ExitCode.DONE,)), out + err
    assert "-o" in words or (out if code == ExitCode.DONE else out + err)
    if "json" in words:
        json.loads(out)


@pytest.mark.usefixtures("_typed_there")
def test_init_finds_the_only_service_by_itself(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == ExitCode.DONE
    assert f"Found {operator.seeded.cluster}/{operator.seeded.service}: 4 tasks" in capsys.readouterr().err
    assert f'name = "{operator.seeded.service}"' in (tmp_path / "migrate.toml").read_text()
