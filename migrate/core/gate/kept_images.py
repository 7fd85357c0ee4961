"""Which digests a stage cannot do without, and what it means when one is gone (cases C20, C30)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from migrate.core.facts import Architecture
from migrate.core.gate.gate import Verdict
from migrate.core.image.index import ImageReference
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage


@dataclass(frozen=True, slots=True)
class KeptImages:
    """Digests of one repository. Without ``running`` no task can be replaced, without ``way_back`` none goes back."""

    reference: ImageReference
    running: tuple[str, ...] = ()
    way_back: tuple[str, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.running, *self.way_back)))

    def at(self, digest: str) -> ImageReference:
        """Return the reference of one digest."""
        return replace(self.reference, tag=None, digest=digest)


def kept_images(record: Record, settings: Settings, stage: Stage, architecture: Architecture) -> KeptImages:
    """Return what has to stay in the registry while the service is at ``stage``.

    In mode external the tag and what it held before belong to the team's CI: only what stage 1 proved counts.
    """
    image, external = record.baseline.image, settings.image.mode is ImageMode.EXTERNAL
    if external and (stage < Stage.IMAGE or record.index is None):
        return KeptImages(image.reference)
    running = record.running_digests(stage, f"linux/{architecture.oci}")
    return KeptImages(image.reference, running, () if external else (image.digest,))


def judge_gone(kept: KeptImages, gone: Collection[str]) -> tuple[Verdict, tuple[str, ...]]:
    """Return what digests that are gone come to; a lost way back alone is for a person to decide."""
    lost = [digest for digest in kept.running if digest in gone]
    behind = [digest for digest in kept.way_back if digest in gone and digest not in lost]
    repository = kept.reference.repository
    reasons = tuple(
        f"image: {digest} is gone from {repository}: no task that runs it can be replaced" for digest in lost
    )
    reasons += tuple(
        f"image: {digest} is gone from {repository}: the tag can no longer go back to it" for digest in behind
    )
    if lost:
        return Verdict.FAIL, reasons
    return (Verdict.INCONCLUSIVE, reasons) if behind else (Verdict.PASS, ())
