"""The StackDeployer over a Pulumi program of the team's: its stack is configured, previewed, guarded and run.

Pulumi's command line runs the program in its own folder (the Automation API's local programs), so that its language,
its dependencies, its backend and its secrets are the team's, as the environment has them. A preview reads a copy of the
stack's configuration: until an ``up`` begins nothing of the team's is written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.automation import Stack
from pulumi.automation._stack import StackInitMode
from pulumi.automation.errors import StackNotFoundError

from migrate.adapters.pulumi.deployer import PulumiDeployer
from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.events import ChangeListener, ignore_changes
from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.operations import Insistence, refuse_to_drop, told
from migrate.adapters.pulumi.program_events import ProgramEvents, held_resources
from migrate.adapters.pulumi.program_repair import acknowledged, pending_of, settled
from migrate.adapters.pulumi.repair import exported_text
from migrate.adapters.pulumi.stack_file import stack_file, with_configuration
from migrate.adapters.pulumi.workspace import UnaskedStack, UnselectedWorkspace
from migrate.adapters.whole_file import write_whole
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.owner.program_configuration import Configuration, image_configuration, named, service_configuration
from migrate.core.owner.program_guard import OwnResources, ProgramStep, judged, own_resources
from migrate.core.record import Record
from migrate.core.settings import ProgramSettings, Settings
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import INDEX, SERVICE, TASK_DEFINITION, Preview, ResourceChange, StackOutcome
from migrate.errors import NotFoundError

_ENVIRONMENT = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look at the state and the world told: the changes, and the steps they were judged from."""

    changes: tuple[ResourceChange, ...]
    events: ProgramEvents


