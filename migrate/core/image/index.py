"""What an image really is: every child of the index judged by its own config, never by the index alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from migrate.core.image.binaries import BinaryEvidence, BinaryVerdict
from migrate.core.image.documents import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    REFERENCE_DIGEST,
    SCHEMA_1_TYPES,
    Descriptor,
    ImageConfig,
    ImageDocument,
    IndexDocument,
    ManifestDocument,
    UnreadableDocument,
    UnreadableKind,
    parse_config,
)
from migrate.core.image.evidence import ExpectedIndex, image_problems, is_emergency, proves, stage_one_evidence
from migrate.core.image.facts import (
    SELECTABLE,
    ChildFacts,
    ChildKind,
    FetchedContent,
    FetchedManifest,
    ImageFacts,
    ImageProblem,
)
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, ImageReference, Platform
from migrate.core.image.scan import ImageScan

__all__ = [
    "LINUX_AMD64",
    "LINUX_ARM64",
    "BinaryEvidence",
    "BinaryVerdict",
    "ChildFacts",
    "ChildKind",
    "Descriptor",
    "ExpectedIndex",
    "FetchedContent",
    "FetchedManifest",
    "ImageConfig",
    "ImageFacts",
    "ImageProblem",
    "ImageReference",
    "IndexDocument",
    "ManifestDocument",
    "Platform",
    "UnreadableKind",
    "children_to_fetch",
    "classify",
    "is_emergency",
    "proves",
    "stage_one_evidence",
    "with_scans",
]

DEEPEST_NESTING = 3
_READABLE = INDEX_TYPES | MANIFEST_TYPES | SCHEMA_1_TYPES | {""}


def children_to_fetch(document: ImageDocument) -> tuple[Descriptor, ...]:
    """Return the entries of an index whose manifests have to be read; none for a manifest."""
    if not isinstance(document, IndexDocument):
        return ()
    return tuple(entry for entry in document.entries if _kind_by_entry(entry) is None)


def classify(reference: ImageReference, top: FetchedManifest, content: FetchedContent) -> ImageFacts:
    """Judge an image from what was read of it, problems included. Never raises, whatever the documents hold."""
    document = top.document
    if isinstance(document, UnreadableDocument):
        kind, reason = document.kind, document.reason
        facts = ImageFacts(reference, top.digest, document.media_type, is_index=False, unreadable=kind, reason=reason)
        return _with_problems(facts)
    is_index = isinstance(document, IndexDocument)
    if isinstance(document, IndexDocument):
        children = _shadowed(tuple(_entries(document, content, 1)))
    else:
        children = (_image(Descriptor(document.media_type, top.digest), document, content),)
    facts = ImageFacts(reference, top.digest, document.media_type, is_index, children, document.remarks)
    return _with_problems(facts)


def with_scans(facts: ImageFacts, scans: Mapping[str, ImageScan]) -> ImageFacts:
    """Add what the content of children was found to be, by digest, and judge again."""
    children = tuple(
        replace(child, binary=scans[child.digest].start, scan=scans[child.digest]) if child.digest in scans else child
        for child in facts.children
    )
    return _with_problems(replace(facts, children=children))


def _with_problems(facts: ImageFacts) -> ImageFacts:
    return replace(facts, problems=image_problems(facts))


def _kind_by_entry(entry: Descriptor) -> tuple[ChildKind, str] | None:
    """Tell an entry that no runtime starts by the entry alone; None where its manifest has to be read."""
    if entry.is_attestation:
        return ChildKind.ATTESTATION, "BuildKit attestation"
    if entry.artifact_type:
        return ChildKind.NOT_RUNNABLE, f"artifact of type {entry.artifact_type}"
    if entry.media_type not in _READABLE:
        return ChildKind.NOT_RUNNABLE, f"media type {entry.media_type} is not one of an image"
    if entry.platform is not None and not entry.platform.is_declared:
        return ChildKind.NOT_RUNNABLE, f"platform {entry.platform}"
    return None


def _entries(index: IndexDocument, content: FetchedContent, depth: int) -> Iterator[ChildFacts]:
    for entry in index.entries:
        known = _kind_by_entry(entry)
        if known is not None:
            kind, reason = known
            subject = entry.annotation(REFERENCE_DIGEST)
            yield ChildFacts(
                entry.digest, entry.media_type, kind, declared=entry.platform, reason=reason, subject=subject
            )
            continue
        fetched = content.manifests.get(entry.digest)
        if fetched is None:
            yield _unreadable(entry, content.faults.get(entry.digest, "The manifest was not read."))
            continue
        document = fetched.document
        if isinstance(document, IndexDocument):
            if depth >= DEEPEST_NESTING:
                yield _unreadable(entry, f"Indexes are nested deeper than {DEEPEST_NESTING}.")
                continue
            yield from (replace(child, nested=True) for child in _entries(document, content, depth + 1))
        elif isinstance(document, UnreadableDocument):
            yield _unreadable(entry, document.reason)
        elif entry.size and entry.size != len(fetched.body):
            yield _unreadable(entry, f"The index says {entry.size} bytes, the manifest has {len(fetched.body)}.")
        else:
            yield _image(entry, document, content)


def _unreadable(entry: Descriptor, reason: str) -> ChildFacts:
    return ChildFacts(entry.digest, entry.media_type, ChildKind.UNREADABLE, declared=entry.platform, reason=reason)


def _image(entry: Descriptor, manifest: ManifestDocument, content: FetchedContent) -> ChildFacts:
    if manifest.is_artifact:
        named = manifest.artifact_type or (manifest.config.media_type if manifest.config else "")
        reason = f"artifact of type {named}"
        return ChildFacts(
            entry.digest, manifest.media_type, ChildKind.NOT_RUNNABLE, declared=entry.platform, reason=reason
        )
    digest = manifest.config.digest if manifest.config else ""
    body = content.configs.get(digest)
    if body is None:
        return _unreadable(entry, content.faults.get(digest, "The config was not read."))
    config = parse_config(body)
    if config.fault:
        return _unreadable(entry, config.fault)
    declared = entry.platform
    size = manifest.config.size if manifest.config else 0
    lies = size not in {0, len(body)}
    kind = ChildKind.RUNNABLE if config.platform is not None else ChildKind.UNDECLARED
    reason = "" if config.platform is not None else "The config names no operating system or no architecture."
    return ChildFacts(
        entry.digest,
        manifest.media_type,
        kind,
        declared=declared,
        actual=config.platform,
        config_digest=digest,
        config=config,
        layers=manifest.layers,
        reason=reason,
        config_type=manifest.config.media_type if manifest.config else "",
        size_fault=f"The manifest gives its config {size} bytes, it has {len(body)}." if lies else "",
    )


def _shadowed(children: tuple[ChildFacts, ...]) -> tuple[ChildFacts, ...]:
    """Mark what no runtime takes because an earlier entry offers the same platform."""
    seen: set[tuple[str, str, str, str]] = set()
    marked: list[ChildFacts] = []
    for child in children:
        if child.kind not in SELECTABLE or child.offered is None:
            marked.append(child)
            continue
        offered = child.offered.canonical
        key = (offered.os, offered.architecture, offered.variant, offered.os_version)
        marked.append(replace(child, shadowed=key in seen))
        seen.add(key)
    return tuple(marked)
