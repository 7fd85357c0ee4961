"""Stage 3 in steps of weight: each is written down before it is taken, and proves itself before the next."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.capacity import shown_strategy
from migrate.core.capacity_steps import capacity_steps, steps_to_take
from migrate.core.facts import Service, Strategy
from migrate.core.gate.gate import Verdict
from migrate.core.stages import Stage
from migrate.errors import BlockedError
from migrate.workflows.gate import watch
from migrate.workflows.judged import Judged, deployed
from migrate.workflows.work import Work


def by_steps(work: Work) -> Judged:
    """Take the steps that are left and return the last, or the first that does not pass its gate."""
    if work.record.twin is not None:
        # Base and weights say how the tasks of one service spread: with a twin there is no one share to prove.
        raise BlockedError(
            f"Stage 3 cannot start: the service has a twin, {work.record.twin.name}, and runs on both architectures.",
            why="A strategy holds for one service; of two, neither base nor weights would be what the settings say.",
            then='Set architecture.mode = "canary" and run `migrate apply --stage 2`: the service follows its twin.',
            runbook="stage-3#apply-stage-3",
        )
    service = work.journal.look("read service", work.service)
    steps = _left(work, service)
    for number, step in enumerate(steps[:-1], 1):
        label = f"step {number} of {len(steps)}"
        judged = _taken(work, service, step, f", {label}")
        work.journal.note(label, f"{label}: {shown_strategy(step)}")
        soak = work.gate.soak if work.settings.step_soak is None else work.settings.step_soak
        gate = replace(work.gate, soak=soak)
        assessment = watch(work.runtime, work.journal, f"gate 3, {label}", judged.expectation, gate)
        if assessment.verdict is not Verdict.PASS:
            at = f"at {label} ({shown_strategy(step)})"
            return replace(judged, assessment=replace(assessment, reasons=(at, *assessment.reasons)))
    return _taken(work, service, steps[-1], "")


def _left(work: Work, service: Service) -> tuple[Strategy, ...]:
    """Return the steps from here on; a step that was begun comes again, to be looked at before the next."""
    way, settings = work.record.capacity_way, work.settings
    start = way[0] if way else service.strategy
    steps = capacity_steps(start, settings.capacity, settings.capacity_steps)
    begun = work.record.capacity_step
    if begun is None or begun not in steps:
        return steps_to_take(start, steps, service.desired_count)
    after = steps[steps.index(begun) + 1 :]
    return (begun, *steps_to_take(begun, after, service.desired_count)) if after else (begun,)


def _taken(work: Work, service: Service, step: Strategy, label: str) -> Judged:
    way = work.record.capacity_way or (service.strategy,)
    if work.record.capacity_step != step:
        work.remember(replace(work.record, capacity_way=(*way, step)))
    return deployed(work, Stage.CAPACITY, step=label)
