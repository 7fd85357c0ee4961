"""A sandbox for each file of tests: the real engine, builder and registry on loopback, and the demo's service in it."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.core.evidence import Event
from migrate.sandbox.demo.seed import Seeded, seed
from migrate.sandbox.sandbox import Sandbox

COMMAND_SECONDS = 240
_GATE = {"interval": "1s", "soak": "2s", "deadline": "2m"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Everything that was printed."""
        return self.stdout + self.stderr

    @property
    def json(self) -> Any:
        """What was printed for programs."""
        return json.loads(self.stdout)


@cache
def _client(service: str, endpoint: str, region: str, key: str, secret: str, authority: str) -> Any:
    # To read the description of a service takes longer than most calls.
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        verify=authority,
    )


@dataclass(frozen=True, slots=True)
class Operator:
    """Types commands in a directory of its own, in the environment of the sandbox."""

    directory: Path
    sandbox: Sandbox
    seeded: Seeded

    @property
    def environment(self) -> dict[str, str]:
        """The sandbox's environment."""
        return self.sandbox.environment()

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command and leave it running; ``extra`` are variables on top."""
        return subprocess.Popen(
            [sys.executable, "-m", "migrate", *arguments],
            cwd=self.directory,
            # Wide enough that a long path never parts the words that a test looks for.
            env={**self.environment, "COLUMNS": "500", **extra},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **extra: str) -> Ended:
        """Run a command to its end."""
        with self.start(*arguments, **extra) as process:
            out, err = process.communicate(timeout=COMMAND_SECONDS)
        ended = Ended(process.returncode, out, err)
        assert "Traceback" not in ended.said, ended.said
        return ended

    def done(self, *arguments: str) -> Ended:
        """Run a command that must end well."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.said
        return ended

    def init(self) -> None:
        """Write migrate.toml with a short gate."""
        self.done(
            *("init", "--cluster", self.seeded.cluster, "--service", self.seeded.service),
            *("--context", str(self.seeded.context), "--builder", self.sandbox.builder),
        )
        path = self.directory / "migrate.toml"
        text = path.read_text(encoding="utf-8")
        for name, value in _GATE.items():
            text = re.sub(rf"^#?\s*{name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")

    def status(self) -> Any:
        """Return what `migrate status` says."""
        return self.done("status", "--output", "json").json

    def aws(self, service: str, account: str = "") -> Any:
        """Return a client of the sandbox, or of another ``account`` in it, to look at the world beside the tool."""
        names = ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CA_BUNDLE")
        environment = self.environment | ({"AWS_ACCESS_KEY_ID": account} if account else {})
        return _client(service, self.sandbox.endpoint, *(environment[name] for name in names))

    def asked_sandbox(self, what: str, method: str = "GET") -> Any:
        """Return what the sandbox's endpoint tells of itself: ``calls`` or ``pushes``."""
        trusted = ssl.create_default_context(cafile=self.environment["AWS_CA_BUNDLE"])
        address = f"{self.sandbox.endpoint}/_sandbox/{what}"
        # A machine that is busy with other tests may take longer than httpx' 5 seconds.
        return httpx.request(method, address, verify=trusted, timeout=60).json()[what]

    def service(self) -> Any:
        """Return the service as ECS describes it."""
        answer = self.aws("ecs").describe_services(cluster=self.seeded.cluster, services=[self.seeded.service])
        return answer["services"][0]

    def architectures(self) -> list[str]:
        """Return what each running task says of its machine, in order: a look that costs no start of the program."""
        ecs, seeded = self.aws("ecs"), self.seeded
        arns = ecs.list_tasks(cluster=seeded.cluster, serviceName=seeded.service)["taskArns"]
        tasks = ecs.describe_tasks(cluster=seeded.cluster, tasks=arns)["tasks"] if arns else []
        return sorted(task["attributes"][0]["value"] for task in tasks if task["lastStatus"] == "RUNNING")

    def tag(self) -> tuple[str, str, bytes]:
        """Return digest, media type and body behind the service's tag, as ECR keeps them."""
        repository, _, tag = self.seeded.image.rpartition("/")[2].partition(":")
        name = "/".join([*self.seeded.image.split("/")[1:-1], repository])
        image = self.aws("ecr").batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}])["images"][0]
        return image["imageId"]["imageDigest"], image["imageManifestMediaType"], image["imageManifest"].encode()

    def events(self) -> list[Event]:
        """Return all evidence of all runs, oldest run first."""
        arn = self.service()["serviceArn"]
        with SqlRecordStore(f"sqlite:///{self.directory / '.migrate' / 'migrate.sqlite'}") as store:
            return [event for run in reversed(store.runs(arn)) for event in store.events(run.id)]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Give an operator with a fresh sandbox and a fresh service; the tests of a file share both."""
    directory = tmp_path_factory.mktemp("operator")
    with Sandbox.start(directory / "sandbox") as sandbox:
        yield Operator(directory, sandbox, seed(sandbox))
