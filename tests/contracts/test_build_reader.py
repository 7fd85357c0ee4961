"""One suite over the fake BuildReader and the one that reads this machine, so that the fake cannot lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.adapters.builder.docker_command import MISSING
from migrate.adapters.builder.reader import LocalBuildReader
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.facts import BuildSource
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.settings import ImageSettings
from migrate.ports import BuildReader
from tests.fakes.builds import DOCKERFILE, FakeBuildReader
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF

Make = Callable[[Path], BuildReader]
ARM64 = (BuildTarget(LINUX_ARM64, LINUX_AMD64),)
BOTH = (BuildTarget(LINUX_AMD64, LINUX_AMD64), *ARM64)


def real(folder: Path) -> BuildReader:
    instances = folder / "buildx" / "instances"
    instances.mkdir(parents=True)
    platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
    node = {"Name": "multi-platform0", "Endpoint": "ssh://builder", "Platforms": platforms}
    built = {"Name": "multi-platform", "Driver": "docker-container", "Nodes": [node]}
    (instances / "multi-platform").write_text(json.dumps(built))
    (folder / "buildx" / "current").write_text(json.dumps({"Key": "", "Name": "multi-platform", "Global": True}))
    for name, content in (("amd64", AMD64_ELF), ("arm64", ARM64_ELF)):
        path = folder / "app" / "bin" / "linux" / name / "app"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (folder / "app" / "Dockerfile").write_text(DOCKERFILE)
    environment = {"HOME": str(folder), "BUILDX_CONFIG": str(folder / "buildx")}
    return LocalBuildReader(environment, lambda _: (MISSING, "", ""), folder / "none")


def fake(folder: Path) -> BuildReader:
    del folder
    return FakeBuildReader()


@pytest.fixture(params=[real, fake], ids=["real", "fake"])
def builds(request: pytest.FixtureRequest, tmp_path: Path) -> BuildReader:
    make: Make = request.param
    return make(tmp_path)


@pytest.fixture
def context(tmp_path: Path) -> ImageSettings:
    return ImageSettings("web", context=str(tmp_path / "app"))


def test_a_builder_says_name_driver_and_platforms(builds: BuildReader) -> None:
    found = builds.builder("multi-platform")
    assert (found.name, found.driver, found.named) == ("multi-platform", "docker-container", True)
    assert found.platforms == (LINUX_AMD64, LINUX_ARM64)
    assert found.problem == ""


def test_without_a_name_it_is_the_current_one(builds: BuildReader) -> None:
    assert builds.builder(None).name == "multi-platform"


def test_a_name_that_is_none_has_no_driver_and_tells_the_others(builds: BuildReader) -> None:
    found = builds.builder("tpyo")
    assert (found.name, found.driver, found.named) == ("tpyo", "", True)
    assert "multi-platform" in found.problem


def test_the_source_holds_the_programs_that_the_targets_copy(builds: BuildReader, context: ImageSettings) -> None:
    def programs(source: BuildSource) -> list[str]:
        return [program.path for program in source.programs]

    assert builds.source(context, ARM64).dockerfile == DOCKERFILE
    assert programs(builds.source(context, ARM64)) == ["bin/linux/arm64/app"]
    assert programs(builds.source(context, BOTH)) == ["bin/linux/amd64/app", "bin/linux/arm64/app"]
