"""What the commands of runbooks find when tests run them: the sandbox, values for every name, and each program.

``aws`` is the AWS CLI itself, in this process, and so is what of ``migrate`` only looks: to start takes longest. What
needs a Docker engine, or more than loopback, is held to the grammar of its program instead.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from migrate.adapters.runbook_files import RunbookFiles
from migrate.cli.app import run as migrate
from migrate.core.runbook.runbooks import Step, to_be_walked
from migrate.core.shell_text import filled
from migrate.runbook_wiring import known
from migrate.wiring import Place
from tests.e2e.conftest import Operator
from tests.e2e.team_stack import make_team_stack

REFUSED_BY_THE_SANDBOX = frozenset(
    {
        "get-context-keys-for-principal-policy",
        "get-lifecycle-policy-preview",
        "start-lifecycle-policy-preview",
    }
)
"""Operations that the sandbox does not know: the AWS CLI takes their arguments, and is told so."""

_BY_GRAMMAR: dict[tuple[str, ...], frozenset[str]] = {
    ("docker", "buildx", "build"): frozenset({"--call", "--platform", "--progress"}),
    ("docker", "buildx", "du"): frozenset({"--builder"}),
    ("docker", "buildx", "imagetools", "inspect"): frozenset({"--raw"}),
    ("docker", "buildx", "inspect"): frozenset({"--bootstrap"}),
    ("docker", "buildx", "ls"): frozenset(),
    ("docker", "info"): frozenset({"--format"}),
    ("docker", "run"): frozenset({"--entrypoint", "--platform", "--rm"}),
    ("docker", "system", "df"): frozenset(),
    ("pip", "download"): frozenset({"--only-binary", "--platform", "--no-deps"}),
}
"""Commands with the options that are used (docs.docker.com/reference/cli, pip.pypa.io/en/stable/cli/pip_download)."""

_ASKED_FOR_HELP = frozenset({"preview", "up"})
"""What of `pulumi` runs a program of the team's: pulumi reads its options, and then shows its help."""

_MAY_BE_MISSING = frozenset({"curl", "file", "git", "ps", "unzip"})
_CODES = {"grep": (0, 1), "check": (0, 3)}
"""How commands end that look for something: there may be nothing to find, or something."""
_LOOKS = re.compile(r"migrate (plan|status|history|show|check|iam|finish --print|fleet (plan|status))\b")
"""What of `migrate` is run in this process as well."""
_AT_A_TIME = 3


def all_commands() -> dict[str, Step]:
    """Return every command of every runbook, as it stands there."""
    return {step.command: step for book in RunbookFiles().runbooks() for item in book.sections for step in item.steps}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    command: str
    code: int
    output: str


@dataclass
class RunbookScene:
    """Runs commands as they stand in runbooks, with values for a service in the sandbox, and knows what is left."""

    operator: Operator
    more: dict[str, str]
    left: dict[str, Step] = field(default_factory=all_commands)

    @property
    def values(self) -> dict[str, str]:
        """What is put into commands: what `migrate runbook` knows now, and what a person would read off elsewhere."""
        return {**known(Place(config=self.operator.directory / "migrate.toml")).values, **self.more}

    def of(self, *programs: str) -> list[str]:
        """Return the commands of some programs that were not run yet."""
        return [command for command in self.left if _program(command) in programs]

    def did(self, word: str) -> None:
        """Leave out the commands of a section that was walked through."""
        _, section = to_be_walked(word, RunbookFiles().runbooks())
        for step in section.steps:
            self.left.pop(step.command)

    def run(self, command: str, *more: str, codes: Iterable[int] = (0,), **values: str) -> Ran:
        """Run a command of a runbook with ``more`` arguments; it has to end with one of the codes."""
        self.left.pop(command)
        line = " ".join([filled(command, {**self.values, **values}), *more])
        ran = self._ran(line)
        assert ran.code in codes, ran
        return ran

    def failures(self, commands: Iterable[str]) -> list[Ran]:
        """Run commands that do not hang on each other, and return those that did not end well."""
        wanted = list(commands)
        inside = [command for command in wanted if _program(command) == "aws" or _LOOKS.match(command)]
        outside = [command for command in wanted if command not in inside]
        # One that runs in this process has its standard output, and its folder, to itself.
        looked = [self._looked(command) for command in inside]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            looked += pool.map(self._looked, outside)
        return [ran for ran in looked if ran is not None]

    def _looked(self, command: str) -> Ran | None:
        self.left.pop(command)
        values = {**self.values, **({"CONTEXT": self.more["GIT"]} if _program(command) == "git" else {})}
        ran = self._ran(filled(command, values))
        if any(f" {name} " in f" {command} " for name in REFUSED_BY_THE_SANDBOX):
            return None if ran.code and "InvalidAction" in ran.output else ran
        codes = _CODES.get(next(iter(set(command.split()) & set(_CODES)), ""), (0,))
        return None if ran.code in codes else ran

    def _ran(self, line: str) -> Ran:
        program = _program(line)
        if program == "aws":
            return self._inside(line, self._cli.main)
        if _LOOKS.match(line):
            return self._inside(line, migrate)
        if program in ("docker", "pip"):
            mistake = mistake_in(shlex.split(line))
            return Ran(line, 1 if mistake else 0, mistake)
        if program in _MAY_BE_MISSING and shutil.which(program) is None:
            return Ran(line, 0, "")
        if program == "pulumi" and _ASKED_FOR_HELP & set(shlex.split(line)):
            line = f"{line} --help"
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.operator.directory / "team" if program == "pulumi" else self.operator.directory,
            env={**self.operator.environment, "PATH": self._path, "COLUMNS": "500"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return Ran(line, done.returncode, done.stdout + done.stderr)

    @property
    def _path(self) -> str:
        return os.pathsep.join((str(Path(sys.executable).parent), self.operator.environment["PATH"]))

    @cached_property
    def _cli(self) -> Any:
        from awscli.clidriver import create_clidriver  # type: ignore[import-untyped] # it comes without types

        # It tells every argument, and there are many of them.
        logging.getLogger("awscli").setLevel(logging.WARNING)
        logging.getLogger("botocore").setLevel(logging.WARNING)
        return create_clidriver()

    def _inside(self, line: str, main: Callable[[list[str]], int]) -> Ran:
        """Run a program of Python in this process; a shell's ``NAME=$(...)`` and ``> file`` are done here."""
        name, substituted, inner = line.partition("=$(")
        words = shlex.split(inner.removesuffix(")") if substituted else line)
        target = words[-1] if words[-2:-1] == [">"] else ""
        words = words[:-2] if target else words
        out, told = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.operator.directory),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(told),
        ):
            code = main(words[1:])
        if substituted:
            self.more[name] = out.getvalue().strip()
        if target:
            (self.operator.directory / target).write_text(out.getvalue(), encoding="utf-8")
        return Ran(line, int(code), out.getvalue() + told.getvalue())


