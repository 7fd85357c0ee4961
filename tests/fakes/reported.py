"""A run with something of everything in it, for what reports: two gates, numbers, a failure and a way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.conditions import parse_condition
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.gate.answers import CommandEnd
from migrate.core.gate_checks import CommandSource, CommandValue, GateCheck
from migrate.core.run.preflight_evidence import Preflight
from migrate.core.run.report import Report, report
from tests.fakes.migration import Operator

HOSTILE = (
    "<script>document.title = 'taken'</script>",
    '"><img src="http://192.0.2.1/x" onerror="document.title = \'taken\'">',
    "</style></svg></title><script src='//192.0.2.1/x.js'></script>",
    "<a href=\"javascript:document.title='taken'\">javascript:alert(1)</a>",
    "{{ 7 * 7 }} {% include 'report.css' %} ]]> <!-- &lt;b&gt; &#60;",
    "turned \u202egninrut\u202c, bell \x07, nothing \x00, newline \n end",
)
"""Texts that another system could put into an event or a log line."""


def a_rolled_back_run(check: str = "orders failed, %") -> tuple[Run, list[Event], tuple[Run, ...]]:
    """Return a run of stage 2 that an alarm ended, its evidence, and all runs of the service."""
    operator = Operator.of().reach(1)
    wanted = parse_condition("<= 1")
    operator.gate(checks=(GateCheck(check, CommandSource(("smoke",), CommandValue.STDOUT), wanted),))
    operator.sources.commands.end = CommandEnd(0, "0.4", "")
    operator.world.clock.after(timedelta(seconds=100), lambda: _rising(operator, "0.8"))
    operator.world.clock.after(timedelta(seconds=130), lambda: _rising(operator, "0.6"))
    operator.world.script_alarm("web-errors", "ALARM", after=timedelta(minutes=3))
    operator.apply(2)
    runs = operator.store.runs(operator.service.arn)
    return runs[0], operator.events(), runs


def a_report() -> Report:
    """Return the report of that run."""
    return report(*a_rolled_back_run())


def a_hostile_report() -> Report:
    """Return a report in which every text of others is hostile."""
    run, events, runs = a_rolled_back_run(check=HOSTILE[0])
    bad = iter(HOSTILE * 1000)
    made = [replace(event, text=next(bad)) if event.kind is not EventKind.MEASUREMENT else event for event in events]
    found = report(replace(run, operator=HOSTILE[1], status=HOSTILE[3]), made, runs)
    preflight = found.preflight or Preflight()
    return replace(
        found,
        events=tuple(replace(event, message=next(bad)) for event in found.events * len(HOSTILE)),
        stopped=tuple(replace(task, text=next(bad), provider=next(bad)) for task in found.stopped),
        tasks=tuple(
            replace(point, groups=tuple(replace(group, provider=HOSTILE[2]) for group in point.groups))
            for point in found.tasks
        ),
        checks=tuple(
            replace(series, points=tuple(replace(point, text=next(bad)) for point in series.points))
            for series in found.checks
        ),
        preflight=replace(
            preflight,
            findings=tuple(
                replace(item, text=next(bad), evidence=((next(bad), next(bad)),)) for item in preflight.findings
            ),
        ),
    )


def _rising(operator: Operator, printed: str) -> None:
    operator.sources.commands.end = CommandEnd(0, printed, "")
