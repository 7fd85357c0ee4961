"""C33 where order is open: no order of sets and no noise makes a difference, and no real change is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.documents import document, fields
from migrate.core.facts import Architecture
from migrate.core.task_definition import equivalent, normalised, registrable, with_architecture

NAMES = st.text("ABCabc_", min_size=1, max_size=4)
PAIRS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=4, unique_by=lambda item: item["name"]
)
PORTS = st.lists(st.fixed_dictionaries({"containerPort": st.integers(1, 65535)}), max_size=2)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES, "image": NAMES},
        optional={
            "environment": PAIRS,
            "portMappings": PORTS,
            "cpu": st.integers(0, 2) | st.none(),
            "essential": st.booleans(),
            "command": st.lists(NAMES, max_size=2),
            "user": st.sampled_from(["0", "app"]),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda item: item["name"],
)
DEFINITIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"family": NAMES, "networkMode": st.sampled_from(["awsvpc", "bridge"]), "containerDefinitions": CONTAINERS},
    optional={
        "volumes": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2, unique_by=lambda item: item["name"]),
        "runtimePlatform": st.sampled_from([{}, {"cpuArchitecture": "X86_64"}, {"operatingSystemFamily": "LINUX"}]),
    },
)


def noisy(draw: st.DrawFn, container: dict[str, Any], mode: str) -> dict[str, Any]:
    """Return the same container in the words of another tool."""
    made = {name: value for name, value in container.items() if value not in (None, [])}
    if "environment" in made:
        made["environment"] = draw(st.permutations(made["environment"]))
    for name in ("mountPoints", "volumesFrom", "systemControls", "command", "environment", "portMappings"):
        if name not in made and draw(st.booleans()):
            made[name] = draw(st.sampled_from([[], None]))
    if made.get("portMappings") and draw(st.booleans()):
        host = {"awsvpc": None, "bridge": 0}[mode]
        made["portMappings"] = [
            {**port, "hostPort": port["containerPort"] if host is None else host, "protocol": "tcp"}
            for port in made["portMappings"]
        ]
    if made.get("essential", True) and draw(st.booleans()):
        made["essential"] = True
    if not made.get("cpu") and draw(st.booleans()):
        made["cpu"] = 0
    return made


@st.composite
def retold(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    told = draw(DEFINITIONS)
    mode = told["networkMode"]
    containers = [noisy(draw, item, mode) for item in draw(st.permutations(told["containerDefinitions"]))]
    again = {**told, "containerDefinitions": containers, "revision": 7, "status": "ACTIVE", "taskRoleArn": None}
    if "volumes" in again:
        again["volumes"] = draw(st.permutations(again["volumes"]))
    return told, again


@given(retold())
def test_c33_the_same_definition_retold_is_equal(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    told, again = map(document, pair)
    assert equivalent(told, again)
    assert equivalent(again, told)


@given(DEFINITIONS)
def test_c33_normalising_twice_is_normalising_once(told: dict[str, Any]) -> None:
    once = normalised(document(told))
    assert normalised(once) == once


@given(DEFINITIONS, st.sampled_from(["image", "environment", "command", "user"]))
def test_c33_a_real_change_of_a_container_is_seen(told: dict[str, Any], name: str) -> None:
    changed: Any = {"image": "other:1", "environment": [{"name": "Z", "value": "9"}], "command": ["z"], "user": "z"}
    first, *rest = told["containerDefinitions"]
    other = {**told, "containerDefinitions": [{**first, name: changed[name]}, *rest]}
    assert not equivalent(document(told), document(other))


@given(DEFINITIONS, st.sampled_from(Architecture))
def test_c53_nothing_but_the_platform_changes_and_again_nothing(
    told: dict[str, Any], architecture: Architecture
) -> None:
    moved = with_architecture(document(told), architecture)
    assert with_architecture(moved, architecture) == moved
    after = fields(moved)
    assert after.pop("runtimePlatform") == {
        "cpuArchitecture": architecture.value,
        "operatingSystemFamily": "LINUX",
    }
    before = registrable(document(told))
    before.pop("runtimePlatform", None)
    assert after == before
