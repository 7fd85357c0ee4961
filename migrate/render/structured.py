"""JSON for programs: one object a command, keys as the records name them; the format only ever grows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from typing import Any

from migrate.core.cost import PriceEstimate
from migrate.core.documents import fields
from migrate.core.evidence import Event
from migrate.core.plan import MigrationPlan
from migrate.core.status import Status
from migrate.errors import MigrateError


@singledispatch
def plain(value: Any) -> Any:
    """Return a record as JSON holds it: numbers for stages, text for money, times and other words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


@plain.register
def _(value: Enum) -> Any:
    return value.value


@plain.register(Mapping)
def _(value: Mapping[str, Any]) -> Any:
    return {str(key): plain(item) for key, item in value.items()}


@plain.register(list)
@plain.register(tuple)
def _(value: Iterable[Any]) -> Any:
    return [plain(item) for item in value]


@plain.register
def _(value: timedelta) -> Any:
    return value.total_seconds()


@plain.register
def _(value: date) -> Any:
    return value.isoformat()


@plain.register
def _(value: Decimal) -> Any:
    return str(value)


def to_json(value: Any) -> str:
    """Return a record as indented JSON text."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def plan_document(plan: MigrationPlan) -> dict[str, Any]:
    """Return a plan for programs; the record inside it is ours and left out."""
    document: dict[str, Any] = plain(plan)
    del document["record"]
    return document


def status_document(status: Status) -> dict[str, Any]:
    """Return a status for programs, pairs turned into objects."""
    document: dict[str, Any] = plain(status)
    for name in ("architectures", "split"):
        document[name] = dict(document[name])
    document["price_known"] = isinstance(status.price, PriceEstimate)
    return document


def error_document(error: MigrateError) -> dict[str, Any]:
    """Return an error for programs."""
    return {
        "error": type(error).__name__,
        "exit_code": int(error.exit_code),
        "what": error.what,
        "why": error.why,
        "then": error.then,
        "runbook": error.runbook,
    }


def event_line(event: Event) -> str:
    """Return an event as one line of JSON, its data as an object."""
    return json.dumps({**plain(event), "data": fields(event.data)}, ensure_ascii=False)
