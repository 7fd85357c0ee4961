"""Core settings -> a commented migrate.toml, so that ``migrate init`` writes a file that explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migrate.config.check_keys import CHECK_EXAMPLES
from migrate.config.check_template import check_lines
from migrate.config.durations import format_duration
from migrate.config.key import Key
from migrate.config.keys import KEYS, PRICE_KEYS, TABLES
from migrate.config.mistakes import quoted
from migrate.config.notification_template import webhook_lines
from migrate.core.cost.prices import KNOWN_RATES, HourlyRates
from migrate.core.facts import Strategy
from migrate.core.settings import ImageSettings, ProgramSettings, ServiceSettings, Settings

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NOT_IN_COMMENTS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_OWN_TABLES = frozenset({"build_arguments", *CHECK_EXAMPLES})
"""Keys that are tables themselves, in whatever table they stand."""
_DEFAULTS = Settings(ServiceSettings(cluster="", name=""), ImageSettings(container=""))


def render_settings(settings: Settings, *, remarks: Sequence[str] = ()) -> str:
    """Return the settings as TOML: every key with its meaning and default; load() of the text gives them back.

    ``remarks`` are lines for the head of the file, such as what ``init`` saw. Durations are written in whole seconds.
    """
    head = [f"# {line}" for line in ("Settings of a migration to ARM64 and Spot.", *map(_comment, remarks))]
    values, defaults = _values(settings), _values(_DEFAULTS)
    lines = [*head, "# Paths are relative to this file. Durations are written 15s, 10m, 1h or 1h30m."]
    for table, meaning in TABLES.items():
        lines += ["", f"# {meaning}"]
        if table == "prices":
            lines += _prices(settings.prices)
            continue
        # Without a program even the table's head stays a comment: there, it would ask for its keys.
        lines.append("# [program]" if table == "program" and settings.program is None else f"[{table}]")
        for key in (key for key in KEYS if key.table == table and key.name not in _OWN_TABLES):
            place = (table, key.name)
            lines += _entry(key, values[place], defaults[place])
        if table == "image":
            lines += _build_arguments(settings.image.build_arguments)
        for key in (key for key in KEYS if key.table == table == "gate" and key.name in CHECK_EXAMPLES):
            lines += check_lines(key, settings.gate.checks)
        for key in (key for key in KEYS if key.table == table == "notifications" and key.name == "webhook"):
            lines += webhook_lines(key, settings.notifications.webhooks)
    return "\n".join(lines) + "\n"


def _values(settings: Settings) -> dict[tuple[str, str], str | None]:
    service, image, gate, told = settings.service, settings.image, settings.gate, settings.notifications
    return {
        **_program(settings.program),
        ("service", "cluster"): quoted(service.cluster),
        ("service", "name"): quoted(service.name),
        ("service", "region"): _optional(service.region),
        ("service", "owner"): quoted(service.owner),
        ("service", "owner_tool"): _optional(service.owner_tool),
        ("service", "owner_deadline"): quoted(format_duration(service.owner_deadline)),
        ("image", "container"): quoted(image.container),
        ("image", "mode"): quoted(image.mode),
        ("image", "context"): quoted(image.context),
        ("image", "dockerfile"): _optional(image.dockerfile),
        ("image", "target"): _optional(image.target),
        ("image", "builder"): _optional(image.builder),
        ("architecture", "mode"): quoted(settings.architecture),
        ("architecture", "canary_share"): str(settings.canary_share),
        ("capacity", "strategy"): _strategy(settings.capacity),
        ("capacity", "steps"): f"[{', '.join(map(str, settings.capacity_steps))}]",
        ("capacity", "step_soak"): None if settings.step_soak is None else quoted(format_duration(settings.step_soak)),
        ("gate", "interval"): quoted(format_duration(gate.interval)),
        ("gate", "soak"): quoted(format_duration(gate.soak)),
        ("gate", "deadline"): quoted(format_duration(gate.deadline)),
        ("gate", "failure_limit"): str(gate.failure_limit),
        ("gate", "error_limit"): str(gate.error_limit),
        ("gate", "alarms"): _list(gate.alarms),
        ("gate", "inconclusive_limit"): None if gate.inconclusive_limit is None else str(gate.inconclusive_limit),
        ("gate", "progress_deadline"): quoted(format_duration(gate.progress_deadline)),
        ("gate", "interruption_limit"): str(gate.interruption_limit),
        ("notifications", "events"): None if told.events == _DEFAULTS.notifications.events else _list(told.events),
        ("notifications", "topics"): _list(told.topics),
        ("notifications", "event_buses"): _list(told.event_buses),
        ("notifications", "timeout"): quoted(format_duration(told.timeout)),
    }


def _program(program: ProgramSettings | None) -> dict[tuple[str, str], str | None]:
    if program is None:
        return {("program", name): None for name in ("directory", "stack", "image", "namespace", "keys")}
    keys = ", ".join(f"{name} = {quoted(key)}" for name, key in program.keys)
    return {
        ("program", "directory"): quoted(program.directory),
        ("program", "stack"): quoted(program.stack),
        ("program", "image"): "true" if program.image else "false",
        ("program", "namespace"): quoted(program.namespace),
        ("program", "keys"): f"{{ {keys} }}" if keys else None,
    }


def _entry(key: Key, value: str | None, default: str | None) -> Iterator[str]:
    yield from (f"# {line}" for line in key.explanation.split("\n"))
    if default not in {None, '""'}:
        yield f"# Default: {' '.join(str(default).split())}"
    yield f"# {key.example}" if value is None else f"{key.name} = {value}"


def _strategy(strategy: Strategy) -> str:
    items = []
    for item in strategy:
        base = f", base = {item.base}" if item.base else ""
        items.append(f"    {{ provider = {quoted(item.provider)}, weight = {item.weight}{base} }},\n")
    return f"[\n{''.join(items)}]"


def _build_arguments(arguments: tuple[tuple[str, str], ...]) -> Iterator[str]:
    explanation = next(key.explanation for key in KEYS if key.name == "build_arguments")
    yield ""
    yield f"# {explanation}"
    if not arguments:
        yield "# [image.build_arguments]"
        yield '# GO_VERSION = "1.26"'
        return
    yield "[image.build_arguments]"
    yield from (f"{_name(name)} = {quoted(value)}" for name, value in arguments)


def _prices(prices: tuple[HourlyRates, ...]) -> Iterator[str]:
    known = ", ".join(f"{rates.region} ({rates.date})" for rates in KNOWN_RATES)
    yield f"# Known without it: {known}; per vCPU and per GB hour on Fargate, Linux."
    if not prices:
        yield "# [prices.us-east-1]"
        yield from (f"# {key.example}" for key in PRICE_KEYS)
    for rates in prices:
        yield f"[prices.{_name(rates.region)}]"
        for key in PRICE_KEYS:
            value = getattr(rates, key.name)
            if value is None:
                continue
            yield f"{key.name} = {quoted(value) if isinstance(value, str) else format(value, 'f')}"


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def _optional(value: str | None) -> str | None:
    return None if value is None else quoted(value)


def _name(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def _comment(remark: str) -> str:
    return _NOT_IN_COMMENTS.sub(" ", remark)
