"""The modes and states of an image of a team's, under Pulumi's own test runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_docker_build as docker_build
import pytest

from stacks.components import MultiPlatformImage, MultiPlatformImageArgs
from tests.unit.stacks.recording import REPOSITORY_URL as URL
from tests.unit.stacks.recording import Requested, requested_by

ORIGINAL = f"sha256:{'0' * 64}"
BUILT = f"sha256:{'a' * 64}"
JOINED = f"sha256:{'b' * 64}"
REGISTRY = docker_build.RegistryArgs(address=URL, username="AWS", password="token")
IMAGE = docker_build.ImageArgs(
    tags=[f"{URL}:tag1"],
    platforms=[docker_build.Platform.LINUX_AMD64],
    context=docker_build.BuildContextArgs(location="app"),
    build_args={"A": "1"},
    registries=[REGISTRY],
    push=True,
)
ARGS = MultiPlatformImageArgs(repository_url=URL, tag="tag1", image=IMAGE, image_name="image")
ANSWERS = {
    "image": {"digest": ORIGINAL},
    "web-build": {"digest": BUILT},
    "web-index": {"ref": f"{URL}:migrate-index-tag1@{JOINED}"},
    "web-published": {"ref": "x"},
}
SHELVED = {"image": "shelved", "originalDigest": ORIGINAL}
INDEX = {"image": "index", "originalDigest": ORIGINAL}
OURS = {"web-build", "web-index", "web-published"}


def requested(
    configuration: Mapping[str, str],
    args: MultiPlatformImageArgs = ARGS,
    answers: Mapping[str, Mapping[str, Any]] = ANSWERS,
    *,
    preview: bool = False,
) -> dict[str, Requested]:
    values = {f"{args.namespace}:{key}": value for key, value in configuration.items()}

    def program() -> None:
        MultiPlatformImage("web", args)

    return requested_by(program, answers, configuration=values, preview=preview)


@pytest.mark.parametrize("mode", ["extend", "rebuild"])
@pytest.mark.parametrize("configuration", [{}, {"image": "original", "originalDigest": ORIGINAL}, SHELVED, INDEX])
def test_the_teams_own_image_is_the_same_at_every_stage(mode: str, configuration: dict[str, str]) -> None:
    before = requested_by(lambda: _plain(IMAGE), ANSWERS)["image"]
    after = requested(configuration, replace(ARGS, mode=mode))["image"]
    assert (after.type, after.inputs, after.retained) == (before.type, before.inputs, False)
    assert after.aliases == ({"spec": {"noParent": True}},)


def _plain(arguments: docker_build.ImageArgs) -> None:
    docker_build.Image("image", arguments)


@pytest.mark.parametrize("configuration", [{}, {"image": "original", "originalDigest": ORIGINAL}])
def test_until_it_is_asked_for_nothing_else_is_there(configuration: dict[str, str]) -> None:
    assert set(requested(configuration)) == {"web", "image"}


def test_extend_builds_arm64_alone_and_joins_it_with_the_original() -> None:
    found = requested(SHELVED)
    build = found["web-build"].inputs
    assert (build["platforms"], build["buildArgs"]) == (["linux/arm64"], {"A": "1"})
    assert (build["push"], "tags" in build) == (False, False)
    assert build["exports"][0]["registry"]["pushByDigest"] is True
    index = found["web-index"].inputs
    assert (index["tag"], index["sources"]) == (f"{URL}:migrate-index-tag1", [f"{URL}@{ORIGINAL}", f"{URL}@{BUILT}"])


def test_rebuild_builds_both_platforms() -> None:
    found = requested(SHELVED, replace(ARGS, mode="rebuild"))
    assert found["web-build"].inputs["platforms"] == ["linux/amd64", "linux/arm64"]
    assert found["web-index"].inputs["sources"] == [f"{URL}@{BUILT}"]


def test_on_the_shelf_nothing_is_pushed_to_the_services_tag() -> None:
    published = requested(SHELVED)["web-published"].inputs
    assert (published["tag"], published["sources"]) == (f"{URL}:tag1", [f"{URL}@{ORIGINAL}"])
    assert published["push"] is False


def test_published_the_services_tag_is_a_copy_of_the_index_and_the_way_back_changes_that_alone() -> None:
    shelved, found = requested(SHELVED), requested(INDEX)
    published = found["web-published"].inputs
    assert (published["tag"], published["sources"]) == (f"{URL}:tag1", [f"{URL}:migrate-index-tag1@{JOINED}"])
    assert published["push"] is True
    assert [name for name in found if found[name].inputs != shelved[name].inputs] == ["web-published"]


def test_c30_what_a_stage_has_made_is_retained() -> None:
    assert {name for name, item in requested(INDEX).items() if item.retained} == OURS


def test_the_index_is_pushed_with_the_images_own_credentials() -> None:
    found = requested(INDEX)
    assert found["web-index"].inputs["registry"] == {"address": URL, "username": "AWS", "password": "token"}
    unnamed = docker_build.ImageArgs(push=True, tags=[f"{URL}:tag1"])
    assert "registry" not in requested(INDEX, replace(ARGS, image=unnamed))["web-index"].inputs


def test_credentials_that_are_known_late_are_used_as_well() -> None:
    late = docker_build.ImageArgs(push=True, registries=pulumi.Output.from_input([REGISTRY]))
    index = requested(INDEX, replace(ARGS, image=late))["web-index"].inputs
    assert index["registry"] == {"address": URL, "username": "AWS", "password": "token"}


@pytest.mark.parametrize("digest", ["", BUILT])
def test_a_build_that_would_push_one_platform_over_the_index_ends_in_its_preview(digest: str) -> None:
    changed = {**ANSWERS, "image": {"digest": digest}}
    with pytest.raises(pulumi.RunError, match="would push one platform over it"):
        requested(INDEX, answers=changed, preview=True)
    assert set(requested(SHELVED, answers=changed, preview=True)) == {"web", "image", *OURS}


def test_a_build_without_a_digest_ends_the_program_without_a_traceback() -> None:
    with pytest.raises(pulumi.RunError, match="ended without a digest"):
        requested(SHELVED, answers={**ANSWERS, "web-build": {"digest": ""}})


def test_an_image_that_is_built_elsewhere_gets_its_other_platform_here() -> None:
    found = requested(INDEX, replace(ARGS, built_elsewhere=True))
    assert set(found) == {"web", *OURS}
    assert found["web-index"].inputs["sources"] == [f"{URL}@{ORIGINAL}", f"{URL}@{BUILT}"]


@pytest.mark.parametrize("configuration", [{}, INDEX])
def test_external_builds_nothing_and_still_says_where_the_image_is(configuration: dict[str, str]) -> None:
    args = replace(ARGS, mode="external", image=None)
    seen: list[str] = []

    def program() -> None:
        MultiPlatformImage("web", args).reference.apply(seen.append)

    values = {f"migrate:{key}": value for key, value in configuration.items()}
    assert set(requested_by(program, configuration=values)) == {"web"}
    assert seen == [f"{URL}:tag1"]


def test_the_digest_of_the_index_is_an_output() -> None:
    seen: list[str] = []

    def program() -> None:
        digest = MultiPlatformImage("web", ARGS).index_digest
        assert digest is not None
        digest.apply(seen.append)

    requested_by(program, ANSWERS, configuration={f"migrate:{key}": value for key, value in INDEX.items()})
    assert seen == [JOINED]


@pytest.mark.parametrize(
    ("configuration", "args", "refused"),
    [
        ({"image": "shelved"}, lambda: ARGS, "has no originalDigest"),
        ({}, lambda: replace(ARGS, image=None), "mode extend has to build it"),
        ({}, lambda: replace(ARGS, mode="both"), "none of extend, rebuild, external"),
    ],
)
def test_what_cannot_be_done_ends_the_program_with_a_message(
    configuration: dict[str, str], args: Callable[[], MultiPlatformImageArgs], refused: str
) -> None:
    with pytest.raises(pulumi.RunError, match=refused):
        requested(configuration, args())
