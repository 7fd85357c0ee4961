"""The end of a migration: its way back is given up, and what stays belongs to the service's owner again."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.desired_state import shelf_tag
from migrate.core.evidence import Run
from migrate.core.handover import Handover, handover
from migrate.core.observation import drift
from migrate.core.outcome import RunOutcome
from migrate.core.owner.program_configuration import named
from migrate.core.record import Record, still_open
from migrate.core.settings import PROGRAM_KEYS, ImageMode, Settings
from migrate.core.stages import Stage
from migrate.errors import BlockedError, ExitCode, MigrateError, WorldChangedError
from migrate.workflows.begin import at_work, claimed, failed, finished
from migrate.workflows.durable import Durable
from migrate.workflows.observe import observe
from migrate.workflows.runtime import Readers, Runtime

_RUNBOOK = "finish#refused"
_OWNED = "the code that owns the service has deployed what runs; nothing of ours held it"


def what_stays(runtime: Readers) -> Handover:
    """Return what the owner's code has to say of the service as it runs; nothing is changed."""
    observation = observe(runtime, readiness=False, guarding=False)
    twin = observation.twin
    return handover(observation, runtime.services.task_definition(twin.task_definition_arn) if twin else None)


def given_up(runtime: Readers) -> tuple[str, ...]:
    """Return, in words, what ending the migration now gives up. Raises what `finish` would refuse with."""
    observation = observe(runtime, readiness=False, guarding=False)
    record = may_finish(runtime.store.record(observation.service.arn))
    changed = drift(record, runtime.settings, observation)
    if changed:
        raise _moved(changed)
    return losses(record, runtime.settings)


def finish(runtime: Runtime, durable: Durable, run: Run) -> RunOutcome:
    """End the migration of a service: empty our stacks, archive the record, and touch nothing that runs."""
    with claimed(runtime, run, durable) as journal:
        try:
            record = may_finish(journal.look("read record", lambda: runtime.store.record(run.service)))
            observation = journal.look("observe", lambda: observe(runtime, readiness=False, guarding=False))
            changed = drift(record, runtime.settings, observation)
            if changed:
                raise _moved(changed)
            at_work(journal)
            mark = f"finished-{record.baseline.recorded_at:%Y%m%dT%H%M%S}"
            journal.act(
                "set stacks aside",
                "archive the record: no stack of ours holds anything"
                if record.owned
                else "let our own stacks go: nothing that runs is theirs any more",
                lambda: runtime.stacks.set_aside(mark, image=True),
                stays=True,
            )
            runtime.store.save_record(run.service, replace(record, over=True))
        except MigrateError as error:
            failed(journal, error)
            raise
        stage = record.position.proven
        text = f"The migration is over: the service stays at {stage.named}, and its way back is no longer on record."
        left = (
            _OWNED if record.owned else _kept(runtime.settings, mark),
            *leftovers(record, runtime.settings),
            *_beside(record),
        )
        return finished(journal, RunOutcome(run.id, ExitCode.DONE, stage, text, left, _next(record)))


def _next(record: Record) -> str:
    if record.owned:
        return "Nothing is left to do: the code that deploys the service says already what runs."
    then = "Bring your own code in line before its next run: `migrate finish --print terraform` (or pulumi, "
    return then + "cloudformation) shows what has to stand there."


def _kept(settings: Settings, mark: str) -> str:
    program = settings.program
    if program is None:
        return f"both stacks are empty; what they held is kept under {mark}"
    keys = ", ".join(named(program, dict.fromkeys(PROGRAM_KEYS)))
    return (
        f"the program goes on reading {keys} in the configuration of stack {program.stack}: as far as they are set "
        "there they have to stay until its code says the same by itself"
    )


def may_finish(record: Record | None) -> Record:
    """Return the record of a migration that can end where it is. Raises BlockedError for any other."""
    found = still_open(record)
    if found is None or not found.adopted:
        raise BlockedError(
            "There is no migration to finish.",
            why="No stage is applied to this service, or its migration was finished before.",
            then="`migrate status` shows where it is.",
            runbook=_RUNBOOK,
        )
    position = found.position
    if position.entered is not None or position.proven < Stage.ARCHITECTURE:
        entered = position.entered
        at = f"It has reached {position.proven.named}." if entered is None else f"{entered.named} is not proven."
        raise BlockedError(
            "A migration ends at stage 2 or 3, proven.",
            why=at[0].upper() + at[1:],
            then="Apply the stages that are left, or leave it: `migrate rollback --to original`.",
            runbook=_RUNBOOK,
        )
    return found


def losses(record: Record, settings: Settings) -> tuple[str, ...]:
    """Return what nobody can go back to by this tool once the record is archived."""
    baseline = record.baseline
    providers = ", ".join(item.provider for item in baseline.service.strategy)
    capacity = providers or f"launch type {baseline.service.launch_type}"
    return (
        f"the way back to {baseline.task_definition.arn.rsplit('/', 1)[-1]} on {capacity}, by `migrate rollback`",
        f"the original manifest {baseline.image.digest}, to which {baseline.image.reference.tag} could be moved back",
        *leftovers(record, settings),
        *_beside(record),
    )


def _beside(record: Record) -> tuple[str, ...]:
    """Return that the twin of mode mixed stays; in mode canary it is gone when stage 2 is proven."""
    if record.twin is None:
        return ()
    return (f"the twin service {record.twin.name} stays beside the service: `--print` shows it, too",)


def leftovers(record: Record, settings: Settings) -> tuple[str, ...]:
    """Return what stays in the repository, and how it goes: the tool itself deletes nothing (design rule 8)."""
    image = record.baseline.image
    if settings.image.mode is ImageMode.EXTERNAL or not image.guard_tag:
        return ()
    remove = f"aws ecr batch-delete-image --repository-name {image.repository} --image-ids imageTag="
    guard = f"tag {image.guard_tag} keeps the original image. Once nobody needs it: `{remove}{image.guard_tag}`, which"
    found = [f"{guard} deletes the image too where that is its last tag and no index lists it"]
    if record.shelved:
        tag = shelf_tag(image.reference.tag or "")
        found.append(f"tag {tag} names the index beside {image.reference.tag}, and can go: `{remove}{tag}`")
    return tuple(found)


def _moved(changed: tuple[str, ...]) -> WorldChangedError:
    return WorldChangedError(
        "The service is no longer what this migration has proven.",
        why=f"{'; '.join(changed)}.",
        then="Nothing was changed. Decide with whoever did it what is to run; the runbook section says how.",
        runbook="rollback#somebody-else",
    )
