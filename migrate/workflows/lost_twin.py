"""A twin that ECS made and the service stack does not know, because Pulumi was killed in the midst of its making."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.desired_state import DesiredState, desired_state, registered_as
from migrate.core.facts import Service
from migrate.core.stack.preview import Act
from migrate.core.stages import Stage
from migrate.core.task_definition import equivalent
from migrate.core.twin import TWIN, Twin
from migrate.errors import BlockedError, MigrateError, NotFoundError
from migrate.workflows.work import Work


def find_again(work: Work) -> None:
    """Adopt such a twin, so that it can be proven or let go like any other: Pulumi alone deletes it (design rule 2).

    Its name was free when it was put on record. Raises BlockedError where the service that has it now is another's.
    """
    twin = work.record.twin
    if twin is None or twin.arn is not None:
        return
    service = work.journal.look("twin that was begun", lambda: named(work, twin.name))
    if service is None:
        return
    if not work.journal.look("whose twin it is", lambda: _is_ours(work, service)):
        raise taken(twin, service)
    desired = desired_state(work.record, work.settings, Stage.ARCHITECTURE)
    if desired.service.twin is None:
        return
    # What was pending when Pulumi died is answered by what ECS has.
    work.journal.act("refresh before the twin", "read what runs into the service stack", work.runtime.stacks.refresh)
    if work.journal.look("twin in the state", lambda: _would_create(work, desired)):
        # Only then: an import of what the state holds under another id would replace it.
        adopting = replace(desired.service, twin=replace(desired.service.twin, adopt=True))
        work.up_service("twin found again", replace(desired, service=adopting), Act.SERVICE)
    work.up_service("twin as it is made", desired, Act.SERVICE)


def find_again_to_let_go(work: Work) -> None:
    """Adopt such a twin on a way back, which nobody else's service of that name holds up."""
    try:
        find_again(work)
    except BlockedError as error:
        work.journal.note("twin that was begun", f"left alone: {error}")


def named(work: Work, name: str) -> Service | None:
    """Return the service of a name in the cluster, None where there is none."""
    try:
        return work.runtime.services.service(work.settings.service.cluster, name)
    except NotFoundError:
        return None


def taken(twin: Twin, namesake: Service) -> BlockedError:
    """Return the refusal to make a twin whose name somebody else has."""
    return BlockedError(
        f"There is a service {twin.name} already, and this migration did not make it.",
        why=f"{namesake.arn} runs {namesake.running_count} tasks.",
        then="Nothing was changed. Delete it if it is left over from another migration, or use "
        'architecture.mode = "rolling".',
        runbook="stage-2#the-twins-name-is-taken",
    )


def _would_create(work: Work, desired: DesiredState) -> bool:
    preview = work.runtime.stacks.preview_service(desired.service)
    return any((item.name, item.operation) == (TWIN, "create") for item in preview.changes)


def _is_ours(work: Work, service: Service) -> bool:
    """Tell whether a service runs what the twin was to run: nobody else has that revision."""
    original = work.record.baseline.task_definition
    try:
        found = work.runtime.services.task_definition(service.task_definition_arn)
    except MigrateError:
        return False
    ours = registered_as(work.record)["task-definition-arm64"]
    return found.family == original.family and equivalent(found.document, ours)
