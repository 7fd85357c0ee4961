"""An amd64 image as an older CI pushes it: one Docker schema-2 manifest under a tag, no index."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from migrate.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CREATED = "2026-01-01T00:00:00Z"
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SchemaTwoImage:
    """The three documents of a single-platform image, byte for byte."""

    manifest: bytes
    config: bytes
    layer: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest, ``sha256:`` and 64 hexadecimal digits."""
        return _digest(self.manifest)


def single_platform_image(program: bytes, architecture: str = "amd64") -> SchemaTwoImage:
    """Return an image whose only file is ``/app``; the same bytes for the same program, whenever it is made."""
    tar = _tar(program)
    layer = gzip.compress(tar, mtime=0)
    config = _document(
        {
            "architecture": architecture,
            "os": "linux",
            "created": _CREATED,
            "config": {"Entrypoint": ["/app"], "ExposedPorts": {"8080/tcp": {}}, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
            "history": [
                {"created": _CREATED, "created_by": "COPY bin/linux/amd64/app /app # buildkit"},
                {"created": _CREATED, "created_by": 'ENTRYPOINT ["/app"]', "empty_layer": True},
            ],
        }
    )
    manifest = _document(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER_TYPE, "size": len(layer), "digest": _digest(layer)}],
        }
    )
    return SchemaTwoImage(manifest, config, layer)


def push(image: SchemaTwoImage, registry: str, repository: str, tag: str, authority: Path) -> None:
    """Push over the registry protocol to ``registry`` (host:port), trusting ``authority``.

    Raises EngineError when the registry refuses.
    """
    trust = ssl.create_default_context(cafile=str(authority))
    base = f"https://{registry}/v2/{repository}"
    with httpx.Client(verify=trust, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        for blob in (image.config, image.layer):
            _push_blob(client, base, blob)
        answer = client.put(f"{base}/manifests/{tag}", content=image.manifest, headers={"content-type": MANIFEST_TYPE})
        _accept(answer, "the manifest")


def _push_blob(client: httpx.Client, base: str, blob: bytes) -> None:
    digest = _digest(blob)
    if client.head(f"{base}/blobs/{digest}").is_success:
        return
    opened = _accept(client.post(f"{base}/blobs/uploads/"), "an upload")
    upload = httpx.URL(urljoin(str(opened.request.url), opened.headers["location"]))
    kind = {"content-type": "application/octet-stream"}
    _accept(client.put(upload.copy_merge_params({"digest": digest}), content=blob, headers=kind), "a blob")


def _accept(answer: httpx.Response, what: str) -> httpx.Response:
    if not answer.is_success:
        raise EngineError(
            f"The sandbox's registry did not take {what}.",
            why=f"{answer.request.method} {answer.request.url} gave {answer.status_code}: {answer.text[:200]}",
            then="Run `migrate sandbox down` and `migrate sandbox up`, then seed again.",
        )
    return answer


def _tar(program: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("app")
        entry.size = len(program)
        entry.mode = 0o755
        archive.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()


def _document(content: dict[str, object]) -> bytes:
    return json.dumps(content, indent=3).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
