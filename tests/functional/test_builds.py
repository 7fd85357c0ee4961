"""What stage 1 asks of its build before it begins, what a failure means, what is proven before the tag moves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from migrate.core.build.facts import Builder, ContextProgram
from migrate.core.evidence import EventKind
from migrate.core.image.executables import X86_64_MACHINE
from migrate.core.image.facts import FetchedManifest
from migrate.core.image.names import LINUX_AMD64, ImageReference, Platform
from migrate.core.settings import ImageMode
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, ExitCode
from migrate.workflows.check import check_images
from migrate.workflows.readiness import read_build
from tests.fakes.aws_world import TAG
from tests.fakes.builds import DOCKERFILE, a_builder, a_source
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.migration import SETTINGS, Operator
from tests.functional.test_refusals import looked_at, untouched

EMULATOR = (
    'process "/dev/.buildkit_qemu_emulator /bin/sh -c apk add curl" did not complete successfully: exit code: 127'
)
SEGFAULT = 'process "/bin/sh -c npm ci" did not complete successfully: exit code: 139'


def in_mode(mode: ImageMode) -> Operator:
    return Operator.of(settings=replace(SETTINGS, image=replace(SETTINGS.image, mode=mode)))


def refused(operator: Operator) -> BlockedError:
    """Apply stage 1, which must be refused before its first act; return the refusal."""
    before, calls = looked_at(operator), list(operator.stacks.calls)
    with pytest.raises(BlockedError) as error:
        operator.apply(1)
    assert error.value.exit_code is ExitCode.BLOCKED
    assert untouched(operator, before)
    assert operator.stacks.calls == calls
    assert operator.record.position == Position(Stage.BASELINE)
    assert not [event for event in operator.events() if event.kind is EventKind.INTENT]
    return error.value


def test_a_builder_name_that_is_none_is_refused_before_the_first_act() -> None:
    operator = Operator.of().reach(0)
    operator.settings = replace(SETTINGS, image=replace(SETTINGS.image, builder="tpyo"))
    error = refused(operator)
    assert "tpyo" in error.why
    assert "multi-platform" in error.why
    assert error.runbook == "findings#build-builder-missing"


def test_c23_the_docker_driver_is_refused_before_pulumi_starts() -> None:
    operator = Operator.of().reach(0)
    operator.builds.builders = {"default": a_builder("default", "docker", containerd_store=False)}
    operator.settings = replace(SETTINGS, image=replace(SETTINGS.image, builder="default"))
    error = refused(operator)
    assert "driver docker" in error.why
    assert "docker-container" in error.then


def test_c24_a_builder_without_arm64_is_refused_where_a_command_has_to_run_there() -> None:
    operator = Operator.of().reach(0)
    amd64 = a_builder(platforms=[LINUX_AMD64, Platform("linux", "386")], registered=("qemu-aarch64",))
    operator.builds.builders = {"multi-platform": amd64}
    operator.builds.files = a_source(f"{DOCKERFILE}RUN true\n")
    assert "registered (qemu-aarch64) and does not work" in refused(operator).why
    operator.builds.files = a_source()
    assert operator.apply(1).exit_code is ExitCode.DONE


@pytest.mark.parametrize("said", [EMULATOR, SEGFAULT])
def test_c24_a_crashed_emulator_is_no_dockerfile_error_and_moves_nothing(said: str) -> None:
    operator = Operator.of().reach(0)
    tag, deployments = operator.tag, operator.service.deployments
    operator.stacks.build_error = f"failed to solve: {said}"
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert "The emulator crashed, not the Dockerfile's command" in outcome.reasons[0]
    assert outcome.runbook == "findings#build-emulator-crash"
    assert (operator.tag, operator.service.deployments) == (tag, deployments)
    assert operator.record.index is None


def test_c27_a_command_that_fails_for_arm64_shows_in_the_build_alone_and_moves_nothing() -> None:
    operator = Operator.of().reach(0)
    tag, deployments = operator.tag, operator.service.deployments
    operator.stacks.build_error = 'process "/bin/sh -c make" did not complete successfully: exit code: 2'
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert (operator.tag, operator.service.deployments) == (tag, deployments)
    previews = [event for event in operator.events() if event.step.endswith("preview")]
    assert previews
    assert not [event for event in previews if "verified" in event.text or "proven" in event.text]
    assert not [event for event in operator.events() if event.step.startswith(("prove", "publish"))]


@pytest.mark.parametrize("mode", [ImageMode.EXTEND, ImageMode.REBUILD])
def test_the_real_build_is_proven_before_the_tag_moves_and_again_after(mode: ImageMode) -> None:
    operator = in_mode(mode).reach(1)
    done = [event.step for event in operator.events() if event.kind is EventKind.OUTCOME]
    order = ["build index: up", "prove index", "publish index: up", "prove tag", "stage 1 service stack: up"]
    assert [step for step in done if step in order] == order
    proof = next(
        event for event in operator.events() if event.step == "prove index" and event.kind is EventKind.OUTCOME
    )
    children = json.loads(proof.data)["children"]
    assert {child["platform"] for child in children} >= {"linux/amd64", "linux/arm64"}
    assert any(child["entry point"] == "arm64" for child in children)


@pytest.mark.parametrize("mode", [ImageMode.EXTEND, ImageMode.REBUILD])
def test_a_build_that_is_not_what_it_claims_never_gets_the_tag(mode: ImageMode) -> None:
    operator = in_mode(mode).reach(0)
    tag, deployments = operator.tag, operator.service.deployments
    operator.stacks.arm64_binary = AMD64_ELF
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert (operator.tag, operator.service.deployments) == (tag, deployments)
    assert "publish index: up" not in [event.step for event in operator.events()]


def pushed_by_ci(operator: Operator, arm64: bytes) -> None:
    """Let the team's CI put an index behind the tag."""
    shelf = operator.world.shelf
    entries = [shelf.image("linux/amd64", Entry("app", AMD64_ELF)), shelf.image("linux/arm64", Entry("app", arm64))]
    operator.world.push(TAG, *shelf.manifests[shelf.index(*entries)["digest"]])


