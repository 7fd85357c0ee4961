from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from migrate.adapters.registry.inspect import inspect_image
from migrate.core.image.documents import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1_SIGNED,
    UnreadableKind,
)
from migrate.core.image.index import (
    LINUX_AMD64,
    LINUX_ARM64,
    ChildKind,
    FetchedContent,
    FetchedManifest,
    ImageFacts,
    ImageProblem,
    ImageReference,
    classify,
)
from tests.fakes.image_content import AMD64_ELF, REPOSITORY, Entry, Shelf, attestation, two_platforms
from tests.fakes.image_registry import FakeImageRegistry

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")


def inspected(shelf: Shelf) -> ImageFacts:
    return inspect_image(FakeImageRegistry(shelf), REFERENCE)


def problem(facts: ImageFacts, code: str) -> ImageProblem:
    return next(item for item in facts.problems if item.code == code)


def codes(facts: ImageFacts) -> set[str]:
    return {item.code for item in facts.problems}


def names(facts: ImageFacts) -> list[str]:
    return [str(platform) for platform in facts.platforms]


def as_platform(entry: dict[str, Any], platform: str | None) -> dict[str, Any]:
    if platform is None:
        return {name: value for name, value in entry.items() if name != "platform"}
    system, architecture, *variant = platform.split("/")
    declared = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
    return {**entry, "platform": declared}


def test_c01_attestations_are_neither_platforms_nor_missing() -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf, tag=None)
    shelf.index(attestation(amd64), arm64, attestation(arm64), amd64)
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm64"]
    assert {(item.subject, item.kind) for item in facts.attestations} == {
        (amd64["digest"], ChildKind.ATTESTATION),
        (arm64["digest"], ChildKind.ATTESTATION),
    }
    assert problem(facts, "image.attestations").grade == "info"
    assert codes(facts) == {"image.attestations"}


def test_c03_an_index_of_one_platform_is_not_multi_platform() -> None:
    shelf = Shelf()
    amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    shelf.index(amd64, attestation(amd64))
    facts = inspected(shelf)
    assert facts.is_index
    assert not facts.is_multi_platform
    assert names(facts) == ["linux/amd64"]
    assert facts.child_for(LINUX_ARM64) is None


@pytest.mark.parametrize(("declared", "actual"), [("linux/arm64", "linux/amd64"), ("linux/amd64", "linux/arm64")])
def test_c08_an_entry_that_lies_counts_for_neither_platform(declared: str, actual: str) -> None:
    shelf = Shelf()
    honest = shelf.image(actual)
    lying = as_platform(shelf.image(actual, Entry("other")), declared)
    shelf.index(honest, lying)
    facts = inspected(shelf)
    assert names(facts) == [actual]
    mismatch = problem(facts, "image.platform-mismatch")
    assert mismatch.grade == "block"
    child = next(item for item in facts.children if item.digest == lying["digest"])
    assert dict(mismatch.evidence) == {
        "digest": lying["digest"],
        "index platform": declared,
        "config platform": actual,
        "config digest": child.config_digest,
    }


def test_c08_an_entry_for_a_platform_that_no_task_runs_on_stops_nothing() -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/amd64"), as_platform(shelf.image("linux/s390x"), "linux/ppc64le"))
    assert problem(inspected(shelf), "image.platform-mismatch").grade == "warn"


def test_c09_a_bogus_variant_is_a_warning_and_still_amd64() -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/amd64/v8"), shelf.image("linux/arm64/v8"), shelf.image("linux/arm/v7"))
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm/v7", "linux/arm64"]
    assert problem(facts, "image.platform-spelling").grade == "warn"
    assert "linux/amd64/v8" in problem(facts, "image.platform-spelling").text
    assert len(facts.problems) == 1


