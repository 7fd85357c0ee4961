"""Going on with what another process began: first what it left open is looked at (design rule 4).

Its locks are the engine's business, and a deployment that is under way is joined by whoever judges it. Here the state
of both stacks learns how the operations ended that were under way when their process was killed, so that none of them
is done twice.
"""

from __future__ import annotations

from migrate.core.desired_state import registered_as
from migrate.core.evidence import EventKind
from migrate.core.facts import TaskDefinition
from migrate.core.record import Record
from migrate.core.run.unfinished import JUDGING, left_open, predecessor
from migrate.core.stack.pending import CREATING, PendingOperation
from migrate.core.stack.preview import SERVICE, TASK_DEFINITION
from migrate.core.task_definition import equivalent
from migrate.core.twin import TWIN
from migrate.errors import NotFoundError
from migrate.workflows.journal import Journal
from migrate.workflows.runtime import Runtime

CLAIM = "claim"
"""The step under which the store notes whom a run took its service from."""

_REVISIONS_BACK = 20
"""How many revisions are looked at from the newest on: others may have registered some meanwhile."""


def look_first(runtime: Runtime, journal: Journal) -> None:
    """Look at what a former process of this run, or the run before it, left open; nothing is done where there is none.

    Runs whenever a run begins or is taken up, and may be repeated.
    """
    store, run = runtime.store, journal.run
    if run.verb == JUDGING:
        return
    own = [event for event in store.events(run.id) if event.step != CLAIM]
    before = predecessor(store.runs(run.service), run.id)
    if own:
        told = f"taken up by {run.operator} on {run.host} (process {run.process}); what is on record is not done again"
        journal.write(EventKind.NOTE, "taken up", told)
        journal.last = own[-1]
    elif before is not None:
        journal.write(EventKind.NOTE, "taken up", f"goes on from run {before.id}, which did not come to its end")
    journal.begun, unsure = left_open((*(store.events(before.id) if before is not None else ()), *own))
    if unsure:
        _settle(runtime, journal)


def _settle(runtime: Runtime, journal: Journal) -> None:
    pending = runtime.stacks.pending()
    if not pending:
        return
    record = runtime.store.record(journal.run.service)
    made = {}
    for operation in pending:
        found = _made(runtime, record, operation) if record is not None and operation.operation == CREATING else ""
        if found:
            made[operation.urn] = found
        text = f"{operation.text} was under way: {f'it made {found}' if found else 'nothing of it is left over'}"
        journal.write(EventKind.NOTE, "pending operations", text)
    runtime.stacks.settle(made)


def _made(runtime: Runtime, record: Record, operation: PendingOperation) -> str:
    """Return the import id of what an operation has made, empty where it made nothing that counts.

    An image or index is pushed by digest, and is made again from the builder's cache: there is nothing to find.
    """
    if operation.type == TASK_DEFINITION:
        return _revision(runtime, record, operation.name)
    if operation.type == SERVICE and operation.name == TWIN and record.twin is not None:
        cluster = runtime.settings.service.cluster
        try:
            runtime.services.service(cluster, record.twin.name)
        except NotFoundError:
            return ""
        return f"{cluster.rpartition('/')[2]}/{record.twin.name}"
    return ""


def _revision(runtime: Runtime, record: Record, name: str) -> str:
    """Return the newest revision that was registered since the baseline and says what ours would have said."""
    wanted = registered_as(record).get(name)
    family, first = record.baseline.task_definition.family, record.baseline.task_definition.revision
    newest = _definition(runtime, family)
    if wanted is None or newest is None:
        return ""
    for revision in range(newest.revision, max(first, newest.revision - _REVISIONS_BACK), -1):
        found = newest if revision == newest.revision else _definition(runtime, f"{family}:{revision}")
        if found is not None and found.status == "ACTIVE" and equivalent(found.document, wanted):
            return found.arn
    return ""


def _definition(runtime: Runtime, name: str) -> TaskDefinition | None:
    try:
        return runtime.services.task_definition(name)
    except NotFoundError:
        return None
