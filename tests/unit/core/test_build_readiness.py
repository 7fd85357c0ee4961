from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.build.facts import Builder, BuilderNode, BuildFacts, BuildSource
from migrate.core.build.readiness import build_targets, explain_build_failure
from migrate.core.findings import Finding
from migrate.core.image.documents import Descriptor
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.observation import ContainerImage
from migrate.core.preflight.build import build_findings
from migrate.core.settings import ImageMode, ImageSettings, ServiceSettings, Settings
from tests.fakes.builds import a_builder, a_source
from tests.fakes.facts import IMAGE, observation, single_platform

RUNS = "FROM scratch\nRUN true\n"
COPIES = "FROM scratch\nCOPY x /x\n"
SETTINGS = Settings(ServiceSettings("demo", "web", "us-east-1"), ImageSettings("app", context="app"))


def found(builder: Builder, source: BuildSource | None = None, settings: Settings = SETTINGS) -> tuple[Finding, ...]:
    facts = BuildFacts(builder, source or a_source(RUNS, ()))
    return tuple(build_findings(observation(build=facts), settings))


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(item.code, item.grade.value) for item in findings]


def test_a_builder_that_can_execute_arm64_itself_is_fine() -> None:
    nodes = (BuilderNode("a", "tcp://a", (LINUX_AMD64,), asked=True), BuilderNode("b", "tcp://b", (LINUX_ARM64,)))
    assert codes(found(replace(a_builder(), nodes=nodes))) == []
    assert codes(found(a_builder(platforms=[LINUX_ARM64]))) == []


def test_c23_the_docker_driver_without_the_containerd_store_is_a_block_that_names_driver_and_remedy() -> None:
    builder = a_builder("default", "docker", containerd_store=False)
    (driver,) = [item for item in found(builder) if item.code == "build.builder-driver"]
    assert (driver.grade.value, driver.stage) == ("block", 1)
    assert "driver docker" in driver.text
    assert "docker-container" in driver.advice
    assert "docker buildx create" in dict(driver.evidence)["remedy"]


def test_c23_with_the_containerd_store_the_docker_driver_does_and_without_an_answer_it_is_unknown() -> None:
    assert ("build.builder-driver", "block") not in codes(found(a_builder("default", "docker", containerd_store=True)))
    assert ("build.builder-driver", "unknown") in codes(found(a_builder("default", "docker")))


def test_c23_docker_build_passes_an_unnamed_docker_driver_over_and_takes_another() -> None:
    alone = found(a_builder("default", "docker", named=False, containerd_store=False))
    (warned,) = [item for item in alone if item.code == "build.builder-driver"]
    assert (warned.grade.value, "builder of its own" in warned.text) == ("warn", True)
    beside = found(a_builder("default", "docker", named=False, others=("ci", "other")))
    assert "ci, other" in next(item.text for item in beside if item.code == "build.builder-driver")


def test_c23_a_driver_that_docker_build_does_not_have_is_a_block() -> None:
    cloud = a_builder("cloud-team", "cloud", platforms=[LINUX_ARM64])
    assert codes(found(cloud)) == [("build.builder-driver", "block")]


@pytest.mark.parametrize(
    "text",
    [
        "error: Multi-platform build is not supported for the docker driver.",
        "ERROR: docker exporter does not currently support exporting manifest lists",
        "push-by-digest is currently not implemented for docker driver, please create a new builder instance",
    ],
)
def test_c23_what_the_docker_driver_says_is_known_in_a_failure(text: str) -> None:
    problem = explain_build_failure(f"#5 ERROR\n{text}\n")
    assert problem is not None
    assert (problem.code, dict(problem.evidence)["said"]) == ("build.builder-driver", text)


def test_c24_an_emulator_that_is_registered_and_not_supported_does_not_count() -> None:
    binfmt = {"supported": ["linux/amd64", "linux/386"], "emulators": ["python3.11", "qemu-aarch64"]}
    builder = a_builder(
        platforms=[Platform(*name.split("/")) for name in binfmt["supported"]], registered=tuple(binfmt["emulators"])
    )
    (problem,) = found(builder)
    assert (problem.code, problem.grade.value) == ("build.platform-missing", "block")
    assert "registered (qemu-aarch64)" in problem.text
    assert dict(problem.evidence)["first RUN"] == "line 2"
    working = replace(builder, nodes=a_builder().nodes)
    assert codes(found(working)) == [("build.emulated", "info")]


def test_c24_without_a_command_to_run_no_emulator_is_needed() -> None:
    builder = a_builder(platforms=[LINUX_AMD64])
    assert codes(found(builder, a_source(COPIES, ()))) == []
    cross = "FROM --platform=$BUILDPLATFORM scratch AS b\nRUN true\nFROM scratch\nCOPY --from=b /x /x\n"
    assert codes(found(builder, a_source(cross, ()))) == []
    assert codes(found(builder)) == [("build.platform-missing", "block")]


