"""Whether there is anything to go back to: looked at before the first step back (case C20)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrate.core.desired_state import desired_state
from migrate.core.facts import Architecture
from migrate.core.gate.kept_images import kept_images
from migrate.core.others import gave_index_up, tag_of_others
from migrate.core.settings import ImageMode
from migrate.core.stack.preview import Act
from migrate.core.stages import Stage
from migrate.errors import BlockedError, MigrateError, NotFoundError, WorldChangedError
from migrate.workflows.gate import missing_images
from migrate.workflows.work import Work, refuse_to_undo


def images_are_there(work: Work, target: Stage) -> None:
    """Make sure that the registry holds what the service would run at ``target``.

    The original manifest is put back from the record where ECR still has its layers: that changes no tag but the guard.
    Raises BlockedError, which says what is lost, where the image is gone for good.
    """
    record = work.record
    arm64 = target >= Stage.ARCHITECTURE or record.arm64_from_the_start
    architecture = Architecture.ARM64 if arm64 else Architecture.X86_64
    kept = kept_images(record, work.settings, max(target, Stage.BASELINE), architecture)
    try:
        gone = work.journal.look("images to go back to", lambda: missing_images(work.runtime, kept))
    except MigrateError as error:
        # A registry that does not answer is no reason to leave a service where it fails.
        work.journal.note("images to go back to", f"the registry could not be asked, going back all the same: {error}")
        return
    lost = tuple(digest for digest in gone if digest in kept.running)
    original, why = record.baseline.image, ""
    if original.digest in lost:
        try:
            work.journal.act(
                "put original back",
                f"put {original.digest} back from the record",
                lambda: work.runtime.safety.put_guard_tag(original),
                stays=True,
            )
        except MigrateError as error:
            why = f" It could not be put back from the record: {error}"
        else:
            lost = tuple(digest for digest in lost if digest != original.digest)
    if lost:
        raise _lost(work, target, lost, why)
    # Asked even where the image itself is there: an earlier run may have put it back, and have ended before its tag.
    if target < Stage.IMAGE and not record.published and work.journal.look("tag to go back to", _tag_is_gone(work)):
        if work.settings.image.mode is ImageMode.EXTERNAL:
            raise _tag_lost(work, target)
        _point_tag_at_original(work)


def lowered(work: Work, target: Stage) -> Stage:
    """Return how far to go back: to stage 0 where the tag has given up the index that ``target`` would run from.

    There amd64 tasks run as they did; a stage from 1 on would be none (and arm64 tasks would find no image).
    """
    if target < Stage.IMAGE or not work.journal.look("index behind the tag", lambda: _index_is_given_up(work)):
        return target
    reference = work.record.baseline.image.reference
    text = f"{reference} points at the original again: going back to {Stage.BASELINE.named}, where that is right"
    work.journal.note("index behind the tag", text)
    return Stage.BASELINE


def refuse_without_index(work: Work, target: Stage, digest: str) -> None:
    """Raise WorldChangedError where ``target`` runs from the index and the tag, at ``digest``, has given that up."""
    if target >= Stage.IMAGE and gave_index_up(work.record, work.settings, digest):
        image, index = work.record.baseline.image, work.record.index
        raise WorldChangedError(
            f"{image.reference} does not hold the index any more that {target.named} runs from.",
            why=f"It points at {digest} again, the original: somebody pushed that, or a way back of ours was cut short "
            "after it.",
            then="Nothing was changed. `migrate rollback --to-stage 0` goes to where that is right; or let the tag "
            f"point at {index.digest if index else 'the index'} again, and run the same command.",
            runbook="rollback#somebody-else",
        )


def _index_is_given_up(work: Work) -> bool:
    try:
        fetched = work.runtime.registry.manifest(work.record.baseline.image.reference)
    except MigrateError:
        return False
    return gave_index_up(work.record, work.settings, fetched.digest)


def index_is_there(work: Work) -> bool:
    """Tell whether amd64 tasks can be started from the index; where it cannot be asked, it is taken to be there."""
    kept = kept_images(work.record, work.settings, Stage.IMAGE, Architecture.X86_64)
    try:
        gone = missing_images(work.runtime, kept)
    except MigrateError:
        return True
    return not any(digest in kept.running for digest in gone)


def restore_tag(work: Work) -> None:
    """Let the service's tag point at the original manifest again, where this migration had moved it."""
    if work.record.published and work.settings.image.mode is not ImageMode.EXTERNAL:
        _point_tag_at_original(work)


def _point_tag_at_original(work: Work) -> None:
    image = work.record.baseline.image
    text = f"let {image.reference} point at {image.digest} again"

    def restore() -> None:
        refuse_a_push_of_others(work)
        work.runtime.safety.restore_tag(image)

    work.journal.act("restore tag", text, restore)


def refuse_a_push_of_others(work: Work) -> None:
    """Look at the service's tag right before it is moved: a build or a gate may have taken an hour.

    Raises WorldChangedError where somebody else has pushed to it; a registry that does not answer keeps nobody.
    """
    try:
        fetched = work.runtime.registry.manifest(work.record.baseline.image.reference)
    except MigrateError:
        return
    told = tag_of_others(work.record, fetched.digest)
    refuse_to_undo((told,) if told else ())


def _tag_is_gone(work: Work) -> Callable[[], bool]:
    """Ask whether the service's tag went with an image that was put back: no task could pull it by that name."""

    def asked() -> bool:
        try:
            work.runtime.registry.manifest(work.record.baseline.image.reference)
        except NotFoundError:
            return True
        except MigrateError:
            return False
        return False

    return asked


def unpublish(work: Work, stage: Stage) -> None:
    """Let the image stack follow a restored tag: below stage 1 it holds the index under our own tag alone."""
    desired = desired_state(work.record, work.settings, stage)
    work.up_image(f"back to {stage.value} image stack", desired.image, Act.PUBLISH_INDEX)
    work.remember(replace(work.record, published=False))


def _tag_lost(work: Work, target: Stage) -> BlockedError:
    image = work.record.baseline.image
    return BlockedError(
        f"{image.reference} is gone from the registry, and with it the way back.",
        why=f"Tasks of {target.named} run what that tag names: none of them could be started. In mode external the tag "
        "is the team's, and this migration does not move it. The tasks that run now are as they were.",
        then=f"Nothing was changed. Have the team's pipeline push the tag again (the original was {image.digest}), "
        "then run the same command.",
        runbook="rollback#image-gone",
    )


def _lost(work: Work, target: Stage, digests: tuple[str, ...], why: str) -> BlockedError:
    image = work.record.baseline.image
    below = (
        "and with it the way back to every stage below 1" if image.digest in digests else "and with it this way back"
    )
    original_is_there = image.digest not in digests and target is Stage.IMAGE
    other = "go further, `migrate rollback --to-stage 0`" if original_is_there else "stay where the service is"
    return BlockedError(
        f"{', '.join(digests)} of {image.repository} is gone from the registry, {below}.",
        why=f"Tasks of {target.named} run that image: none of them could be started.{why} Nothing else is lost: the "
        "tasks that run now, and the tag, are as they were.",
        then="Nothing was changed. Push that image again from where it was built (the digest has to be the same), then "
        f"run the same command; or {other}.",
        runbook="rollback#image-gone",
    )
