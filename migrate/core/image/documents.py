"""Manifests, indexes and configs read from bytes, in every legal shape and without ever failing on an illegal one.

Sources: OCI image specification 1.1 (manifest.md, image-index.md, config.md), Docker image manifest version 2
schema 2, and the odd documents met in the field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from migrate.core.documents import Json
from migrate.core.image.names import Platform

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA_1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})
SCHEMA_1_TYPES = frozenset({SCHEMA_1, SCHEMA_1_SIGNED})

REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An entry that points at content: its type, digest and size in bytes, and what it says about the content."""

    media_type: str
    digest: str
    size: int = 0
    platform: Platform | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    artifact_type: str = ""
    urls: tuple[str, ...] = ()

    def annotation(self, name: str) -> str:
        """Return an annotation's value, empty where there is none."""
        return dict(self.annotations).get(name, "")

    @property
    def is_attestation(self) -> bool:
        """Whether BuildKit put the entry there to describe another one (BuildKit, attestation storage)."""
        return self.annotation(REFERENCE_TYPE) == ATTESTATION


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """An OCI index or a Docker manifest list, entries in their own order."""

    media_type: str
    entries: tuple[Descriptor, ...]
    artifact_type: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """An image manifest; ``config`` is None where it has none that can be read. Layers are lowest first."""

    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def is_artifact(self) -> bool:
        """Whether it is anything but a runnable image (OCI image manifest, artifactType and config.mediaType)."""
        config_type = self.config.media_type if self.config else ""
        return bool(self.artifact_type) or bool(config_type and config_type not in CONFIG_TYPES)


class UnreadableKind(StrEnum):
    """Why a document is neither a manifest nor an index."""

    SCHEMA_1 = "schema-1"
    UNKNOWN_TYPE = "unknown-type"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class UnreadableDocument:
    """A document that nothing can be said about but why."""

    media_type: str
    kind: UnreadableKind
    reason: str


ImageDocument: TypeAlias = IndexDocument | ManifestDocument | UnreadableDocument


def parse_document(body: bytes, content_type: str) -> ImageDocument:
    """Read a manifest or an index; ``content_type`` is the registry's answer and counts where the body names none.

    Never raises: what cannot be read comes back as UnreadableDocument.
    """
    answered = content_type.partition(";")[0].strip().lower()
    value = _object(body)
    if value is None:
        return UnreadableDocument(answered, UnreadableKind.MALFORMED, "The document is not a JSON object.")
    written = _text(value.get("mediaType"))
    media_type = written or answered
    if answered in SCHEMA_1_TYPES or value.get("schemaVersion") == 1:
        return UnreadableDocument(media_type, UnreadableKind.SCHEMA_1, "Docker schema 1 carries no usable platform.")
    fault = _confusion(value, media_type)
    if fault:
        return UnreadableDocument(media_type, UnreadableKind.MALFORMED, fault)
    remarks = _remarks(written, answered)
    if media_type in INDEX_TYPES or (media_type not in MANIFEST_TYPES and "manifests" in value):
        kind = media_type if media_type in INDEX_TYPES else OCI_INDEX
        return IndexDocument(kind, _descriptors(value["manifests"]), _text(value.get("artifactType")), remarks)
    if media_type in MANIFEST_TYPES or "config" in value:
        kind = media_type if media_type in MANIFEST_TYPES else OCI_MANIFEST
        config = _descriptor(value.get("config"))
        layers = _descriptors(value.get("layers"))
        return ManifestDocument(kind, config, layers, _text(value.get("artifactType")), remarks)
    reason = f"The media type {media_type or '(none)'} is not one of an image."
    return UnreadableDocument(media_type, UnreadableKind.UNKNOWN_TYPE, reason)


