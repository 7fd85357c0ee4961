"""The programs of the starting article on the real engine: one platform, two platforms, one tag, clean previews."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import LocalWorkspaceOptions, Stack, create_stack
from pulumi.automation.errors import CommandError

from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.events import EventCollector
from migrate.adapters.pulumi.program_state import ProgramState
from migrate.cli.app import run
from migrate.core.stack.docker_state import OLD_IMAGE
from migrate.core.stack.preview import IMAGE, Preview
from migrate.sandbox.demo.build import lay_out
from migrate.sandbox.demo.network import client
from migrate.sandbox.sandbox import Sandbox
from migrate.sandbox.toolchain.progress import Progress
from stacks.examples.image_with_docker_build import declare_multi_platform_image, declare_single_platform_image
from stacks.examples.repository import TAG, declare_repository
from tests.fakes.docker_states import with_old_image

pytestmark = pytest.mark.e2e

REPOSITORY = "article/app"
INDEX_TYPES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}


@dataclass(frozen=True)
class Article:
    """Runs programs as the article's reader does, one after the other in one stack."""

    sandbox: Sandbox
    directory: Path
    context: str

    def stack(self, name: str, program: Callable[[], None]) -> Stack:
        environment = self.sandbox.environment()
        options = LocalWorkspaceOptions(env_vars=environment, pulumi_command=Engine(environment))
        return create_stack("article", project_name=name, program=program, opts=options)

    def images(self, multi_platform: bool) -> Callable[[], None]:
        declare = declare_multi_platform_image if multi_platform else declare_single_platform_image
        return lambda: declare(REPOSITORY, self.context, self.sandbox.builder)

    def tagged(self) -> Any:
        """Return what ECR holds under the tag: media type and body."""
        answer = client(self.sandbox, "ecr").batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])
        return answer["images"][0]


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    directory = tmp_path_factory.mktemp("article")
    with Sandbox.start(directory / "sandbox") as sandbox:
        context = lay_out(directory / "context", sandbox.go, Progress())
        yield Article(sandbox, directory, str(context))


def _previewed(stack: Stack, program: Callable[[], None] | None = None) -> Preview:
    collector = EventCollector()
    stack.preview(on_event=collector, program=program)
    return Preview("article", collector.resources, collector.diagnostics)


def test_one_platform_then_two_under_the_same_tag(article: Article) -> None:
    single, multi = article.images(multi_platform=False), article.images(multi_platform=True)
    stack = article.stack("images", single)
    # Without the repository the article's trap is a lookup that says so, not a tag that is missing.
    with pytest.raises(CommandError, match="couldn't find resource"):
        stack.preview()
    article.stack("repository", lambda: declare_repository(REPOSITORY)).up()
    assert [change.operation for change in _previewed(stack).changes if change.type == IMAGE] == ["create"]
    stack.up()
    held = article.tagged()
    assert held["imageManifestMediaType"] not in INDEX_TYPES
    assert _previewed(stack).changes == ()
    (change,) = _previewed(stack, multi).changes
    assert (change.type, change.operation, change.properties) == (IMAGE, "update", ("platforms",))
    stack.up(program=multi)
    held = article.tagged()
    assert held["imageManifestMediaType"] in INDEX_TYPES
    platforms = [entry["platform"] for entry in json.loads(held["imageManifest"])["manifests"]]
    assert platforms == [{"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"}]
    after = _previewed(stack, multi)
    assert after.changes == ()
    assert not any("unknown" in text for text in after.diagnostics)
    state = article.sandbox.layout.pulumi_state / ".pulumi" / "stacks" / "images" / "article.json"
    token = client(article.sandbox, "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).decode().partition(":")[2] not in state.read_text(encoding="utf-8")


def test_a_program_of_pulumi_docker_gets_to_docker_build_and_loses_nothing(
    article: Article, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = "article/adopted"
    article.stack("adopted-repository", lambda: declare_repository(repository)).up()

    def multi() -> None:
        declare_multi_platform_image(repository, article.context, article.sandbox.builder)

    # pulumi-docker's plugin is not to be had here: what it leaves in the registry and in the state is.
    pushed = article.stack("pushed", lambda: _push_single(repository, article)).up()
    image, digest = (pushed.outputs[name].value for name in ("ref", "digest"))
    tagged = image.partition("@")[0]
    team = article.stack("team", lambda: pulumi.export("token", pulumi.Output.secret("of-the-team")))
    team.up()
    for name, value in article.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    directory = Path(team.workspace.work_dir)
    state = ProgramState(directory, "article", os.environ)
    state.write(with_old_image(state.read(), tagged, digest))
    place = ["adopt", "--directory", str(directory), "--stack", "article"]
    assert run([*place, "--preview", "--output", "json"]) == 0
    assert [item["fate"] for item in json.loads(capsys.readouterr().out)["images"]] == ["adopted"]
    assert run([*place, "--yes"]) == 0
    (kept,) = directory.glob("article.before-adopt-*.json")
    assert str(kept) in capsys.readouterr().out.replace("\n", "")
    assert run([*place, "--yes"]) == 0
    assert "nothing to do" in capsys.readouterr().out

    # Whoever drops the image from the code altogether loses nothing either.
    adopted = state.read()
    team.up(program=lambda: None)
    assert '"docker-build:index:Image"' in adopted
    assert '"docker-build:index:Image"' not in state.read()
    assert [item["imageId"]["imageDigest"] for item in _held(article, repository, {"imageTag": TAG})] == [digest]
    state.write(adopted)

    (change,) = _previewed(team, multi).changes
    assert (change.type, change.name, change.operation) == (IMAGE, "image", "update")
    team.up(program=multi)
    held = _held(article, repository, {"imageTag": TAG}, {"imageDigest": digest})
    assert {item["imageManifestMediaType"] in INDEX_TYPES for item in held} == {True, False}
    assert _previewed(team, multi).changes == ()
    for text in (kept.read_text(encoding="utf-8"), state.read()):
        assert "of-the-team" not in text
    state.write(kept.read_text(encoding="utf-8"))
    assert OLD_IMAGE in state.read()


def _held(article: Article, repository: str, *images: dict[str, str]) -> Any:
    answer = client(article.sandbox, "ecr").batch_get_image(repositoryName=repository, imageIds=list(images))
    return answer["images"]


def _push_single(repository: str, article: Article) -> None:
    declare_single_platform_image(repository, article.context, article.sandbox.builder)
