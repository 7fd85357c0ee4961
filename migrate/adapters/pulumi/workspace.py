"""Where the two stacks of a service live on disk, and the environment that Pulumi runs them with.

``<state>/pulumi/migrate-image/<stack>/`` is the working directory of one stack: Pulumi.yaml, the stack's configuration
and a program of three lines, so that plain ``pulumi`` works there too. The state itself is in PULUMI_BACKEND_URL, or
in ``<state>/pulumi/state/``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pulumi import RunError
from pulumi.automation import (
    LocalWorkspace,
    OutputMap,
    ProjectBackend,
    ProjectRuntimeInfo,
    ProjectSettings,
    Stack,
    StackSettings,
    UpdateSummary,
)
from pulumi.automation._stack import StackInitMode

from migrate.adapters.pulumi.engine import Engine
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.settings import ImageSettings
from migrate.errors import AccessError
from stacks.inputs import CONFIG_KEY, CONFIG_NAMESPACE, inputs_to_text

_LONGEST_STACK_NAME = 100
_MAIN = "from stacks.{kind}.program import main\n\nmain()\n"


class StackKind(StrEnum):
    """The two stacks of a service."""

    IMAGE = "image"
    SERVICE = "service"

    @property
    def project(self) -> str:
        """The Pulumi project's name."""
        return f"migrate-{self.value}"

    @property
    def program(self) -> Callable[[], None]:
        """The stack's program: it reads its inputs from the stack's configuration."""
        # Each brings a provider's library along, and most runs need but one of the two.
        if self is StackKind.IMAGE:
            from stacks.image.program import main
        else:
            from stacks.service.program import main
        return _without_traceback(main)


@dataclass(frozen=True, slots=True)
class StackAddress:
    """Whose stacks: one service of one account and region. ``registry`` is the host of its image, for the login."""

    account_id: str
    region: str
    cluster: str
    service: str
    registry: str = ""

    @property
    def stack_name(self) -> str:
        """The name of both stacks: ECS names have no dots, so two services never share one (at most 100 characters)."""
        return _short(f"{self.account_id}.{self.region}.{self.cluster}.{self.service}")

    def set_aside(self, mark: str) -> str:
        """Return the name of a stack that a newer one has followed."""
        return _short(f"{self.account_id}.{self.region}.{self.cluster}.{self.service}.{mark}")


def _short(name: str) -> str:
    if len(name) <= _LONGEST_STACK_NAME:
        return name
    return f"{name[:80]}.{hashlib.sha256(name.encode()).hexdigest()[:16]}"


class StackWorkspaces:
    """Makes and finds the working directories of a service's stacks."""

    def __init__(self, address: StackAddress, state: Path, engine: Engine) -> None:
        self.address = address
        self.engine = engine
        self._root = state.absolute() / "pulumi"
        self._environment = _environment(self._root, engine.environment)

    def directory(self, kind: StackKind) -> Path:
        """Return the working directory of a stack."""
        return self._root / kind.project / self.address.stack_name

    @property
    def environment(self) -> Mapping[str, str]:
        """What Pulumi needs beside the environment that it inherits."""
        return self._environment

    def exists(self, kind: StackKind) -> bool:
        """Whether the stack was ever written from this state directory."""
        return (self.directory(kind) / self._settings_file).exists()

    def may_exist(self, kind: StackKind) -> bool:
        """Whether the stack may be there: a backend that was named may hold what another state directory has written.

        Only an operation on it then tells, with StackNotFoundError.
        """
        return self.exists(kind) or "PULUMI_BACKEND_URL" not in self._environment

    def open(self, kind: StackKind, environment: Mapping[str, str] | None = None) -> Stack:
        """Return the stack without touching its configuration; ``environment`` is added to Pulumi's."""
        directory = self.directory(kind)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "__main__.py").write_text(_MAIN.format(kind=kind.value), encoding="utf-8")
        workspace = UnselectedWorkspace(
            work_dir=str(directory),
            program=kind.program,
            env_vars={**self._environment, **(environment or {})},
            project_settings=self._project(kind),
            pulumi_command=self.engine,
        )
        # Not by `select`: the SDK's makes a plain Stack whatever class it is called on.
        return UnaskedStack(self.address.stack_name, workspace, StackInitMode.SELECT)

    def command(self, stack: Stack, arguments: Sequence[str]) -> str:
        """Run a command of the Pulumi command line on a stack and return what it prints; raises as the SDK does."""
        workspace = stack.workspace
        ran = self.engine.run([*arguments, "--stack", stack.name], workspace.work_dir, workspace.env_vars)
        return ran.stdout

    def configure(self, kind: StackKind, inputs: ImageStackInputs | ServiceStackInputs) -> None:
        """Write the inputs into the stack's configuration; what else stands there stays."""
        directory = self.directory(kind)
        workspace = LocalWorkspace(work_dir=str(directory), pulumi_command=self.engine)
        try:
            settings = workspace.stack_settings(self.address.stack_name)
        except FileNotFoundError:
            settings = StackSettings()
        if isinstance(inputs, ImageStackInputs):
            inputs = replace(inputs, build=_relative(inputs.build, directory))
        settings.config = {
            **(settings.config or {}),
            "aws:region": self.address.region,
            f"{CONFIG_NAMESPACE}:{CONFIG_KEY}": inputs_to_text(inputs),
        }
        workspace.save_stack_settings(self.address.stack_name, settings)

    @property
    def _settings_file(self) -> str:
        return f"Pulumi.{self.address.stack_name}.yaml"

    def _project(self, kind: StackKind) -> ProjectSettings:
        url = self.engine.environment.get("PULUMI_BACKEND_URL") or self._environment["PULUMI_BACKEND_URL"]
        return ProjectSettings(
            name=kind.project, runtime=ProjectRuntimeInfo(name="python"), backend=ProjectBackend(url=url)
        )


