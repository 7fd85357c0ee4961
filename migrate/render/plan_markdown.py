"""A plan as Markdown, for a comment on a pull request: the table on top, each stage behind a fold.

What comes from the account (names, findings, documents) is escaped: it can neither break the layout nor bring markup of
its own. Source of the dialect: GitHub Flavored Markdown (tables, fenced code, <details>).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence

from migrate.core.check import counted
from migrate.core.cost.cost import PriceEstimate
from migrate.core.documents import fields
from migrate.core.findings import Finding
from migrate.core.plan.detail import ApiRequest, StageDetail
from migrate.core.plan.plan import MigrationPlan, StagePlan
from migrate.render.cost import amount, cells, changed, notes, rows
from migrate.render.history import duration
from migrate.render.plan import deployments, differing, took, unchanged

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_SHORTEST_FENCE = 3


def plan_markdown(plan: MigrationPlan, details: Sequence[StageDetail], for_the_owner: Sequence[str] = ()) -> str:
    """Return the whole plan; it ends with a line break.

    ``for_the_owner`` is what the service's owner has to change, as text, where other code than ours deploys it.
    """
    told = [line for text in for_the_owner for line in _folded("For its owner", _fenced("", text.splitlines()))]
    return "\n".join([*_lines(plan, details), *told]) + "\n"


def _lines(plan: MigrationPlan, details: Sequence[StageDetail]) -> Iterator[str]:
    yield f"## Migration plan for {code(plan.service_arn.rpartition(':')[2])}"
    yield ""
    yield f"{plan.desired_count} tasks; made {plan.made_at:%Y-%m-%d %H:%M:%S} UTC; nothing was changed. Applied only"
    yield "while the service is as it was then."
    yield ""
    yield "| stage | state | deployments | takes | a month | change |"
    yield "|---|---|---|---|---|---|"
    for detail in details:
        yield _row(plan, plan.stage(detail.stage), detail)
    yield ""
    if plan.findings:
        yield from _folded(f"Findings: {counted(plan.findings)}", _findings(plan.findings))
    for detail in details:
        one = plan.stage(detail.stage)
        title = f"Stage {one.stage.value} {one.stage.title}: {one.status.value}"
        yield from _folded(title, _stage(one, detail))
    yield from _folded("Cost", _cost(plan))


def _row(plan: MigrationPlan, one: StagePlan, detail: StageDetail) -> str:
    likely = detail.time.likely
    takes = f"about {duration(likely)}" if likely is not None else f"{duration(detail.time.soak)} and the deployments"
    price = amount(one.price) if isinstance(one.price, PriceEstimate) else "unknown"
    told = (
        f"{one.stage.value} {one.stage.title}",
        one.status.value,
        str(one.deploys),
        takes,
        price,
        changed(plan.price_now, one.price),
    )
    return f"| {' | '.join(told)} |"


def _folded(title: str, inside: Iterator[str]) -> Iterator[str]:
    yield f"<details><summary>{html.escape(title)}</summary>"
    yield ""
    yield from inside
    yield ""
    yield "</details>"
    yield ""


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    for item in found:
        told = f"{escaped(item.text)} {escaped(item.advice)}"
        yield f"- **{item.grade.value}** {code(item.code)} (stage {item.stage}): {told} ({code(item.runbook)})"


def _stage(one: StagePlan, detail: StageDetail) -> Iterator[str]:
    for change in one.changes:
        yield f"- {escaped(change.what)}: {escaped(change.before)} → {escaped(change.after)}"
    yield ""
    for name, told in differing(detail):
        yield from _fenced("diff", [f"# {_one_line(name)}", *told])
    yield "**Unchanged**"
    yield from (f"- {escaped(line)}" for line in unchanged(detail))
    yield ""
    yield f"**Deploys** {deployments(one.deploys)}; takes {escaped(took(detail.time))}."
    yield ""
    if detail.requests:
        yield "**Requests that write**"
        yield ""
        yield from _fenced("json", [line for request in detail.requests for line in _request(request)])
    yield "**Gate**"
    yield from (f"- {escaped(line)}" for line in one.gate)
    yield ""
    yield f"**Way back** {one.way_back}"


def _request(request: ApiRequest) -> Iterator[str]:
    shown = {"call": request.call, "parameters": fields(request.parameters)}
    yield from json.dumps(shown, indent=2, ensure_ascii=True).splitlines()


def _cost(plan: MigrationPlan) -> Iterator[str]:
    yield "| | tasks | vCPU h | GB h | a month | change |"
    yield "|---|---|---:|---:|---:|---:|"
    for name, price in rows(plan):
        for number, line in enumerate(cells(plan.price_now, price)):
            yield f"| {' | '.join(('' if number else name, *map(escaped, line)))} |"
    yield ""
    yield from (f"- {escaped(note)}" for note in notes(plan))


def _fenced(language: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield a block of code in a fence that is longer than any within it."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(_SHORTEST_FENCE, longest + 1)
    yield f"{fence}{language}"
    yield from lines
    yield fence
    yield ""


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", html.escape(_one_line(text), quote=False))


def code(text: str) -> str:
    """Return text as code within a line; backticks cannot be told there, and are left out."""
    return f"`{_one_line(text).replace('`', '').replace('|', '/')}`"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
