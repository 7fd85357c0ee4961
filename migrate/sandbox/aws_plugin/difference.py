"""Diff by schema: state against program, path by path, as the bridge reports it in its detailed diff."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.schema import Kind, Property, Table
from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props, is_zero

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Act(StrEnum):
    """What happens at a path."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the detailed diff."""

    path: str
    act: Act
    replace: bool

    @property
    def top(self) -> str:
        """The top-level property."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one diff needs to know besides the values."""

    table: Table
    planned: Props
    ignored: tuple[str, ...] = ()

    def ignores(self, path: str) -> bool:
        """Whether ``path`` is at or below a path of ignoreChanges."""
        return any(path == item or path.startswith((f"{item}.", f"{item}[")) for item in self.ignored)


def normal_path(path: str) -> str:
    """Give a property path in the one spelling used here: ``a.b[0].c``."""
    return re.sub(r"\[\"([^\"]+)\"\]", r".\1", path).lstrip(".")


def compare(table: Table, state: Props, inputs: Props, ignored: Iterable[str] = ()) -> list[Change]:
    """Give every difference between ``state`` (outputs) and ``inputs`` (checked), outside ``ignored``."""
    comparison = Comparison(table, planned(table, state, inputs), tuple(normal_path(item) for item in ignored))
    found: list[Change] = []
    for name, declared in table.properties.items():
        if declared.output:
            continue
        changes = _value(comparison, declared, name, state.get(name), inputs.get(name), replace=declared.replace)
        found += [change for change in changes if not comparison.ignores(change.path)]
    return found


def planned(table: Table, state: Props, inputs: Props) -> Props:
    """Give the resource as it is meant to become: the program's values, and the state's where AWS fills them."""
    kept = {
        name: state[name]
        for name, declared in table.properties.items()
        if (declared.computed or declared.output) and name in state
    }
    given = {name: value for name, value in inputs.items() if value is not None and name != DEFAULTS}
    return {**kept, **given}


def keep_ignored(inputs: Props, state: Props, ignored: Sequence[str]) -> Props:
    """Give the inputs with the state's value wherever a whole top-level property is ignored."""
    kept = {path for path in map(normal_path, ignored) if not re.search(r"[.\[]", path)}
    merged = {name: value for name, value in inputs.items() if name not in kept}
    return {**merged, **{name: state[name] for name in kept if name in state}}


def delete_before_replace(table: Table, state_inputs: Props) -> bool:
    """Whether the old one must go first: a name given by the program cannot exist twice."""
    if table.delete_first:
        return True
    if not table.named or DEFAULTS not in state_inputs:
        return False
    return "name" not in (state_inputs.get(DEFAULTS) or [])


def _value(
    comparison: Comparison, declared: Property, path: str, old: Any, new: Any, *, replace: bool
) -> Iterator[Change]:
    replace = replace or declared.replace
    if new is UNKNOWN:
        yield Change(path, Act.ADD if old is None else Act.UPDATE, replace)
    elif new is None:
        yield from _removed(comparison, declared, path, old, replace=replace)
    elif declared.equal is not None and old is not None and declared.equal(old, new, comparison.planned):
        return
    elif declared.kind is Kind.OBJECT:
        yield from _object(comparison, declared, path, old, new, replace=replace)
    elif declared.kind is Kind.SET:
        yield from _set(comparison, declared, path, old or [], new, replace=replace)
    elif declared.kind is Kind.LIST:
        yield from _list(comparison, declared, path, old or [], new, replace=replace)
    elif declared.kind is Kind.MAP:
        yield from _map(path, old or {}, new, replace=replace)
    elif old != new and not (is_zero(old) and is_zero(new)):
        yield Change(path, Act.ADD if old is None else Act.UPDATE, replace)


def _removed(comparison: Comparison, declared: Property, path: str, old: Any, *, replace: bool) -> Iterator[Change]:
    if declared.computed or is_zero(old):
        return
    if declared.equal is not None and declared.equal(old, None, comparison.planned):
        return
    if declared.lenient:
        members = [(path, old)] if declared.kind is Kind.OBJECT else [(f"{path}[{i}]", m) for i, m in enumerate(old)]
        for at, member in members:
            yield from _left_over(declared, at, member, replace=replace)
    elif declared.default is None or old != declared.default:
        yield Change(path, Act.DELETE, replace)


def _left_over(declared: Property, path: str, member: Props, *, replace: bool) -> Iterator[Change]:
    """Give what still differs from its default in a block that the program no longer writes."""
    for name, nested in declared.fields.items():
        value = member.get(name)
        if not nested.computed and not is_zero(value) and value != nested.default:
            yield Change(f"{path}.{name}", Act.UPDATE, replace or nested.replace)


def _object(
    comparison: Comparison, declared: Property, path: str, old: Any, new: Any, *, replace: bool
) -> Iterator[Change]:
    if new is UNKNOWN:
        yield Change(path, Act.UPDATE, replace)
        return
    if old is None:
        if not is_zero(new):
            yield Change(path, Act.ADD, replace)
        return
    for name, nested in declared.fields.items():
        yield from _value(comparison, nested, f"{path}.{name}", old.get(name), new.get(name), replace=replace)


def _same_member(comparison: Comparison, declared: Property, old: Any, new: Any) -> bool:
    if not declared.fields:
        return bool(old == new)
    return not any(_object(comparison, declared, "", old, new, replace=False))


def _set(
    comparison: Comparison, declared: Property, path: str, old: list[Any], new: list[Any], *, replace: bool
) -> Iterator[Change]:
    """Match members in whatever order; duplicates count once, as in a Terraform set."""
    unmatched = set(range(len(old)))
    added = []
    for index, member in enumerate(new):
        match = next((i for i, item in enumerate(old) if _same_member(comparison, declared, item, member)), None)
        if match is None:
            added.append(index)
        else:
            unmatched.discard(match)
    unmatched = {i for i in unmatched if not any(_same_member(comparison, declared, old[i], item) for item in new)}
    for index in sorted(unmatched | set(added)):
        act = Act.UPDATE if index in unmatched and index in added else Act.ADD if index in added else Act.DELETE
        yield Change(f"{path}[{index}]", act, replace)


def _list(
    comparison: Comparison, declared: Property, path: str, old: list[Any], new: list[Any], *, replace: bool
) -> Iterator[Change]:
    for index in range(max(len(old), len(new))):
        at = f"{path}[{index}]"
        if index >= len(old):
            yield Change(at, Act.ADD, replace)
        elif index >= len(new):
            yield Change(at, Act.DELETE, replace)
        elif declared.fields:
            yield from _object(comparison, declared, at, old[index], new[index], replace=replace)
        elif old[index] != new[index]:
            yield Change(at, Act.UPDATE, replace)


def _map(path: str, old: Props, new: Props, *, replace: bool) -> Iterator[Change]:
    for name in sorted({*old, *new} - {DEFAULTS}):
        at = f"{path}.{name}"
        if name not in new:
            yield Change(at, Act.DELETE, replace)
        elif name not in old:
            yield Change(at, Act.ADD, replace)
        elif old[name] != new[name]:
            yield Change(at, Act.UPDATE, replace)
