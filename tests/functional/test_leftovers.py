"""What a push leaves behind that a registry refused half way (case C05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrate.core.desired_state import ImageStackInputs
from migrate.core.stack.preview import StackOutcome
from migrate.errors import AccessError, EngineError, ExitCode
from tests.fakes.image_content import AMD64_ELF, Entry, digest_of
from tests.fakes.migration import Operator
from tests.fakes.stack_deployer import FakeStackDeployer

REFUSAL = "tag invalid: The image tag 'tag1' already exists in the 'app' repository and cannot be overwritten "
REFUSAL += "because the repository is immutable."


@dataclass
class Halfway(FakeStackDeployer):
    """A pusher that gets the first child into the repository, and is then refused the index."""

    said: str = REFUSAL
    blind: bool = False
    """Whether nobody may look into the repository after that."""

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        if not inputs.present:
            return super().up_image(inputs)
        entry = self.world.shelf.image("linux/arm64", Entry("half", AMD64_ELF))
        self.world.ecr.pushed_at[entry["digest"]] = self.world.clock.now()
        if self.blind:
            self.world.refuse("contents", AccessError("The credentials have expired.", then="Sign in."))
        raise EngineError("The image stack could not be changed.", why=self.said, then="Look.")


def halfway(**more: Any) -> tuple[Operator, set[str]]:
    operator = Operator.of()
    operator.stacks = Halfway(operator.world, **more)
    operator.reach(0)
    return operator, {digest_of(body) for _, body in operator.world.shelf.manifests.values()}


def test_c05_what_a_refused_push_left_stands_in_the_outcome_by_digest() -> None:
    operator, before = halfway()
    outcome = operator.apply(1)
    (left,) = {digest_of(body) for _, body in operator.world.shelf.manifests.values()} - before
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert outcome.runbook == "findings#image-tag-immutable"
    told = " ".join(outcome.reasons)
    assert "does not let the tag move" in told
    assert f"Left behind without a tag: {left} (application/vnd.oci.image.manifest.v1+json)" in told


def test_c05_what_another_failure_left_is_told_as_well() -> None:
    operator, _ = halfway(said="error: failed to push: connection reset by peer")
    told = " ".join(operator.apply(1).reasons)
    assert "connection reset by peer" in told
    assert "Left behind without a tag" in told


def test_a_repository_that_cannot_be_read_hides_no_failure() -> None:
    operator, _ = halfway(blind=True)
    outcome = operator.apply(1)
    assert outcome.runbook == "findings#image-tag-immutable"
    assert "could not be read: The credentials have expired." in " ".join(outcome.reasons)
