"""One run on one service: its record, its journal, and the acts that every stage is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

from migrate.core.desired_state import (
    DesiredState,
    ImageStackInputs,
    beside_others,
    expected_digests,
    missing_providers,
)
from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind
from migrate.core.facts import Deployment, Service
from migrate.core.gate.checks import Expectation
from migrate.core.gate.kept_images import kept_images
from migrate.core.others import brought_by_others
from migrate.core.record import Record
from migrate.core.rollout.waits import with_rollout_waits
from migrate.core.service_settings import watched_alarms
from migrate.core.settings import GateSettings, Settings
from migrate.core.stack.pending import only_unread
from migrate.core.stack.preview import SERVICE, Act, Preview, StackOutcome, violations
from migrate.core.stages import Stage
from migrate.core.twin import TWIN, Twin
from migrate.errors import NotFoundError, UnsafePreviewError, WorldChangedError
from migrate.workflows.journal import Journal
from migrate.workflows.runtime import Runtime

NEW_DEPLOYMENT_LOOKS = 15


@dataclass(slots=True)
class Work:
    """The mutable part of a run is the record alone, and it is saved with every change."""

    runtime: Runtime
    journal: Journal
    record: Record

    @property
    def settings(self) -> Settings:
        """The operator's settings."""
        return self.runtime.settings

    @property
    def gate(self) -> GateSettings:
        """The operator's gate, and the waits that the service's own deployment strategy adds to it."""
        return with_rollout_waits(self.settings.gate, self.record.baseline.service.document)

    def remember(self, record: Record) -> None:
        """Save the record; from here on a restart knows it."""
        self.record = self.runtime.store.save_record(record.baseline.service.arn, record)

    def service(self) -> Service:
        """Read the service as it is now."""
        return self.runtime.services.service(self.settings.service.cluster, self.settings.service.name)

    def follow_cluster(self, step: str) -> None:
        """Take into the record what others made of the cluster's providers, where this migration writes them too."""
        recorded = self.record.baseline.cluster
        if not missing_providers(recorded, self.record, self.settings):
            return
        now = self.journal.look(f"{step}: cluster", lambda: self.runtime.services.cluster(recorded.arn))
        followed = beside_others(self.record, self.settings, now)
        if followed != self.record:
            self.remember(followed)

    def up_image(self, step: str, inputs: ImageStackInputs, act: Act) -> StackOutcome:
        """Bring the image stack to the inputs, after a preview that holds nothing else."""
        stacks = self.runtime.stacks
        preview = self.journal.look(f"{step}: preview", lambda: self._guarded(step, stacks.preview_image(inputs), act))
        holds = f"an index under the tag {inputs.tag}" if inputs.present else "nothing, the image is as it was found"
        return preview.settled or self.journal.act(
            f"{step}: up",
            f"image stack to hold {holds}",
            lambda: stacks.up_image(inputs),
            _changed,
            again=lambda _: self._guarded(step, stacks.preview_image(inputs), act).settled or stacks.up_image(inputs),
        )

    def check_service(self, step: str, desired: DesiredState, act: Act) -> None:
        """Refuse an unsafe preview of the service stack before anything is written for it.

        Raises UnsafePreviewError.
        """
        stacks = self.runtime.stacks
        twin = self._of_the_twin(desired)
        self.journal.look(
            f"{step}: preview", lambda: self._guarded(step, stacks.preview_service(desired.service), act, twin)
        )

    def up_service(self, step: str, desired: DesiredState, act: Act, *, must_deploy: bool = False) -> Deployed:
        """Bring the service stack to the desired state, after a preview that holds nothing else.

        ``must_deploy`` insists on a new deployment: when nothing changed in the service but the bytes behind its tag,
        a forced one is started (facts F14, case C39).
        """
        stacks = self.runtime.stacks
        twin = self._of_the_twin(desired)
        preview = self.journal.look(
            f"{step}: preview", lambda: self._guarded(step, stacks.preview_service(desired.service), act, twin)
        )
        former = self.journal.look(f"{step}: deployment before", self._primary_of_ours)
        before = former.id if former else ""
        text = f"service stack to {desired.stage.named}"
        if self.record.owned:
            text = f"wait for the owner's deployment of {desired.stage.named}: {'; '.join(preview.diagnostics)}"
        outcome = preview.settled or self.journal.act(
            f"{step}: up",
            text,
            lambda: stacks.up_service(desired.service),
            _changed,
            intent={"deployment": before},
            again=lambda begun: self._up_looking_first(step, desired, act, begun),
        )
        arns = revisions(outcome)
        made = self.record.made(arns.get("task-definition-arm64"), arns.get("task-definition-copy"))
        self.remember(replace(made, twin=self._twin_after(desired, outcome)))
        deployment = self.journal.act(
            f"{step}: deployment",
            "find the deployment to judge",
            lambda: self._started(outcome, before, must_deploy=must_deploy),
            lambda found: {"deployment": found},
        )
        follows = former.created_at if former and deployment != former.id else None
        return Deployed(desired, outcome, deployment, follows)

    def _up_looking_first(self, step: str, desired: DesiredState, act: Act, begun: Event) -> StackOutcome:
        """Bring the service stack to the desired state where an earlier try may have done so, in part or in whole.

        What AWS shows comes into the state first. What it never tells, why a deployment was forced, is taken for done
        where another deployment than before is the service's PRIMARY one: the rest of it is as it shall be then.
        """
        stacks, inputs = self.runtime.stacks, desired.service
        stacks.refresh()
        preview = self._guarded(step, stacks.preview_service(inputs), act, self._of_the_twin(desired))
        if only_unread(preview) and fields(begun.data).get("deployment") not in {None, self._primary()}:
            stacks.acknowledge(inputs)
            preview = self._guarded(step, stacks.preview_service(inputs), act, self._of_the_twin(desired))
        return preview.settled or stacks.up_service(inputs)

    def _of_the_twin(self, desired: DesiredState) -> str:
        """Return what a step may do to the twin: make or adopt it once it is on record, or let that one go."""
        if self.record.twin is None:
            return ""
        if desired.service.twin is None:
            return "delete"
        return "import" if desired.service.twin.adopt else "create"

    def _twin_after(self, desired: DesiredState, outcome: StackOutcome) -> Twin | None:
        if self.record.twin is None or desired.service.twin is None:
            return None
        return replace(self.record.twin, arn=outcome.output("twin_arn") or self.record.twin.arn)

    def _guarded(self, step: str, preview: Preview, act: Act, twin: str = "") -> Preview:
        """Keep what the engine would do as evidence, and refuse what the act has no business with (design rule 3)."""
        told = ", ".join(f"{item.operation} {item.name}" for item in preview.changes) or "no change"
        if self.record.owned:
            told = "; ".join(preview.diagnostics) or "nothing"
        data = {"operations": [{"operation": item.operation, "type": item.type} for item in preview.resources]}
        self.journal.write(EventKind.NOTE, f"{step}: preview", f"{self._title(preview)}: {told}", data)
        found = violations(preview, act, twin)
        if found:
            raise UnsafePreviewError(
                f"The preview of the {preview.stack} stack holds a change that this step ({act}) must not make.",
                why="; ".join(found),
                then="Nothing was changed by this step. Look at the runbook section before anything else.",
            )
        return preview

    def _title(self, preview: Preview) -> str:
        if self.record.owned:
            return f"what the owner has still to deploy of the {preview.stack}"
        return f"preview of the {preview.stack} stack"

    def _started(self, outcome: StackOutcome, before: str, *, must_deploy: bool) -> str:
        updated = (item for item in outcome.resources if item.operation == "update" and item.type == SERVICE)
        moved = any(item.name != TWIN for item in updated)
        current = self._primary_after(before) if moved else self._primary()
        if must_deploy and current == self.record.last_deployment_id and not self.record.owned:
            return self.runtime.safety.force_deployment(self.service())
        return current

    def _primary(self) -> str:
        primary = self.service().primary
        return primary.id if primary else ""

    def _primary_of_ours(self) -> Deployment | None:
        """Return the PRIMARY deployment right before an ``up``: a build or a twin's gate may have taken an hour.

        Raises WorldChangedError where somebody else has deployed meanwhile (design rule 7).
        """
        service = self.service()
        if service.task_definition_arn in self.record.own_revisions:
            running = replace(self.record.baseline.task_definition, arn=service.task_definition_arn)
        else:
            running = self.runtime.services.task_definition(service.task_definition_arn)
        refuse_to_undo(brought_by_others(self.record, self.settings, service, running))
        return service.primary

    def _primary_after(self, before: str) -> str:
        """Return the PRIMARY deployment that follows ``before``; an update that started none leaves the old one."""
        polling = Retrying(
            retry=retry_if_result(lambda found: found == before),
            wait=wait_fixed(timedelta(seconds=2)),
            stop=stop_after_attempt(NEW_DEPLOYMENT_LOOKS),
            sleep=lambda seconds: self.runtime.clock.sleep(timedelta(seconds=seconds)),
            retry_error_callback=lambda _: before,
        )
        return polling(self._primary)

    def expectation(self, deployed: Deployed) -> Expectation:
        """Return what the running tasks must look like once the deployment has brought the desired state."""
        desired = deployed.desired
        arn = revisions(deployed.outcome).get(desired.service.service.task_definition)
        if arn is None:
            raise NotFoundError(
                "The service stack does not tell which revision it registered.",
                why=f"No output for {desired.service.service.task_definition}.",
                then="Run `migrate stack service -- stack output` and look for task_definition_arns.",
            )
        return Expectation(
            deployment_id=deployed.deployment_id,
            task_definition_arn=arn,
            architecture=desired.architecture,
            container=self.settings.image.container,
            digests=expected_digests(self.record, self.settings, desired.stage, desired.architecture),
            strategy=desired.strategy,
            launch_type=desired.launch_type,
            alarms=watched_alarms(self.record.baseline.service, self.settings.gate.alarms),
            only_capacity=desired.stage is Stage.CAPACITY,
            images=kept_images(self.record, self.settings, desired.stage, desired.architecture),
            stage=desired.stage,
            follows=deployed.follows,
        )


