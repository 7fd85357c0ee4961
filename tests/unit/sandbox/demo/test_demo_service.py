from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from migrate.sandbox.demo.build import (
    ARCHITECTURES,
    binary,
    break_arm64_binary,
    hide_amd64_binary,
    lay_out,
    repair_arm64_binary,
)
from migrate.sandbox.demo.image import MANIFEST_TYPE, single_platform_image
from migrate.sandbox.toolchain.progress import Progress


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_the_image_is_one_docker_schema_2_manifest_whose_parts_fit_together() -> None:
    image = single_platform_image(b"program")
    manifest = json.loads(image.manifest)
    config = json.loads(image.config)

    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == MANIFEST_TYPE
    assert "manifests" not in manifest
    assert manifest["config"]["digest"] == _digest(image.config)
    assert [layer["digest"] for layer in manifest["layers"]] == [_digest(image.layer)]
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    tar = gzip.decompress(image.layer)
    assert config["rootfs"]["diff_ids"] == [_digest(tar)]
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        entry = archive.getmember(config["config"]["Entrypoint"][0].lstrip("/"))
        content = archive.extractfile(entry)
        assert content is not None
        assert content.read() == b"program"
        assert entry.mode == 0o755


def test_the_same_program_gives_the_same_digest_whenever_it_is_packed() -> None:
    assert single_platform_image(b"program").digest == single_platform_image(b"program").digest
    assert single_platform_image(b"program").digest != single_platform_image(b"another").digest


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a compiler that writes its target's name, and counts how often it was called."""
    monkeypatch.setenv("MIGRATE_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "go"
    path.write_text(
        f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
mkdir -p "$(dirname "$2")"
echo "$GOOS $GOARCH $CGO_ENABLED" | tee -a {tmp_path}/calls > "$2"
"""
    )
    path.chmod(0o755)
    return path


def test_c06_the_defect_is_in_the_binary_alone_and_can_be_repaired(go: Path, tmp_path: Path) -> None:
    context = lay_out(tmp_path / "context", go, Progress(quiet=True))
    assert [binary(context, name).read_text() for name in ARCHITECTURES] == ["linux amd64 0\n", "linux arm64 0\n"]
    dockerfile = (context / "Dockerfile").read_text()

    break_arm64_binary(context)

    assert binary(context, "arm64").read_text() == "linux amd64 0\n"
    assert binary(context, "amd64").read_text() == "linux amd64 0\n"
    assert (context / "Dockerfile").read_text() == dockerfile

    repair_arm64_binary(context)

    assert binary(context, "arm64").read_text() == "linux arm64 0\n"


def test_c06_the_hidden_defect_leaves_no_program_in_the_context_and_can_be_repaired(go: Path, tmp_path: Path) -> None:
    context = lay_out(tmp_path / "context", go, Progress(quiet=True))
    dockerfile = (context / "Dockerfile").read_text()
    hide_amd64_binary(context)
    assert "ADD bin/linux/${TARGETARCH}/app.tar /" in (context / "Dockerfile").read_text()
    with tarfile.open(context / "bin" / "linux" / "arm64" / "app.tar") as archive:
        packed = archive.extractfile("app")
        assert packed is not None
        assert packed.read() == b"linux amd64 0\n"
    repair_arm64_binary(context)
    assert (context / "Dockerfile").read_text() == dockerfile
    assert not list(context.rglob("*.tar"))


def test_the_service_is_compiled_once_for_all_sandboxes(go: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        lay_out(tmp_path / name, go, Progress(quiet=True))

    assert len((tmp_path / "calls").read_text().splitlines()) == len(ARCHITECTURES)
    assert binary(tmp_path / "two", "arm64").stat().st_mode & 0o111


def test_the_dockerfile_takes_the_binary_of_the_target_platform(go: Path, tmp_path: Path) -> None:
    lines = (lay_out(tmp_path / "context", go, Progress(quiet=True)) / "Dockerfile").read_text().splitlines()
    # Declared after FROM, or it is empty in the stage (case C06's usual cause).
    assert lines.index("FROM scratch") < lines.index("ARG TARGETARCH")
    assert "COPY bin/linux/${TARGETARCH}/app /app" in lines
