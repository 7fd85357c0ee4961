"""Images of all containers, from the registry's documents to findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from backports.zstd import compress

from migrate.adapters.registry.inspect import RegistryInspector
from migrate.core.facts import StrategyItem
from migrate.core.findings import Finding, Grade, blocking
from migrate.core.image.advice import advice_for
from migrate.core.image.documents import DOCKER_MANIFEST
from migrate.core.image.index import LINUX_ARM64, ImageReference
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight import findings
from migrate.core.preflight.sidecar import arm64_since
from migrate.core.settings import ImageMode, Settings
from migrate.core.task_definition import process_overrides
from tests.docs.source import finding_codes
from tests.fakes.facts import definition, observation, service, settings
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry, Shelf, attestation, two_platforms
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.preflight import TO_EC2, described

SETTINGS = settings()
EXTERNAL = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))
REBUILD = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.REBUILD))
APP = ImageReference("111122223333.dkr.ecr.us-east-1.amazonaws.com", "web", tag="1.2")
OCI_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd"

Made = Callable[[Shelf], object]


def imaged(name: str, reference: ImageReference, made: Made, container: dict[str, Any]) -> ContainerImage:
    """Return a container as it is observed where its repository holds what ``made`` put there under ``tag1``."""
    shelf = Shelf()
    made(shelf)
    asked = ImageReference(reference.registry, REPOSITORY, "tag1")
    facts = RegistryInspector(FakeImageRegistry(shelf)).inspect(asked, process_overrides(container))
    return ContainerImage(name, reference, replace(facts, reference=reference))


def seen_with(*containers: tuple[dict[str, Any], ImageReference, Made], **revision: Any) -> Observation:
    """Return an observation of a task definition with these containers; the first is the one that moves."""
    definitions = [{**item, "image": str(reference)} for item, reference, _ in containers]
    images = tuple(imaged(item["name"], reference, made, item) for item, reference, made in containers)
    return described(revision={"containerDefinitions": definitions, **revision}, around={"images": images})


def alone(made: Made, reference: ImageReference = APP, **container: Any) -> Observation:
    return seen_with(({"name": "app", **container}, reference, made))


def told(now: Observation, wanted: Settings = SETTINGS) -> dict[str, Finding]:
    return {item.code: item for item in findings(now, wanted) if item.code.startswith(("image.", "task-definition.w"))}


def both(shelf: Shelf) -> None:
    two_platforms(shelf)


def amd64_only(shelf: Shelf) -> None:
    shelf.image("linux/amd64", Entry("app", AMD64_ELF), tag="tag1")


def test_c01_attestations_are_told_and_nothing_is_missing() -> None:
    def made(shelf: Shelf) -> None:
        amd64, arm64, _ = two_platforms(shelf, tag=None)
        shelf.index(attestation(amd64), arm64, attestation(arm64), amd64)

    seen = told(alone(made))
    assert set(seen) == {"image.multi-platform", "image.attestations"}
    assert seen["image.attestations"].grade is Grade.INFO


def test_c03_an_index_of_one_platform_still_needs_stage_1() -> None:
    def made(shelf: Shelf) -> None:
        amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF))
        shelf.index(amd64, attestation(amd64))

    seen = told(alone(made))
    assert "an index of one platform" in seen["image.single-platform"].text
    assert "Stage 1 adds arm64" in seen["image.single-platform"].advice
    assert "image.multi-platform" not in seen


@pytest.mark.parametrize("wrong", ["arm64", "amd64"])
def test_c08_an_entry_that_lies_blocks_stage_2_with_both_values_and_digests(wrong: str) -> None:
    other = {"arm64": "amd64", "amd64": "arm64"}[wrong]
    made_entries: list[dict[str, Any]] = []

    def made(shelf: Shelf) -> None:
        honest = shelf.image(f"linux/{other}", Entry("app", ARM64_ELF if other == "arm64" else AMD64_ELF))
        lying = {**shelf.image(f"linux/{other}", Entry("other")), "platform": {"os": "linux", "architecture": wrong}}
        made_entries.append(lying)
        shelf.index(honest, lying)

    now = alone(made)
    found = told(now)["image.platform-mismatch"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)
    said = dict(found.evidence)
    assert (said["index platform"], said["config platform"]) == (f"linux/{wrong}", f"linux/{other}")
    assert made_entries[0]["digest"] in [value for name, value in found.evidence if name == "digest"]
    assert said["config digest"].startswith("sha256:")
    assert said["task definition"] == "$.containerDefinitions[0].image"
    assert found in blocking(findings(now, SETTINGS), 2)


@pytest.mark.parametrize("wrong", ["arm/v7", "arm/v8"])
def test_c09_a_32_bit_userland_is_not_arm64(wrong: str) -> None:
    def made(shelf: Shelf) -> None:
        shelf.index(shelf.image("linux/amd64"), shelf.image(f"linux/{wrong}"))

    seen = told(alone(made))
    assert "image.single-platform" in seen
    assert "image.multi-platform" not in seen


def test_c06_an_x86_64_entry_point_in_the_arm64_half_blocks_stage_2() -> None:
    def made(shelf: Shelf) -> None:
        shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", Entry("app", AMD64_ELF)))

    now = replace(alone(made), tasks=())
    found = told(now)["image.wrong-binary"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)
    assert dict(found.evidence)["path"] == "/app"
    assert dict(found.evidence)["e_machine"] == "0x003e"
    assert blocking(findings(now, SETTINGS), 1) == ()
    assert found in blocking(findings(now, SETTINGS), 2)


def test_c06_what_the_container_definition_starts_is_what_is_judged() -> None:
    def made(shelf: Shelf) -> None:
        entries = Entry("app", ARM64_ELF), Entry("other", AMD64_ELF), Entry("bin/sh", ARM64_ELF)
        shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", *entries))

    assert "image.wrong-binary" not in told(alone(made))
    assert "image.wrong-binary" in told(alone(made, entryPoint=["/other"]))
    assert "image.wrong-binary" in told(alone(made, command=["/other"], entryPoint=["/bin/sh", "-c", "/other"]))
    check = {"command": ["CMD-SHELL", "/other || exit 1"]}
    found = told(alone(made, healthCheck=check))["image.wrong-health-check"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)


def zstd(layer_type: str, media_type: str = "application/vnd.oci.image.manifest.v1+json") -> Made:
    def made(shelf: Shelf) -> None:
        entry = shelf.image("linux/arm64", Entry("app", ARM64_ELF), layer_type=layer_type, media_type=media_type)
        shelf.index(shelf.image("linux/amd64"), entry)

    return made


def test_c12_zstd_passes_on_fargate_and_is_warned_of_on_ec2() -> None:
    now = alone(zstd(OCI_ZSTD))
    assert set(told(now)) == {"image.multi-platform"}
    found = told(now, TO_EC2)["image.zstd-on-ec2"]
    assert (found.grade, found.stage) == (Grade.WARN, 3)
    assert "containerd" in found.text
    assert "Docker" in found.text
    assert "graviton" in found.text
    assert dict(found.evidence)["layer"].startswith("sha256:")
    gzip = alone(zstd("application/vnd.oci.image.layer.v1.tar+gzip"))
    assert "image.zstd-on-ec2" not in told(gzip, TO_EC2)


def test_c12_programs_in_zstd_layers_are_judged() -> None:
    def made(shelf: Shelf) -> None:
        wrong = shelf.image("linux/arm64", Entry("app", AMD64_ELF), layer_type=OCI_ZSTD, compress=compress)
        shelf.index(shelf.image("linux/amd64"), wrong)

    assert dict(told(alone(made))["image.wrong-binary"].evidence)["path"] == "/app"


def test_c12_a_zstd_layer_that_cannot_be_read_is_said_to_be_so() -> None:
    def made(shelf: Shelf) -> None:
        cut = shelf.image("linux/arm64", Entry("app"), layer_type=OCI_ZSTD, compress=lambda body: compress(body)[:-9])
        shelf.index(shelf.image("linux/amd64"), cut)

    found = told(alone(made))["image.binary-undecided"]
    assert found.grade is Grade.UNKNOWN
    assert "cannot be unpacked" in found.text


def test_c12_the_warning_stands_before_stage_2_where_the_service_is_on_ec2_already() -> None:
    now = replace(alone(zstd(OCI_ZSTD)), service=service(strategy=(StrategyItem("graviton", weight=1),)))
    assert told(now, TO_EC2)["image.zstd-on-ec2"].stage == 2


@pytest.mark.parametrize("wanted", [SETTINGS, TO_EC2])
def test_c12_zstd_under_docker_types_blocks_everywhere(wanted: Settings) -> None:
    found = told(alone(zstd(DOCKER_ZSTD, DOCKER_MANIFEST)), wanted)["image.docker-zstd"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)


@pytest.mark.parametrize("config", [{}, {"os": "linux"}, {"architecture": "amd64"}, {"os": "", "architecture": ""}])
def test_c13_an_undeclared_platform_is_said_to_be_so_and_never_taken_for_amd64(config: dict[str, str]) -> None:
    def made(shelf: Shelf) -> None:
        shelf.image("linux/amd64", Entry("app", AMD64_ELF), config=config, tag="tag1")

    seen = told(alone(made))
    assert set(seen) == {"image.platform-undeclared"}
    found = seen["image.platform-undeclared"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 1)
    assert "Fargate may not start it" in found.text
    assert "amd64 is not assumed" in found.text
    # Where both halves are made anew, or come from elsewhere, nothing is kept of it.
    for wanted in (REBUILD, EXTERNAL):
        assert told(alone(made), wanted)["image.platform-undeclared"].grade is Grade.WARN


ONE = APP.at(f"sha256:{'1' * 64}")


def pinned(tag: str | None = None) -> ImageReference:
    return replace(ONE, tag=tag)


@pytest.mark.parametrize("tag", [None, "1.2"])
def test_c14_a_pin_on_one_manifest_is_not_moved_by_the_tag(tag: str | None) -> None:
    now = alone(amd64_only, pinned(tag))
    found = told(now)["image.pinned-by-digest"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 1)
    assert "switching the tag has no effect" in found.text
    assert "one manifest (linux/amd64)" in found.text
    assert "Register a revision" in found.advice
    assert "digest of an index" in found.advice
    assert ("image", str(pinned(tag))) in found.evidence
    assert ("task definition", "$.containerDefinitions[0].image") in found.evidence


def test_c14_the_index_behind_the_tag_is_named_for_the_new_revision() -> None:
    now = alone(amd64_only, pinned("1.2"))
    index = f"sha256:{'9' * 64}"
    image = replace(now.images[0], tag_index=index)
    advice = told(replace(now, images=(image,)))["image.pinned-by-digest"].advice
    assert f"{APP.name}@{index}" in advice


def test_c14_a_pin_on_an_index_is_fine_for_arm64_and_needs_no_tag_to_move() -> None:
    now = alone(both, pinned("1.2"))
    found = told(now)["image.pinned-by-digest"]
    assert 'image.mode = "external"' in found.advice
    seen = told(now, EXTERNAL)
    assert "image.pinned-by-digest" not in seen
    assert seen["image.pinned-to-index"].grade is Grade.INFO
    lacking = alone(lambda shelf: shelf.index(shelf.image("linux/amd64")), pinned())
    assert told(lacking, EXTERNAL)["image.pinned-by-digest"].grade is Grade.BLOCK


ENVOY = ImageReference("840364872350.dkr.ecr.us-east-1.amazonaws.com", "aws-appmesh-envoy", tag="v1.12.2.1-prod")
FLUENT_BIT = ImageReference("111122223333.dkr.ecr.us-east-1.amazonaws.com", "custom-fluent-bit", tag="3")
MESH = {
    "proxyConfiguration": {"type": "APPMESH", "containerName": "envoy"},
    "networkMode": "awsvpc",
}


def mesh() -> Observation:
    waits = [{"containerName": "envoy", "condition": "HEALTHY"}]
    return seen_with(
        ({"name": "app", "dependsOn": waits}, APP, both),
        ({"name": "envoy"}, ENVOY, amd64_only),
        ({"name": "log_router", "essential": False}, FLUENT_BIT, amd64_only),
        **MESH,
    )


def sidecars(now: Observation) -> dict[str, Finding]:
    found = [item for item in findings(now, SETTINGS) if item.code == "image.sidecar-without-arm64"]
    return {dict(item.evidence)["container"]: item for item in found}


def test_c15_every_container_is_checked_essential_or_not() -> None:
    now = mesh()
    seen = sidecars(now)
    assert set(seen) == {"envoy", "log_router"}
    for name, reference in (("envoy", ENVOY), ("log_router", FLUENT_BIT)):
        assert (seen[name].grade, seen[name].stage) == (Grade.BLOCK, 2)
        assert name in seen[name].text
        assert str(reference) in seen[name].text
        assert "no linux/arm64" in seen[name].text
    assert {item.code for item in blocking(findings(now, SETTINGS), 2)} >= {"image.sidecar-without-arm64"}
    assert not [item for item in blocking(findings(now, SETTINGS), 1) if item.code.startswith("image.")]


def test_c15_the_finding_names_its_place_and_what_hangs_on_the_container() -> None:
    seen = sidecars(mesh())
    envoy = dict(seen["envoy"].evidence)
    assert envoy["task definition"] == "$.containerDefinitions[1].image"
    assert envoy["essential"] == "true"
    assert envoy["$.containerDefinitions[0].dependsOn[0]"] == "app waits for HEALTHY"
    assert "$.proxyConfiguration.containerName" in envoy
    router = dict(seen["log_router"].evidence)
    assert (router["task definition"], router["essential"]) == ("$.containerDefinitions[2].image", "false")
    assert "$.proxyConfiguration.containerName" not in router


def test_c15_a_known_sidecar_is_told_from_when_it_has_arm64_and_another_is_not() -> None:
    seen = sidecars(mesh())
    assert "v1.20.0.1" in seen["envoy"].advice
    assert "aws-app-mesh-roadmap" in seen["envoy"].advice
    assert "Move it to a version that has" in seen["log_router"].advice


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("amazon/aws-xray-daemon:2.0", "3.2.0"),
        ("public.ecr.aws/xray/aws-xray-daemon:2.0", "3.2.0"),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:2.3.1", "2.9.0"),
        ("amazon/aws-otel-collector:v0.10.0", "v0.16.0"),
        ("nginx:1", None),
    ],
)
def test_c15_versions_of_the_known_sidecars(image: str, version: str | None) -> None:
    since = arm64_since(ImageReference.parse(image))
    assert (since[0] if since else None) == version


def test_c14_c15_a_sidecar_pinned_to_one_manifest_is_sent_to_the_index() -> None:
    pin = replace(ENVOY.at(f"sha256:{'1' * 64}"), tag="v1.29")
    now = seen_with(({"name": "app"}, APP, both), ({"name": "envoy"}, pin, amd64_only))
    index = f"sha256:{'9' * 64}"
    known = replace(now, images=(now.images[0], replace(now.images[1], tag_index=index)))
    assert f"{ENVOY.name}@{index}" in sidecars(known)["envoy"].advice
    custom = replace(FLUENT_BIT.at(f"sha256:{'1' * 64}"), tag=None)
    unknown = seen_with(({"name": "app"}, APP, both), ({"name": "envoy"}, custom, amd64_only))
    assert "digest of an index" in sidecars(unknown)["envoy"].advice


def test_c06_c15_the_arm64_programs_of_sidecars_are_judged_too() -> None:
    def wrong(shelf: Shelf) -> None:
        shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", Entry("app", AMD64_ELF)))

    now = seen_with(({"name": "app"}, APP, both), ({"name": "envoy", "essential": False}, ENVOY, wrong))
    found = told(now)["image.wrong-binary"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)
    assert found.text.startswith("Container envoy: ")
    assert ("task definition", "$.containerDefinitions[1].image") in found.evidence
    assert sidecars(now) == {}


def test_the_health_of_a_container_that_decides_nothing_only_warns() -> None:
    def wrong(shelf: Shelf) -> None:
        entries = Entry("app", ARM64_ELF), Entry("check", AMD64_ELF)
        shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", *entries))

    check = {"healthCheck": {"command": ["CMD", "/check"]}}
    good = {"healthCheck": {"command": ["CMD", "/app"]}}
    waits = {"dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}]}
    sidecar = {"name": "envoy", "essential": False, **check}

    def grade(main: dict[str, Any], other: dict[str, Any]) -> Grade:
        now = seen_with(({"name": "app", **main}, APP, both), (other, ENVOY, wrong))
        return told(now)["image.wrong-health-check"].grade

    assert grade(good, sidecar) is Grade.WARN
    assert grade(good, {**sidecar, "essential": True}) is Grade.BLOCK
    assert grade({**good, **waits}, sidecar) is Grade.BLOCK
    assert grade({}, sidecar) is Grade.BLOCK


def test_by_what_a_container_names_its_image_is_in_the_evidence() -> None:
    assert dict(told(alone(amd64_only))["image.single-platform"].evidence)["named by"] == "tag"
    one = told(alone(amd64_only, pinned()))["image.pinned-by-digest"]
    assert dict(one.evidence)["named by"] == "digest of one manifest"
    index = told(alone(both, pinned()), EXTERNAL)["image.pinned-to-index"]
    assert dict(index.evidence)["named by"] == "digest of an index"


def test_an_arm64_manifest_alone_is_no_index_and_leaves_the_service_without_its_platform() -> None:
    seen = told(alone(lambda shelf: shelf.image("linux/arm64", Entry("app", ARM64_ELF), tag="tag1")))
    assert set(seen) == {"image.without-amd64"}


def test_of_a_sidecar_only_what_needs_an_act_is_told() -> None:
    def made(shelf: Shelf) -> None:
        amd64, arm64, _ = two_platforms(shelf, tag=None)
        shelf.index(amd64, attestation(amd64), arm64)

    now = seen_with(({"name": "app"}, APP, both), ({"name": "envoy"}, ENVOY, made))
    assert set(told(now)) == {"image.multi-platform"}


def test_c18_windows_images_are_refused_before_anything_is_built() -> None:
    now = alone(lambda shelf: shelf.image("windows/amd64", tag="tag1"))
    seen = told(now)
    assert set(seen) == {"image.windows"}
    assert (seen["image.windows"].grade, seen["image.windows"].stage) == (Grade.BLOCK, 0)
    assert "no ARM64 Windows" in seen["image.windows"].text


def test_c18_windows_beside_linux_is_only_told() -> None:
    now = alone(lambda shelf: shelf.index(shelf.image("windows/amd64"), shelf.image("linux/amd64")))
    seen = told(now)
    assert seen["image.windows"].grade is Grade.INFO
    assert "image.single-platform" in seen
    assert not [item for item in seen.values() if item.grade is Grade.BLOCK]


@pytest.mark.parametrize("family", ["WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2019_FULL"])
def test_c18_a_windows_family_is_refused_before_anything_is_built(family: str) -> None:
    now = described(revision={"runtimePlatform": {"operatingSystemFamily": family}})
    found = told(now)["task-definition.windows"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 0)
    assert "task-definition.windows-paths" not in told(now)


DATADOG = {
    "containerDefinitions": [
        {
            "name": "app",
            "image": "datadog/agent:7",
            "mountPoints": [
                {"sourceVolume": "docker_sock", "containerPath": "\\\\.\\pipe\\docker_engine"},
                {"sourceVolume": "logs", "containerPath": "C:/programdata/docker"},
            ],
        }
    ],
    "volumes": [
        {"name": "docker_sock", "host": {"sourcePath": "\\\\.\\pipe\\docker_engine"}},
        {"name": "logs", "host": {"sourcePath": "c:\\programdata\\docker"}},
    ],
}


def test_c18_windows_that_only_paths_give_away_is_refused_early() -> None:
    found = told(described(revision=DATADOG))["task-definition.windows-paths"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 0)
    assert ("task definition", "$.volumes[0].host.sourcePath") in found.evidence
    assert ("task definition", "$.volumes[1].host.sourcePath") in found.evidence
    assert ("task definition", "$.containerDefinitions[0].mountPoints[1].containerPath") in found.evidence
    linux = {**DATADOG, "runtimePlatform": {"operatingSystemFamily": "LINUX"}}
    assert "task-definition.windows-paths" not in told(described(revision=linux))


def test_paths_of_linux_are_not_taken_for_windows() -> None:
    volumes = [{"name": "a", "host": {"sourcePath": "/var/run/docker.sock"}}, {"name": "b", "host": {}}, {"name": "c"}]
    mounts = [{"sourceVolume": "a", "containerPath": "/c:/x"}]
    container = {"name": "app", "image": "x", "mountPoints": mounts}
    now = described(revision={"volumes": volumes, "containerDefinitions": [container]})
    assert "task-definition.windows-paths" not in told(now)


def test_a_tag_that_moves_by_nature_is_told_of_every_container() -> None:
    now = seen_with(
        ({"name": "app"}, replace(APP, tag="latest"), both), ({"name": "envoy"}, replace(ENVOY, tag="latest"), both)
    )
    found = [item for item in findings(now, SETTINGS) if item.code == "image.tag-latest"]
    assert [dict(item.evidence)["container"] for item in found] == ["app", "envoy"]
    assert {item.grade for item in found} == {Grade.INFO}
    assert "image.tag-latest" not in told(alone(both))


def test_a_container_whose_tag_every_task_resolves_anew_is_warned_of() -> None:
    found = told(alone(amd64_only, versionConsistency="disabled"))["image.version-consistency-disabled"]
    assert (found.grade, found.stage) == (Grade.WARN, 1)
    assert ("task definition", "$.containerDefinitions[0].versionConsistency") in found.evidence
    assert "image.version-consistency-disabled" not in told(alone(amd64_only, versionConsistency="enabled"))


def test_c11_schema_1_is_to_be_rebuilt_and_what_cannot_be_read_is_refused_at_once() -> None:
    schema = told(alone(lambda shelf: shelf.document({"schemaVersion": 1}, "application/json", "tag1")))
    assert set(schema) == {"image.schema-1"}
    assert (schema["image.schema-1"].grade, schema["image.schema-1"].stage) == (Grade.BLOCK, 1)
    assert "has to be rebuilt" in schema["image.schema-1"].text
    broken = told(alone(lambda shelf: shelf.document({"x": 1}, "application/json", "tag1")))
    assert set(broken) == {"image.not-readable"}
    assert broken["image.not-readable"].stage == 0


def test_every_problem_of_an_image_has_advice_of_its_own() -> None:
    told_in_preflight = {code for code in finding_codes() if code.startswith("image.")}
    made_elsewhere = {
        *("image.amd64-changed", "image.binary-not-read", "image.credentials", "image.multi-platform"),
        *("image.not-an-index", "image.pinned-by-digest", "image.pinned-to-index", "image.platform-missing"),
        *("image.referenced-missing", "image.sidecar-without-arm64", "image.single-platform", "image.tag-elsewhere"),
        *("image.tag-immutable", "image.tag-latest", "image.tag-without-amd64", "image.unreadable"),
        *("image.version-consistency-disabled", "image.without-amd64", "image.without-arm64", "image.zstd-on-ec2"),
    }
    lacking = {code for code in told_in_preflight - made_elsewhere if advice_for(code) == advice_for("")}
    assert lacking == set()


def test_the_facts_of_the_demo_service_are_still_what_the_plan_is_made_from() -> None:
    now = observation(task_definition=definition())
    facts = now.images[0].facts
    assert facts is not None
    assert facts.child_for(LINUX_ARM64) is None
    assert set(told(now)) == {"image.single-platform"}