def _without_traceback(program: Callable[[], None]) -> Callable[[], None]:
    """Return the program with every failure told in its own words: the engine prints a traceback for all others."""

    def run() -> None:
        try:
            program()
        except Exception as error:
            raise RunError(str(error)) from error

    return run


class UnselectedWorkspace(LocalWorkspace):
    """A workspace of which every command names its stack, so that nothing has to be selected beforehand."""

    def select_stack(self, stack_name: str) -> None:
        """Do nothing: selecting would write into the person's own Pulumi folder."""


class UnaskedStack(Stack):
    """A stack that is not asked afterwards what the engine's events have told already.

    The SDK would start the command line three times more after every ``up``: twice for outputs, once for history.
    """

    def outputs(self) -> OutputMap:
        """Return nothing: the outputs come with the events."""
        return {}

    def info(self, show_secrets: bool | None = None) -> UpdateSummary:
        """Return a summary that says nothing; how an operation ended is in its events and its exit code."""
        del show_secrets
        return UpdateSummary("", datetime.fromtimestamp(0, UTC), message="", environment={}, config={}, result="")


def _environment(root: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    url = inherited.get("PULUMI_BACKEND_URL", "")
    if not url:
        (root / "state").mkdir(parents=True, exist_ok=True)
        url = found["PULUMI_BACKEND_URL"] = (root / "state").as_uri()
    if "PULUMI_CONFIG_PASSPHRASE" in inherited or inherited.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        return found
    if url.startswith("file://"):
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file(root))
    check_passphrase(url, inherited)
    return found


def check_passphrase(url: str, inherited: Mapping[str, str]) -> None:
    """Raise AccessError where the backend is shared, keeps no secrets itself, and no passphrase is given."""
    given = "PULUMI_CONFIG_PASSPHRASE" in inherited or inherited.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    # Pulumi Cloud keeps secrets itself; any other shared backend would shut everybody else out.
    if url and not given and not url.startswith(("file://", "http")):
        raise AccessError(
            "The stacks of a shared Pulumi backend need a passphrase that everybody has.",
            why=f"PULUMI_BACKEND_URL is {url}, and neither PULUMI_CONFIG_PASSPHRASE nor "
            "PULUMI_CONFIG_PASSPHRASE_FILE is set.",
            then="Set one of them to the team's passphrase.",
            runbook="errors#passphrase",
        )


def _passphrase_file(root: Path) -> Path:
    """Return the file with the passphrase of this state directory, made once and readable by its owner only."""
    path = root / "passphrase"
    root.mkdir(parents=True, exist_ok=True)
    beside = root / f"passphrase.{secrets.token_hex(8)}"
    if not path.exists():
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            # A link never replaces: of two processes that start at once, both end up with the first one's passphrase.
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path


def _relative(build: ImageSettings, directory: Path) -> ImageSettings:
    """Return the build with paths as seen from the working directory, where the engine and its plugins run.

    Relative, so that a clone in another place, or another machine, sees the same inputs and no difference.
    """
    dockerfile = build.dockerfile
    return replace(
        build,
        context=build.context if build.is_remote else os.path.relpath(build.context, directory),
        dockerfile=os.path.relpath(dockerfile, directory) if dockerfile is not None else None,
    )
