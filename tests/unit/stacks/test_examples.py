from __future__ import annotations

from stacks.examples.image_with_docker_build import declare_multi_platform_image, declare_single_platform_image
from stacks.examples.repository import declare_repository
from stacks.examples.single_platform_with_docker import declare_image
from tests.unit.stacks.recording import REPOSITORY_URL, requested_by

_REPOSITORY = {"repository": {"repositoryUrl": REPOSITORY_URL, "registryId": "123456789012"}}


def test_the_docker_package_builds_one_platform_and_pushes_it() -> None:
    requested = requested_by(lambda: declare_image("app"), _REPOSITORY)
    image = requested["image"].inputs
    assert requested["repository"].inputs["forceDelete"] is True
    assert image["imageName"] == f"{REPOSITORY_URL}:tag1"
    assert (image["build"]["platform"], image["build"]["context"]) == ("linux/amd64", "app")
    assert image["skipPush"] is False


def test_the_docker_package_gets_the_token_as_a_secret() -> None:
    image = requested_by(lambda: declare_image("app"), _REPOSITORY)["image"].inputs
    assert (image["registry"]["server"], image["registry"]["username"]) == (REPOSITORY_URL, "AWS")
    assert image["registry"]["password"]["value"] == "token"


def test_from_one_platform_to_two_nothing_but_the_platforms_changes() -> None:
    one = requested_by(lambda: declare_single_platform_image("demo/app", "app", "b"))["image"].inputs
    two = requested_by(lambda: declare_multi_platform_image("demo/app", "app", "b"))["image"].inputs
    assert one["platforms"] == ["linux/amd64"]
    assert two["platforms"] == ["linux/amd64", "linux/arm64"]
    assert {**one, "platforms": None} == {**two, "platforms": None}
    assert one["tags"] == [f"{REPOSITORY_URL}:tag1"]


def test_c27_a_pushed_image_does_not_claim_to_be_built_in_a_preview() -> None:
    image = requested_by(lambda: declare_multi_platform_image("demo/app", "app"))["image"].inputs
    assert (image["push"], image["buildOnPreview"]) == (True, False)


def test_the_repository_may_be_deleted_with_its_images() -> None:
    requested = requested_by(lambda: declare_repository("demo/app"), _REPOSITORY)
    assert requested["repository"].inputs == {
        **requested["repository"].inputs,
        "name": "demo/app",
        "forceDelete": True,
    }