class ProgramDeployer:
    """Implements ports.StackDeployer for the service of a team's program.

    ``record`` returns what is stored of the service. ``images`` deploys the image where the program does not hold it:
    our own image stack. ``engine`` remembers its processes elsewhere than in the program's folder.

    Raises NotFoundError where the program or its stack is not there, SettingsError where the stack's configuration
    cannot be changed line by line, and what an operation of the engine fails with.
    """

    def __init__(
        self,
        program: ProgramSettings,
        settings: Settings,
        record: Callable[[], Record],
        *,
        engine: Engine,
        images: PulumiDeployer,
        insistence: Insistence,
        listener: ChangeListener = ignore_changes,
    ) -> None:
        self._program = program
        self._settings = settings
        self._record = record
        self._engine = engine
        self._images = images
        self._insisting = insistence
        self._listener = listener

    def interrupt(self) -> None:
        """Let the running operation stop cleanly; it then ends with InterruptedRunError."""
        self._engine.interrupt()
        self._images.interrupt()

    def go_on(self) -> None:
        """Let operations run again after an interrupt."""
        self._engine.go_on()
        self._images.go_on()

    def preview_image(self, inputs: ImageStackInputs) -> Preview:
        """Return what ``up_image`` would do, to the team's stack where that holds the image."""
        if not self._program.image:
            return self._images.preview_image(inputs)
        values = named(self._program, image_configuration(inputs))
        known = self._previewed(values)
        outputs = _image_outputs(known.events, inputs) if self._holds(values) else ()
        return Preview("image", known.changes, known.events.diagnostics, outputs)

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        """Bring the image to the inputs."""
        if not self._program.image:
            return self._images.up_image(inputs)
        known = self._brought_up(named(self._program, image_configuration(inputs)))
        return StackOutcome("image", known.changes, _image_outputs(known.events, inputs), known.events.diagnostics)

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        """Return what ``up_service`` would do to the team's stack, each foreign change in it with why it may not be."""
        values = self._service_values(inputs)
        known = self._previewed(values)
        outputs = self._outputs(known.events, inputs) if self._holds(values) else ()
        return Preview("service", known.changes, known.events.diagnostics, outputs)

    def up_service(self, inputs: ServiceStackInputs) -> StackOutcome:
        """Set the configuration of the team's stack and bring it about."""
        known = self._brought_up(self._service_values(inputs))
        return StackOutcome("service", known.changes, self._outputs(known.events, inputs), known.events.diagnostics)

    def set_aside(self, mark: str, *, image: bool) -> None:
        """Rename our own image stack, if ``image``; the team's stack, and its configuration, stay as they are."""
        if image and not self._program.image:
            self._images.set_aside(mark, image=True)

    def refresh(self) -> None:
        """Read the service's own resources into the state of the team's stack, and nothing else of it.

        Raises UnsafePreviewError, and leaves the state as it is, when one of them would be dropped from it.
        """
        own = self._own()
        urns = [item.change.urn for item in held_resources(self._exported()) if own.holds(item) and _is_read(item)]
        if urns:
            self._insisting(lambda: self._refresh(urns))

    def pending(self) -> tuple[PendingOperation, ...]:
        """Return what was under way of the service's own when its process was killed, in either place."""
        ours = self._images.pending() if not self._program.image else ()
        return (*ours, *pending_of(self._exported(), self._own(), self._record()))

    def settle(self, made: Mapping[str, str]) -> None:
        """Take into the state what pending operations of the service have ``made``; those of others stay.

        Raises UnsafePreviewError as a refresh does.
        """
        if not self._program.image:
            self._images.settle({})
        deployment, own = self._exported(), self._own()
        if pending_of(deployment, own, self._record()):
            self._import(settled(deployment, own, made))
        if made:
            self.refresh()

    def acknowledge(self, inputs: ServiceStackInputs) -> None:
        """Take what AWS never tells of a deployment that was started into the state of the team's stack."""
        known = self._previewed(self._service_values(inputs))
        own = self._own()
        step = next((item for item in known.events.steps if item.change.type == SERVICE and own.holds(item)), None)
        if step is not None:
            self._import(acknowledged(self._exported(), step))

    @property
    def _directory(self) -> Path:
        return Path(self._program.directory)

    @property
    def _file(self) -> Path:
        return stack_file(self._directory, self._program.stack)

    def _own(self) -> OwnResources:
        return own_resources(self._record(), image=self._program.image)

    def _service_values(self, inputs: ServiceStackInputs) -> Configuration:
        return named(self._program, service_configuration(self._record(), self._settings, inputs))

    def _configured(self, values: Configuration) -> tuple[str, str]:
        """Return the text of the stack's file as it is and as it is to be."""
        path = self._file
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        return text, with_configuration(text, values, path)

    def _holds(self, values: Configuration) -> bool:
        before, after = self._configured(values)
        return before == after

    def _previewed(self, values: Configuration) -> _Known:
        _, text = self._configured(values)

        def once() -> _Known:
            with self._operation("preview") as (stack, events), tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / self._file.name
                copy.write_bytes(text.encode("utf-8"))
                stack.preview(on_event=events, color="never", config_file=str(copy))
            return _Known(judged(events.steps, self._own()), events)

        return self._insisting(once)

    def _brought_up(self, values: Configuration) -> _Known:
        before, after = self._configured(values)
        if before != after:
            write_whole(self._file, after)

        def once() -> _Known:
            with self._operation("update") as (stack, events):
                stack.up(on_event=events, color="never", show_secrets=False)
            return _Known(judged(events.steps, self._own()), events)

        return self._insisting(once)

    def _refresh(self, urns: list[str]) -> None:
        with self._operation("refresh") as (stack, events):
            stack.preview_refresh(on_event=events, target=urns, color="never")
        refuse_to_drop(events.gone, f"the stack {self._program.stack}", events.diagnostics, "AWS")
        with self._operation("refresh") as (stack, events):
            stack.refresh(on_event=events, target=urns, color="never", show_secrets=False)

    def _exported(self) -> Mapping[str, Any]:
        with self._operation("read") as (stack, _):
            ran = self._run(stack, "stack", "export")
        found: dict[str, Any] = json.loads(ran).get("deployment") or {}
        return found

    def _import(self, deployment: Mapping[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "repaired.json"
            file.write_text(exported_text(deployment), encoding="utf-8")
            with self._operation("repair") as (stack, _):
                self._run(stack, "stack", "import", "--file", str(file))

    def _run(self, stack: Stack, *arguments: str) -> str:
        return self._engine.run([*arguments, "--stack", stack.name], str(self._directory), _ENVIRONMENT).stdout

    @contextmanager
    def _operation(self, verb: str) -> Iterator[tuple[Stack, ProgramEvents]]:
        name = self._program.stack
        # Asked first: a folder without a program would let Pulumi look in those above it.
        stack_file(self._directory, name)
        workspace = UnselectedWorkspace(
            work_dir=str(self._directory), env_vars=_ENVIRONMENT, pulumi_command=self._engine
        )
        events = ProgramEvents(ignore_changes if verb == "preview" else self._listener)
        operation = Failure(name, verb, (), "", pulumi=f"pulumi --cwd {self._directory} --stack {name}")
        with told(self._engine, events, operation):
            try:
                yield UnaskedStack(name, workspace, StackInitMode.SELECT), events
            except StackNotFoundError as error:
                raise NotFoundError(
                    f"The program in {self._directory} has no stack {name}.",
                    why="Pulumi does not know it where the environment says that its state is (PULUMI_BACKEND_URL).",
                    then="Correct program.stack in migrate.toml, or log Pulumi in where the team keeps its stacks.",
                    runbook="owner#program",
                ) from error

    def _outputs(self, events: ProgramEvents, inputs: ServiceStackInputs) -> tuple[tuple[str, str], ...]:
        """Return the revision that the program runs the service on, under the name of the one that was wanted.

        One that the program registered anew in place of the original is a copy of it, as the record knows them.
        """
        own, record = self._own(), self._record()
        held = next((item for item in events.ended if item.change.type == SERVICE and own.holds(item)), None)
        told_of = str(held.outputs.get("taskDefinition") or "") if held is not None else ""
        if not told_of:
            return ()
        original = record.baseline.task_definition.arn
        arn = told_of if told_of.startswith("arn:") else f"{original.rpartition('/')[0]}/{told_of}"
        name = inputs.service.task_definition
        arns = {name: arn}
        if name == "task-definition" and arn != original:
            arns["task-definition-copy"] = arn
        return ("service_arn", inputs.service.arn), ("task_definition_arns", json.dumps(arns))


def _is_read(step: ProgramStep) -> bool:
    """Tell whether a refresh may read a resource: of an image it could only lose it (case C28)."""
    return step.change.type in {SERVICE, TASK_DEFINITION}


def _image_outputs(events: ProgramEvents, inputs: ImageStackInputs) -> tuple[tuple[str, str], ...]:
    """Return the digest of the index on the shelf, from what the engine knows of it."""
    for item in events.ended:
        tag = str(item.wanted.get("tag") or item.held.get("tag") or "")
        reference = str(item.outputs.get("ref") or "")
        if item.change.type == INDEX and tag.endswith(f":{inputs.shelf_tag}") and "@" in reference:
            return (("index_digest", reference.partition("@")[2]), ("index_ref", reference))
    return (("image", "original"),)
