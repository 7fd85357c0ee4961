"""Check: defaults, automatic names, region, tagsAll, and what the schema alone can refuse."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.schema import Kind, Property, Table
from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props, has_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrate.sandbox.aws_plugin.configuration import ProviderConfiguration

_MOST_NAME = 255
_RANDOM_HEX = 7


@dataclass(frozen=True, slots=True)
class Failure:
    """One refused property: its path, and the reason in the bridge's frame."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The resource being checked."""

    table: Table
    logical_name: str
    seed: bytes = b""

    def failure(self, path: str, problem: str) -> Failure:
        """Frame a problem as the bridge does (reference/provider.md section 1)."""
        name = self.logical_name
        return Failure(
            path,
            f"{self.table.token} resource '{name}' has a problem: {problem}. Examine values at '{name}.{path}'.",
        )


def check(
    subject: Subject, olds: Props, news: Props, configuration: ProviderConfiguration
) -> tuple[Props, list[Failure]]:
    """Give the inputs that the engine is to keep, and everything that is wrong with them."""
    table = subject.table
    known = {name: value for name, value in news.items() if not name.startswith("__") and value is not None}
    failures = list(_unexpected(subject, known))
    inputs = {
        name: _coerced(table.properties[name], value) for name, value in known.items() if name in table.properties
    }
    defaults = _fill_defaults(subject, inputs, olds)
    if "region" in table.properties and inputs.get("region") is None:
        inputs["region"] = configuration.region
    if table.tagged:
        inputs["tagsAll"] = all_tags(inputs.get("tags"), configuration)
    failures += _validate(subject, table.properties, inputs, "")
    inputs[DEFAULTS] = sorted(defaults)
    return inputs, failures


def all_tags(tags: Any, configuration: ProviderConfiguration) -> Any:
    """Give ``tagsAll``: the provider's default tags under the resource's, without the ignored ones."""
    if tags is UNKNOWN or has_unknown(tags):
        return UNKNOWN
    return configuration.without_ignored({**configuration.default_tags, **(tags or {})})


def _unexpected(subject: Subject, known: Props) -> Iterator[Failure]:
    for name in known:
        declared = subject.table.properties.get(name)
        if declared is None or declared.output:
            yield subject.failure(name, f"Invalid or unknown key: {name}")


def _fill_defaults(subject: Subject, inputs: Props, olds: Props) -> set[str]:
    """Write the schema's defaults and the automatic name into ``inputs``; gives the names so filled."""
    filled = set()
    earlier = olds.get(DEFAULTS) or []
    for name, declared in subject.table.properties.items():
        if declared.default is not None and inputs.get(name) is None:
            inputs[name] = declared.default
            filled.add(name)
    if subject.table.named and inputs.get("name") is None:
        kept = olds.get("name") if "name" in earlier else None
        inputs["name"] = kept or automatic_name(subject)
        filled.add("name")
    return filled


def automatic_name(subject: Subject) -> str:
    """Give the logical name with a random tail of seven hexadecimal digits."""
    digits = hashlib.sha256(subject.seed).hexdigest() if subject.seed else secrets.token_hex(_RANDOM_HEX)
    tail = f"-{digits[:_RANDOM_HEX]}"
    return subject.logical_name[: _MOST_NAME - len(tail)] + tail


def _coerced(declared: Property, value: Any) -> Any:
    """Give the value in the property's kind, as the bridge converts it, with nested defaults written out."""
    if value is UNKNOWN or value is None:
        return value
    if declared.kind is Kind.OBJECT and isinstance(value, dict):
        return _coerced_fields(declared.fields, value)
    if declared.kind in (Kind.LIST, Kind.SET) and isinstance(value, list):
        if declared.fields:
            return [_coerced_fields(declared.fields, item) if isinstance(item, dict) else item for item in value]
        return [_scalar(declared.element, item) for item in value]
    if declared.kind is Kind.MAP and isinstance(value, dict):
        return {name: _scalar(Kind.STRING, item) for name, item in value.items()}
    return _scalar(declared.kind, value)


def _coerced_fields(fields: Mapping[str, Property], value: Props) -> Props:
    shaped = {
        name: _coerced(fields[name], item) if name in fields else item
        for name, item in value.items()
        if item is not None and not name.startswith("__")
    }
    for name, declared in fields.items():
        if declared.default is not None and shaped.get(name) is None:
            shaped[name] = declared.default
    return shaped


def _scalar(kind: Kind, value: Any) -> Any:
    if kind is Kind.STRING and isinstance(value, bool):
        return "true" if value else "false"
    if kind is Kind.STRING and isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if kind is Kind.INTEGER and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind is Kind.BOOLEAN and value in ("true", "false"):
        return value == "true"
    return value


_EXPECTED: dict[Kind, tuple[type, ...]] = {
    Kind.STRING: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.LIST: (list,),
    Kind.SET: (list,),
    Kind.MAP: (dict,),
    Kind.OBJECT: (dict,),
}


def _validate(subject: Subject, fields: Mapping[str, Property], values: Props, prefix: str) -> Iterator[Failure]:
    for name, declared in fields.items():
        path, value = f"{prefix}{name}", values.get(name)
        if value is UNKNOWN:
            continue
        if value is None:
            if declared.required:
                yield subject.failure(path, f"Missing required argument: The argument '{name}' is required")
            continue
        wrong_bool = isinstance(value, bool) and declared.kind in (Kind.INTEGER, Kind.NUMBER)
        if not isinstance(value, _EXPECTED[declared.kind]) or wrong_bool:
            yield subject.failure(path, f"Expected a value of type {declared.kind}, got {type(value).__name__}")
            continue
        yield from _validate_value(subject, declared, value, path)


def _validate_value(subject: Subject, declared: Property, value: Any, path: str) -> Iterator[Failure]:
    if declared.at_most is not None and len(value) > declared.at_most:
        yield subject.failure(path, f"Too many items: no more than {declared.at_most} are allowed")
    for rule in declared.checks:
        problem = rule(value)
        if problem is not None:
            yield subject.failure(path, problem)
    if declared.kind is Kind.OBJECT:
        yield from _unknown_fields(subject, declared, value, path)
        yield from _validate(subject, declared.fields, value, f"{path}.")
    elif declared.fields:
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield from _unknown_fields(subject, declared, item, f"{path}[{index}]")
                yield from _validate(subject, declared.fields, item, f"{path}[{index}].")


def _unknown_fields(subject: Subject, declared: Property, value: Props, path: str) -> Iterator[Failure]:
    for name in value:
        if name not in declared.fields and not name.startswith("__"):
            yield subject.failure(f"{path}.{name}", f"Invalid or unknown key: {name}")
