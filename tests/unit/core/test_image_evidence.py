from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from migrate.adapters.registry.inspect import RegistryInspector, inspect_image
from migrate.core.image.binaries import NO_OVERRIDES, BinaryVerdict, ProcessOverrides, undecided
from migrate.core.image.executables import AARCH64_MACHINE
from migrate.core.image.index import (
    LINUX_ARM64,
    ExpectedIndex,
    ImageFacts,
    ImageProblem,
    ImageReference,
    is_emergency,
    proves,
    with_scans,
)
from migrate.core.image.index import stage_one_evidence as evidence
from tests.fakes.image_content import (
    AMD64_ELF,
    ARM64_ELF,
    REPOSITORY,
    Entry,
    Shelf,
    attestation,
    digest_of,
    elf,
    two_platforms,
)
from tests.fakes.image_registry import FakeImageRegistry

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")


def read_back(shelf: Shelf) -> ImageFacts:
    return RegistryInspector(FakeImageRegistry(shelf)).inspect(REFERENCE)


def layer_of(shelf: Shelf, entry: dict[str, Any]) -> str:
    digest: str = json.loads(shelf.manifests[entry["digest"]][1])["layers"][-1]["digest"]
    return digest


def graded(problems: tuple[ImageProblem, ...]) -> dict[str, str]:
    return {problem.code: problem.grade for problem in problems}


def test_an_index_as_built_proves_stage_one() -> None:
    shelf = Shelf()
    amd64, _, index = two_platforms(shelf)
    found = evidence(ExpectedIndex(index["digest"], amd64["digest"]), read_back(shelf))
    assert found == ()
    assert proves(found)


def test_c01_attestations_do_not_stand_against_the_proof() -> None:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf, tag=None)
    index = shelf.index(attestation(arm64), amd64, attestation(amd64), arm64)
    found = evidence(ExpectedIndex(index["digest"], amd64["digest"]), read_back(shelf))
    assert graded(found) == {"image.attestations": "info"}
    assert proves(found)


def test_c03_an_index_of_one_platform_does_not_prove_stage_one() -> None:
    shelf = Shelf()
    amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    index = shelf.index(amd64, attestation(amd64))
    found = evidence(ExpectedIndex(index["digest"]), read_back(shelf))
    assert graded(found)["image.platform-missing"] == "block"
    assert not proves(found)
    assert not is_emergency(found)


def test_c04_the_tag_on_the_amd64_child_blocks_with_what_was_built_and_found() -> None:
    shelf = Shelf()
    amd64, _, index = two_platforms(shelf)
    shelf.manifests["tag1"] = shelf.manifests[amd64["digest"]]
    found = evidence(ExpectedIndex(index["digest"], amd64["digest"]), read_back(shelf))
    assert graded(found) == {
        "image.tag-elsewhere": "block",
        "image.not-an-index": "block",
        "image.platform-missing": "block",
    }
    assert dict(found[0].evidence) == {
        "built digest": index["digest"],
        "found digest": amd64["digest"],
        "found media type": "application/vnd.oci.image.manifest.v1+json",
        "found platforms": "linux/amd64",
    }
    assert not is_emergency(found)


def test_c04_the_tag_on_the_arm64_child_is_an_emergency() -> None:
    shelf = Shelf()
    amd64, arm64, index = two_platforms(shelf)
    shelf.manifests["tag1"] = shelf.manifests[arm64["digest"]]
    found = evidence(ExpectedIndex(index["digest"], amd64["digest"]), read_back(shelf))
    assert graded(found)["image.tag-without-amd64"] == "emergency"
    assert is_emergency(found)
    assert not proves(found)


def test_c04_another_index_than_the_one_built_blocks() -> None:
    shelf = Shelf()
    amd64, _, _ = two_platforms(shelf)
    found = evidence(ExpectedIndex("sha256:" + "0" * 64, amd64["digest"]), read_back(shelf))
    assert graded(found) == {"image.tag-elsewhere": "block"}