def test_in_mode_external_what_ci_pushed_is_proven_before_it_is_deployed() -> None:
    operator = in_mode(ImageMode.EXTERNAL).reach(0)
    pushed_by_ci(operator, ARM64_ELF)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.DONE
    done = [event.step for event in operator.events() if event.kind is EventKind.OUTCOME]
    assert done.index("prove tag") < done.index("stage 1 service stack: up")
    assert not [step for step in done if "index" in step]


def test_in_mode_external_a_wrong_push_of_ci_is_never_deployed() -> None:
    operator = in_mode(ImageMode.EXTERNAL).reach(0)
    deployments = operator.service.deployments
    pushed_by_ci(operator, AMD64_ELF)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert operator.service.deployments == deployments


def test_c28_a_registry_that_refuses_is_told_as_credentials_and_nothing_is_taken_for_gone() -> None:
    operator = Operator.of().reach(0)
    before = operator.tag
    refusal = AccessError(
        "The registry refused the credentials that the build used.", why="403 Forbidden: DENIED", then=""
    )
    operator.world.refuse("up_image", refusal)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.HELD
    assert "refused the credentials" in outcome.reasons[0]
    assert not any("gone" in reason or "does not exist" in reason for reason in outcome.reasons)
    assert operator.tag == before
    assert operator.apply(1).exit_code is ExitCode.DONE


def test_c28_a_refused_push_inside_a_build_is_credentials_too() -> None:
    operator = Operator.of().reach(0)
    operator.stacks.build_error = "failed to push: unexpected status from PUT request: 403 Forbidden"
    outcome = operator.apply(1)
    assert "refused the credentials" in outcome.reasons[0]
    assert outcome.runbook == "findings#image-credentials"


