"""The provider's operations on plain values: no protocol here, and no API call but through a resource type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin import difference
from migrate.sandbox.aws_plugin.check import Failure, Subject, check
from migrate.sandbox.aws_plugin.errors import PartialCreateError, PluginError
from migrate.sandbox.aws_plugin.invokes import FUNCTIONS
from migrate.sandbox.aws_plugin.resource import Session, Update
from migrate.sandbox.aws_plugin.resources import RESOURCE_TYPES
from migrate.sandbox.aws_plugin.resources.service import Service
from migrate.sandbox.aws_plugin.values import DEFAULTS, UNKNOWN, Props, has_unknown, is_zero

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.sandbox.aws_plugin.clients import Aws
    from migrate.sandbox.aws_plugin.difference import Change
    from migrate.sandbox.aws_plugin.resource import ResourceType
    from migrate.sandbox.aws_plugin.waiting import Waiter


@dataclass(frozen=True, slots=True)
class Plan:
    """A diff: what changes, and whether a replacement removes the old one first."""

    changes: tuple[Change, ...]
    delete_first: bool


def resource_type(token: str) -> ResourceType:
    """Give the resource type; raises :class:`PluginError` for one that the stand-in does not have."""
    found = RESOURCE_TYPES.get(token)
    if found is None:
        known = ", ".join(sorted(RESOURCE_TYPES))
        raise PluginError(
            f"The sandbox's stand-in for the aws plugin has no resource type {token}; it has {known}.",
            then="Install the real pulumi-resource-aws for anything else.",
        )
    return found


class Operations:
    """What the protocol asks for, on a configured provider."""

    def __init__(self, aws: Aws, waiter: Waiter) -> None:
        self._aws = aws
        self._waiter = waiter

    def check(self, token: str, name: str, seed: bytes, olds: Props, news: Props) -> tuple[Props, list[Failure]]:
        """Give the checked inputs and what is wrong with them."""
        subject = Subject(resource_type(token).table, name, seed)
        return check(subject, olds, news, self._aws.configuration)

    def diff(self, token: str, state: Props, old_inputs: Props, inputs: Props, ignored: Sequence[str]) -> Plan:
        """Give the plan; raises :class:`PluginError` where the whole plan is wrong (the preview fails)."""
        kind = resource_type(token)
        inputs = difference.keep_ignored(inputs, state, ignored)
        changes = self._changes(kind, state, inputs, ignored)
        planned = difference.planned(kind.table, state, inputs)
        _refuse(kind.problems(state, planned))
        return Plan(tuple(changes), difference.delete_before_replace(kind.table, old_inputs))

    def _changes(self, kind: ResourceType, state: Props, inputs: Props, ignored: Sequence[str]) -> list[Change]:
        changes = difference.compare(kind.table, state, inputs, ignored)
        if isinstance(kind, Service):
            changes = kind.drop_quiet(changes, inputs)
        return changes

    def create(self, token: str, inputs: Props, *, preview: bool, timeout: float | None) -> tuple[str, Props]:
        """Make a resource, or say at a preview what is known of it."""
        kind = resource_type(token)
        planned = {name: value for name, value in inputs.items() if name != DEFAULTS}
        _refuse(kind.problems(None, planned))
        if preview:
            unknown = {
                name: UNKNOWN
                for name, item in kind.table.properties.items()
                if (item.output or item.computed) and planned.get(name) is None
            }
            return "", {**unknown, **planned}
        session = self._session(planned, timeout)
        made: list[str] = []
        try:
            resource_id, extra = kind.create(session, planned, made.append)
            found = kind.read(session, resource_id, {**planned, **extra})
        except PluginError as error:
            if made:
                raise PartialCreateError(error.what, made[0], planned) from error
            raise
        if found is None:
            raise PartialCreateError("couldn't find resource", resource_id, planned)
        return found

    def update(
        self,
        token: str,
        resource_id: str,
        state: Props,
        inputs: Props,
        ignored: Sequence[str],
        *,
        preview: bool,
        timeout: float | None,
    ) -> Props:
        """Change a resource in place, or say at a preview what it becomes."""
        kind = resource_type(token)
        inputs = difference.keep_ignored(inputs, state, ignored)
        planned = difference.planned(kind.table, state, inputs)
        _refuse(kind.problems(state, planned))
        if preview:
            return planned
        changed = frozenset(item.top for item in self._changes(kind, state, inputs, ignored))
        session = self._session(planned, timeout)
        kind.update(session, Update(resource_id, state, planned, changed))
        found = kind.read(session, resource_id, planned)
        if found is None:
            raise PluginError(f"reading {token} ({resource_id}): couldn't find resource")
        return found[1]

    def read(
        self, token: str, resource_id: str, state: Props, old_inputs: Props, timeout: float | None
    ) -> tuple[str, Props, Props] | None:
        """Refresh or import: id, state and the inputs that go with it; None when the resource is gone."""
        kind = resource_type(token)
        known = {name: value for name, value in state.items() if not name.startswith("__")}
        importing = not known
        given, _, region = resource_id.partition("@") if importing else (resource_id, "", "")
        session = self._session({"region": region or known.get("region")}, timeout)
        if importing:
            given, known = kind.import_id(session, given)
        found = kind.read(session, given, known)
        if found is None:
            return None
        return found[0], found[1], _inputs_of(kind, found[1], {} if importing else old_inputs, importing=importing)

    def delete(self, token: str, resource_id: str, state: Props, timeout: float | None) -> None:
        """Take a resource away."""
        resource_type(token).delete(self._session(state, timeout), resource_id, state)

    def invoke(self, token: str, args: Props) -> tuple[Props, list[Failure]]:
        """Call a function of the provider."""
        known = FUNCTIONS.get(token)
        if known is None:
            names = ", ".join(sorted(FUNCTIONS))
            raise PluginError(
                f"The sandbox's stand-in for the aws plugin has no function {token}; it has {names}.",
                then="Install the real pulumi-resource-aws for anything else.",
            )
        required, function = known
        missing = [name for name in required if args.get(name) is None]
        if missing:
            return {}, [Failure(name, f'Missing required property "{name}"') for name in missing]
        return function(self._session(args, None), args), []

    def _session(self, properties: Props, timeout: float | None) -> Session:
        region = properties.get("region")
        known = str(region) if region and region is not UNKNOWN else self._aws.configuration.region
        return Session(self._aws, self._waiter, known, timeout or None)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise PluginError("\n".join(problems))


def _inputs_of(kind: ResourceType, state: Props, old_inputs: Props, *, importing: bool) -> Props:
    """Give the inputs that a read resource would have been made with."""
    names = kind.table.input_names()
    if importing:
        found = {name: state[name] for name in names if name in state and not is_zero(state[name])}
        return {**found, DEFAULTS: []}
    kept = {name: value for name, value in old_inputs.items() if name.startswith("__") or name in names}
    for name in list(kept):
        if name in state and not has_unknown(state[name]):
            kept[name] = state[name]
    return {name: value for name, value in kept.items() if value is not None}
