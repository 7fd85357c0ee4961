"""A report as one HTML file: opens offline, holds no script, fetches nothing, and shows every text as text."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from migrate import __version__
from migrate.core.documents import fields
from migrate.core.findings import Grade
from migrate.core.run.audit import ActEnd, AuditEntry, EntryKind, measurements
from migrate.core.run.preflight_evidence import StagePrice
from migrate.core.run.report import CheckSeries, Report
from migrate.core.stages import Stage
from migrate.render import report_charts
from migrate.render.history import duration, said, what
from migrate.render.printable import printable

_GRADES = (Grade.BLOCK, Grade.WARN, Grade.UNKNOWN, Grade.INFO)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, or None where none can be made; what it shows stands in a table beside it as well."""

    svg: Markup | None


def page(report: Report) -> str:
    """Return the report as HTML, the same for the same evidence."""
    style = _asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    found = report.preflight
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            run=report.run,
            style=Markup(style),  # noqa: S704 - our own file
            style_digest=digest,
            version=__version__,
            title=f"{what(report.run)} of {report.run.service.rpartition('/')[2]}: {said(report.run.status)}",
            end=_end(report),
            findings=sorted(found.findings, key=lambda item: _GRADES.index(item.grade)) if found else (),
            numeric=[(series, _figure(report_charts.numbers(series))) for series in report.checks if series.numeric],
            timeline=_figure(report_charts.timeline(report)),
            outcomes=_figure(report_charts.outcomes(report)),
            tasks=_figure(report_charts.tasks(report.tasks)),
            several_days=report.run.started_at.date() != report.end.date(),
        )
    )


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters |= {
        "duration": duration,
        "said": said,
        "what": what,
        "evidence": _evidence,
        "ending": _ending,
        "price": _price,
        "stage": _stage,
        "limits": _limits,
    }
    return found


def _asset(name: str) -> str:
    return (files("migrate.render") / name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """Let no text of others hide a character; markup is ours alone."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _figure(spec: dict[str, Any] | None) -> Figure | None:
    if spec is None:
        return None
    svg = report_charts.drawn(spec)
    return Figure(None if svg is None else Markup(svg))  # noqa: S704 - drawn by Vega, which escapes what it draws


def _end(report: Report) -> dict[str, Any]:
    """Return the last words of the run: its text, reasons and what to do next, as far as it came to an end."""
    last = next((entry for entry in reversed(report.audit.entries) if entry.kind is EntryKind.END), None)
    data = fields(last.data) if last else {}
    reasons = data.get("reasons")
    why = data.get("why")
    return {
        "text": last.text if last else "The run has not come to an end.",
        "reasons": reasons if isinstance(reasons, list) else [why] if why else [],
        "then": data.get("then", ""),
    }


def _evidence(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return what proves an entry, as names and values."""
    if entry.kind is EntryKind.SAMPLES:
        return [(f"{check}: {outcome}", text) for check, outcome, text in measurements(entry)]
    return [
        (name, told)
        for name, value in fields(entry.data).items()
        if (told := value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) not in ("", "[]", "{}")
    ]


def _ending(entry: AuditEntry) -> str:
    if entry.kind is EntryKind.SAMPLES:
        return f"{entry.count} sample{'s' if entry.count > 1 else ''}"
    if entry.ended is ActEnd.UNKNOWN:
        return "no outcome is known"
    return entry.ended.value if entry.ended else ""


def _price(price: StagePrice) -> str:
    if price.low is None:
        return price.why or "not known"
    span = price.low if price.low == price.high else f"{price.low} to {price.high}"
    return f"{span} {price.currency}"


def _stage(number: int | None) -> str:
    return "now" if number is None else Stage(number).named


def _limits(series: CheckSeries) -> str:
    told = [f"{'good' if item.good else 'bad'} is {item.operator} {item.bound:g}" for item in series.limits]
    return ", ".join(told) or "no limit"
