"""The charts of a report, as SVG without a script: Vega-Lite says what is drawn, vl-convert draws it.

Colours are CSS variables of the page that holds them (report.css), so that one drawing is right in light, dark and
print. All text of a drawing goes through ``printable`` first; Vega escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrate.core.gate.gate import Outcome
from migrate.core.run.audit import ActEnd, AuditEntry, EntryKind, measurements
from migrate.core.run.report import CheckSeries, Report, TaskPoint, badness
from migrate.render.printable import printable

WIDTH = 680
"""Of the plot, in CSS pixels; a narrower screen scrolls the drawing."""

_ROW = 18
_LONGEST_LABEL = 34
_SHORTEST = 0.004
"""Share of the whole time that a bar is at least drawn with: a second in a run of hours is to be seen."""

_OUTCOMES = [outcome.value for outcome in Outcome]
_ENDS = ["done", "failed", "unknown"]
_SHAPES = dict(zip(_OUTCOMES, ("circle", "square", "triangle-up", "diamond", "cross"), strict=True))
_SHADES = 6
"""How many colours report.css has for kinds of tasks."""
_FEWEST = 2
_TIME = {"type": "utc", "nice": False}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_CONFIG: Mapping[str, Any] = {
    "aria": False,
    "background": None,
    "font": _FONT,
    "view": {"stroke": "var(--line)"},
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--ink)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--line)",
        "gridOpacity": 0.5,
        "labelFontSize": 12,
        "labelLimit": 230,
    },
    "axisTemporal": {"format": "%H:%M:%S", "labelOverlap": "greedy", "title": None},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "labelLimit": 320,
        "columns": 3,
    },
}


def drawn(spec: Mapping[str, Any]) -> str | None:
    """Return the SVG of a Vega-Lite specification; None where the library that draws is not installed.

    Nothing is fetched: no address is allowed, and the data stand in the specification.
    """
    try:
        import vl_convert
    except ImportError:
        return None
    svg: str = vl_convert.vegalite_to_svg({**spec, "config": _CONFIG, "width": WIDTH}, allowed_base_urls=[])
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def timeline(report: Report) -> dict[str, Any] | None:
    """Return what ran when: every act by its end, every gate by its verdict."""
    entries = [entry for entry in report.audit.entries if _lasts(entry)]
    if not entries:
        return None
    least = _least(report)
    rows = [_bar(entry, after, report.end, least) for entry, after in zip(entries, [*entries[1:], None], strict=True)]
    return {
        "data": {"values": rows},
        "height": {"step": _ROW},
        "mark": {"type": "bar", "height": {"band": 0.75}},
        "encoding": {
            "x": {"field": "from", "type": "temporal", "scale": _TIME},
            "x2": {"field": "to"},
            "y": {"field": "what", "type": "nominal", "sort": {"field": "from", "op": "min"}, "title": None},
            "color": _coloured("end", [*_ENDS, *_OUTCOMES], rows),
        },
    }


def tasks(points: Sequence[TaskPoint]) -> dict[str, Any] | None:
    """Return the running tasks by architecture and capacity provider over time, and how many there should be."""
    kinds = sorted({_kind(group.architecture, group.provider) for point in points for group in point.groups})
    # Where a gate follows another at once, both saw the tasks at the same time: the later one counts.
    at_once = {point.at: point for point in points}
    if len(at_once) < _FEWEST or not kinds:
        return None
    rows = [
        {"at": _time(point.at), "kind": kind, "running": _running(point, kind)}
        for point in at_once.values()
        for kind in kinds
    ]
    wanted = [
        {"at": _time(point.at), "desired": point.desired} for point in at_once.values() if point.desired is not None
    ]
    shades = [f"var(--kind-{number % _SHADES})" for number in range(len(kinds))]
    return {
        "height": 200,
        "encoding": {"x": {"field": "at", "type": "temporal", "scale": _TIME}},
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "area", "interpolate": "step-after", "stroke": "var(--paper)", "strokeWidth": 1},
                "encoding": {
                    "y": {"field": "running", "type": "quantitative", "stack": "zero", **_whole("running tasks")},
                    "color": {"field": "kind", "type": "nominal", "scale": {"domain": kinds, "range": shades}},
                },
            },
            {
                "data": {"values": wanted},
                "mark": {"type": "line", "interpolate": "step-after", "stroke": "var(--ink)", "strokeDash": [5, 3]},
                "encoding": {"y": {"field": "desired", "type": "quantitative", **_whole("running tasks")}},
            },
        ],
    }


def outcomes(report: Report) -> dict[str, Any] | None:
    """Return what every check said over time, a row for each."""
    rows = [row for series in report.checks for row in _stretches(series, _least(report))]
    if not rows:
        return None
    names = list(dict.fromkeys(row["check"] for row in rows))
    return {
        "data": {"values": rows},
        "height": {"step": _ROW},
        "mark": {"type": "bar", "height": {"band": 0.75}},
        "encoding": {
            "x": {"field": "from", "type": "temporal", "scale": _TIME},
            "x2": {"field": "to"},
            "y": {"field": "check", "type": "nominal", "sort": names, "title": None},
            "color": _coloured("outcome", _OUTCOMES, rows),
        },
    }


def numbers(series: CheckSeries) -> dict[str, Any]:
    """Return the numbers of one check over time, with its limits: solid for what is wanted, dotted for what is not."""
    rows = [
        {"at": _time(point.at), "value": point.value, "outcome": point.outcome}
        for point in series.points
        if point.value is not None
    ]
    limits = [{"bound": item.bound, "text": f"{item.operator} {item.bound:g}"} for item in series.limits]
    value = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}
    line = {"type": "line", "stroke": "var(--ink)", "strokeWidth": 1.5}
    bound = {"y": {"field": "bound", "type": "quantitative", "title": None}}
    rule: dict[str, Any] = {"data": {"values": limits}, "encoding": bound}
    label = {"type": "text", "align": "right", "dy": -5, "x": WIDTH - 4, "fill": "var(--limit)", "fontSize": 12}
    x = {"field": "at", "type": "temporal", "scale": _TIME}
    layers: list[dict[str, Any]] = [
        {"data": {"values": rows}, "mark": line, "encoding": {"x": x, "y": value}},
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "size": 30, "opacity": 1},
            "encoding": {"x": x, "y": value, "color": _coloured("outcome", _OUTCOMES, rows), "shape": _shaped(rows)},
        },
        {**rule, "mark": {"type": "rule", "stroke": "var(--limit)", "strokeDash": [6, 3], "strokeWidth": 1.5}},
        {**rule, "mark": label, "encoding": {**bound, "text": {"field": "text"}}},
    ]
    return {"height": 130, "layer": layers}


def _lasts(entry: AuditEntry) -> bool:
    return entry.kind in (EntryKind.ACT, EntryKind.SAMPLES)


def _least(report: Report) -> timedelta:
    return max((report.end - report.run.started_at) * _SHORTEST, timedelta(milliseconds=1))


def _bar(entry: AuditEntry, after: AuditEntry | None, end: datetime, least: timedelta) -> dict[str, Any]:
    """Return one bar; what samples say holds until the next ones of the same gate."""
    goes_on = after is not None and entry.kind is EntryKind.SAMPLES and after.step == entry.step
    until = max((after.at if after and goes_on else entry.until) or end, entry.at + least)
    told = (entry.ended or ActEnd.UNKNOWN).value if entry.kind is EntryKind.ACT else _worst(entry)
    return {"what": _label(entry.step), "from": _time(entry.at), "to": _time(until), "end": told}


def _worst(entry: AuditEntry) -> str:
    said = [outcome for _, outcome, _ in measurements(entry)]
    return max(said, key=badness, default=Outcome.WAITING.value)


def _stretches(series: CheckSeries, least: timedelta) -> list[dict[str, Any]]:
    """Return a bar for each stretch with one outcome; it lasts until the next sample, the last one for a moment."""
    name = _label(f"{series.check} ({series.gate})")
    until = [*(point.at for point in series.points[1:]), series.points[-1].at + least]
    rows: list[dict[str, Any]] = []
    for point, ends in zip(series.points, until, strict=True):
        if rows and rows[-1]["outcome"] == point.outcome:
            rows[-1]["to"] = _time(ends)
        else:
            rows.append({"check": name, "from": _time(point.at), "to": _time(ends), "outcome": point.outcome})
    return rows


def _coloured(field: str, words: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Colour by a word; the legend names those that are there."""
    domain = [word for word in words if any(row[field] == word for row in rows)]
    scale = {"domain": domain, "range": [f"var(--{word})" for word in domain]}
    return {"field": field, "type": "nominal", "scale": scale}


def _shaped(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    there = [(word, shape) for word, shape in _SHAPES.items() if any(row["outcome"] == word for row in rows)]
    scale = {"domain": [word for word, _ in there], "range": [shape for _, shape in there]}
    return {"field": "outcome", "type": "nominal", "scale": scale}


def _whole(title: str) -> dict[str, Any]:
    return {"title": title, "axis": {"tickMinStep": 1, "format": "d"}}


def _kind(architecture: str, provider: str) -> str:
    return _label(f"{architecture} on {provider}")


def _running(point: TaskPoint, kind: str) -> int:
    return sum(group.running for group in point.groups if _kind(group.architecture, group.provider) == kind)


def _label(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONGEST_LABEL else f"{shown[: _LONGEST_LABEL - 1]}…"


def _time(at: datetime) -> str:
    return at.isoformat()
