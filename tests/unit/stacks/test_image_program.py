from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.desired_state import ImageStackInputs
from migrate.core.settings import ImageMode, ImageSettings
from migrate.core.stack.preview import IMAGE, INDEX
from migrate.errors import EngineError
from stacks.image.program import declare_image_stack
from tests.unit.stacks.recording import REPOSITORY_URL as URL
from tests.unit.stacks.recording import Requested, requested_by

ORIGINAL = f"sha256:{'0' * 64}"
BUILT = f"sha256:{'a' * 64}"
JOINED = f"sha256:{'b' * 64}"
INPUTS = ImageStackInputs(
    repository="demo/app",
    present=True,
    tag="shelf",
    shelf_tag="shelf",
    original_digest=ORIGINAL,
    build=ImageSettings("app", context="app", builder="arm"),
    service_tag="tag1",
)
ANSWERS = {"image": {"digest": BUILT}, "index": {"ref": f"{URL}:shelf@{JOINED}"}, "published": {"ref": "x"}}


def _requested(inputs: ImageStackInputs) -> dict[str, Requested]:
    return requested_by(lambda: declare_image_stack(inputs), ANSWERS)


def test_extend_builds_arm64_only_and_joins_it_with_the_original_manifest() -> None:
    requested = _requested(INPUTS)
    assert requested["image"].inputs["platforms"] == ["linux/arm64"]
    assert requested["index"].inputs["sources"] == [f"{URL}@{ORIGINAL}", f"{URL}@{BUILT}"]
    assert requested["index"].inputs["tag"] == f"{URL}:shelf"


def test_rebuild_builds_both_platforms_and_leaves_the_original_out() -> None:
    requested = _requested(replace(INPUTS, build=replace(INPUTS.build, mode=ImageMode.REBUILD)))
    assert requested["image"].inputs["platforms"] == ["linux/amd64", "linux/arm64"]
    assert requested["index"].inputs["sources"] == [f"{URL}@{BUILT}"]


@pytest.mark.parametrize(
    "inputs", [replace(INPUTS, present=False), replace(INPUTS, build=ImageSettings("app", ImageMode.EXTERNAL))]
)
def test_before_stage_1_and_in_mode_external_there_is_only_the_lookup(inputs: ImageStackInputs) -> None:
    assert _requested(inputs) == {}


def test_on_the_shelf_the_services_tag_stands_for_the_original_and_nothing_is_pushed_to_it() -> None:
    published = _requested(INPUTS)["published"].inputs
    assert (published["tag"], published["sources"]) == (f"{URL}:tag1", [f"{URL}@{ORIGINAL}"])
    assert published["push"] is False


def test_published_the_services_tag_is_a_copy_of_the_index() -> None:
    published = _requested(replace(INPUTS, tag="tag1"))["published"].inputs
    assert (published["tag"], published["sources"]) == (f"{URL}:tag1", [f"{URL}:shelf@{JOINED}"])
    assert published["push"] is True


def test_no_step_changes_a_tag_because_a_changed_tag_replaces_an_index() -> None:
    steps = (
        INPUTS,
        replace(INPUTS, tag="tag1"),
        replace(INPUTS, tag="tag1", frozen=True),
        replace(INPUTS, frozen=True),
    )
    tags = {
        tuple(sorted((name, item.inputs["tag"]) for name, item in _requested(step).items() if item.type == INDEX))
        for step in steps
    }
    assert tags == {(("index", f"{URL}:shelf"), ("published", f"{URL}:tag1"))}


def test_c30_everything_is_retained_and_the_build_holds_no_tag_that_a_delete_could_take_away() -> None:
    requested = _requested(INPUTS)
    assert {item.type for item in requested.values()} == {IMAGE, INDEX}
    assert all(item.retained for item in requested.values())
    assert "tags" not in requested["image"].inputs


def test_c27_the_build_is_pushed_by_its_export_and_never_built_in_a_preview() -> None:
    image = _requested(INPUTS)["image"].inputs
    assert (image["push"], image["buildOnPreview"]) == (False, False)
    (export,) = image["exports"]
    assert export["registry"]["names"] == [URL]
    assert export["registry"]["pushByDigest"] is True


def test_c26_every_tag_is_known_at_preview() -> None:
    requested = requested_by(lambda: declare_image_stack(INPUTS), ANSWERS, preview=True)
    assert {requested[name].inputs["tag"] for name in ("index", "published")} == {f"{URL}:shelf", f"{URL}:tag1"}


def test_the_preview_of_a_rebuild_has_a_source_that_differs() -> None:
    unbuilt = {**ANSWERS, "image": {"digest": ""}}
    requested = requested_by(lambda: declare_image_stack(INPUTS), unbuilt, preview=True)
    assert requested["index"].inputs["sources"] == [f"{URL}@{ORIGINAL}", f"{URL}:shelf"]


def test_a_build_without_a_digest_fails() -> None:
    with pytest.raises(EngineError, match="without a digest"):
        requested_by(lambda: declare_image_stack(INPUTS), {**ANSWERS, "image": {"digest": ""}})


def test_what_the_settings_say_of_the_build_is_passed_on() -> None:
    build = ImageSettings(
        "app", context="app", dockerfile="app/Dockerfile.arm", target="run", builder="b", build_arguments=(("A", "1"),)
    )
    image = _requested(replace(INPUTS, build=build))["image"].inputs
    assert image["context"] == {"location": "app"}
    assert image["dockerfile"] == {"location": "app/Dockerfile.arm"}
    assert (image["target"], image["builder"], image["buildArgs"]) == ("run", {"name": "b"}, {"A": "1"})