def test_builder_and_dockerfile_are_read_once_for_a_plan_and_no_more_once_stage_1_is_proven() -> None:
    operator = Operator.of()
    plan = operator.plan()
    assert operator.builds.asked == ["builder None", "source app"]
    assert [item.code for item in plan.findings if item.code.startswith(("build.", "dockerfile."))] == []
    assert {item.code for item in plan.findings if item.code.startswith("crossing.")} == {"crossing.brought"}
    assert all(item.stage == 1 for item in plan.findings if item.code.startswith("crossing."))
    operator.builds.asked.clear()
    operator.reach(0)
    operator.status()
    assert operator.builds.asked == []
    operator.apply(1)
    assert operator.builds.asked == ["builder None", "source app"]
    operator.builds.builders, operator.builds.current = {}, "gone"
    assert not [
        item for item in operator.plan().findings if item.code.startswith(("build.", "dockerfile.", "crossing."))
    ]
    assert operator.apply(2).exit_code is ExitCode.DONE


def test_what_the_plan_finds_stands_with_stage_1() -> None:
    operator = Operator.of()
    operator.builds.builders = {"multi-platform": Builder("multi-platform", "", named=True, problem="none.")}
    operator.builds.files = a_source(programs=(ContextProgram("bin/linux/arm64/app", X86_64_MACHINE),))
    plan = operator.plan()
    blocks = [item.code for item in plan.stage(Stage.IMAGE).findings if item.grade.value == "block"]
    assert blocks == ["build.builder-missing", "dockerfile.copied-binary"]
    assert plan.stage(Stage.BASELINE).status.value == "next"
    assert plan.stage(Stage.IMAGE).status.value == "blocked"
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_c14_a_base_image_is_looked_up_in_its_registry() -> None:
    operator = Operator.of()
    shelf = operator.world.shelf
    amd64 = shelf.image("linux/amd64", Entry("sh", AMD64_ELF))
    both = shelf.index(amd64, shelf.image("linux/arm64", Entry("sh", ARM64_ELF)), tag="base")["digest"]
    host = f"registry.example/{REPOSITORY}"
    text = f"FROM {host}@{amd64['digest']}\nFROM {host}@{both}\nFROM {host}:base\nFROM {host}:none\n"
    text += "".join(f"COPY --from={number} /a /{number}\n" for number in range(3))
    operator.builds.files = a_source(text, ())
    found = [
        (item.code, item.grade.value, dict(item.evidence)["line"])
        for item in operator.plan().findings
        if item.code.startswith("dockerfile.base")
    ]
    assert found == [("dockerfile.base-pinned", "block", "1"), ("dockerfile.base-unknown", "unknown", "4")]


def test_a_checked_image_of_amd64_alone_says_what_would_not_cross_over() -> None:
    operator = Operator.of()
    shelf = operator.world.shelf
    shelf.image("linux/amd64", Entry("opt/google/chrome/chrome", AMD64_ELF), Entry("app", AMD64_ELF), tag="old")
    both = [
        shelf.image(name, Entry("app", elf)) for name, elf in (("linux/amd64", AMD64_ELF), ("linux/arm64", ARM64_ELF))
    ]
    shelf.index(*both, tag="new")
    runtime = operator.runtime

    def found(tag: str) -> set[str]:
        reference = ImageReference("registry.example", REPOSITORY, tag=tag)
        report = check_images(runtime.images, [reference], runtime.files)
        return {item.code for item in report.findings if item.code.startswith("crossing.")}

    assert found("old") == {"crossing.own-binaries", "crossing.x86-only"}
    assert found("new") == set()


def test_a_registry_that_fails_for_two_base_images_is_not_asked_again() -> None:
    operator = Operator.of()
    operator.builds.files = a_source("".join(f"FROM silent.example/{name}\n" for name in "abcd"), ())
    operator.builds.files = replace(
        operator.builds.files,
        dockerfile=f"{operator.builds.files.dockerfile}COPY --from=0 /a /a\nCOPY --from=1 /b /b\nCOPY --from=2 /c /c\n",
    )
    asked: list[str] = []

    class Silent(FakeImageRegistry):
        def manifest(self, reference: ImageReference) -> FetchedManifest:
            if reference.registry == "silent.example":
                asked.append(reference.repository)
                raise AccessError("silent.example could not be reached.", then="Check the network.")
            return super().manifest(reference)

    facts = read_build(replace(operator.runtime, registry=Silent(operator.world.shelf)))
    assert facts is not None
    assert (asked, len(facts.bases)) == (["a", "b"], 4)
    assert all("could not be reached" in base.problem for base in facts.bases)
