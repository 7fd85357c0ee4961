"""What preflight says of less than a service: of a task definition, an image or a Dockerfile alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from migrate.core.build.facts import BuildFacts
from migrate.core.documents import document, fields
from migrate.core.facts import Account, Cluster, RuntimePlatform, Service, StrategyItem, TaskDefinition
from migrate.core.findings import Finding, Grade
from migrate.core.image.advice import advice_for
from migrate.core.image.facts import ImageFacts
from migrate.core.image.names import LINUX_ARM64
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight import findings
from migrate.core.preflight.build import build_findings
from migrate.core.preflight.finding import finding
from migrate.core.settings import ImageSettings, ServiceSettings, Settings

NO_CONTAINER = ""
"""The container that settings name where none is meant: every container then counts like a sidecar."""

_NOTHING_DEFINED = TaskDefinition("", "", 0, "ACTIVE", RuntimePlatform(), document({}))
_NOWHEN = datetime(1970, 1, 1, tzinfo=UTC)
_OF_A_TASK_DEFINITION = frozenset({"image", "task-definition"})
_ABOUT_SETTINGS = frozenset({"task-definition.container", "task-definition.already-arm64"})
_PLACE = "task definition"


def task_definition_only(definition: TaskDefinition, images: tuple[ContainerImage, ...]) -> tuple[Finding, ...]:
    """Return what preflight says of a task definition and its images, whatever service will run it.

    It is judged as a service of Fargate would be, unless it is for other machines alone.
    """
    settings = Settings(ServiceSettings("", ""), ImageSettings(NO_CONTAINER))
    if _is_for_machines(definition):
        # It stays on machines, whoever they belong to: nothing of it is to go to Fargate.
        settings = replace(settings, capacity=(StrategyItem("", weight=1),))
    found = findings(_observation(definition, images), settings)
    return tuple(item for item in found if _speaks_of_the_definition(item) and item.code not in _ABOUT_SETTINGS)


def _speaks_of_the_definition(item: Finding) -> bool:
    evidence = {name for name, _ in item.evidence}
    of_a_kind = item.code.partition(".")[0] in _OF_A_TASK_DEFINITION and "service" not in evidence
    return of_a_kind or _PLACE in evidence


def _is_for_machines(definition: TaskDefinition) -> bool:
    kinds = fields(definition.document).get("requiresCompatibilities")
    return isinstance(kinds, list) and bool(kinds) and "FARGATE" not in kinds


def _observation(definition: TaskDefinition, images: tuple[ContainerImage, ...]) -> Observation:
    """Return an observation in which nothing but the task definition and its images could be a finding."""
    service = Service(
        arn="",
        name="",
        cluster_arn="",
        status="ACTIVE",
        task_definition_arn=definition.arn,
        desired_count=2,
        running_count=2,
        pending_count=0,
        launch_type="EC2" if _is_for_machines(definition) else "FARGATE",
        strategy=(),
        platform_version=None,
        scheduling_strategy="REPLICA",
        deployment_controller="ECS",
        target_group_arns=(),
        alarm_names=(),
        deployments=(),
        events=(),
        document=document({}),
    )
    return Observation(
        taken_at=_NOWHEN,
        account=Account("", "", ""),
        service=service,
        task_definition=definition,
        cluster=Cluster("", "", ("FARGATE", "FARGATE_SPOT"), ()),
        tasks=(),
        alarms=(),
        images=images,
        repository=None,
    )


def dockerfile_only(facts: BuildFacts) -> tuple[Finding, ...]:
    """Return what a Dockerfile and what it copies say against a build for arm64, whatever builder makes it."""
    source = facts.source
    image = ImageSettings(NO_CONTAINER, context=source.context, dockerfile=source.path)
    seen = replace(_observation(_NOTHING_DEFINED, ()), build=facts)
    found = build_findings(seen, Settings(ServiceSettings("", ""), image))
    return tuple(item for item in found if item.code.startswith(("dockerfile.", "build.context-")))


def no_reference(container: str, image: str, number: int, why: str) -> Finding:
    """Return the finding for a container whose image is no reference, a placeholder of a template for example."""
    return finding(
        "image.unreadable",
        Grade.UNKNOWN,
        2,
        f"Container {container} names no image that can be looked up: {image!r}. {why}".rstrip(),
        "Fill in the image that is deployed, then check again.",
        (("container", container), (_PLACE, f"$.containerDefinitions[{number}].image")),
    )


def without_the_stages(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return findings as answers to a question: that a service runs on ARM64 already stops a stage, and nobody else."""
    ours = "task-definition.already-arm64"
    return tuple(replace(item, grade=Grade.INFO) if item.code == ours else item for item in found)


def image_only(image: ContainerImage) -> Iterator[Finding]:
    """Yield what is known of an image by itself: whether it has arm64, and what in it would not run there."""
    name, facts = (("image", str(image.reference)),), image.facts
    if facts is None:
        yield finding(
            "image.unreadable",
            Grade.UNKNOWN,
            2,
            f"{image.reference} could not be read: {image.problem}",
            "Check that the image exists and that you may pull it.",
            name,
        )
        return
    evidence = (*name, ("digest", facts.digest), ("media type", facts.media_type or "none"))
    if facts.unreadable is None and not facts.has(LINUX_ARM64):
        yield finding(
            "image.without-arm64",
            Grade.BLOCK,
            2,
            f"{image.reference} has no linux/arm64 (it has: {_platforms(facts) or 'nothing runnable'}).",
            "Take a version that has it, or build it for both platforms.",
            (*evidence, ("platforms", _platforms(facts) or "none")),
        )
    for problem in facts.problems:
        grade = Grade.BLOCK if problem.grade == "emergency" else Grade(problem.grade)
        advice = advice_for(problem.code)
        yield finding(problem.code, grade, 2, problem.text, advice, (*name, *problem.evidence))


def _platforms(facts: ImageFacts) -> str:
    return ", ".join(str(platform) for platform in facts.platforms)
