from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrate.adapters.builder.source import _Walk, read_source
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.dockerignore import IgnoredPaths
from migrate.core.build.facts import BuildSource, ContextProgram
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.settings import ImageSettings
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF

TARGETS = (BuildTarget(LINUX_ARM64, LINUX_AMD64),)


def lay_out(folder: Path, **files: bytes | str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path, dockerfile: str | None = None) -> BuildSource:
    return read_source(ImageSettings("app", context=str(folder), dockerfile=dockerfile), TARGETS)


def paths(found: BuildSource) -> list[str]:
    return [program.path for program in found.programs]


def test_programs_among_what_is_copied_are_found_and_nothing_else(tmp_path: Path) -> None:
    text = "FROM scratch\nARG TARGETARCH\nCOPY bin/$TARGETARCH/ /bin/\nCOPY tools/*.bin /t/\nCOPY notes /n\n"
    lay_out(
        tmp_path,
        Dockerfile=text,
        bin__arm64__app=ARM64_ELF,
        bin__amd64__app=AMD64_ELF,
        tools__a_dot_bin=AMD64_ELF,
        tools__deep__b_dot_bin=AMD64_ELF,
        elsewhere=AMD64_ELF,
        notes="just text",
    )
    found = read(tmp_path)
    assert found.programs == (
        ContextProgram("bin/arm64/app", AARCH64_MACHINE),
        ContextProgram("tools/a.bin", X86_64_MACHINE),
    )
    assert found.dockerfile == text
    assert not found.cut_short


def test_dockerignore_is_heeded_and_that_of_the_dockerfile_first(tmp_path: Path) -> None:
    lay_out(tmp_path, Dockerfile="FROM scratch\nCOPY . /\n", node_modules__a_dot_node=AMD64_ELF, app=AMD64_ELF)
    lay_out(tmp_path, other_dot_Dockerfile="FROM scratch\nCOPY . /\n")
    assert paths(read(tmp_path)) == ["app", "node_modules/a.node"]
    (tmp_path / ".dockerignore").write_text("**/node_modules\n")
    assert paths(read(tmp_path)) == ["app"]
    (tmp_path / "other.Dockerfile.dockerignore").write_text("*\n!node_modules\n")
    assert paths(read(tmp_path, str(tmp_path / "other.Dockerfile"))) == ["node_modules/a.node"]


def test_links_and_what_lies_outside_the_context_are_not_followed(tmp_path: Path) -> None:
    context = lay_out(tmp_path / "context", Dockerfile="FROM scratch\nCOPY ../out /o\nCOPY link loop /l/\n")
    lay_out(tmp_path, out=AMD64_ELF)
    (context / "link").symlink_to(tmp_path / "out")
    (context / "loop").symlink_to(context)
    assert paths(read(context)) == []


def test_the_context_itself_may_be_a_link(tmp_path: Path) -> None:
    lay_out(tmp_path / "real", Dockerfile="FROM scratch\nCOPY app /\n", app=AMD64_ELF)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    assert paths(read(tmp_path / "linked")) == ["app"]


def test_missing_files_are_told_and_not_raised(tmp_path: Path) -> None:
    nowhere = read(tmp_path / "nowhere")
    assert (nowhere.dockerfile, nowhere.context_problem) == (None, "it is not a directory.")
    assert "No such file" in nowhere.problem
    assert "No such file" in read(tmp_path).problem
    (tmp_path / "Dockerfile").write_text("x" * (1 << 20) + "x")
    assert "1 MiB" in read(tmp_path).problem


def test_a_name_that_is_no_text_is_told_as_text(tmp_path: Path) -> None:
    lay_out(tmp_path, Dockerfile="FROM scratch\nCOPY . /\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/app\xff")).write_bytes(AMD64_ELF)
    (found,) = read(tmp_path).programs
    assert found.path == "app\\xff"
    assert found.path.encode()


def test_a_context_of_too_many_files_is_cut_short(tmp_path: Path) -> None:
    lay_out(tmp_path, Dockerfile="FROM scratch\nCOPY . /\n", **{f"f{number}": "x" for number in range(5)})
    walk = _Walk(tmp_path, IgnoredPaths(""), left=3)
    assert list(walk.programs((".",))) == []
    assert walk.left < 0


@pytest.mark.parametrize(
    ("context", "remote"),
    [
        ("https://example.org/app.git", True),
        ("git://example.org/app", True),
        ("git@example.org:team/app.git", True),
        ("ssh://git@example.org/app", True),
        ("github.com/team/app", True),
        (".", False),
        ("app", False),
        ("github", False),
    ],
)
def test_remote_contexts_are_known_by_their_names(context: str, *, remote: bool) -> None:
    assert ImageSettings("app", context=context).is_remote is remote
    if remote:
        found = read_source(ImageSettings("app", context=context), TARGETS)
        assert (found.remote, found.dockerfile, found.problem) == (True, None, "")