def test_c09_the_config_may_leave_the_variant_out_or_spell_it_otherwise() -> None:
    shelf = Shelf()
    shelf.index(
        as_platform(shelf.image("linux/arm64"), "linux/arm64/v8"),
        as_platform(shelf.image("linux/x86_64"), "linux/amd64"),
    )
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm64"]
    assert "image.platform-mismatch" not in codes(facts)


def test_c09_spellings_of_other_tools_are_read_and_told() -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/aarch64"), shelf.image("linux/x86_64"))
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm64"]
    told = [item.text for item in facts.problems if item.code == "image.platform-spelling"]
    assert sorted(told) == [
        "The platform is written linux/aarch64; it is read as linux/arm64.",
        "The platform is written linux/x86_64; it is read as linux/amd64.",
    ]


@pytest.mark.parametrize("variant", ["v7", "v8"])
def test_c09_a_32_bit_userland_is_not_arm64(variant: str) -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/amd64"), shelf.image(f"linux/arm/{variant}"))
    facts = inspected(shelf)
    assert facts.child_for(LINUX_ARM64) is None
    assert names(facts) == ["linux/amd64", f"linux/arm/{variant}"]


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_INDEX])
def test_c11_an_index_without_media_type_is_read_by_the_registrys_answer(media_type: str) -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf, tag=None)
    shelf.document({"schemaVersion": 2, "manifests": [amd64, arm64]}, media_type, "tag1")
    facts = inspected(shelf)
    assert (facts.media_type, facts.is_index) == (media_type, True)
    assert names(facts) == ["linux/amd64", "linux/arm64"]


def test_c11_entries_without_platform_are_read_from_their_configs() -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf, tag=None)
    shelf.index(as_platform(amd64, None), as_platform(arm64, None))
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm64"]
    assert facts.has(LINUX_ARM64)


def test_c11_of_two_entries_for_one_platform_the_first_is_taken() -> None:
    shelf = Shelf()
    first, second = shelf.image("linux/arm64", Entry("one")), shelf.image("linux/arm64", Entry("two"))
    shelf.index(first, second)
    facts = inspected(shelf)
    taken = facts.child_for(LINUX_ARM64)
    assert taken is not None
    assert taken.digest == first["digest"]
    assert problem(facts, "image.platform-twice").grade == "warn"
    assert problem(facts, "image.platform-twice").evidence == (
        ("digest", second["digest"]),
        ("first entry", first["digest"]),
    )


def test_c11_the_same_entry_twice_is_only_told() -> None:
    shelf = Shelf()
    entry = shelf.image("linux/arm64")
    shelf.index(entry, entry)
    assert problem(inspected(shelf), "image.platform-twice").grade == "info"


@pytest.mark.parametrize(
    "change",
    [
        {"artifactType": "application/vnd.example.sbom"},
        {"mediaType": "application/vnd.example.unknown+json"},
    ],
)
def test_c11_an_artifact_or_unknown_entry_is_never_a_platform(change: dict[str, str]) -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf, tag=None)
    shelf.index(amd64, {**arm64, **change})
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64"]
    assert problem(facts, "image.entry-not-runnable").grade == "info"


def test_c11_a_manifest_that_is_an_artifact_is_never_a_platform() -> None:
    shelf = Shelf()
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": shelf.blob(b"{}"), "size": 2}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    shelf.index(as_platform(shelf.document(manifest), "linux/arm64"), shelf.image("linux/amd64"))
    assert names(inspected(shelf)) == ["linux/amd64"]


def test_c11_schema_1_has_to_be_rebuilt() -> None:
    shelf = Shelf()
    shelf.document({"schemaVersion": 1, "architecture": "amd64", "fsLayers": []}, SCHEMA_1_SIGNED, "tag1")
    facts = inspected(shelf)
    assert facts.unreadable is UnreadableKind.SCHEMA_1
    assert "rebuilt" in problem(facts, "image.schema-1").text
    assert facts.platforms == ()


def test_c11_unknown_platforms_are_kept_as_they_are() -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/riscv64"), shelf.image("linux/amd64"))
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/riscv64"]
    assert facts.problems == ()


