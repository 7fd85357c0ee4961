"""One measurement of a gate: read what its checks need, and let the core judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain

from migrate.check_ports import CheckSources
from migrate.core.facts import Service, Task
from migrate.core.gate.answers import StageFacts
from migrate.core.gate.checks import (
    Expectation,
    alarms_check,
    capacity_check,
    deployment_check,
    other_strategy,
    targets_check,
    tasks_check,
)
from migrate.core.gate.checks_of_tasks import (
    Watched,
    excused,
    seen_by_stopped_check,
    slow_tasks,
    starting_check,
    stopped_check,
)
from migrate.core.gate.gate import GateState, Measurement, Outcome, Progress, Sample, due
from migrate.core.gate.own_checks import (
    MetricTimes,
    command_check,
    metric_check,
    probe_check,
    prometheus_check,
    webhook_check,
)
from migrate.core.gate.stopped_tasks import deployment_behind, ended_by
from migrate.core.gate.trouble import health_hint
from migrate.core.gate.twin_comparison import CHECK, Side
from migrate.core.gate_checks import (
    CommandSource,
    GateCheck,
    MetricSource,
    ProbeSource,
    PrometheusSource,
    WebhookSource,
)
from migrate.core.run.news import News, news
from migrate.core.settings import GateSettings
from migrate.core.task_groups import task_groups
from migrate.errors import MigrateError
from migrate.workflows.at_once import at_once
from migrate.workflows.comparison import compared
from migrate.workflows.journal import Told
from migrate.workflows.runtime import Runtime

_NO_SOURCE = "this run has nothing that could ask"
_CHECKS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    """The service as one measurement sees it."""

    at: datetime
    service: Service
    tasks: tuple[Task, ...]
    stopped: tuple[Task, ...]


def measure(
    runtime: Runtime, expected: Expectation, gate: GateSettings, state: GateState, told: Told
) -> tuple[Sample, News]:
    """Measure what is due once; a check whose source does not answer is an error, never a pass.

    Beside the sample stands what ECS said and no earlier look of the run had ``told``.
    """
    at, services = runtime.clock.now(), runtime.services
    try:
        named = expected.service or runtime.settings.service.name
        service = services.service(runtime.settings.service.cluster, named)
        seen = _Seen(at, service, services.tasks(service), services.stopped_tasks(service))
    except MigrateError as error:
        return Sample(at, (_unread("deployment", error), _unread("tasks", error))), News()
    deployment = _asked("deployment", lambda: _deployment(runtime, seen, expected, state.started_at))
    progress = _progress(seen, expected, complete=deployment.outcome is Outcome.PASS)
    built_in = _built_in(runtime, seen, expected, gate, state, progress)
    beside = _beside(runtime, seen, expected, state, deployed=progress.complete)
    own = _own(runtime, due(state, gate, at), seen, expected, state)
    measured = (deployment, *built_in, *beside, *own)
    groups = task_groups(seen.tasks, expected.deployment_id)
    heard = news(service, seen.stopped, told.since, told.names)
    return Sample(at, measured, progress, tasks=groups, desired=service.desired_count), heard


def _built_in(
    runtime: Runtime, seen: _Seen, expected: Expectation, gate: GateSettings, state: GateState, progress: Progress
) -> Sequence[Measurement]:
    service, tasks = seen.service, seen.tasks
    groups, healthy, hint = service.target_group_arns, runtime.health.target_health, health_hint(service)
    stopped = state.tally("stopped tasks")
    scaled = state.furthest is not None and state.furthest.desired != service.desired_count
    watched = Watched(
        deployment_id=expected.deployment_id,
        deployed=progress.complete,
        now=seen.at,
        began=state.started_at,
        soaking=progress.complete and state.completed_at is not None,
        known=frozenset(name for name, _ in stopped.last.evidence) if stopped else frozenset(),
        scaled_at=seen.at if scaled else state.scaled_at,
        interruption_limit=gate.interruption_limit if expected.only_capacity else None,
    )
    measured = (
        tasks_check(service, tasks, expected),
        capacity_check(service, tasks, expected),
        stopped_check(service, seen.stopped, watched),
        _asked("starting tasks", lambda: _starting(runtime, tasks, expected, watched)),
        _asked("targets", lambda: targets_check(healthy(groups), groups, deployed=progress.complete, hint=hint)),
        _asked("alarms", lambda: alarms_check(runtime.health.alarms(expected.alarms), expected.alarms)),
    )
    return excused(measured, service, progress.ours, seen.stopped, watched)


def _deployment(runtime: Runtime, seen: _Seen, expected: Expectation, began: datetime) -> Measurement:
    """Judge the deployment; its service deployment is asked for only where it can tell more than the service does."""
    service = seen.service
    judged = deployment_check(service, expected)
    if judged.outcome is Outcome.PASS and expected.follows is None and not other_strategy(service, expected):
        return judged
    try:
        found = runtime.services.service_deployments(service)
    except MigrateError:
        # The deployment itself is judged already.
        return judged
    judged = deployment_check(service, expected, found or ())
    if judged.outcome is not Outcome.FAIL:
        return judged
    # The circuit breaker may have been quicker than the first look: then ECS's own way back was found in the place of
    # our deployment, or all its tasks had stopped before the gate began, and no other check names how they ended.
    failed = {expected.deployment_id, *(deployment_behind(item) for item in (found or ())[:1])}
    unseen = [task for task in seen.stopped if not seen_by_stopped_check(task, expected.deployment_id, began)]
    revision = expected.task_definition_arn
    return replace(
        judged,
        text=judged.text + ended_by(unseen, failed, "" if revision == service.task_definition_arn else revision),
    )


def _starting(runtime: Runtime, tasks: Sequence[Task], expected: Expectation, watched: Watched) -> Measurement:
    slow = slow_tasks(tasks, watched)
    definition = runtime.services.task_definition(expected.task_definition_arn) if slow else None
    return starting_check(tasks, definition, watched)


def _beside(
    runtime: Runtime, seen: _Seen, expected: Expectation, state: GateState, *, deployed: bool
) -> Iterator[Measurement]:
    if expected.beside:
        twin = Side(seen.service, seen.tasks, seen.stopped)
        yield _asked(CHECK, lambda: compared(runtime, twin, expected, state, seen.at, deployed=deployed))


def _progress(seen: _Seen, expected: Expectation, *, complete: bool) -> Progress:
    running = [task for task in seen.tasks if task.last_status == "RUNNING"]
    ours = sum(task.started_by == expected.deployment_id for task in running)
    return Progress(ours, len(running) - ours, seen.service.desired_count, complete)


def _own(
    runtime: Runtime, checks: Sequence[GateCheck], seen: _Seen, expected: Expectation, state: GateState
) -> Iterator[Measurement]:
    """Measure the operator's checks, some at the same time: a slow one delays no other, and the sample only by itself.

    Their order is that of the settings, the metrics first.
    """
    sources = runtime.sources
    if sources is None:
        return iter([Measurement(check.name, Outcome.ERROR, _NO_SOURCE, "errors#fault") for check in checks])
    facts = StageFacts(
        cluster=seen.service.cluster_arn.rpartition("/")[2],
        service=seen.service.name,
        stage=None if expected.stage is None else int(expected.stage),
        deployment=expected.deployment_id,
        task_definition=expected.task_definition_arn,
        architecture=expected.architecture,
    )
    metrics = [check for check in checks if isinstance(check.source, MetricSource)]
    questions: list[Callable[[], Sequence[Measurement]]] = []
    if metrics:
        questions.append(lambda: tuple(_metrics(sources, metrics, seen, expected, state)))
    questions += [partial(_one, sources, check, facts) for check in checks if check not in metrics]
    try:
        return chain.from_iterable(at_once(questions, _CHECKS_AT_ONCE))
    except BaseException:
        # Nobody waits for the operator's programs any more, and none of them may outlive the run.
        sources.commands.stop()
        raise


def _one(sources: CheckSources, check: GateCheck, facts: StageFacts) -> tuple[Measurement]:
    def ask() -> Measurement:
        match check.source:
            case ProbeSource() as probe:
                return probe_check(check, probe, sources.probes.answers(probe))
            case CommandSource() as command:
                return command_check(check, command.value, sources.commands.run(command, facts))
            case WebhookSource() as webhook:
                return webhook_check(check, sources.webhooks.ask(webhook, facts))
            case PrometheusSource() as query:
                return prometheus_check(check, sources.prometheus.values(query))
            case MetricSource():
                raise AssertionError

    return (_asked(check.name, ask),)


def _metrics(
    sources: CheckSources, checks: Sequence[GateCheck], seen: _Seen, expected: Expectation, state: GateState
) -> Iterator[Measurement]:
    """Ask for all metrics in one go: each call counts against the account's rate."""
    found = [(check, check.source) for check in checks if isinstance(check.source, MetricSource)]
    ours = next((item for item in seen.service.deployments if item.id == expected.deployment_id), None)
    deployed = ours.created_at if ours else state.started_at
    times = MetricTimes(
        deployed=deployed,
        since=state.completed_at or state.started_at,
        now=seen.at,
        complete=state.completed_at is not None,
    )
    starts = [deployed - source.baseline.window for _, source in found if source.baseline]
    service = expected.beside.rpartition("/")[2]
    beside = [source for _, source in found if service and source.baseline and source.baseline.with_service]
    asked = (*(source.of(service, seen.service.name) if source in beside else source for _, source in found), *beside)
    try:
        answered = sources.metrics.series(asked, min([*starts, state.started_at]), seen.at)
    except MigrateError as error:
        yield from (_unread(check.name, error) for check in checks)
        return
    others = dict(zip(beside, answered[len(found) :], strict=True))
    for (check, source), series in zip(found, answered, strict=False):
        yield metric_check(check, source, series, times, others.get(source))


def _asked(check: str, ask: Callable[[], Measurement]) -> Measurement:
    try:
        return ask()
    except MigrateError as error:
        return _unread(check, error)


def _unread(check: str, error: MigrateError) -> Measurement:
    return Measurement(check, Outcome.ERROR, f"could not be measured: {error}", error.runbook)
