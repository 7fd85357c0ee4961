"""From pulumi-docker to docker-build: a state in, a state out, and nothing else in it touched (cases C28, C30)."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.stack.docker_build_entry import NEW_IMAGE
from migrate.core.stack.docker_state import OLD_COMPONENT, OLD_IMAGE, REGISTRY_IMAGE, Adoption, Fate, adoption
from migrate.errors import BlockedError, SettingsError
from tests.fakes.docker_states import DIGEST, SECRET, STACK, docker_provider, exported, old_image

TAG = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:tag1"
NEW_PROVIDER = f"{STACK}::pulumi:providers:docker-build::default_0_0_22"


def adopted(state: object) -> Adoption:
    return adoption(state, "0.0.22")


def entries(value: Adoption) -> dict[str, dict[str, Any]]:
    return {entry["urn"]: entry for entry in value.state["deployment"]["resources"]}


def other(name: str, kind: str = "aws:ecs/taskDefinition:TaskDefinition", **more: Any) -> dict[str, Any]:
    return {"urn": f"{STACK}::{kind}::{name}", "custom": True, "id": name, "type": kind, **more}


def pushed_image(**build: Any) -> dict[str, Any]:
    return old_image(TAG, DIGEST, **build)


def test_an_image_becomes_docker_builds_with_tag_and_digest_that_were_pushed() -> None:
    state = exported(docker_provider(), pushed_image(target="run", args={"A": "b"}))
    before = deepcopy(state)
    found = adopted(state)
    assert state == before
    (image,) = found.images
    assert (image.fate, image.tag, image.digest, image.notes) == (Fate.ADOPTED, TAG, DIGEST, ())
    entry = entries(found)[f"{STACK}::{NEW_IMAGE}::image"]
    assert (entry["id"], entry["type"], entry["retainOnDelete"]) == (DIGEST, NEW_IMAGE, True)
    assert entry["inputs"]["tags"] == [TAG]
    assert entry["inputs"]["context"] == {"location": "app"}
    assert entry["inputs"]["dockerfile"]["location"] == "app/Dockerfile"
    assert (entry["inputs"]["platforms"], entry["inputs"]["target"]) == (["linux/amd64"], "run")
    assert entry["inputs"]["buildArgs"] == {"A": "b"}
    assert (entry["outputs"]["digest"], entry["outputs"]["ref"]) == (DIGEST, f"{TAG}@{DIGEST}")
    assert entry["created"] == "2026-01-02T03:04:05Z"


def test_a_password_stays_encrypted_as_it_is_and_plain_text_is_left_out() -> None:
    image = pushed_image()
    found = adopted(exported(docker_provider(), image))
    registry = entries(found)[f"{STACK}::{NEW_IMAGE}::image"]["inputs"]["registries"][0]
    assert registry["password"] == SECRET
    image["inputs"]["registry"]["password"] = "eyJwbGFpbiI6MX0="
    found = adopted(exported(docker_provider(), image))
    assert "eyJwbGFpbiI6MX0=" not in json.dumps(found.state)
    assert "plain text" in found.images[0].notes[0]


def test_the_new_provider_comes_before_its_image_and_the_idle_one_goes() -> None:
    found = adopted(exported(docker_provider(), pushed_image()))
    _, provider, image = found.state["deployment"]["resources"]
    assert provider["urn"] == NEW_PROVIDER
    assert image["provider"] == f"{NEW_PROVIDER}::{provider['id']}"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", provider["id"])


def test_the_old_provider_stays_where_something_uses_it() -> None:
    user = other("network", "docker:index/network:Network", provider=f"{docker_provider()['urn']}::1f6a")
    found = adopted(exported(docker_provider(), pushed_image(), user))
    assert docker_provider()["urn"] in entries(found)


def test_docker_builds_own_provider_is_taken_where_it_is_there_already_even_behind_the_image() -> None:
    kind = "pulumi:providers:docker-build"
    provider = other("default_0_0_15", kind)
    built = other("other", NEW_IMAGE, provider=f"{provider['urn']}::default_0_0_15")
    found = adopted(exported(docker_provider(), pushed_image(), provider, built))
    order = list(entries(found))
    assert NEW_PROVIDER not in order
    assert order.index(provider["urn"]) < order.index(f"{STACK}::{NEW_IMAGE}::image") < order.index(built["urn"])


def test_whatever_refers_to_the_image_or_stands_below_it_follows() -> None:
    image = pushed_image()
    image["urn"] = f"{STACK}::shop:App${OLD_IMAGE}::image"
    below = other("below", parent=image["urn"], deletedWith=image["urn"])
    below["urn"] = f"{STACK}::shop:App${OLD_IMAGE}${below['type']}::below"
    user = other("user", dependencies=[image["urn"], below["urn"]], propertyDependencies={"x": [image["urn"]]})
    found = entries(adopted(exported(docker_provider(), image, below, user)))
    new = f"{STACK}::shop:App${NEW_IMAGE}::image"
    moved = f"{STACK}::shop:App${NEW_IMAGE}${below['type']}::below"
    assert (found[moved]["parent"], found[moved]["deletedWith"]) == (new, new)
    assert found[user["urn"]]["dependencies"] == [new, moved]
    assert found[user["urn"]]["propertyDependencies"] == {"x": [new]}
    assert OLD_IMAGE not in json.dumps(list(found.values()))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"inputs": {"imageName": TAG, "skipPush": True}}, "never pushed"),
        ({"outputs": {"imageName": TAG}}, "which tag and digest"),
        ({"outputs": {"imageName": TAG, "repoDigest": SECRET}}, "which tag and digest"),
        ({"external": True}, "only read"),
    ],
)
def test_an_image_that_cannot_be_taken_over_is_left_and_its_removal_is_harmless(
    change: dict[str, Any], why: str
) -> None:
    state = exported(docker_provider(), {**pushed_image(), **change})
    found = adopted(state)
    assert not found.changes
    assert found.state == state
    assert why in found.images[0].text
    assert "touches no registry" in found.images[0].text


def test_two_of_the_same_name_are_not_made_one() -> None:
    state = exported(docker_provider(), pushed_image(), other("image", NEW_IMAGE))
    found = adopted(state)
    assert (found.changes, found.state) == (False, state)
    assert [item.fate for item in found.images] == [Fate.LEFT, Fate.LEFT]


def test_c30_an_image_that_a_removal_would_delete_is_retained_and_nothing_else_of_it_changes() -> None:
    entry = other("pushed", REGISTRY_IMAGE, outputs={"name": TAG, "sha256Digest": DIGEST}, inputs={"name": TAG})
    found = adopted(exported(entry))
    assert found.changes
    assert entries(found)[entry["urn"]] == {**entry, "retainOnDelete": True}
    assert (found.images[0].fate, found.images[0].digest) == (Fate.RETAINED, DIGEST)
    kept = adopted(exported({**entry, "inputs": {"name": TAG, "keepRemotely": True}}))
    assert (kept.changes, kept.images[0].fate) == (False, Fate.LEFT)


def test_a_component_of_version_3_has_nothing_behind_it() -> None:
    state = exported(other("image", OLD_COMPONENT, custom=False, outputs={"imageName": TAG}))
    found = adopted(state)
    assert (found.changes, found.state) == (False, state)
    assert "nothing stands behind it" in found.images[0].text


@pytest.mark.parametrize(("retained", "told"), [(True, "touches no registry"), (False, "set retain_on_delete")])
def test_an_image_of_docker_build_is_told_what_its_removal_does(retained: bool, told: str) -> None:
    outputs = {"tags": [TAG], "digest": DIGEST}
    found = adopted(exported(other("built", NEW_IMAGE, outputs=outputs, retainOnDelete=retained)))
    assert (found.changes, found.images[0].digest) == (False, DIGEST)
    assert told in found.images[0].text


def test_a_stack_that_is_not_at_rest_is_refused() -> None:
    with pytest.raises(BlockedError, match="pending operations"):
        adopted(exported(docker_provider(), pushed_image(), pending_operations=[{"type": "creating"}]))
    with pytest.raises(BlockedError, match="waits to be deleted"):
        adopted(exported(docker_provider(), pushed_image(), {**pushed_image(), "delete": True}))


@pytest.mark.parametrize(
    "given_state",
    [
        None,
        [],
        {},
        {"version": 3},
        {"version": 1, "deployment": {}},
        {"version": 3, "checkpoint": {}},
        {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b", "type": "x"}]}},
        {"version": 3, "deployment": {"resources": ["x"]}},
    ],
)
def test_what_is_no_exported_state_is_refused(given_state: object) -> None:
    with pytest.raises(SettingsError):
        adopted(given_state)


@pytest.mark.parametrize("resources", [[], None])
def test_an_empty_stack_has_nothing_to_adopt(resources: object) -> None:
    assert not adopted({"version": 3, "deployment": {"resources": resources}}).images


def test_what_the_code_has_to_say_anew_is_told() -> None:
    image = pushed_image(cacheFrom={"images": ["x"]}, builderVersion="BuilderBuildKit")
    image["provider"] = f"{STACK}::pulumi:providers:docker::remote::1"
    notes = " ".join(adopted(exported(docker_provider(), image)).images[0].notes)
    assert "build.cacheFrom" in notes
    assert "build.builderVersion" in notes
    assert "own provider" in notes
    secret = {**pushed_image(), "inputs": {"imageName": TAG, "build": SECRET, "registry": SECRET}}
    found = adopted(exported(docker_provider(), secret))
    assert [note.partition(" ")[0] for note in found.images[0].notes] == ["build", "registry"]
    assert entries(found)[f"{STACK}::{NEW_IMAGE}::image"]["inputs"]["context"] == {"location": "."}


KINDS = st.sampled_from(["image", "unpushed", "registry", "component", "built", "task"])


@given(st.lists(KINDS, max_size=8), st.randoms(use_true_random=False))
def test_whatever_is_in_the_state_nothing_dangles_and_a_second_time_changes_nothing(
    kinds: list[str], random: Any
) -> None:
    resources: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds):
        entry = _entry(kind, number)
        entry["dependencies"] = random.sample([item["urn"] for item in resources], k=min(2, len(resources)))
        resources.append(entry)
    state = exported(docker_provider(), *resources)
    found = adopted(state)
    after = found.state["deployment"]["resources"]
    seen: set[str] = set()
    for entry in after:
        named = {*entry.get("dependencies", ()), *filter(None, [entry.get("provider", "").rpartition("::")[0]])}
        assert named <= seen
        seen.add(entry["urn"])
    assert [entry["urn"].split("::", 3)[3] for entry in after if "provider" not in entry["type"]] == [
        entry["urn"].split("::", 3)[3] for entry in state["deployment"]["resources"] if "provider" not in entry["type"]
    ]
    tasks = [{**entry, "dependencies": []} for entry in after if "Task" in entry["type"]]
    assert tasks == [{**entry, "dependencies": []} for entry in resources if "Task" in entry["type"]]
    again = adopted(found.state)
    assert (again.changes, again.state) == (False, found.state)


def _entry(kind: str, number: int) -> dict[str, Any]:
    name = f"{kind}-{number}"
    if kind in ("image", "unpushed"):
        image = {**pushed_image(), "urn": f"{STACK}::{OLD_IMAGE}::{name}"}
        return image if kind == "image" else {**image, "outputs": {}}
    types = {"registry": REGISTRY_IMAGE, "component": OLD_COMPONENT, "built": NEW_IMAGE}
    return other(name, types.get(kind, "aws:ecs/taskDefinition:TaskDefinition"), inputs={"secret": SECRET})
