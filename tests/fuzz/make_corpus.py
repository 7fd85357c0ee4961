"""Makes the seeds of the corpus anew: ``python -m tests.fuzz.make_corpus``. Findings beside them are left alone."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping

from backports import zstd

from tests.fakes.elf_content import dynamic_elf
from tests.fakes.image_content import (
    AMD64_ELF,
    ARM64_ELF,
    Entry,
    Shelf,
    attestation,
    directory,
    hard_link,
    link,
    tar,
    two_platforms,
)
from tests.fakes.streams import Unseekable
from tests.fuzz.targets import CORPUS

_PIECE = b"\xff"
"""The first byte of a seed that is cut into pieces: how large they are."""


def _zip(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, seekable: bool = True) -> bytes:
    buffer = io.BytesIO()
    target = buffer if seekable else Unseekable(buffer)
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            # A time of its own would make other bytes every time.
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def _documents() -> dict[str, bytes]:
    shelf = Shelf()
    amd64, arm64, _ = two_platforms(shelf)
    shelf.index(amd64, arm64, attestation(arm64))
    seeds = {f"document-{number}": body for number, (_, body) in enumerate(dict.fromkeys(shelf.manifests.values()))}
    configs = [body for body in shelf.blobs.values() if body.startswith(b"{")]
    schema_1 = {"schemaVersion": 1, "name": "a", "tag": "b", "architecture": "amd64", "fsLayers": [], "history": []}
    return {**seeds, "config": configs[0], "schema-1": json.dumps(schema_1).encode()}


def _archives() -> dict[str, bytes]:
    usual = (
        directory("usr/bin"),
        Entry("usr/bin/app", dynamic_elf(("libc.so.6",), loader="/lib/ld.so", runpath="$ORIGIN")),
        Entry("run.sh", b"#!/bin/sh\nexec /usr/bin/app\n"),
        Entry("x86", AMD64_ELF),
        Entry("var/lib/dpkg/status", b"Package: a\n", 0o644),
        link("bin", "usr/bin"),
        hard_link("again", "bin/app"),
        Entry("usr/.wh.old"),
        Entry("usr/.wh..wh..opq"),
        Entry("a.jar", _zip({"a.so": ARM64_ELF}), 0o644),
    )
    long = Entry("/".join(["directory-with-a-long-name"] * 8) + "/app", ARM64_ELF)
    return {
        "usual": tar(*usual, format_=tarfile.USTAR_FORMAT),
        "pax": tar(*usual[:3], long),
        "gnu": tar(*usual[:3], long, format_=tarfile.GNU_FORMAT),
        "climbing": tar(Entry("../../etc/app", ARM64_ELF), link("up", "../../.."), Entry("up/x")),
        "loops": tar(link("a", "b"), link("b", "a"), Entry("a/x"), hard_link("c", "c"), link("d", "d/d")),
        "sparse": _sparse(),
    }


def _sparse() -> bytes:
    """Return an archive with a sparse file in GNU's old form, as ``tar --sparse`` writes it."""
    block = bytearray(tar(Entry("sparse"), format_=tarfile.GNU_FORMAT)[:512])
    block[156:157], block[482:483] = b"S", b"\1"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(512) + tar(Entry("after", ARM64_ELF), format_=tarfile.GNU_FORMAT)


def _zips() -> dict[str, bytes]:
    members = {"a/x.py": b"print()\n", "native.so": dynamic_elf(("libc.so.6",)), "empty": b""}
    inner = _zip(members, zipfile.ZIP_STORED)
    return {
        "wheel": _zip(members),
        "stored": _zip(members, zipfile.ZIP_STORED),
        "java": _zip(members, seekable=False),
        "nested": _zip({"BOOT-INF/lib/a.jar": inner, "x86.so": AMD64_ELF}, zipfile.ZIP_STORED),
        "nested-deflated": _zip({"lib/a.jar": inner}),
        "start-script": b"#!/bin/sh\n" + _zip(members),
    }


def _elves() -> dict[str, bytes]:
    needed = ("libssl.so.3", "libc.so.6")
    kinds = {
        f"{32 * (1 + wide)}-{'big' if order == '>' else 'little'}": (wide, order) for wide in (0, 1) for order in "<>"
    }
    found = {
        name: dynamic_elf(needed, loader="/lib/ld.so", runpath="$ORIGIN/../lib:/opt", wide=bool(wide), order=order)
        for name, (wide, order) in kinds.items()
    }
    return {**found, "patched": dynamic_elf(needed, strings_last=True, between=64), "static": ARM64_ELF}


_STAGES = b"""# syntax=docker/dockerfile:1
ARG VERSION=1
FROM --platform=$BUILDPLATFORM golang:${VERSION} AS build
ARG TARGETARCH
RUN --mount=type=cache,target=/go GOARCH=$TARGETARCH go build \\
  -o /app .
FROM scratch
COPY --from=build /app /app
ENTRYPOINT ["/app"]
"""
_HEREDOCS = b"""# escape=`
FROM base@sha256:0
RUN <<-EOF
\tset -e
\tEOF
COPY <<a <<b /
1
a
2
b
"""


def seeds() -> dict[str, dict[str, bytes]]:
    """Return every seed by its target and name."""
    archives, zips = _archives(), _zips()
    return {
        "documents": _documents(),
        "tar": {name: _PIECE + body for name, body in archives.items()},
        "compression": {
            "gzip": _PIECE + gzip.compress(b"content " * 20, mtime=0),
            "members": _PIECE + gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0) + bytes(4),
            "zstd": _PIECE + zstd.compress(b"content " * 20) + b"\x50\x2a\x4d\x18\2\0\0\0ab",
            "plain": _PIECE + b"content",
        },
        "layer": {
            **archives,
            "gzip": gzip.compress(archives["usual"], mtime=0),
            "zstd": zstd.compress(archives["usual"]),
        },
        "elf": {name: _PIECE + body for name, body in _elves().items()},
        "zip": {name: _PIECE + body for name, body in zips.items()},
        "dockerfile": {"stages": _STAGES, "heredocs": _HEREDOCS},
    }


def main() -> None:
    """Write the seeds."""
    for target, found in seeds().items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, body in found.items():
            (CORPUS / target / f"seed-{name}").write_bytes(body)


if __name__ == "__main__":
    main()
