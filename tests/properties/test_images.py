from __future__ import annotations

import json
import tarfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import UnreadableLayerError, decompressed
from migrate.adapters.registry.file_content import ContentReader
from migrate.adapters.registry.inspect import inspect_image
from migrate.adapters.registry.tar_stream import tar_entries
from migrate.core.image.documents import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1_SIGNED,
    ImageConfig,
    IndexDocument,
    ManifestDocument,
    UnreadableDocument,
    parse_config,
    parse_document,
)
from migrate.core.image.executables import ElfHeader, Opaque, Script, read_executable
from migrate.core.image.filesystem import FileTree
from migrate.core.image.index import (
    ExpectedIndex,
    FetchedContent,
    FetchedManifest,
    ImageFacts,
    ImageReference,
    Platform,
    classify,
    stage_one_evidence,
)
from migrate.errors import SettingsError
from tests.fakes.image_content import (
    AMD64_ELF,
    ARM64_ELF,
    REPOSITORY,
    Entry,
    Shelf,
    attestation,
    elf,
    hard_link,
    link,
    tar,
)
from tests.fakes.image_registry import FakeImageRegistry

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")
DIGEST = "sha256:" + "a" * 64
MEDIA_TYPES = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST, SCHEMA_1_SIGNED, "application/json", ""]
PLATFORMS = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64", "windows/amd64"]

NAMES = [
    "mediaType",
    "manifests",
    "config",
    "layers",
    "platform",
    "os",
    "architecture",
    "variant",
    "digest",
    "size",
    "annotations",
    "artifactType",
    "schemaVersion",
    "urls",
    "Entrypoint",
    "Cmd",
    "Env",
    "WorkingDir",
]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.sampled_from(MEDIA_TYPES)
)
keys = st.text(max_size=5) | st.sampled_from(NAMES)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)
platforms = st.fixed_dictionaries({"os": st.sampled_from(["linux", "unknown", ""]), "architecture": values})
descriptors = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from(MEDIA_TYPES) | values,
        "digest": st.just(DIGEST) | values,
        "size": values,
        "platform": platforms | values,
        "annotations": values,
    },
)
index_like = st.fixed_dictionaries({"manifests": st.lists(descriptors, max_size=4)}, optional={"mediaType": scalars})
documents = values | index_like


relaxed = settings(deadline=None)


def _free(_: int) -> None:
    """Charge nothing."""


@relaxed
@given(body=documents, media_type=st.sampled_from(MEDIA_TYPES) | st.text(), config=values, child=documents)
def test_c11_documents_of_any_content_never_crash(body: Any, media_type: str, config: Any, child: Any) -> None:
    manifest = FetchedManifest(DIGEST, "", json.dumps(child).encode())
    top = FetchedManifest(DIGEST, media_type, json.dumps(body).encode())
    content = FetchedContent({DIGEST: manifest}, {DIGEST: json.dumps(config).encode()})
    facts = classify(REFERENCE, top, content)
    problems = stage_one_evidence(ExpectedIndex(DIGEST, DIGEST), facts)
    assert all(problem.text.encode() and problem.code for problem in problems)


@relaxed
@given(body=st.binary())
def test_bytes_of_any_content_never_crash(body: bytes) -> None:
    assert isinstance(parse_document(body, OCI_INDEX), UnreadableDocument | IndexDocument | ManifestDocument)
    assert isinstance(parse_config(body), ImageConfig)
    for start in (b"", b"\x7fELF", b"\x7fELF\x02\x01", b"#!"):
        assert isinstance(read_executable(start + body), ElfHeader | Script | Opaque)


