"""Brings a sandbox up, says what runs, and takes it down; each of them may be repeated or killed at any point."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from migrate.errors import EngineError, NotFoundError
from migrate.sandbox import aws_endpoint, builder, certificates, plugins, processes
from migrate.sandbox.layout import Layout, default_directory
from migrate.sandbox.state import SandboxState, load, save
from migrate.sandbox.toolchain.cache import exclusive
from migrate.sandbox.toolchain.parts import ensure
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from migrate.sandbox.state import ProcessRecord
    from migrate.sandbox.toolchain.parts import Toolchain

REGION = "us-east-1"
_PASSPHRASE = "sandbox"  # noqa: S105 - protects nothing: the state it encrypts is the sandbox's own
_READY_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.1
_LAST_LINES = 15


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
    def start(cls, directory: Path | None = None, progress: Progress | None = None, *, real_aws: bool = False) -> Self:
        """Bring the sandbox in ``directory`` up, or join the one that runs there already.

        Parts that have died are started again; when that is the AWS endpoint, everything in it is gone and is said so.
        ``real_aws`` takes the real pulumi-aws plugin where this machine has it. Raises EngineError when a part cannot
        be had or does not come up.
        """
        progress = progress or Progress()
        layout = Layout((directory or default_directory()).absolute())
        tools = ensure(progress)
        layout.root.mkdir(parents=True, exist_ok=True)
        with exclusive(layout.lock, f"the sandbox in {layout.root}", progress):
            layout.make()
            certificates.issue(layout)
            return cls(layout, _bring_up(layout, tools, progress, real_aws=real_aws))

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
    def registry_host(self) -> str:
        """Host and port in the names of images, as in ``<registry_host>/demo/app:tag1``."""
        return self.state.registry_host

    @property
    def builder(self) -> str:
        """The name of the buildx builder."""
        return builder.BUILDER

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
            "BUILDX_BUILDER": builder.BUILDER,
            "DOCKER_CONFIG": str(self.layout.docker),
        }

    def environment(self) -> dict[str, str]:
        """Return this process's whole environment as a program inside the sandbox must see it."""
        own = {name: value for name, value in os.environ.items() if name not in OUTSIDE_VARIABLES}
        path = os.pathsep.join((*self.state.path_directories, own.get("PATH", os.defpath)))
        return {**own, **self.settings(), "PATH": path}

    def parts(self) -> tuple[Part, ...]:
        """Each process with whether it runs and answers."""
        aws = processes.alive(self.state.process(aws_endpoint.NAME)) and aws_endpoint.aws_answers(
            self.state, self.layout
        )
        buildkit = processes.alive(self.state.process(builder.NAME)) and builder.buildkit_answers(self.state)
        return (
            self._part(aws_endpoint.NAME, self.endpoint, running=aws),
            self._part(builder.NAME, f"unix://{builder.socket_path(self.state)}", running=buildkit),
        )

    def _part(self, name: str, address: str, *, running: bool) -> Part:
        record = self.state.process(name)
        return Part(name, record.pid if record else 0, running, address, self.layout.logs / f"{name}.log")

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
        return _clear(layout, state)


def _clear(layout: Layout, state: SandboxState) -> int:
    ended = processes.stop(state.processes, state.mark)
    shutil.rmtree(state.run_directory, ignore_errors=True)
    layout.state.unlink(missing_ok=True)
    return ended


def _bring_up(layout: Layout, tools: Toolchain, progress: Progress, *, real_aws: bool) -> SandboxState:
    state = load(layout.state)
    if state is not None and not _aws_runs(state, layout):
        if state.process(aws_endpoint.NAME) is not None:
            progress.say("The sandbox's AWS endpoint has ended, and with it all that was in it: starting a new one.")
        _clear(layout, state)
        state = None
    if state is None:
        # What Pulumi knows of an account that is gone would lead it to change what was never there.
        shutil.rmtree(layout.pulumi_state, ignore_errors=True)
        layout.pulumi_state.mkdir(parents=True)
    plugins.install(tools, layout, real_aws=real_aws)
    state = replace(
        state or _new_state(),
        path_directories=(str(tools.pulumi.parent),),
        go=str(tools.go),
    )
    Path(state.run_directory).mkdir(mode=0o700, exist_ok=True)
    save(state, layout.state)
    return _start_missing(state, layout, tools, progress)


def _new_state() -> SandboxState:
    port = processes.free_port()
    return SandboxState(
        mark=uuid.uuid4().hex,
        port=port,
        # The endpoint speaks plain HTTP and TLS on one port, so that this name works for buildx, which takes the first
        # for it, and for the client that reads back, which takes the second (facts F39).
        registry_host=f"localhost:{port}",
        run_directory=tempfile.mkdtemp(prefix="migrate-sandbox-"),
    )


def _aws_runs(state: SandboxState, layout: Layout) -> bool:
    return processes.alive(state.process(aws_endpoint.NAME)) and aws_endpoint.aws_answers(state, layout)


def _start_missing(state: SandboxState, layout: Layout, tools: Toolchain, progress: Progress) -> SandboxState:
    wanted: list[tuple[str, ProcessRecord, Callable[[], bool], str]] = []
    if not processes.alive(state.process(aws_endpoint.NAME)):
        record = aws_endpoint.start_aws(tools.ministack_python, state, layout)
        wanted.append(("the AWS endpoint", record, lambda: aws_endpoint.aws_answers(state, layout), ""))
        state = state.with_process(record)
        save(state, layout.state)
    if not (processes.alive(state.process(builder.NAME)) and builder.buildkit_answers(state)):
        record = builder.start_buildkit(tools.buildkitd, state, layout)
        wanted.append(("BuildKit", record, lambda: builder.buildkit_answers(state), builder.advice()))
        state = state.with_process(record)
        save(state, layout.state)
    builder.write_buildx(state, layout)
    for title, record, answers, advice in wanted:
        with progress.step(f"starting {title}", usually="3 s"):
            _await(title, record, answers, layout.logs / f"{record.name}.log", advice)
    return state


def _await(title: str, record: ProcessRecord, answers: Callable[[], bool], log: Path, advice: str) -> None:
    def settled() -> bool:
        return answers() or not processes.alive(record)

    again = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_delay(_READY_SECONDS),
        wait=wait_fixed(_LOOK_AGAIN_SECONDS),
    )
    try:
        again(settled)
    except RetryError:
        how = f"did not answer within {_READY_SECONDS:.0f} s"
    else:
        if processes.alive(record):
            return
        how = "ended at once"
    lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
    said = "\n".join(f"    {line}" for line in lines) or "    (it said nothing)"
    raise EngineError(
        f"{title[0].upper()}{title[1:]} of the sandbox {how}.",
        why=f"Its last lines, from {log}:\n{said}\n",
        then=f"{advice}Put right what it names, then run `migrate sandbox down` and `migrate sandbox up`.",
    )
