from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.adapters.registry.inspect import RegistryInspector, inspect_image
from migrate.core.images import ExpectedIndex, ImageFacts, ImageProblem, ImageReference, is_emergency, proves
from migrate.core.images import stage_one_evidence as evidence
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


def test_an_unreadable_document_under_the_tag_is_an_emergency() -> None:
    shelf = Shelf()
    _, _, index = two_platforms(shelf)
    shelf.manifests["tag1"] = ("application/json", b"[]")
    assert is_emergency(evidence(ExpectedIndex(index["digest"]), read_back(shelf)))
    assert digest_of(b"[]") == read_back(shelf).digest
