"""Whatever is wrong around the tool: one message with what, why and what then; the right exit code; nothing changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.core.record import UNTOUCHED
from tests.e2e.conftest import Ended, Operator
from tests.fakes.web_endpoint import web_endpoint

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

APPLY = ("apply", "--stage", "0", "--yes")
WITHOUT = ""
_KEY = "whsec_b2YgdGhlIHRlc3RzIGFsb25l"


@pytest.fixture(scope="module", autouse=True)
def settings(operator: Operator) -> str:
    """Write settings that are right, with a plan of them; return their text."""
    operator.init()
    operator.done("plan")
    return (operator.directory / "migrate.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def untouched(operator: Operator) -> Iterator[None]:
    """Hold every test to leaving service, tag and record as they were."""
    before = _world(operator)
    yield
    assert _world(operator) == before


def _world(operator: Operator) -> tuple[object, ...]:
    service = operator.service()
    with SqlRecordStore(f"sqlite:///{operator.directory / '.migrate' / 'migrate.sqlite'}") as store:
        record = store.record(service["serviceArn"])
    service.pop("events")
    stood = (record.position, record.adopted, record.shelved) if record else (UNTOUCHED, False, False)
    families = operator.aws("ecs").list_task_definitions()["taskDefinitionArns"]
    images = operator.aws("ecr").describe_images(repositoryName="demo/app")["imageDetails"]
    return service, operator.tag(), stood, families, sorted(image["imageDigest"] for image in images)


def _refused(operator: Operator, code: int, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run a command for programs; what it says is JSON on both streams, and whole."""
    ended = operator.run(*arguments, "--output", "json", **variables)
    assert ended.code == code, ended.said
    error: dict[str, Any] = ended.json
    assert error["what"]
    assert error["then"]
    assert error["exit_code"] == code
    for line in ended.stderr.splitlines():
        json.loads(line)
    return error


def _says(told: Ended, error: dict[str, str]) -> None:
    """Hold what people are told to the same message, once."""
    shown = "".join(told.stderr.split())
    assert told.code == int(error["exit_code"])
    assert told.stdout == ""
    for part in (error["what"], error["why"], error["then"], error["runbook"]):
        assert not part or shown.count("".join(part.split())) == 1, told.stderr


@pytest.mark.parametrize(
    ("line", "instead", "code", "told"),
    [
        ('name = "app"', 'name = "ap"', 3, ("ap does not exist", "The cluster holds app.")),
        ('cluster = "demo"', 'cluster = "dmo"', 3, ("The cluster dmo does not exist", "demo")),
        ('container = "app"', 'container = "web"', 3, ("no container named web", "app")),
        ('region = "us-east-1"', 'region = "eu-west-1"', 3, ("eu-west-1", "does not exist")),
        ('interval = "1s"', 'intervall = "1s"', 2, ("gate.intervall", "did you mean interval?")),
    ],
    ids=["service", "cluster", "container", "region", "key"],
)
def test_settings_that_are_wrong(
    operator: Operator, settings: str, line: str, instead: str, code: int, told: tuple[str, ...]
) -> None:
    wrong = operator.directory / "wrong.toml"
    assert settings.count(f"\n{line}\n") == 1
    wrong.write_text(settings.replace(f"\n{line}\n", f"\n{instead}\n"), encoding="utf-8")

    error = _refused(operator, code, *APPLY, "--config", str(wrong))

    for part in told:
        assert part in f"{error['what']} {error['why']} {error['then']}"


def test_people_and_programs_are_told_the_same(operator: Operator) -> None:
    arguments = (*APPLY, "--config", "elsewhere.toml")
    error = _refused(operator, 2, *arguments)
    assert "elsewhere.toml" in error["what"]
    assert "migrate init" in error["then"]
    _says(operator.run(*arguments), error)


@pytest.mark.parametrize(
    ("variables", "code", "told"),
    [
        ({"AWS_ACCESS_KEY_ID": WITHOUT, "AWS_SECRET_ACCESS_KEY": WITHOUT}, 3, "No usable AWS credentials"),
        # Of credentials, the sandbox only knows whose account they are.
        ({"AWS_ACCESS_KEY_ID": "111122223333"}, 3, "The cluster demo does not exist"),
        ({"AWS_ENDPOINT_URL": "https://localhost:1"}, 3, "cannot be reached"),
        ({"MIGRATE_DATABASE_URL": "sqlite:////proc/none/state.sqlite"}, 3, "cannot be read or written"),
    ],
    ids=["no credentials", "another account", "endpoint", "state"],
)
def test_an_environment_that_is_wrong(operator: Operator, variables: dict[str, str], code: int, told: str) -> None:
    error = _refused(operator, code, *APPLY, **variables)
    assert told in error["what"]


def test_no_pulumi_on_path(operator: Operator) -> None:
    tools = set(operator.sandbox.state.path_directories)
    path = [folder for folder in operator.environment["PATH"].split(os.pathsep) if folder not in tools]
    path = [folder for folder in path if not (Path(folder) / "pulumi").exists()]
    error = _refused(operator, 3, *APPLY, PATH=os.pathsep.join(path))
    assert error["runbook"] == "errors#engine"
    assert "Install Pulumi" in error["then"]


def test_no_plugins_where_pulumi_looks(operator: Operator, tmp_path: Path) -> None:
    error = _refused(operator, 3, *APPLY, PULUMI_HOME=str(tmp_path))
    assert "Pulumi has no plugin for aws" in error["what"]
    assert "pulumi plugin install resource aws" in error["then"]


def test_a_command_line_that_is_wrong(operator: Operator) -> None:
    error = _refused(operator, 2, "apply", "--yes")
    assert "--stage" in error["what"]
    assert "migrate apply --help" in error["then"]


def test_a_stage_before_its_turn(operator: Operator) -> None:
    error = _refused(operator, 3, "apply", "--stage", "2", "--yes")
    assert "migrate apply --stage 0" in error["then"]


def test_whoever_is_named_is_told_of_a_refusal(operator: Operator, settings: str) -> None:
    path = operator.directory / "told.toml"
    with web_endpoint() as endpoint:
        hook = f'[[notifications.webhook]]\nurl = "{endpoint.url}/hook"\nsecret = "HOOK_KEY"\n'
        path.write_text(f"{settings}\n{hook}", encoding="utf-8")
        _refused(operator, 3, "apply", "--stage", "2", "--yes", "--config", str(path), HOOK_KEY=_KEY)
    (asked,) = endpoint.asked
    told = Webhook(_KEY).verify(asked.body, asked.headers)
    assert (told["event"], told["exit_code"], told["name"]) == ("refused", 3, operator.seeded.service)


def test_nobody_there_to_say_yes(operator: Operator) -> None:
    ended = operator.run("apply", "--stage", "0", "--output", "json")
    assert ended.code == 6
    assert "--yes" in ended.json["then"]