def _confusion(value: Mapping[str, Json], media_type: str) -> str:
    """Refuse what different readers would read differently (containerd refuses it too, CVE-2021-41190)."""
    has_entries = "manifests" in value
    has_content = "config" in value or "layers" in value
    if has_entries and has_content:
        return "The document is an index and a manifest at once."
    if media_type in INDEX_TYPES and not isinstance(value.get("manifests"), list):
        return "The document calls itself an index and has no list of manifests."
    if media_type in MANIFEST_TYPES and not has_content:
        return "The document calls itself a manifest and has neither config nor layers."
    if has_entries and not isinstance(value["manifests"], list):
        return "The list of manifests is not a list."
    return ""


def _remarks(written: str, answered: str) -> tuple[str, ...]:
    known = INDEX_TYPES | MANIFEST_TYPES
    if not written:
        return ("The document names no media type; the registry's answer counts.",)
    if answered in known and written != answered:
        return (f"The document calls itself {written}, the registry calls it {answered}.",)
    return ()


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says about itself: its real platform, and the process that it starts.

    ``platform`` is None where operating system or architecture is missing. ``fault`` says why nothing could be read.
    ``health_check`` is Docker's ``Healthcheck.Test``, its form (NONE, CMD, CMD-SHELL) first; ``shell`` is Docker's
    SHELL; ``diff_ids`` are the digests of the unpacked layers, lowest first.
    """

    platform: Platform | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    working_directory: str = ""
    health_check: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    stop_signal: str = ""
    diff_ids: tuple[str, ...] = ()
    fault: str = ""

    @property
    def search_path(self) -> str:
        """The value of PATH, empty where the image sets none."""
        return dict(self.environment).get("PATH", "")


def parse_config(body: bytes) -> ImageConfig:
    """Read an image config. Never raises: ``fault`` says what was wrong."""
    value = _object(body)
    if value is None:
        return ImageConfig(fault="The config is not a JSON object.")
    platform = _platform(value)
    settings = value.get("config")
    process: Mapping[str, Json] = settings if isinstance(settings, dict) else {}
    pairs = (line.partition("=") for line in _texts(process.get("Env")))
    check, root = process.get("Healthcheck"), value.get("rootfs")
    return ImageConfig(
        platform=platform if platform is not None and platform.is_declared else None,
        entrypoint=_texts(process.get("Entrypoint")),
        command=_texts(process.get("Cmd")),
        environment=tuple((name, text) for name, _, text in pairs),
        working_directory=_text(process.get("WorkingDir")),
        health_check=_texts(check.get("Test")) if isinstance(check, dict) else (),
        shell=_texts(process.get("Shell")),
        stop_signal=_text(process.get("StopSignal")),
        diff_ids=_texts(root.get("diff_ids")) if isinstance(root, dict) else (),
    )


def _object(body: bytes) -> dict[str, Json] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: Json) -> str:
    # Half a surrogate pair is legal JSON and cannot be printed.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(_text(item) for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _platform(value: Json) -> Platform | None:
    if not isinstance(value, dict):
        return None
    platform = Platform(
        _text(value.get("os")),
        _text(value.get("architecture")),
        _text(value.get("variant")),
        _text(value.get("os.version")),
    )
    return platform if platform.os or platform.architecture else None


def _descriptor(value: Json) -> Descriptor | None:
    if not isinstance(value, dict):
        return None
    size = value.get("size")
    annotations = value.get("annotations")
    pairs = annotations.items() if isinstance(annotations, dict) else ()
    return Descriptor(
        media_type=_text(value.get("mediaType")),
        digest=_text(value.get("digest")),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else 0,
        platform=_platform(value.get("platform")),
        annotations=tuple(sorted((_text(name), _text(text)) for name, text in pairs if isinstance(text, str))),
        artifact_type=_text(value.get("artifactType")),
        urls=_texts(value.get("urls")),
    )


def _descriptors(value: Json) -> tuple[Descriptor, ...]:
    items = value if isinstance(value, list) else []
    return tuple(entry for entry in map(_descriptor, items) if entry is not None)
