"""Preflight of placement constraints: whether anything with Graviton can satisfy them (case C50)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrate.core.documents import Document, Json, fields
from migrate.core.facts import Architecture
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.placement.evaluation import (
    Candidate,
    evaluate,
    instance_types_named,
    machine,
    registered,
    undecided_subjects,
)
from migrate.core.placement.expression import All, Expression, ExpressionError, parse_expression
from migrate.core.placement.instance_families import GRAVITON_TYPES, X86_TYPES, imagined_graviton_types
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_service, in_task_definition
from migrate.core.service_settings import children, is_fargate, on_fargate
from migrate.core.settings import Settings

_CONSTRAINTS = "placementConstraints"


@dataclass(frozen=True, slots=True)
class _Constraint:
    """A constraint with its place; ``text`` is its expression, empty for distinctInstance."""

    kind: str
    text: str
    evidence: Evidence


def placement_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the constraints of service and task definition, taken together, say against ARM64 and Fargate."""
    constraints = [
        *_read(observation.service.document, in_service),
        *_read(observation.task_definition.document, in_task_definition),
    ]
    if not constraints:
        return
    if on_fargate(observation.service, observation.cluster.default_strategy):
        yield _not_on_fargate(constraints, Grade.WARN, 2)
        return
    if is_fargate(settings.capacity):
        yield _not_on_fargate(constraints, Grade.BLOCK, 3)
    yield from _distinct(observation, constraints)
    yield from _members(observation, [item for item in constraints if item.kind == "memberOf"])


def _not_on_fargate(constraints: list[_Constraint], grade: Grade, stage: int) -> Finding:
    return finding(
        "placement.not-on-fargate",
        grade,
        stage,
        f"Placement constraints are not valid on Fargate, and there are {len(constraints)}.",
        "Take them out of the service and of a new revision of the task definition before that stage.",
        tuple(pair for item in constraints for pair in item.evidence),
    )


def _distinct(observation: Observation, constraints: list[_Constraint]) -> Iterator[Finding]:
    item = next((item for item in constraints if item.kind == "distinctInstance"), None)
    if item is None:
        return
    count, instances = observation.service.desired_count, observation.surroundings.container_instances
    arm64 = [one for one in instances or () if one.architecture is Architecture.ARM64]
    few = instances is not None and len(arm64) < count
    yield finding(
        "placement.distinct-instance",
        Grade.WARN if few else Grade.INFO,
        2,
        f"Each task runs on an instance of its own: {count} tasks need {count} arm64 instances"
        + (f", and {len(arm64)} are registered." if few else ", and more while a deployment overlaps."),
        "Let the Auto Scaling group grow to that many Graviton instances before stage 2.",
        item.evidence,
    )


def _members(observation: Observation, constraints: list[_Constraint]) -> Iterator[Finding]:
    parsed: list[tuple[_Constraint, Expression]] = []
    for item in constraints:
        try:
            parsed.append((item, parse_expression(item.text)))
        except ExpressionError as error:
            yield finding(
                "placement.unreadable",
                Grade.UNKNOWN,
                2,
                f"Whether an ARM64 instance satisfies `{item.text}` could not be decided: {error}.",
                "Check by hand that Graviton instances satisfy it.",
                item.evidence,
            )
    if not parsed:
        return
    together = All(tuple(expression for _, expression in parsed))
    evidence = tuple(pair for item, _ in parsed for pair in item.evidence)
    graviton = [machine(name, "arm64") for name in GRAVITON_TYPES] + _registered(observation)
    values = [evaluate(together, candidate) for candidate in graviton]
    if True in values:
        return
    if None in values:
        subjects = undecided_subjects(together, graviton[values.index(None)])
        yield _undecided(f"it depends on {', '.join(subjects)}", evidence, parsed)
        return
    later = [machine(name, "arm64") for name in imagined_graviton_types(instance_types_named((together,)))]
    if any(evaluate(together, candidate) is not False for candidate in later):
        yield _undecided("it names a Graviton family that is not known here", evidence, parsed)
        return
    x86 = [machine(name, "x86_64") for name in X86_TYPES]
    yield _impossible(parsed, graviton, x86, evidence)


def _undecided(why: str, evidence: Evidence, parsed: list[tuple[_Constraint, Expression]]) -> Finding:
    return finding(
        "placement.undecided",
        Grade.UNKNOWN,
        2,
        f"Whether an ARM64 instance satisfies {_quoted(parsed)} cannot be decided: {why}.",
        "Check that the Graviton instances have what it asks for, before stage 2.",
        evidence,
    )


def _impossible(
    parsed: list[tuple[_Constraint, Expression]], graviton: list[Candidate], x86: list[Candidate], evidence: Evidence
) -> Finding:
    guilty = [one for one in parsed if all(evaluate(one[1], candidate) is False for candidate in graviton)]
    if not guilty:
        return finding(
            "placement.contradiction",
            Grade.BLOCK,
            2,
            f"Each of {_quoted(parsed)} can be satisfied, but no instance satisfies all of them: the tasks stay "
            'unplaced ("MemberOf placement constraint unsatisfied").',
            "Take one of them out of the service or of a new revision before stage 2.",
            evidence,
        )
    wants_x86 = any(evaluate(All(tuple(item[1] for item in parsed)), candidate) is not False for candidate in x86)
    return finding(
        "placement.no-arm64",
        Grade.BLOCK,
        2,
        f"No Graviton instance satisfies {_quoted(guilty)}" + ("; x86 ones do." if wants_x86 else "."),
        "Let the expression allow Graviton instance types, or take it out, in the service or in a new revision.",
        tuple(pair for item, _ in guilty for pair in item.evidence),
    )


def _registered(observation: Observation) -> list[Candidate]:
    instances = observation.surroundings.container_instances or ()
    return [registered(item) for item in instances if item.architecture is Architecture.ARM64]


def _quoted(parsed: list[tuple[_Constraint, Expression]]) -> str:
    return " and ".join(f"`{item.text}`" for item, _ in parsed)


def _read(document: Document, place: Callable[[str, Json], Evidence]) -> Iterator[_Constraint]:
    for index, item in enumerate(children(fields(document), _CONSTRAINTS)):
        kind, text = str(item.get("type") or ""), str(item.get("expression") or "")
        path = f"$.{_CONSTRAINTS}[{index}]"
        yield _Constraint(kind, text, place(f"{path}.expression", text) if text else place(f"{path}.type", kind))
