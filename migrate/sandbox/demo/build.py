"""The demo's build context: a Dockerfile and a static binary for each architecture, right or with case C06's defect."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from migrate.sandbox.toolchain.cache import CacheEntry, provide, recipe_hash
from migrate.sandbox.toolchain.commands import run
from migrate.sandbox.toolchain.golang import go_environment
from migrate.sandbox.toolchain.progress import Progress

SERVICE = Path(__file__).parent / "service"
VERSION = "tag1"
ARCHITECTURES = ("amd64", "arm64")
_BUILD_TIMEOUT_SECONDS = 600.0
_ELF_HEADER_BYTES = 64


def binary(context: Path, architecture: str) -> Path:
    """Return where the Dockerfile takes the binary for ``architecture`` (``amd64``, ``arm64``) from."""
    return context / "bin" / "linux" / architecture / "app"


def lay_out(context: Path, go: Path, progress: Progress | None = None) -> Path:
    """Write the build context into ``context``, compiling with ``go`` once; what was broken there is right again."""
    progress = progress or Progress()
    entry = _entry()

    def make(target: Path) -> None:
        with progress.step("compiling the demo's service for amd64 and arm64", usually="30 s to 1 min"):
            for architecture in ARCHITECTURES:
                _compile(go, binary(target, architecture), architecture, entry.log)

    built = provide(entry, make, progress)
    context.mkdir(parents=True, exist_ok=True)
    _copy(SERVICE / "Dockerfile", context / "Dockerfile")
    for architecture in ARCHITECTURES:
        _copy(binary(built, architecture), binary(context, architecture))
    return context


def _entry() -> CacheEntry:
    sources = tuple(file for file in SERVICE.iterdir() if file.suffix in {".go", ".mod"})
    return CacheEntry("demo-service", VERSION, recipe_hash(sources), "bin/linux/arm64/app")


def _compile(go: Path, target: Path, architecture: str, log: Path) -> None:
    link = f"-s -w -X main.version={VERSION}"
    run(
        [go, "build", "-trimpath", "-ldflags", link, "-o", target, "."],
        part=f"The demo's service for {architecture}",
        log=log,
        timeout=_BUILD_TIMEOUT_SECONDS,
        cwd=SERVICE,
        environment=go_environment(architecture),
    )


def break_arm64_binary(context: Path) -> None:
    """Put the x86-64 binary where the arm64 one belongs: the metadata will say arm64 all the same (case C06)."""
    _copy(binary(context, "amd64"), binary(context, "arm64"))


def cut_off_arm64_binary(context: Path) -> None:
    """Leave no more than its header of the arm64 binary: it looks right and ends with code 255 when it is started."""
    program = binary(context, "arm64")
    program.write_bytes(program.read_bytes()[:_ELF_HEADER_BYTES])
    os.utime(program, (0, 0))


def hide_amd64_binary(context: Path) -> None:
    """Pack the x86-64 binary into an archive that the Dockerfile unpacks: only the image that is built shows it."""
    packed = binary(context, "arm64").with_suffix(".tar")
    with tarfile.open(packed, "w") as archive:
        archive.add(binary(context, "amd64"), "app")
    dockerfile = context / "Dockerfile"
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    unpacked = ["ADD bin/linux/${TARGETARCH}/app.tar /" if line.startswith("COPY ") else line for line in lines]
    dockerfile.write_text("\n".join(unpacked) + "\n", encoding="utf-8")


def repair_arm64_binary(context: Path) -> None:
    """Put Dockerfile and arm64 binary back, the latter from where ``lay_out`` keeps what it compiled."""
    binary(context, "arm64").with_suffix(".tar").unlink(missing_ok=True)
    _copy(SERVICE / "Dockerfile", context / "Dockerfile")
    _copy(binary(_entry().path, "arm64"), binary(context, "arm64"))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    beside.chmod(0o755 if source.name == "app" else 0o644)
    # A fixed time, so that the same binary always gives the same layer and digest.
    os.utime(beside, (0, 0))
    beside.replace(target)
