"""The stages, and which of them may come next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from migrate.errors import BlockedError


class Stage(IntEnum):
    """How far a service has gone; each stage holds everything of the smaller ones."""

    ORIGINAL = -1
    BASELINE = 0
    IMAGE = 1
    ARCHITECTURE = 2
    CAPACITY = 3

    @property
    def title(self) -> str:
        """The stage in words, for people."""
        return _TITLES[self]

    @property
    def named(self) -> str:
        """The stage as people say it: ``stage 1 (image)``, or ``the original``."""
        return "the original" if self is Stage.ORIGINAL else f"stage {self.value} ({self.title})"

    @property
    def before(self) -> Stage:
        """The stage that has to be proven before this one may start, and where a rollback of this one ends."""
        return Stage(max(self - 1, Stage.ORIGINAL))


_TITLES = {
    Stage.ORIGINAL: "original",
    Stage.BASELINE: "baseline",
    Stage.IMAGE: "image",
    Stage.ARCHITECTURE: "architecture",
    Stage.CAPACITY: "capacity",
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a service stands: the highest stage proven, and one begun but not yet proven (None: none).

    An entered stage that is not proven may have changed anything of it: the world, not the record, says what.
    """

    proven: Stage = Stage.ORIGINAL
    entered: Stage | None = None


def may_apply(position: Position, stage: Stage) -> None:
    """Refuse ``apply`` out of order: a stage that is not proven blocks the next.

    Raises BlockedError. A stage that is proven already may be applied again (it changes nothing).
    """
    if position.entered is not None and stage != position.entered:
        raise BlockedError(
            f"Stage {stage.value} cannot start: stage {position.entered.value} was begun and is not proven.",
            why=_reached(position.proven),
            then=f"Run `migrate apply --stage {position.entered.value}` to finish it, or `migrate rollback`.",
            runbook="errors#out-of-order",
        )
    if stage > position.proven + 1:
        raise BlockedError(
            f"Stage {stage.value} cannot start: stage {stage.before.value} is not proven.",
            why=_reached(position.proven),
            then=f"Run `migrate apply --stage {position.proven.value + 1}` first.",
            runbook="errors#out-of-order",
        )


def rollback_target(position: Position, to: Stage | None) -> Stage:
    """Return the stage that a rollback leads to; without a wish, one stage below the highest one touched.

    Raises BlockedError when the wish lies above what is proven: a way back is judged without a soak, so that it must
    not prove a stage that was only begun.
    """
    reached = position.proven if position.entered is None else max(position.proven, position.entered)
    target = reached.before if to is None else to
    if target > reached:
        raise BlockedError(
            f"There is nothing above stage {reached.value} to roll back to stage {target.value}.",
            why=_reached(reached),
            then="Choose a smaller stage, or run `migrate status`.",
            runbook="errors#out-of-order",
        )
    if target > position.proven:
        raise BlockedError(
            f"Stage {target.value} was begun and is not proven: no way back leads to it.",
            why=_reached(position.proven),
            then=f"Run `migrate apply --stage {target.value}` to finish it, or `migrate rollback` to leave it.",
            runbook="errors#out-of-order",
        )
    return target


def _reached(stage: Stage) -> str:
    return "No stage is proven yet." if stage is Stage.ORIGINAL else f"The service has reached {stage.named}."