@relaxed
@given(body=st.binary(max_size=2048), start=st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"]))
def test_layers_of_any_content_end_as_unreadable_or_as_entries(body: bytes, start: bytes) -> None:
    try:
        entries = list(tar_entries(ByteStream(decompressed(iter([start + body]))), ContentReader(_free)))
    except UnreadableLayerError:
        return
    assert all(len(entry.path) <= 4096 for entry in entries)


@relaxed
@given(at=st.integers(0, 3071), byte=st.integers(0, 255))
def test_a_changed_byte_of_an_archive_never_crashes(at: int, byte: int) -> None:
    good = tar(Entry("a/app", ARM64_ELF), link("l", "a/app"), hard_link("h", "a/app"), format_=tarfile.GNU_FORMAT)
    body = good[:at] + bytes([byte]) + good[at + 1 :]
    try:
        list(tar_entries(ByteStream(iter([body])), ContentReader(_free)))
    except UnreadableLayerError:
        return


def judged(entries: list[dict[str, Any]], shelf: Shelf) -> tuple[ImageFacts, set[tuple[str, str]]]:
    index = shelf.index(*entries)
    facts = inspect_image(FakeImageRegistry(shelf), REFERENCE)
    return facts, {(item.code, item.grade) for item in stage_one_evidence(ExpectedIndex(index["digest"]), facts)}


def by_child(facts: ImageFacts) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return the problems without those whose evidence is the index's own digest, which order changes."""
    return [(item.code, item.evidence) for item in facts.problems if ("digest", facts.digest) not in item.evidence]


@st.composite
def indexes(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Shelf]:
    shelf = Shelf()
    entries: list[dict[str, Any]] = []
    for platform in draw(st.lists(st.sampled_from(PLATFORMS), unique=True, min_size=1)):
        actual = draw(st.sampled_from([platform, platform, "linux/amd64"]))
        image = shelf.image(actual, Entry("app", draw(st.sampled_from([AMD64_ELF, ARM64_ELF]))), Entry(platform))
        declared = Platform.parse(platform)
        image["platform"] = {"os": declared.os, "architecture": declared.architecture, "variant": declared.variant}
        entries += [image, attestation(image)] if draw(st.booleans()) else [image]
    return entries, shelf


@relaxed
@given(made=indexes(), data=st.data())
def test_c01_the_order_of_entries_never_changes_the_verdict(
    made: tuple[list[dict[str, Any]], Shelf], data: st.DataObject
) -> None:
    entries, shelf = made
    facts, verdict = judged(entries, shelf)
    other_facts, other_verdict = judged(data.draw(st.permutations(entries)), shelf)
    assert other_verdict == verdict
    assert other_facts.platforms == facts.platforms
    assert by_child(other_facts) == by_child(facts)


names = st.sampled_from(["a", "b", "..", ".", ".wh.a", ".wh.b", ".wh..wh..opq", "c"])
tree_paths = st.lists(names, min_size=1, max_size=5).map("/".join)
acts = st.tuples(st.sampled_from(["file", "directory", "link", "hard link", "layer"]), tree_paths, tree_paths)


@relaxed
@given(steps=st.lists(acts, max_size=30), asked=tree_paths)
def test_trees_of_any_making_can_be_walked_and_never_hold_whiteouts(
    steps: list[tuple[str, str, str]], asked: str
) -> None:
    tree = FileTree()
    content = read_executable(elf(1))
    for kind, path, target in steps:
        if kind == "layer":
            tree.begin_layer()
        elif kind == "directory":
            tree.add_directory(path)
        elif kind == "link":
            tree.add_link(path, target)
        elif kind == "hard link":
            tree.add_hard_link(path, target)
        else:
            tree.add_file(path, content, is_executable=True)
    found = tree.find(asked)
    assert found.path.startswith("/")
    assert ".." not in found.path.split("/")
    for path, node in tree.files():
        assert not path.rpartition("/")[2].startswith(".wh.")
        assert tree.find(path).node is node


@relaxed
@given(text=st.text(max_size=60) | st.from_regex(r"[a-z./:@]{1,40}", fullmatch=True))
def test_references_are_read_or_refused_and_read_the_same_again(text: str) -> None:
    try:
        reference = ImageReference.parse(text)
    except SettingsError:
        return
    assert ImageReference.parse(str(reference)) == reference
