"""Made-up images: layers, configs, manifests and indexes with true digests, on a shelf that registries serve."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrate.core.image.documents import (
    ATTESTATION,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    REFERENCE_DIGEST,
    REFERENCE_TYPE,
)
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE

REPOSITORY = "team/app"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def elf(machine: int, loader: str = "") -> bytes:
    """Return a 64-bit ELF file without code: its header, and a program header where it asks for a loader."""
    name = loader.encode() + b"\0"
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1 if loader else 0, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1)
    return header + segment + name if loader else header


ARM64_ELF = elf(AARCH64_MACHINE)
AMD64_ELF = elf(X86_64_MACHINE)


@dataclass(frozen=True)
class Entry:
    """One entry of a layer; files are executable unless told otherwise."""

    path: str
    content: bytes = b""
    mode: int = 0o755
    kind: bytes = tarfile.REGTYPE
    target: str = ""


def _gzip(content: bytes) -> bytes:
    """Compress without the time of day: the same content is the same image, whenever it is made."""
    return gzip.compress(content, mtime=0)


def tar(*entries: Entry, format_: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path)
            info.type, info.mode, info.linkname, info.size = entry.kind, entry.mode, entry.target, len(entry.content)
            archive.addfile(info, io.BytesIO(entry.content))
    return buffer.getvalue()


def link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.SYMTYPE, target=target)


def hard_link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.LNKTYPE, target=target)


def directory(path: str) -> Entry:
    return Entry(path, kind=tarfile.DIRTYPE)


def attestation(of: Mapping[str, Any], body: bytes = b"{}") -> dict[str, Any]:
    """Return the index entry that BuildKit's default provenance adds for another entry."""
    return {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(body + of["digest"].encode()),
        "size": len(body),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {REFERENCE_TYPE: ATTESTATION, REFERENCE_DIGEST: of["digest"]},
    }


@dataclass
class Shelf:
    """What a registry holds: blobs by digest, manifests by tag and digest, as (media type, body)."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def blob(self, body: bytes) -> str:
        digest = digest_of(body)
        self.blobs[digest] = body
        return digest

    def document(
        self, value: Mapping[str, Any], media_type: str = OCI_MANIFEST, tag: str | None = None
    ) -> dict[str, Any]:
        """Store a manifest or index; return the descriptor that points at it."""
        body = json.dumps(value).encode()
        digest = digest_of(body)
        for name in (digest, *([tag] if tag else [])):
            self.manifests[name] = (media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def image(
        self,
        platform: str,
        *entries: Entry,
        entrypoint: tuple[str, ...] = ("/app",),
        command: tuple[str, ...] = (),
        config: Mapping[str, Any] | None = None,
        layers: tuple[bytes, ...] = (),
        compress: Callable[[bytes], bytes] = _gzip,
        layer_type: str = "application/vnd.oci.image.layer.v1.tar+gzip",
        media_type: str = OCI_MANIFEST,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """Store an image that says ``platform`` in config and index entry; return the entry."""
        system, architecture, *variant = platform.split("/")
        named: dict[str, Any] = {"os": system, "architecture": architecture}
        if variant:
            named["variant"] = variant[0]
        process = {"Entrypoint": list(entrypoint), "Cmd": list(command)}
        body = json.dumps(config if config is not None else {**named, "config": process}).encode()
        bodies = [compress(layer) for layer in (*layers, *([tar(*entries)] if entries else []))]
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": OCI_CONFIG, "digest": self.blob(body), "size": len(body)},
            "layers": [{"mediaType": layer_type, "digest": self.blob(item), "size": len(item)} for item in bodies],
        }
        return {**self.document(manifest, media_type, tag), "platform": named}

    def index(
        self, *entries: Mapping[str, Any], media_type: str = OCI_INDEX, tag: str | None = "tag1", **more: Any
    ) -> dict[str, Any]:
        """Store an index of entries under a tag; return its descriptor."""
        value = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries), **more}
        return self.document(value, media_type, tag)


def two_platforms(shelf: Shelf, *, tag: str | None = "tag1") -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Store a good image of both platforms; return the entries of amd64 and arm64, and the index."""
    amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    arm64 = shelf.image("linux/arm64", Entry("app", ARM64_ELF))
    return amd64, arm64, shelf.index(amd64, arm64, tag=tag)