def _program(command: str) -> str:
    if "=$(" in command:
        command = command.partition("=$(")[2]
    return command.split(maxsplit=1)[0]


def mistake_in(words: list[str]) -> str:
    """Return what is wrong with a command that is not run, empty where it is one that its program knows."""
    known_as = next((name for name in _BY_GRAMMAR if tuple(words[: len(name)]) == name), None)
    if known_as is None:
        return f"{words} is not known"
    options = {word.partition("=")[0] for word in words[len(known_as) :] if word.startswith("--")}
    return ", ".join(options - _BY_GRAMMAR[known_as])


def _git_repository(path: Path) -> str:
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet", str(path)], check=True)
    return str(path)


@contextlib.contextmanager
def surroundings(operator: Operator, url: str) -> Iterator[dict[str, str]]:
    """Make what commands of runbooks look at, and give the values that a person would read off elsewhere."""
    ecr, repository = operator.aws("ecr"), operator.seeded.image.split("/", 1)[1].partition(":")[0]
    rule = '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", '
    rule += '"countNumber": 100}, "action": {"type": "expire"}}]}'
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=rule)
    ecr.set_repository_policy(repositoryName=repository, policyText='{"Version": "2012-10-17", "Statement": []}')
    template = operator.aws("ec2").create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData={"InstanceType": "m7g.large", "ImageId": "ami-12345678"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    with zipfile.ZipFile(operator.directory / "lib.jar", "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "")
    make_team_stack(operator, operator.directory / "team", "team")
    subnets = operator.service()["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    yield {
        "BASE": "public.ecr.aws/docker/library/alpine:3.22",
        "END": "2026-11-28T01:00:00Z",
        "EVENT_BUS": "default",
        "FILE": "lib.jar",
        "GIT": _git_repository(operator.directory / "git"),
        "GROUP": "nodes",
        "IMAGE_ID": "ami-12345678",
        "INSTANCE": "0123456789abcdef",
        "METRIC": "CPUUtilization",
        "NAMESPACE": "AWS/ECS",
        "PACKAGE": "numpy",
        "PROCESS": str(os.getpid()),
        "PROVIDER": "FARGATE",
        "QUERY": "up",
        "REVISION": "1",
        "ROLE_ARN": "arn:aws:iam::000000000000:role/migrate",
        "START": "2026-11-28T00:00:00Z",
        "SUBNET": subnets[0],
        "TASK": operator.aws("ecs").list_tasks(cluster=operator.seeded.cluster)["taskArns"][0],
        "TEMPLATE": template,
        "TOPIC_ARN": operator.aws("sns").create_topic(Name="migrations")["TopicArn"],
        "TYPE": "m7g.large",
        "URL": url,
        "PROGRAM": "team",
        "STACK": "team",
    }
