"""The StackDeployer over the real engine: both stacks of one service, through the Automation API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pulumi.automation import Stack
from pulumi.automation.errors import StackNotFoundError

from migrate.adapters.pulumi import repair
from migrate.adapters.pulumi.command_line import CommandLine
from migrate.adapters.pulumi.credentials import RegistryCredentials, docker_configuration
from migrate.adapters.pulumi.engine import PATIENCE, Engine, Listener, permit_all, tell_nobody
from migrate.adapters.pulumi.events import ChangeListener, EventCollector, ignore_changes
from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.operations import PAUSES, Insistence, refuse_to_drop, told
from migrate.adapters.pulumi.workspace import StackAddress, StackKind, StackWorkspaces
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.provider.task_definition import untranslated_task_definition_fields
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import INDEX, Preview, StackOutcome
from migrate.core.twin import TWIN
from migrate.errors import BlockedError
from stacks.image import PUBLISHED

Result = TypeVar("Result")


class PulumiDeployer:
    """Implements ports.StackDeployer. ``state`` is the folder of the tool's own files, usually ``.migrate``.

    ``environment`` is the whole environment that Pulumi and its plugins get. ``credentials`` returns a login for a
    registry host; it is asked anew before every operation that may push. ``listener`` hears changes as they happen,
    ``tell`` what the engine waits for; ``permit`` raises where the run may not write (any more). ``fresh`` adds what
    every command needs anew, credentials that expire.
    ``command_line`` is what was found in the environment already.
    ``pauses`` are the seconds before each further try of an operation that AWS or the registry did not answer.

    Every operation raises what ``failures.translate_failure`` makes of the engine's errors, and InterruptedRunError
    where Ctrl-C stopped the run while Pulumi worked.
    """

    def __init__(
        self,
        address: StackAddress,
        state: Path,
        environment: Mapping[str, str],
        *,
        credentials: RegistryCredentials,
        listener: ChangeListener = ignore_changes,
        tell: Listener = tell_nobody,
        fresh: Callable[[], Mapping[str, str]] = dict,
        patience: timedelta = PATIENCE,
        pauses: Sequence[float] = PAUSES,
        permit: Callable[[], None] = permit_all,
        command_line: CommandLine | None = None,
    ) -> None:
        self._engine = Engine(
            environment, tell=tell, fresh=fresh, patience=patience, permit=permit, command_line=command_line
        )
        self._workspaces = StackWorkspaces(address, state, self._engine)
        self._credentials = credentials
        self._listener = listener
        self._insisting = Insistence(self._engine, tell, tuple(pauses))

    def interrupt(self) -> None:
        """Let the running operation stop cleanly; it then ends with InterruptedRunError."""
        self._engine.interrupt()

    def go_on(self) -> None:
        """Let operations run again after an interrupt."""
        self._engine.go_on()

    def preview_image(self, inputs: ImageStackInputs) -> Preview:
        """Return what ``up`` would do to the image stack; nothing is built (facts F34)."""
        return self._preview(StackKind.IMAGE, inputs, self._targets(inputs))

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        """Return what ``up`` would do to the service stack.

        Raises BlockedError where a new revision would lose what the provider cannot express.
        """
        _refuse_to_lose(inputs)
        return self._preview(StackKind.SERVICE, inputs, None)

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        """Bring the image stack to the inputs."""
        return self._up(StackKind.IMAGE, inputs, self._targets(inputs))

    def up_service(self, inputs: ServiceStackInputs) -> StackOutcome:
        """Bring the service stack to the inputs. Raises BlockedError as the preview does."""
        _refuse_to_lose(inputs)
        return self._up(StackKind.SERVICE, inputs, None)

    def refresh(self) -> None:
        """Read the world into the state of the service stack, if there is one (facts F6).

        The image stack is left alone: docker-build compares inputs only (facts F36), so that a refresh could add
        nothing there and, with an expired token, take an image out of the state (case C28).

        Raises UnsafePreviewError, and leaves the state as it is, when a resource would be dropped from it: more
        often than not that is a credential or an endpoint, not a resource that is gone.
        """
        if self._workspaces.may_exist(StackKind.SERVICE):
            self._insisting(lambda: self._refresh(StackKind.SERVICE))

    def pending(self) -> tuple[PendingOperation, ...]:
        """Return the operations of both stacks that were under way when their process was killed."""
        return tuple(item for kind in StackKind for item in repair.pending(kind.value, self._exported(kind)))

    def settle(self, made: Mapping[str, str]) -> None:
        """Take into both states what pending operations have ``made`` (ARNs by URN), and leave none pending.

        Raises UnsafePreviewError as ``refresh`` does.
        """
        for kind in StackKind:
            deployment = self._exported(kind)
            if repair.pending(kind.value, deployment):
                self._import(kind, repair.settled(deployment, made))
        if made:
            self.refresh()

    def acknowledge(self, inputs: ServiceStackInputs) -> None:
        """Take the triggers of a deployment that was started into the state of the service stack."""
        self._import(StackKind.SERVICE, repair.acknowledged(self._exported(StackKind.SERVICE), inputs))

    def _exported(self, kind: StackKind) -> Mapping[str, Any]:
        """Return what a stack holds, secrets encrypted; nothing where it was never made."""
        if not self._workspaces.may_exist(kind):
            return {}
        with self._operation(kind, "read", None) as (stack, _):
            try:
                told = self._workspaces.command(stack, ["stack", "export"])
            except StackNotFoundError:
                return {}
        found: dict[str, Any] = json.loads(told).get("deployment") or {}
        return found

    def _import(self, kind: StackKind, deployment: Mapping[str, Any]) -> None:
        file = self._workspaces.directory(kind) / "repaired.json"
        file.write_text(repair.exported_text(deployment), encoding="utf-8")
        try:
            with self._operation(kind, "repair", None) as (stack, _):
                self._workspaces.command(stack, ["stack", "import", "--file", str(file)])
        finally:
            file.unlink()

    def set_aside(self, mark: str, *, image: bool) -> None:
        """Rename the service stack, and the image stack if ``image``; the next operation makes new ones.

        Both keep their resources on delete, so that whatever becomes of the old stacks touches nothing that runs
        (case C30).
        """
        for kind in (StackKind.IMAGE, StackKind.SERVICE) if image else (StackKind.SERVICE,):
            if self._workspaces.may_exist(kind):
                with self._operation(kind, "rename", None) as (stack, _), suppress(StackNotFoundError):
                    stack.rename(self._workspaces.address.set_aside(mark))

    def _preview(
        self, kind: StackKind, inputs: ImageStackInputs | ServiceStackInputs, targets: list[str] | None
    ) -> Preview:
        def once() -> Preview:
            with self._operation(kind, "preview", inputs) as (stack, collector):
                self._created(stack, lambda: stack.preview(on_event=collector, target=targets, color="never"))
            return Preview(kind.value, collector.resources, collector.diagnostics, collector.outputs)

        return self._insisting(once)

    def _up(
        self, kind: StackKind, inputs: ImageStackInputs | ServiceStackInputs, targets: list[str] | None
    ) -> StackOutcome:
        def once() -> StackOutcome:
            with self._operation(kind, "update", inputs) as (stack, collector):
                self._created(
                    stack,
                    lambda: stack.up(on_event=collector, target=targets, color="never", show_secrets=False),
                )
            return StackOutcome(kind.value, collector.resources, collector.outputs, collector.diagnostics)

        return self._insisting(once)

    def _refresh(self, kind: StackKind) -> None:
        with self._operation(kind, "refresh", None) as (stack, collector):
            try:
                stack.preview_refresh(on_event=collector, color="never")
            except StackNotFoundError:
                return
        # A twin that somebody else deleted is nothing to hold on to: it was there to go.
        gone = [name for name in collector.gone if name != TWIN]
        refuse_to_drop(gone, f"the {kind.value} stack", collector.diagnostics, "AWS or the registry")
        with self._operation(kind, "refresh", None) as (stack, collector):
            # What Pulumi was killed in the midst of making is looked for in the world, not in its state.
            stack.refresh(on_event=collector, color="never", show_secrets=False, clear_pending_creates=True)

    def _targets(self, inputs: ImageStackInputs) -> list[str] | None:
        """Return what may change of a frozen image stack: only what the service's tag points at."""
        if not inputs.frozen or not inputs.present:
            return None
        stack = self._workspaces.address.stack_name
        return [f"urn:pulumi:{stack}::{StackKind.IMAGE.project}::{INDEX}::{PUBLISHED}"]

    def _created(self, stack: Stack, operation: Callable[[], Result]) -> Result:
        """Run an operation, and once more where the stack had to be created first."""
        try:
            return operation()
        except StackNotFoundError:
            stack.workspace.create_stack(stack.name)
            return operation()

    @contextmanager
    def _operation(
        self, kind: StackKind, verb: str, inputs: ImageStackInputs | ServiceStackInputs | None
    ) -> Iterator[tuple[Stack, EventCollector]]:
        collector = EventCollector(ignore_changes if verb == "preview" else self._listener)
        address = self._workspaces.address
        registry = address.registry if kind is StackKind.IMAGE and verb != "preview" else ""
        directory = self._workspaces.directory(kind)
        with docker_configuration(registry, self._credentials, self._engine.environment, directory) as login:
            stack = self._workspaces.open(kind, login)
            if inputs is not None:
                self._workspaces.configure(kind, inputs)
            with told(self._engine, collector, Failure(kind.value, verb, (), "")):
                yield stack, collector


def _refuse_to_lose(inputs: ServiceStackInputs) -> None:
    for definition in inputs.task_definitions:
        lost = untranslated_task_definition_fields(definition.document) if definition.import_arn is None else ()
        if lost:
            raise BlockedError(
                f"A new revision would lose {', '.join(lost)}: the Pulumi provider cannot express it.",
                why="What a task definition says must not change behind its owner's back.",
                then="Take the field out, or wait for a provider that knows it. Nothing was changed by this step.",
                runbook="findings#task-definition-unknown-field",
            )
