"""Judges placement expressions against instances, in three values: true, false, and None for "cannot be decided".

A kind of machine (an instance type) is known by a few attributes only, so that what an expression asks beyond them
stays undecided; a registered container instance is known whole.
"""

from __future__ import annotations

import operator as order
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from migrate.core.placement.expression import All, Comparison, Expression, Not, Operator, comparisons
from migrate.core.surroundings import ContainerInstance, version_numbers

ATTRIBUTE = "attribute:"
INSTANCE_TYPE = "ecs.instance-type"
_ON_EVERY_INSTANCE = frozenset({"ecs.ami-id", "ecs.availability-zone", "ecs.vpc-id", "ecs.subnet-id"})
_NEVER_ON_EC2 = frozenset({"ecs.capability.external"})
_LONGEST_PATTERN = 256
_NEGATIVE = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_MATCHES: Operator.MATCHES,
}
_ORDERS = {
    Operator.GREATER: order.gt,
    Operator.GREATER_EQUAL: order.ge,
    Operator.LESS: order.lt,
    Operator.LESS_EQUAL: order.le,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that a task might be placed on: attributes by name, other subjects (runningTasksCount) by theirs.

    ``complete`` says that it has no other attributes than these; otherwise others may be there and are not known.
    """

    name: str
    attributes: Mapping[str, str]
    subjects: Mapping[str, str]
    complete: bool = False


def machine(instance_type: str, architecture: str) -> Candidate:
    """Return what is known of any Linux instance of a type; ``architecture`` is x86_64 or arm64."""
    known = {
        INSTANCE_TYPE: instance_type,
        "ecs.cpu-architecture": architecture,
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
    }
    return Candidate(instance_type, known, {})


def registered(instance: ContainerInstance) -> Candidate:
    """Return what is known of a registered container instance: all of its attributes."""
    subjects = {
        "agentConnected": "true" if instance.agent_connected else "false",
        "runningTasksCount": str(instance.running_tasks),
    }
    if instance.agent_version:
        subjects["agentVersion"] = instance.agent_version
    if instance.instance_id:
        subjects["ec2InstanceId"] = instance.instance_id
    name = instance.instance_id or instance.arn.rsplit("/", 1)[-1]
    return Candidate(name, dict(instance.attributes), subjects, complete=True)


def evaluate(expression: Expression, candidate: Candidate) -> bool | None:
    """Tell whether a task with this constraint may be placed on the candidate; None: cannot be decided."""
    if isinstance(expression, Comparison):
        return _compared(expression, candidate)
    if isinstance(expression, Not):
        inside = evaluate(expression.inside, candidate)
        return None if inside is None else not inside
    values = [evaluate(part, candidate) for part in expression.parts]
    decisive = not isinstance(expression, All)
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def undecided_subjects(expression: Expression, candidate: Candidate) -> tuple[str, ...]:
    """Return the subjects that keep the expression from being decided, sorted."""
    return tuple(sorted({part.subject for part in comparisons(expression) if _compared(part, candidate) is None}))


def instance_types_named(expressions: Iterable[Expression]) -> tuple[str, ...]:
    """Return the values that the expressions compare the instance type with, patterns left out."""
    return tuple(
        value
        for expression in expressions
        for part in comparisons(expression)
        if part.subject == ATTRIBUTE + INSTANCE_TYPE and part.operator not in (Operator.MATCHES, Operator.NOT_MATCHES)
        for value in part.arguments
    )


def _compared(comparison: Comparison, candidate: Candidate) -> bool | None:
    value, present = _subject(comparison.subject, candidate)
    operator = comparison.operator
    if operator is Operator.EXISTS:
        return present
    if operator is Operator.NOT_EXISTS:
        return None if present is None else not present
    if present is False:
        # An instance without the attribute is not selected by a negative operator either ("lists the instances with
        # the custom attribute stack unless its value is prod"; ECS developer guide, task placement constraints).
        return False
    if value is None:
        return None
    if operator in _NEGATIVE:
        positive = _holds(_NEGATIVE[operator], value, comparison.arguments)
        return None if positive is None else not positive
    return _holds(operator, value, comparison.arguments)


def _subject(subject: str, candidate: Candidate) -> tuple[str | None, bool | None]:
    """Return the value, and whether the subject exists; None where the candidate does not tell."""
    if not subject.startswith(ATTRIBUTE):
        value = candidate.subjects.get(subject)
        return value, None if value is None else True
    name = subject.removeprefix(ATTRIBUTE)
    if name in candidate.attributes:
        return candidate.attributes[name], True
    if candidate.complete or name in _NEVER_ON_EC2:
        return None, False
    return None, True if name in _ON_EVERY_INSTANCE else None


def _holds(operator: Operator, value: str, arguments: tuple[str, ...]) -> bool | None:
    if operator is Operator.IN:
        return value in arguments
    if operator is Operator.EQUALS:
        return value == arguments[0]
    if operator is Operator.MATCHES:
        return _matches(arguments[0], value)
    left, right = version_numbers(value), version_numbers(arguments[0])
    # Numbers and versions are ordered; how ECS orders other texts is not documented.
    return _ORDERS[operator](left, right) if left and right else None


def _matches(pattern: str, value: str) -> bool | None:
    """Match the whole text, as Java's ``matches`` does; None for a pattern that Python cannot read like Java."""
    if len(pattern) > _LONGEST_PATTERN or "\\Q" in pattern or "\\p" in pattern or "&&" in pattern:
        return None
    try:
        return re.fullmatch(pattern, value) is not None
    except (re.error, OverflowError, RecursionError):
        return None
