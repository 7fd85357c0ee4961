"""A plan as text for people: what one signs, stage by stage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.differences import Difference, DifferenceKind
from migrate.core.documents import Json, fields
from migrate.core.plan.detail import ApiRequest, StageDetail
from migrate.core.plan.plan import MigrationPlan, StagePlan, StageStatus
from migrate.core.rollout.history import StageTime
from migrate.render import findings
from migrate.render.cost import costs
from migrate.render.history import duration
from migrate.render.lines import Paragraph, Rows
from migrate.render.text import price

_STATUSES = {
    StageStatus.PROVEN: "green",
    StageStatus.ENTERED: "yellow",
    StageStatus.NEXT: "bold",
    StageStatus.LATER: "dim",
    StageStatus.BLOCKED: "bold red",
}

_LONGEST_PARAMETERS = 600
"""Characters of a request's parameters that a terminal shows; whole task definitions are for files."""


def plan(value: MigrationPlan, details: Sequence[StageDetail]) -> RenderableType:
    """Return a plan: what each stage changes, what is in its way, how it is judged and undone."""
    head = Text.assemble(("Plan for ", "bold"), (value.service_arn, "bold"), f"\n{value.desired_count} tasks; ")
    head.append(f"made {value.made_at:%Y-%m-%d %H:%M:%S} UTC; nothing was changed")
    parts: list[RenderableType] = [head]
    if value.findings:
        parts.append(findings.findings(value.findings))
    parts += [stage(value, detail) for detail in details]
    parts += [costs(value), Paragraph(f"\n{next_step(value)}", "bold")]
    return Group(*parts)


def next_step(value: MigrationPlan) -> str:
    """Return what whoever has read the plan does next."""
    left = next((item for item in value.stages if item.status is not StageStatus.PROVEN), None)
    if left is None:
        return "Every stage is proven."
    if left.status is StageStatus.BLOCKED:
        return f"Next: mend what blocks stage {left.stage.value}, then look again with `migrate plan`."
    return f"Next: `migrate apply --stage {left.stage.value}`."


def stage(value: MigrationPlan, detail: StageDetail, *, with_findings: bool = False) -> RenderableType:
    """Return one stage of a plan, below the findings that go with it where they are not shown elsewhere."""
    one = value.stage(detail.stage)
    told = [findings.finding(item) for item in value.findings if with_findings and item.stage <= detail.stage]
    return Group(*told, _stage(one, detail))


def _stage(one: StagePlan, detail: StageDetail) -> RenderableType:
    title = Text.assemble(
        (f"\nStage {one.stage.value} {one.stage.title}", "bold"), "  ", (one.status.value, _STATUSES[one.status])
    )
    table = Rows(indent=2, narrowest=9)
    for change in one.changes:
        table.add("change", Text(f"{change.what}\n  - {change.before}\n  + {change.after}"))
    for name, told in differing(detail):
        table.add("diff", Text("\n".join((name, *(f"  {line}" for line in told)))))
    table.add("unchanged", "\n".join(unchanged(detail)), hang=2)
    table.add("deploys", deployments(one.deploys))
    table.add("takes", took(detail.time))
    table.add("writes", Text("\n".join(requests(detail.requests) if detail.requests else one.writes or ["none"])))
    table.add("gate", "\n".join(one.gate), hang=2)
    table.add("way back", one.way_back)
    table.add("price", f"{price(one.price)} a month")
    return Group(title, table)


def differing(detail: StageDetail) -> Iterator[tuple[str, list[str]]]:
    """Yield what a stage changes by the name of its document, in lines that begin with - and +."""
    for item in detail.sides:
        if item.differences:
            yield f"{item.what} {item.name}", [line for found in item.differences for line in lines_of(found)]


def lines_of(found: Difference) -> Iterator[str]:
    """Yield the lines of one difference, the path on each."""
    path = found.path.removeprefix("$").removeprefix(".")
    before, after = (f"{path}: {compact(side)}" if path else compact(side) for side in (found.before, found.after))
    if found.kind is not DifferenceKind.ADDED:
        yield f"- {before}"
    if found.kind is not DifferenceKind.REMOVED:
        yield f"+ {after}"


def unchanged(detail: StageDetail) -> Iterator[str]:
    """Yield what stays as it is, a line for each document."""
    for item in detail.sides:
        if item.before is not None:
            yield f"{item.what}: {', '.join(item.unchanged) or 'nothing'}"


def deployments(count: int) -> str:
    """Return how many deployments a stage makes, in words."""
    return "no deployment" if not count else f"{count} deployment{'s' if count > 1 else ''}"


def took(time: StageTime) -> str:
    """Return how long a stage takes, in words, and by what that is known."""
    soak = f"{duration(time.soak)} of soak"
    if not time.deploys:
        return soak
    each = deployments(time.deploys)
    if time.history is None or time.likely is None:
        return f"{soak} and {each}; this service has no deployment to tell how long one takes"
    seen = time.history
    shortest, longest = duration(seen.shortest), duration(seen.longest)
    spread = f"{shortest} to {longest}, mostly {duration(seen.median)}" if shortest != longest else longest
    past = "the last one that succeeded" if seen.count == 1 else f"the last {seen.count} that succeeded"
    return f"about {duration(time.likely)}: {soak} and {each} of {spread} ({past})"


def requests(made: Sequence[ApiRequest]) -> Iterator[str]:
    """Yield the requests that write, each with its parameters below it."""
    for request in made:
        yield request.call
        if len(request.parameters) > _LONGEST_PARAMETERS:
            yield "  (all of its parameters: --output json or markdown)"
            continue
        for name, value in fields(request.parameters).items():
            yield f"  {name}: {compact(value)}"


def compact(value: Json) -> str:
    """Return JSON on one line; control characters of other people's texts stay escaped."""
    return json.dumps(value, ensure_ascii=True)