def test_c11_an_index_within_an_index_is_looked_through() -> None:
    shelf = Shelf()
    inner = shelf.index(shelf.image("linux/arm64"), tag=None)
    shelf.index(shelf.image("linux/amd64"), inner)
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64", "linux/arm64"]
    assert problem(facts, "image.nested-index").grade == "warn"


def test_c11_indexes_nested_without_end_stop() -> None:
    shelf = Shelf()
    inner = shelf.index(shelf.image("linux/arm64"), tag=None)
    for _ in range(6):
        inner = shelf.index(inner, tag=None)
    shelf.index(inner)
    facts = inspected(shelf)
    assert facts.platforms == ()
    assert problem(facts, "image.child-not-readable").grade == "unknown"


def test_a_document_that_is_index_and_manifest_at_once_is_refused() -> None:
    shelf = Shelf()
    shelf.index(shelf.image("linux/amd64"), layers=[])
    facts = inspected(shelf)
    assert facts.unreadable is UnreadableKind.MALFORMED
    assert problem(facts, "image.not-readable").grade == "block"


def test_c12_zstd_layers_under_docker_types_are_blocked_and_under_oci_types_are_not() -> None:
    shelf = Shelf()
    docker = "application/vnd.docker.image.rootfs.diff.tar.zstd"
    oci = "application/vnd.oci.image.layer.v1.tar+zstd"
    mixed = shelf.image("linux/arm64", Entry("app"), media_type=DOCKER_MANIFEST, layer_type=docker)
    shelf.index(mixed, shelf.image("linux/amd64", Entry("app"), layer_type=oci))
    facts = inspected(shelf)
    assert [item.code for item in facts.problems if item.grade == "block"] == ["image.docker-zstd"]


