"""What each stage does, up to the point where a gate takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from migrate.core.build.readiness import explain_build_failure
from migrate.core.desired_state import ImageStackInputs, adoption, desired_state, index_on_shelf
from migrate.core.first_record import children_of
from migrate.core.image.evidence import ExpectedIndex, proves, stage_one_evidence
from migrate.core.image.index import ImageFacts, ImageReference
from migrate.core.image.push import explain_push_failure
from migrate.core.record import BuiltIndex
from migrate.core.settings import ArchitectureMode, ImageMode
from migrate.core.stack.preview import Act, StackOutcome
from migrate.core.stages import Stage
from migrate.core.task_definition import containers, process_overrides
from migrate.errors import EngineError, ProofFailedError, UnsafePreviewError
from migrate.workflows.capacity_steps import by_steps
from migrate.workflows.judged import Judged, deployed
from migrate.workflows.leftovers import left_by_push
from migrate.workflows.twin import by_twin
from migrate.workflows.way_back import refuse_a_push_of_others, restore_tag, unpublish
from migrate.workflows.work import Work


def baseline(work: Work) -> Judged:
    """Stage 0: guard the manifest, adopt the service unchanged, then move a launch type to its provider (facts F2)."""
    image = work.record.baseline.image
    # An image outside ECR is its CI's alone (mode external): there is nothing to guard, nor a repository to look up.
    if image.guard_tag:
        guard = f"guard tag {image.guard_tag}"
        work.journal.act("guard tag", guard, lambda: work.runtime.safety.put_guard_tag(image), stays=True)
    if not work.record.adopted:
        _adopt(work)
        work.remember(replace(work.record, adopted=True))
    if work.record.published:
        # A new baseline on a tag that holds our index (case C43): amd64 tasks run, and the tag is theirs again.
        restore_tag(work)
        unpublish(work, Stage.BASELINE)
    desired = desired_state(work.record, work.settings, Stage.BASELINE)
    if image.guard_tag and not work.record.shelved:
        work.up_image("baseline image stack", desired.image, Act.BASELINE)
    return deployed(work, Stage.BASELINE)


def _adopt(work: Work) -> None:
    """Adopt the service unchanged, in a cluster that may have got more capacity providers since it was recorded.

    Services of one cluster that move at the same time associate what the cluster lacks, each for itself; the list is
    the cluster's, and is adopted as it is now (facts F12).
    """
    try:
        work.up_service("adopt", adoption(work.record, work.settings), Act.ADOPT)
    except UnsafePreviewError:
        recorded = work.record
        work.follow_cluster("adopt again")
        if work.record == recorded:
            raise
        work.up_service("adopt again", adoption(work.record, work.settings), Act.ADOPT)


def image(work: Work) -> Judged:
    """Stage 1: build and prove the index under our own tag, then let the service's tag point at it, then deploy it."""
    if work.record.arm64_from_the_start:
        # Nothing to build and no tag to move: what runs is proven as it is (case C53).
        return deployed(work, Stage.IMAGE)
    reference = work.record.baseline.image.reference
    external = work.settings.image.mode is ImageMode.EXTERNAL
    # The service stack comes last, when the tag has moved already: what it must not do is found out first.
    work.check_service("before the image", desired_state(work.record, work.settings, Stage.IMAGE), Act.SERVICE)
    if not external:
        work.remember(replace(work.record, shelved=True))
        shelf = index_on_shelf(work.record, work.settings)
        built = _pushed(work, "build index", shelf, Act.SHELVE_INDEX).output("index_digest")
        on_shelf = replace(reference, tag=shelf.tag, digest=None)
        facts = _proven(work, "prove index", on_shelf, built)
        # What died while it was published may have moved the tag already, and is taken up.
        if not work.record.published:
            work.journal.look("tag before it moves", lambda: refuse_a_push_of_others(work))
        work.remember(replace(work.record, index=_built(facts), published=True))
        desired = desired_state(work.record, work.settings, Stage.IMAGE)
        _pushed(work, "publish index", desired.image, Act.PUBLISH_INDEX)
    expected = work.record.index.digest if work.record.index and not external else None
    facts = _proven(work, "prove tag", reference, expected)
    work.remember(replace(work.record, index=_built(facts)))
    return deployed(work, Stage.IMAGE, must_deploy=True)


