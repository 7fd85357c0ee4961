"""What is refused before anything is changed, and proofs that keep a bad image from the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.settings import ImageMode
from migrate.core.stack.preview import SERVICE, Preview, ResourceChange, StackOutcome
from migrate.core.stages import Position, Stage
from migrate.errors import (
    BlockedError,
    EngineError,
    ExitCode,
    LockedError,
    MigrateError,
    NotFoundError,
    UnsafePreviewError,
    WorldChangedError,
)
from tests.fakes.aws_world import TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, Entry, attestation
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.stack_deployer import FakeStackDeployer


@dataclass
class Replacing(FakeStackDeployer):
    """An engine that would replace the service, as providers before 7 did (case C37); ``stack`` says in which."""

    kind: str = SERVICE
    operation: str = "replace"
    on: bool = True

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        preview = super().preview_service(inputs)
        if not self.on:
            return preview
        strange = ResourceChange(f"urn:{self.kind}", self.kind, "strange", self.operation)
        return replace(preview, resources=(*preview.resources, strange))


def untouched(operator: Operator, before: tuple[object, ...]) -> bool:
    return before == looked_at(operator)


def looked_at(operator: Operator) -> tuple[object, ...]:
    service = operator.service
    writes = [write for write in operator.world.writes if "guard" not in write]
    return (writes, service.deployments, service.strategy, service.launch_type, operator.tag, operator.world.cluster)


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (SERVICE, "replace"),
        (SERVICE, "delete"),
        ("aws:ecs/cluster:Cluster", "replace"),
        ("aws:ecr/repository:Repository", "delete"),
        ("aws:iam/role:Role", "create"),
    ],
)
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_c34_c37_an_unsafe_preview_stops_before_any_up(stage: int, kind: str, operation: str) -> None:
    operator = Operator.of()
    stacks = operator.stacks = Replacing(operator.world, kind=kind, operation=operation, on=False)
    operator.reach(stage - 1)
    before, ups = looked_at(operator), stacks.calls.count("up_service")
    stacks.on = True
    with pytest.raises(UnsafePreviewError) as refused:
        operator.apply(stage)
    assert "strange" in refused.value.why
    assert refused.value.exit_code is ExitCode.BLOCKED
    assert untouched(operator, before)
    assert stacks.calls.count("up_service") == ups
    assert operator.record.position == Position(Stage(stage - 1))


def test_c34_the_preview_of_an_adoption_reads_arns() -> None:
    operator = Operator.of()
    operator.apply(0)
    baseline = operator.record.baseline
    for arn in (baseline.service.cluster_arn, baseline.service.arn, baseline.task_definition.arn):
        assert arn.startswith("arn:aws:ecs:us-east-1:111122223333:")


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "error",
    [
        EngineError("The Pulumi CLI was not found.", then="Install it."),
        EngineError("Could not preview.", why="force_new_deployment should be true when ...", then="Mend it."),
        NotFoundError("The stack does not exist.", then="Look."),
    ],
)
def test_an_engine_that_fails_before_the_first_act_leaves_everything_as_it_was(stage: int, error: MigrateError) -> None:
    operator = Operator.of().reach(stage - 1)
    before = looked_at(operator)
    operator.world.refuse("preview_service", error)
    with pytest.raises(type(error)):
        operator.apply(stage)
    assert untouched(operator, before)
    assert operator.record.position == Position(Stage(stage - 1))
    assert operator.apply(stage).exit_code is ExitCode.DONE


def on_the_shelf_only(operator: Operator, before: tuple[object, ...]) -> None:
    assert untouched(operator, before)
    assert operator.record.position == Position(Stage.BASELINE)
    assert not operator.record.published


def test_c06_an_x86_binary_in_the_arm64_image_never_reaches_the_tag_or_a_deployment() -> None:
    operator = Operator.of().reach(0)
    before = looked_at(operator)
    operator.stacks.arm64_binary = AMD64_ELF
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert "cannot run there" in "; ".join(outcome.reasons)
    on_the_shelf_only(operator, before)
    operator.stacks.arm64_binary, operator.stacks.context = ARM64_ELF, "mended"
    assert operator.apply(1).exit_code is ExitCode.DONE


def test_a_build_that_fails_never_reaches_the_tag_or_a_deployment() -> None:
    operator = Operator.of().reach(0)
    before = looked_at(operator)
    operator.stacks.build_error = "RUN make: exit code 2"
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert "RUN make: exit code 2" in outcome.reasons
    on_the_shelf_only(operator, before)


def test_c05_a_push_that_ecr_refuses_is_told_by_what_it_means() -> None:
    operator = Operator.of().reach(0)
    operator.stacks.build_error = "tag invalid: The image tag 'tag1' already exists and cannot be overwritten because "
    operator.stacks.build_error += "the repository is immutable."
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert "does not let the tag move" in outcome.reasons[0]
    assert outcome.runbook == "findings#image-tag-immutable"


@dataclass
class Meddling(FakeStackDeployer):
    """A builder whose push ends otherwise than it says: ``meddle`` acts on the world after an up of the image stack."""

    meddle: Callable[[FakeStackDeployer, ImageStackInputs], None] = lambda _deployer, _inputs: None

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        outcome = super().up_image(inputs)
        self.meddle(self, inputs)
        return outcome


def meddled(meddle: Callable[[FakeStackDeployer, ImageStackInputs], None]) -> Operator:
    operator = Operator.of()
    operator.stacks = Meddling(operator.world, meddle=meddle)
    return operator.reach(0)


def child_takes_the_tag(architecture: str) -> Callable[[FakeStackDeployer, ImageStackInputs], None]:
    def meddle(deployer: FakeStackDeployer, inputs: ImageStackInputs) -> None:
        if inputs.published:
            manifests = deployer.world.shelf.manifests
            index = json.loads(manifests[TAG][1])["manifests"]
            child = next(item for item in index if item["platform"]["architecture"] == architecture)
            deployer.world.push(TAG, *manifests[child["digest"]])

    return meddle


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_c04_a_tag_that_rests_on_one_child_goes_back_at_once_and_is_never_deployed(architecture: str) -> None:
    operator = meddled(child_takes_the_tag(architecture))
    before = operator.service.deployments, operator.tag
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert (operator.service.deployments, operator.tag) == before
    assert "is one manifest, not an index" in "; ".join(outcome.reasons)
    acts = [event.step for event in operator.events() if event.kind.value == "intent"]
    assert acts.index("restore tag") == acts.index("prove tag") + 1


def arm64_entry_lies(deployer: FakeStackDeployer, inputs: ImageStackInputs) -> None:
    """Let the index say arm64 of an image whose config says amd64."""
    manifests = deployer.world.shelf.manifests
    if not inputs.present:
        return
    entries = json.loads(manifests[inputs.shelf_tag][1])["manifests"]
    liar = {**deployer.world.shelf.image("linux/amd64", Entry("app", ARM64_ELF)), "platform": entries[1]["platform"]}
    deployer.world.shelf.index(entries[0], liar, tag=inputs.shelf_tag)


def test_c08_an_entry_that_lies_about_its_config_is_refused_on_the_shelf() -> None:
    operator = meddled(arm64_entry_lies)
    before = looked_at(operator)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert "The index says linux/arm64, the image's own config says linux/amd64" in "; ".join(outcome.reasons)
    on_the_shelf_only(operator, before)


def test_c01_attestations_in_the_index_do_not_stop_the_stage() -> None:
    world = World.with_demo_service(FakeClock())
    operator = Operator.of(world, replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))).reach(0)
    amd64 = world.shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    arm64 = world.shelf.image("linux/arm64", Entry("app", ARM64_ELF))
    world.shelf.index(attestation(arm64), amd64, attestation(amd64), arm64, tag=TAG)
    assert operator.apply(1).exit_code is ExitCode.DONE
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.status().platforms == ("linux/amd64", "linux/arm64")


@pytest.mark.parametrize(
    ("mutability", "filters", "locked"),
    [
        ("MUTABLE", (), False),
        ("IMMUTABLE", (), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("release-*",), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("tag*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("release-*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("tag*",), True),
    ],
)
def test_c05_a_locked_tag_is_found_before_anything_is_built(
    mutability: str, filters: tuple[str, ...], locked: bool
) -> None:
    operator = Operator.of().reach(0)
    operator.world.tag_mutability, operator.world.exclusion_filters = mutability, filters
    before = looked_at(operator)
    if not locked:
        assert operator.apply(1).exit_code is ExitCode.DONE
        return
    with pytest.raises(BlockedError) as refused:
        operator.apply(1)
    assert "repository.immutable-tag" in refused.value.why
    assert untouched(operator, before)
    assert operator.world.tag_mutability == mutability
    assert not any("image" in call for call in operator.stacks.calls[-2:])


def test_another_run_holds_the_service() -> None:
    operator = Operator.of()
    operator.store.claim(next(iter(operator.world.services)), operator.run("apply", 0))
    with pytest.raises(LockedError):
        operator.apply(0)
    assert operator.world.writes == []


def test_the_service_is_given_free_after_every_end() -> None:
    operator = Operator.of()
    with pytest.raises(BlockedError):
        operator.apply(3)
    operator.world.refuse("account", EngineError("No.", then="Wait."))
    with pytest.raises(EngineError):
        operator.apply(0)
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_a_tag_that_moved_since_the_plan_is_not_recorded() -> None:
    operator = Operator.of()
    operator.plan()
    operator.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("new", b"new"), tag=TAG)
    with pytest.raises(WorldChangedError) as refused:
        operator.apply(0)
    assert "it changed since the plan of" in refused.value.why
    assert 'image was "sha256:' in refused.value.why


def test_a_container_that_does_not_exist_is_told_with_those_that_do() -> None:
    operator = Operator.of(settings=replace(SETTINGS, image=replace(SETTINGS.image, container="app")))
    with pytest.raises(BlockedError) as refused:
        operator.apply(0)
    assert "no container named app" in refused.value.why
    assert "one of: web" in refused.value.then