def test_c24_without_the_dockerfile_it_is_unknown_whether_an_emulator_is_needed() -> None:
    remote = BuildSource("https://example.org/app.git", "Dockerfile", None, remote=True)
    assert codes(found(a_builder(platforms=[LINUX_AMD64]), remote)) == [
        ("build.context-remote", "unknown"),
        ("build.platform-missing", "unknown"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'process "/dev/.buildkit_qemu_emulator /bin/sh -c apk add x" did not complete successfully: exit code: 127',
        'process "/bin/sh -c apt-get update" did not complete successfully: exit code: 139',
        "#9 12.1 qemu: uncaught target signal 11 (Segmentation fault) - core dumped",
    ],
)
def test_c24_a_crash_of_the_emulator_is_not_the_dockerfiles_error(text: str) -> None:
    problem = explain_build_failure(f"failed to solve: {text}")
    assert problem is not None
    assert problem.code == "build.emulator-crash"
    assert "tag was not touched" in problem.text
    assert "native arm64 builder" in dict(problem.evidence)["remedy"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exec /bin/sh: exec format error", "build.platform-missing"),
        ("write /var/lib/x: no space left on device", "build.disk-space"),
        ('process "/bin/sh -c false" did not complete successfully: exit code: 1', None),
        ('process "/bin/sh -c nonsense" did not complete successfully: exit code: 127', None),
    ],
)
def test_other_failures_are_told_apart(text: str, code: str | None) -> None:
    problem = explain_build_failure(text)
    assert (problem.code if problem else None) == code


def test_a_builder_that_does_not_exist_is_a_block_that_names_those_there_are() -> None:
    missing = Builder("tpyo", "", named=True, problem="the builders there are: ci, default.")
    (problem,) = found(missing)
    assert (problem.code, problem.grade.value) == ("build.builder-missing", "block")
    assert "tpyo" in problem.text
    assert "ci, default" in problem.text


def test_a_builder_that_does_not_answer_is_a_block_and_of_kubernetes_unknown() -> None:
    node = BuilderNode("a", "unix:///gone.sock", problem="there is no socket.")
    dead = replace(a_builder(driver="remote"), nodes=(node,))
    assert codes(found(dead)) == [("build.builder-unreachable", "block")]
    assert codes(found(replace(dead, driver="kubernetes"))) == [("build.builder-unreachable", "unknown")]


def test_a_node_that_does_not_answer_stops_only_what_no_other_can_build() -> None:
    down = BuilderNode("arm", "ssh://arm", (LINUX_ARM64,), problem="no route.")
    up = BuilderNode("intel", "tcp://intel", (LINUX_AMD64,), asked=True)
    assert codes(found(replace(a_builder(), nodes=(up, down)))) == [
        ("build.builder-unreachable", "warn"),
        ("build.platform-missing", "block"),
    ]
    both = replace(up, platforms=(LINUX_AMD64, LINUX_ARM64))
    assert codes(found(replace(a_builder(), nodes=(both, down)))) == [
        ("build.builder-unreachable", "warn"),
        ("build.emulated", "info"),
    ]


def test_a_builder_that_does_not_say_what_it_can_is_unknown() -> None:
    assert codes(found(a_builder(platforms=[]))) == [("build.platforms-unknown", "unknown")]


def test_buildx_builder_is_named_where_docker_build_does_not_heed_it() -> None:
    native = a_builder("current", platforms=[LINUX_ARM64], named=False, overlooked="other")
    assert codes(found(native)) == [("build.builder-overlooked", "warn")]
    assert codes(found(replace(native, named=True))) == []
    assert codes(found(replace(native, overlooked="current"))) == []


def test_missing_files_are_blocks() -> None:
    native = a_builder(platforms=[LINUX_ARM64])
    gone = BuildSource("app", "app/Dockerfile", None, context_problem="it is not a directory.", problem="No such file.")
    assert codes(found(native, gone)) == [("build.context-missing", "block"), ("build.dockerfile-missing", "block")]
    cut = BuildSource("app", "app/Dockerfile", COPIES, cut_short=True)
    assert codes(found(native, cut)) == [("build.context-large", "unknown")]


@pytest.mark.parametrize(("free", "grade"), [(1 << 28, "block"), (2 << 30, "warn"), (5 << 30, None), (None, "unknown")])
def test_disk_space_is_judged_by_the_image_that_there_is(free: int | None, grade: str | None) -> None:
    facts = single_platform()
    layer = Descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", f"sha256:{'e' * 64}", 1 << 30)
    child = replace(facts.children[0], layers=(layer,))
    image = ContainerImage("app", IMAGE, replace(facts, children=(child,)))
    builder = a_builder(platforms=[LINUX_ARM64], free_bytes=free)
    seen = observation(build=BuildFacts(builder, a_source(COPIES, ())), images=(image,))
    assert [item.grade.value for item in build_findings(seen, SETTINGS)] == ([grade] if grade else [])


def test_what_is_built_follows_the_mode() -> None:
    def platforms(mode: ImageMode) -> list[str]:
        return [str(item.platform) for item in build_targets(ImageSettings("app", mode=mode), a_builder())]

    assert platforms(ImageMode.EXTEND) == ["linux/arm64"]
    assert platforms(ImageMode.REBUILD) == ["linux/amd64", "linux/arm64"]
    assert platforms(ImageMode.EXTERNAL) == []


def test_in_mode_rebuild_both_platforms_are_needed() -> None:
    rebuild = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.REBUILD))
    only_arm64 = a_builder(platforms=[LINUX_ARM64])
    (problem,) = found(only_arm64, settings=rebuild)
    assert (problem.code, dict(problem.evidence)["platform"]) == ("build.platform-missing", "linux/amd64")


def test_where_nobody_looked_nothing_is_said() -> None:
    assert tuple(build_findings(observation(), SETTINGS)) == ()