def test_c08_an_amd64_entry_that_holds_arm64_is_an_emergency() -> None:
    shelf = Shelf()
    arm64 = shelf.image("linux/arm64", Entry("app", ARM64_ELF))
    lying = {
        **shelf.image("linux/arm64", Entry("app", ARM64_ELF + b"2")),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    index = shelf.index(lying, arm64)
    found = evidence(ExpectedIndex(index["digest"]), read_back(shelf))
    assert graded(found) == {"image.tag-without-amd64": "emergency", "image.platform-mismatch": "block"}


def test_mode_extend_keeps_the_amd64_manifest_and_other_modes_need_not() -> None:
    shelf = Shelf()
    amd64, _, index = two_platforms(shelf)
    kept = "sha256:" + "1" * 64
    changed = evidence(ExpectedIndex(index["digest"], kept), read_back(shelf))
    assert graded(changed) == {"image.amd64-changed": "block"}
    assert dict(changed[0].evidence) == {"kept digest": kept, "found digest": amd64["digest"]}
    assert proves(evidence(ExpectedIndex(index["digest"]), read_back(shelf)))


def test_mode_external_has_no_digest_to_compare() -> None:
    shelf = Shelf()
    two_platforms(shelf)
    assert proves(evidence(ExpectedIndex(), read_back(shelf)))


def test_c06_an_x86_64_binary_in_the_arm64_image_blocks() -> None:
    shelf = Shelf()
    amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    arm64 = shelf.image("linux/arm64", Entry("app", AMD64_ELF))
    index = shelf.index(amd64, arm64)
    found = evidence(ExpectedIndex(index["digest"], amd64["digest"]), read_back(shelf))
    assert graded(found) == {"image.wrong-binary": "block"}
    assert dict(found[0].evidence) == {
        "digest": arm64["digest"],
        "path": "/app",
        "e_machine": "0x003e",
        "started by": "/app",
        "layer": layer_of(shelf, arm64),
    }


@pytest.mark.parametrize("content", [b"no program", b""])
def test_c06_what_cannot_be_decided_is_no_proof(content: bytes) -> None:
    shelf = Shelf()
    index = shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", Entry("app", content)))
    found = evidence(ExpectedIndex(index["digest"]), read_back(shelf))
    assert graded(found) == {"image.binary-undecided": "unknown"}
    assert not proves(found)


def test_c06_a_binary_that_nobody_looked_at_is_no_proof() -> None:
    shelf = Shelf()
    _, _, index = two_platforms(shelf)
    facts = inspect_image(FakeImageRegistry(shelf), REFERENCE)
    found = evidence(ExpectedIndex(index["digest"]), facts)
    assert graded(found) == {"image.binary-not-read": "unknown"}
    assert not proves(found)


def test_c06_a_binary_for_a_third_architecture_blocks() -> None:
    shelf = Shelf()
    index = shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", Entry("app", elf(0x28))))
    assert graded(evidence(ExpectedIndex(index["digest"]), read_back(shelf))) == {"image.wrong-binary": "block"}


LOADER = "/lib/ld-linux-aarch64.so.1"


def built(*entries: Entry, overrides: ProcessOverrides = NO_OVERRIDES, **config: Any) -> ImageFacts:
    """Return the facts of an image whose arm64 half holds the entries and starts /app."""
    shelf = Shelf()
    said = {"os": "linux", "architecture": "arm64", "config": {"Entrypoint": ["/app"], **config}}
    shelf.index(shelf.image("linux/amd64"), shelf.image("linux/arm64", *entries, config=said))
    return RegistryInspector(FakeImageRegistry(shelf)).inspect(REFERENCE, overrides)


def proof(facts: ImageFacts) -> tuple[dict[str, str], bool]:
    found = evidence(ExpectedIndex(), facts)
    return graded(found), proves(found)


def test_c06_a_loader_or_library_for_x86_is_as_bad_as_an_entry_point() -> None:
    facts = built(Entry("app", elf(AARCH64_MACHINE, LOADER)), Entry(LOADER[1:], AMD64_ELF))
    assert proof(facts) == ({"image.wrong-library": "block"}, False)
    child = facts.child_for(LINUX_ARM64)
    assert child is not None
    assert child.binary is not None
    assert child.binary.verdict is BinaryVerdict.ARM64
    assert ("path", LOADER) in facts.problems[0].evidence
    assert ("started by", f"/app > {LOADER}") in facts.problems[0].evidence
    assert ("layer", child.layers[0].digest) in facts.problems[0].evidence
    assert proof(built(Entry("app", elf(AARCH64_MACHINE, LOADER)), Entry(LOADER[1:], ARM64_ELF))) == ({}, True)


CURL = Entry("app", ARM64_ELF), Entry("bin/sh", ARM64_ELF), Entry("usr/bin/curl", AMD64_ELF)


def test_c06_the_definitions_health_check_blocks_and_the_images_own_only_warns() -> None:
    ours = ProcessOverrides(health_check=("CMD-SHELL", "curl -f http://localhost/ || exit 1"))
    codes, proven = proof(built(*CURL, overrides=ours))
    assert (codes["image.wrong-health-check"], proven) == ("block", False)
    codes, proven = proof(built(*CURL, Healthcheck={"Test": ["CMD", "curl", "-f", "http://localhost/"]}))
    assert (codes["image.wrong-health-check"], proven) == ("warn", True)
    missing = ProcessOverrides(health_check=("CMD", "wget", "-q", "x"))
    assert proof(built(*CURL, overrides=missing))[0]["image.health-check-undecided"] == "unknown"
    own = built(*CURL, Healthcheck={"Test": ["CMD", "wget", "-q", "x"]})
    assert proof(own) == ({"image.foreign-binary": "warn", "image.health-check-undecided": "info"}, True)


def test_c06_x86_files_elsewhere_warn_and_do_not_stand_against_the_proof() -> None:
    facts = built(Entry("app", ARM64_ELF), Entry("opt/tool", AMD64_ELF), Entry("opt/other", AMD64_ELF))
    assert proof(facts) == ({"image.foreign-binary": "warn"}, True)
    found = dict(facts.problems[0].evidence)
    assert (found["files"], found["file"]) == ("2", "/opt/tool")


def test_c06_modules_of_the_interpreter_that_the_start_runs_block() -> None:
    python = Entry("app", b"#!/usr/bin/python3\n"), Entry("usr/bin/python3", ARM64_ELF)
    site = "usr/lib/python3/dist-packages"
    module = Entry(f"{site}/numpy/_m.cpython-311-x86_64-linux-gnu.so", AMD64_ELF, 0o644)
    wheel = Entry(f"{site}/numpy-1.26.4.dist-info/WHEEL", b"Tag: cp311-cp311-manylinux_2_17_x86_64\n", 0o644)
    facts = built(*python, module, wheel)
    assert proof(facts) == ({"image.wrong-native-module": "block", "image.foreign-wheel": "warn"}, False)
    found = next(item for item in facts.problems if item.code == "image.wrong-native-module")
    assert ("packages", "numpy") in found.evidence
    wheels = next(item for item in facts.problems if item.code == "image.foreign-wheel")
    assert "numpy 1.26.4" in wheels.text
    beside = Entry(f"{site}/numpy/_m.cpython-311-aarch64-linux-gnu.so", ARM64_ELF, 0o644)
    assert proof(built(*python, module, beside)) == ({"image.foreign-binary-beside": "info"}, True)
    helper = Entry(f"{site}/tool/helper", AMD64_ELF)
    assert proof(built(*python, helper)) == ({"image.foreign-native-module": "warn"}, True)


def test_what_could_not_be_decided_about_the_start_is_no_proof_and_about_an_archive_beside_it_is() -> None:
    undecided_library = scanned_as(libraries=(undecided("libx.so was not found."),))
    assert proof(undecided_library) == ({"image.library-undecided": "unknown"}, False)
    archive = scanned_as(unread=("/a.jar",), unread_reason="It is encrypted.")
    assert proof(archive) == ({"image.archive-not-read": "unknown"}, True)
    assert "It is encrypted." in archive.problems[0].text
    assert proof(scanned_as(on_volumes=("/agent/start",))) == ({"image.start-on-volume": "unknown"}, True)


def scanned_as(**found: Any) -> ImageFacts:
    shelf = Shelf()
    two_platforms(shelf)
    facts = read_back(shelf)
    child = facts.child_for(LINUX_ARM64)
    assert child is not None
    assert child.scan is not None
    return with_scans(facts, {child.digest: replace(child.scan, **found)})


def test_a_layer_whose_size_lies_is_told_with_both_sizes() -> None:
    shelf = Shelf()
    entry = shelf.image("linux/arm64", Entry("app", ARM64_ELF))
    manifest = json.loads(shelf.manifests[entry["digest"]][1])
    true = manifest["layers"][0]["size"]
    manifest["layers"][0]["size"] = true + 7
    lying = {**shelf.document(manifest), "platform": entry["platform"]}
    shelf.index(shelf.image("linux/amd64"), lying)
    facts = read_back(shelf)
    assert proof(facts) == ({"image.size-mismatch": "block"}, False)
    assert f"{true + 7} bytes, it has {true}" in facts.problems[0].text
    assert ("layer", manifest["layers"][0]["digest"]) in facts.problems[0].evidence


def test_an_unreadable_document_under_the_tag_is_an_emergency() -> None:
    shelf = Shelf()
    _, _, index = two_platforms(shelf)
    shelf.manifests["tag1"] = ("application/json", b"[]")
    assert is_emergency(evidence(ExpectedIndex(index["digest"]), read_back(shelf)))
    assert digest_of(b"[]") == read_back(shelf).digest