def changed(shelf: Shelf, entry: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return the entry of an image whose manifest is changed, the rest as it was."""
    media_type, body = shelf.manifests[entry["digest"]]
    manifest = json.loads(body)
    change(manifest)
    return {**shelf.document(manifest, media_type), "platform": entry["platform"]}


FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"mediaType": FOREIGN, "urls": ["https://elsewhere.example/x"]}, "https://elsewhere.example/x"),
        ({"mediaType": FOREIGN}, FOREIGN),
        ({"mediaType": NONDISTRIBUTABLE}, NONDISTRIBUTABLE),
        ({"urls": ["https://elsewhere.example/x"]}, "https://elsewhere.example/x"),
    ],
)
def test_c11_layers_that_lie_outside_the_registry_are_told(layer: dict[str, Any], said: str) -> None:
    shelf = Shelf()
    entry = shelf.image("linux/arm64", Entry("app"))
    shelf.index(changed(shelf, entry, lambda manifest: manifest["layers"][0].update(layer)))
    found = problem(inspected(shelf), "image.foreign-layer")
    assert found.grade == "warn"
    assert said in dict(found.evidence).values()


def test_c11_foreign_layers_of_windows_are_as_they_should_be() -> None:
    shelf = Shelf()
    entry = shelf.image("windows/amd64", Entry("app"), layer_type=FOREIGN)
    shelf.index(entry, shelf.image("linux/amd64"))
    assert problem(inspected(shelf), "image.foreign-layer").grade == "info"


def test_c11_manifest_and_config_have_to_agree_on_the_layers() -> None:
    shelf = Shelf()
    config = {
        "os": "linux",
        "architecture": "arm64",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:1", "sha256:2"]},
    }
    shelf.index(shelf.image("linux/arm64", Entry("app"), config=config))
    assert problem(inspected(shelf), "image.layer-mismatch").grade == "block"
    good = Shelf()
    config["rootfs"] = {"type": "layers", "diff_ids": ["sha256:1"]}
    good.index(good.image("linux/arm64", Entry("app"), config=config))
    assert inspected(good).problems == ()


def test_c11_a_config_of_another_size_is_told() -> None:
    shelf = Shelf()
    entry = shelf.image("linux/arm64", Entry("app"))
    shelf.index(changed(shelf, entry, lambda manifest: manifest["config"].update(size=3)))
    found = problem(inspected(shelf), "image.size-mismatch")
    assert (found.grade, "gives its config 3 bytes" in found.text) == ("block", True)


def test_c13_a_config_without_media_type_leaves_the_platform_undeclared() -> None:
    shelf = Shelf()
    entry = shelf.image("linux/amd64", Entry("app"))
    changed_entry = changed(shelf, entry, lambda manifest: manifest["config"].pop("mediaType"))
    shelf.manifests["tag1"] = shelf.manifests[changed_entry["digest"]]
    found = problem(inspected(shelf), "image.platform-undeclared")
    assert (found.grade, "Fargate may not find its platform" in found.text) == ("warn", True)


@pytest.mark.parametrize("config", [{}, {"os": "linux"}, {"architecture": "amd64"}, {"os": "", "architecture": ""}])
def test_c13_a_config_without_platform_is_not_taken_for_amd64(config: dict[str, str]) -> None:
    shelf = Shelf()
    shelf.image("linux/amd64", config=config, tag="tag1")
    facts = inspected(shelf)
    assert facts.platforms == ()
    assert not facts.has(LINUX_AMD64)
    assert problem(facts, "image.platform-undeclared").grade == "warn"


def test_c18_a_windows_image_is_refused_and_a_windows_entry_beside_linux_is_told() -> None:
    alone, beside = Shelf(), Shelf()
    alone.image("windows/amd64", tag="tag1")
    beside.index(beside.image("windows/amd64"), beside.image("linux/amd64"))
    assert problem(inspected(alone), "image.windows").grade == "block"
    assert problem(inspected(beside), "image.windows").grade == "info"


def test_a_child_that_is_gone_is_unreadable_not_absent() -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf)
    del shelf.manifests[arm64["digest"]]
    facts = inspected(shelf)
    assert names(facts) == ["linux/amd64"]
    found = facts.child_for(LINUX_ARM64)
    assert found is not None
    assert found.kind is ChildKind.UNREADABLE
    assert dict(problem(facts, "image.child-not-readable").evidence)["digest"] == arm64["digest"]
    assert facts.has(LINUX_AMD64)
    assert amd64["digest"] == facts.children[0].digest


def test_an_entry_of_the_wrong_size_is_unreadable_as_it_is_to_runtimes() -> None:
    shelf = Shelf()
    shelf.index({**shelf.image("linux/arm64"), "size": 7})
    assert "image.child-not-readable" in codes(inspected(shelf))


def test_a_plain_manifest_is_judged_by_its_config() -> None:
    shelf = Shelf()
    entry = shelf.image("linux/amd64", media_type=DOCKER_MANIFEST, tag="tag1")
    facts = inspected(shelf)
    assert (facts.is_index, facts.media_type, facts.digest) == (False, DOCKER_MANIFEST, entry["digest"])
    assert names(facts) == ["linux/amd64"]
    assert facts.children[0].declared is None


def test_half_a_surrogate_in_a_document_can_still_be_printed() -> None:
    body = json.dumps({"mediaType": OCI_INDEX, "manifests": [{"artifactType": "\ud800"}]}).encode()
    facts = classify(REFERENCE, FetchedManifest("sha256:" + "0" * 64, OCI_INDEX, body), FetchedContent())
    assert problem(facts, "image.entry-not-runnable").text.encode()


def test_what_was_not_read_is_said_to_be_so() -> None:
    body = json.dumps({"mediaType": OCI_MANIFEST, "config": {"mediaType": OCI_CONFIG, "digest": "x"}}).encode()
    facts = classify(REFERENCE, FetchedManifest("sha256:" + "0" * 64, OCI_MANIFEST, body), FetchedContent())
    assert facts.children[0].reason == "The config was not read."
