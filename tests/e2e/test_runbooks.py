"""Every command of every runbook on one service, in the order of a migration, and a stage walked in a terminal."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
import pytest
from junitparser import JUnitXml

from tests.docs.pipelines import gitlab, words_of
from tests.e2e.conftest import Operator
from tests.e2e.runbook_scene import RunbookScene, mistake_in, surroundings
from tests.fakes.web_endpoint import web_endpoint

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SECONDS = 120
_WRITES = re.compile(
    r"aws ecr (put|batch-delete)-|aws ecs (put|update|stop)-|=\$\(|"
    r"migrate (apply|rollback|finish$|worker|fleet)"
)
_FLEET = """
[fleet]
name = "runbooks"
[defaults.image]
container = "app"
context = "{context}"
builder = "{builder}"
[defaults.gate]
interval = "1s"
soak = "2s"
deadline = "2m"
[[services]]
names = ["demo/app"]
"""


@pytest.fixture(scope="module")
def scene(operator: Operator) -> Iterator[RunbookScene]:
    with pytest.MonkeyPatch.context() as patch, web_endpoint() as endpoint:
        # The AWS CLI runs in this process, and so does what fills the commands.
        for name, value in operator.sandbox.settings().items():
            patch.setenv(name, value)
        operator.init()
        with surroundings(operator, endpoint.url) as values:
            yield RunbookScene(operator, values)


def test_every_command_of_every_runbook_runs(scene: RunbookScene) -> None:
    operator = scene.operator
    scene.run("migrate apply --stage 0", "--yes")
    scene.run("migrate apply --stage 1", "--yes")
    _walked_through_stage_2(operator)
    scene.did("stage-2#apply-stage-2")
    for command in [item for item in scene.of("migrate") if "--stage 2" in item and "fleet" not in item]:
        # A service without an owner beside us has no deployment of his to stop.
        codes = [2] if "--stop-on-failure" in command else [0]
        scene.run(command, *(["--yes"] if "apply" in command else []), codes=codes)
    _applied_as_a_pipeline_does(operator, "3")
    scene.left.pop("migrate apply --stage 3")
    scene.run("migrate adopt --directory $PROGRAM --stack $STACK", "--yes")
    assert scene.failures([command for command in scene.left if not _writes(command)]) == []
    _gone_back(scene)
    _worked_as_a_worker(scene)
    _mended_by_hand(scene)
    assert list(scene.left) == []


def test_a_command_that_is_not_run_is_held_to_its_grammar() -> None:
    assert mistake_in(["docker", "buildx", "imagetools", "inspect", "--raw", "app:1"]) == ""
    assert mistake_in(["docker", "buildx", "imagetools", "inspect", "--row", "app:1"]) == "--row"
    assert mistake_in(["docker", "buildz", "ls"])


def _writes(command: str) -> bool:
    return _WRITES.search(command) is not None


def _walked_through_stage_2(operator: Operator) -> None:
    with _terminal(operator, "runbook", "stage-2", "--guided") as terminal:
        _said_yes_to(terminal, "Step 1 of 4")
        terminal.expect("As expected")
        terminal.expect("Run it")
        assert _interrupted(terminal) == 130
    with _terminal(operator, "runbook", "stage-2", "--guided") as terminal:
        terminal.expect("Go on from step 2 of 4")
        terminal.sendline("y")
        _said_yes_to(terminal, "Step 2 of 4")
        _said_yes_to(terminal, "Step 3 of 4")
        terminal.expect("Apply stage 2 to")
        terminal.sendline("y")
        _said_yes_to(terminal, "Step 4 of 4")
        terminal.expect("As expected")
        assert _ended(terminal) == 0
    assert operator.architectures() == ["arm64"] * 4
    assert not (operator.directory / ".migrate" / "runbook-walks.json").read_text().count("stage-2")


def _applied_as_a_pipeline_does(operator: Operator, stage: str) -> None:
    jobs = gitlab()
    for job in ("plan", "apply", "gate"):
        for line in jobs[job]["script"]:
            operator.done(*words_of(line, stage))
    assert JUnitXml.fromfile(str(operator.directory / "gate.xml")).failures == 0


def _gone_back(scene: RunbookScene) -> None:
    scene.run("migrate rollback", "--yes")
    context, builder = scene.operator.seeded.context, scene.operator.sandbox.builder
    fleet = _FLEET.format(context=context, builder=builder)
    (scene.operator.directory / "fleet.toml").write_text(fleet, encoding="utf-8")
    scene.run("migrate fleet plan")
    scene.run("migrate fleet apply --stage 0", "--yes")
    scene.run("migrate fleet apply --stage 2 --anew", "--yes")
    for command in ("migrate fleet status", "migrate fleet status --output json", "migrate fleet resume"):
        scene.run(command)
    scene.run("migrate fleet resume --retry")
    scene.run("migrate fleet rollback --to-stage 1 --service $CLUSTER/$SERVICE", "--yes")
    scene.run("migrate rollback --to-stage 1", "--yes")
    scene.run("migrate rollback --to original", "--yes")


def _worked_as_a_worker(scene: RunbookScene) -> None:
    for command in scene.of("migrate"):
        if command.startswith("migrate worker"):
            scene.left.pop(command)
            worker = scene.operator.start(*command.split()[1:])
            assert worker.stderr is not None
            assert "services at a time" in worker.stderr.readline()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0


def _mended_by_hand(scene: RunbookScene) -> None:
    """Do what the runbooks leave to a person, and let the migration go on from what came of it."""
    for end in ("file://index.json", "--task-definition $FAMILY --force-new-deployment"):
        scene.run(next(command for command in scene.of("aws") if command.endswith(end)))
    for part in ("$FAMILY:$REVISION", "=$(", '"$MANIFEST"', "--service $SERVICE --force-new"):
        scene.run(next(command for command in scene.of("aws") if part in command))
    assert scene.failures(scene.of("aws")) == []
    assert scene.operator.tag()[0] == scene.values["DIGEST"]
    scene.run("migrate apply --stage 0 --rebaseline", "--yes")
    scene.run("migrate finish", "--yes", codes=[3])


@contextmanager
def _terminal(operator: Operator, *arguments: str) -> Iterator[pexpect.spawn[str]]:
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "migrate", *arguments],
        cwd=str(operator.directory),
        env={**operator.environment, "TERM": "xterm"},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(40, 100),
    )
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def _said_yes_to(terminal: pexpect.spawn[str], step: str) -> None:
    terminal.expect(step)
    terminal.expect("Run it")
    terminal.sendline("y")


def _ended(terminal: pexpect.spawn[str]) -> int | None:
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus


def _interrupted(terminal: pexpect.spawn[str]) -> int | None:
    terminal.sendintr()
    return _ended(terminal)
