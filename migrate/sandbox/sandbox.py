"""Brings a sandbox up, says what runs, and takes it down; each of them may be repeated or killed at any point."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from migrate.errors import NotFoundError
from migrate.sandbox import aws_endpoint, builder, certificates, docker_builder, engine, processes
from migrate.sandbox.bring_up import Wanted, aws_runs, bring_up, builder_runs, clear
from migrate.sandbox.layout import Layout, default_directory
from migrate.sandbox.state import SandboxState, load
from migrate.sandbox.toolchain.cache import exclusive
from migrate.sandbox.toolchain.parts import ensure
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from types import TracebackType

REGION = "us-east-1"
_PASSPHRASE = "sandbox"  # noqa: S105 - protects nothing: the state it encrypts is the sandbox's own


@dataclass(frozen=True, slots=True)
class Part:
    """What ``status`` says about one process of the sandbox."""

    name: str
    pid: int
    running: bool
    address: str
    log: Path


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; used as a context manager it is taken down at the end of the block."""

    layout: Layout
    state: SandboxState

    @classmethod
    def start(
        cls,
        directory: Path | None = None,
        progress: Progress | None = None,
        *,
        real_aws: bool = False,
        containers: bool = False,
        registry_host: str = "",
    ) -> Self:
        """Bring the sandbox in ``directory`` up, or join the one that runs there already.

        Parts that have died are started again; when that is the AWS endpoint, everything in it is gone and is said so.
        ``real_aws`` takes the real pulumi-aws plugin where this machine has it. With ``containers`` every task is a
        real container of its architecture behind a load balancer, at ``balancer``. ``registry_host`` names
        the images where somebody else listens on that ``localhost:PORT`` and passes on to the endpoint. Raises
        EngineError when a part cannot be had or does not come up.
        """
        progress = progress or Progress()
        obstacle = engine.obstacle() if containers else None
        if obstacle is not None:
            raise obstacle
        layout = Layout((directory or default_directory()).absolute())
        tools = ensure(progress)
        layout.root.mkdir(parents=True, exist_ok=True)
        with exclusive(layout.lock, f"the sandbox in {layout.root}", progress):
            layout.make()
            certificates.issue(layout)
            wanted = Wanted(real_aws=real_aws, containers=containers, registry_host=registry_host)
            return cls(layout, bring_up(layout, tools, progress, wanted))

    @classmethod
    def open(cls, directory: Path | None = None) -> Self:
        """Return the sandbox in ``directory``, running or not. Raises NotFoundError when there is none."""
        layout = Layout((directory or default_directory()).absolute())
        state = load(layout.state)
        if state is None:
            raise NotFoundError(
                f"There is no sandbox in {layout.root}.",
                then="Start one with `migrate sandbox up`, or name its folder in MIGRATE_SANDBOX_DIR.",
            )
        return cls(layout, state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL of the AWS endpoint."""
        return f"https://localhost:{self.state.port}"

    @property
    def balancer(self) -> str:
        """The URL of the load balancer; empty where tasks are no containers.

        It serves the target group that the Host header's first label names, and without one the only one there is.
        """
        return f"http://127.0.0.1:{self.state.balancer_port}" if self.state.balancer_port else ""

    @property
    def registry_host(self) -> str:
        """Host and port in the names of images, as in ``<registry_host>/demo/app:tag1``."""
        return self.state.registry_host

    @property
    def builder(self) -> str:
        """The name of the buildx builder."""
        return docker_builder.builder_name(self.state) if self.state.docker_host else builder.BUILDER

    @property
    def go(self) -> Path:
        """The Go that the demo's service is compiled with."""
        return Path(self.state.go)

    def settings(self) -> dict[str, str]:
        """Return the variables that differ from the operator's own environment, without PATH."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.layout.bundle),
            "SSL_CERT_FILE": str(self.layout.bundle),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # boto3 reads the first and Pulumi's provider both (facts F23).
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PULUMI_BACKEND_URL": self.layout.pulumi_state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            "PULUMI_HOME": str(self.layout.pulumi_home),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "BUILDX_CONFIG": str(self.layout.buildx),
            "BUILDX_BUILDER": self.builder,
            "DOCKER_CONFIG": str(self.layout.docker),
            **({"DOCKER_HOST": self.state.docker_host} if self.state.docker_host else {}),
        }

    def environment(self) -> dict[str, str]:
        """Return this process's whole environment as a program inside the sandbox must see it."""
        own = {name: value for name, value in os.environ.items() if name not in OUTSIDE_VARIABLES}
        path = os.pathsep.join((*self.state.path_directories, own.get("PATH", os.defpath)))
        return {**own, **self.settings(), "PATH": path}

    def parts(self) -> tuple[Part, ...]:
        """Return the AWS endpoint, the builder and the engine of the tasks, each with whether it runs and answers."""
        layout, state = self.layout, self.state
        aws, buildkit = state.process(aws_endpoint.NAME), state.process(builder.NAME)
        name = docker_builder.NAME if state.docker_host else builder.NAME
        where = state.docker_host or f"unix://{builder.socket_path(state)}"
        parts = (
            Part(
                aws_endpoint.NAME,
                aws.pid if aws else 0,
                aws_runs(state, layout),
                self.endpoint,
                layout.logs / f"{aws_endpoint.NAME}.log",
            ),
            Part(name, buildkit.pid if buildkit else 0, builder_runs(state), where, layout.logs / f"{name}.log"),
        )
        if not state.engine:
            return parts
        own, log = state.process(engine.NAME), layout.logs / f"{engine.NAME}.log"
        return (*parts, Part(engine.NAME, own.pid if own else 0, engine.answers(state.engine), state.engine, log))

    def stop(self) -> int:
        """End every process of this sandbox and forget it; return how many were ended. Its files stay."""
        return stop(self.layout.root)


#: Of the operator's own, these would lead a program out of the sandbox.
OUTSIDE_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    processes.MARK_VARIABLE,
)


def stop(directory: Path | None = None, progress: Progress | None = None) -> int:
    """Take the sandbox in ``directory`` down and return how many processes were ended; nothing there is no error."""
    layout = Layout((directory or default_directory()).absolute())
    if not layout.root.is_dir():
        return 0
    with exclusive(layout.lock, f"the sandbox in {layout.root}", progress or Progress()):
        state = load(layout.state)
        if state is None:
            return 0
        return clear(layout, state)