def _pushed(work: Work, step: str, inputs: ImageStackInputs, act: Act) -> StackOutcome:
    """Bring the image stack to the inputs; a failure is told by what it means (cases C05, C23, C24, C28)."""
    begun, reference = work.runtime.clock.now(), work.record.baseline.image.reference
    try:
        return work.up_image(step, inputs, act)
    except EngineError as error:
        said = f"{error.what}\n{error.why}"
        problem = explain_push_failure(said) or explain_build_failure(said)
        left = work.journal.look(f"{step}: left behind", lambda: left_by_push(work.runtime, reference, begun))
        if problem is None and not left:
            raise
        if problem is None:
            raise EngineError(error.what, why=f"{error.why}{left}", then=error.then, runbook=error.runbook) from error
        section = f"findings#{problem.code.replace('.', '-')}"
        then = dict(problem.evidence).get("remedy", error.then)
        raise EngineError(problem.text, why=f"{error.why}{left}", then=then, runbook=section) from error


def architecture(work: Work) -> Judged:
    """Stage 2: a new revision with runtimePlatform ARM64, on the capacity that the service has; first on a twin."""
    rolling = work.settings.architecture is ArchitectureMode.ROLLING and work.record.twin is None
    if rolling or work.record.arm64_from_the_start:
        return deployed(work, Stage.ARCHITECTURE)
    return by_twin(work)


def capacity(work: Work) -> Judged:
    """Stage 3: the target strategy in steps of weight, each in place with a forced deployment (facts F1, F11)."""
    return by_steps(work)


STAGES: Mapping[Stage, Callable[[Work], Judged]] = {
    Stage.BASELINE: baseline,
    Stage.IMAGE: image,
    Stage.ARCHITECTURE: architecture,
    Stage.CAPACITY: capacity,
}


def _proven(work: Work, step: str, reference: ImageReference, digest: str | None) -> ImageFacts:
    """Read the index back from the registry, children, configs and entry points included, and judge it."""
    extended = work.settings.image.mode is ImageMode.EXTEND
    kept = work.record.running_digests(Stage.BASELINE, "linux/amd64")[-1] if extended else None
    expected = ExpectedIndex(digest=digest, amd64_digest=kept)

    definitions = containers(work.record.baseline.task_definition.document)
    main = next((item for item in definitions if item.get("name") == work.settings.image.container), {})

    def read() -> ImageFacts:
        facts = work.runtime.images.inspect(reference, process_overrides(main))
        problems = stage_one_evidence(expected, facts)
        if not proves(problems):
            told = "; ".join(problem.text for problem in problems if not proves((problem,)))
            raise ProofFailedError(
                f"{reference} is not the multi-platform image that stage 1 needs.",
                why=told,
                then="Repair the build and run `migrate apply --stage 1` again; the service was not deployed from it.",
            )
        return facts

    return work.journal.act(step, f"read {reference} back", read, _evidence)


def _built(facts: ImageFacts) -> BuiltIndex:
    return BuiltIndex(facts.digest, facts.media_type, children_of(facts))


def _evidence(facts: ImageFacts) -> dict[str, object]:
    return {
        "digest": facts.digest,
        "media type": facts.media_type,
        "children": [
            {
                "digest": child.digest,
                "kind": child.kind.value,
                "platform": str(child.actual or child.declared),
                "entry point": str(child.binary.verdict) if child.binary else "not looked at",
            }
            for child in facts.children
        ],
    }