@dataclass(frozen=True, slots=True)
class Deployed:
    """A service stack after its ``up``, and the deployment that it started or found running.

    ``follows`` is when the deployment before began, where the ``up`` started one.
    """

    desired: DesiredState
    outcome: StackOutcome
    deployment_id: str
    follows: datetime | None = None


def refuse_to_undo(found: tuple[str, ...]) -> None:
    """Raise WorldChangedError where somebody else's change was found in the middle of a run."""
    if found:
        why = "; ".join(found)
        raise WorldChangedError(
            "Somebody else changed the service while this run was at work.",
            why=f"{why[0].upper()}{why[1:]}.",
            then="Going on would undo that, so that this run stops here: decide together what is to run. To keep it "
            "and go on from it: `migrate apply --stage 0 --rebaseline`. To lose it: put back what was there before, "
            "then run the same command again.",
        )


def revisions(outcome: StackOutcome) -> dict[str, str]:
    """Return the ARNs of the stack's task definitions by logical name."""
    found: dict[str, str] = json.loads(outcome.output("task_definition_arns") or "{}")
    return found


def _changed(outcome: StackOutcome) -> dict[str, object]:
    return {
        "stack": outcome.stack,
        "changes": [f"{item.operation} {item.name}" for item in outcome.resources if item.changes],
        "outputs": dict(outcome.outputs),
    }
