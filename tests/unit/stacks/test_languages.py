"""The programs in C# and TypeScript parse, and name what the providers know; nothing here can run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pulumi_aws as aws
import pulumi_docker as docker
import pulumi_docker_build as docker_build
import pytest
from tree_sitter import Language, Node, Parser
from tree_sitter_c_sharp import language as c_sharp
from tree_sitter_typescript import language_typescript

from migrate.core.settings import PROGRAM_KEYS
from tests.docs.markdown import ROOT

PROGRAMS = ROOT / "stacks" / "components" / "languages"
PACKAGES: dict[str, Any] = {"aws": aws, "docker": docker, "build": docker_build}
CONTRACT = (ROOT / "stacks" / "components" / "README.md").read_text(encoding="utf-8")
KEYS = set(PROGRAM_KEYS) - {"stage"}
MADE = {"image", "web-image-build", "web-image-index", "web-image-published", "web-task", "web-task-arm64"}


def parsed(name: str) -> Node:
    grammar = c_sharp() if name.endswith(".cs") else language_typescript()
    root = Parser(Language(grammar)).parse((PROGRAMS / name).read_bytes()).root_node
    assert not root.has_error
    return root


def nodes(root: Node, kind: str) -> Iterator[Node]:
    if root.type == kind:
        yield root
    for child in root.children:
        yield from nodes(child, kind)


def text(node: Node | None) -> str:
    assert node is not None
    assert node.text is not None
    return node.text.decode()


def arguments_class(path: list[str]) -> Any:
    """Return the provider's own class of arguments by its path in the package, as ``aws, ecs, ServiceArgs``."""
    package, *modules, name = (part if part[-4:] == "Args" else part.lower() for part in path)
    found = PACKAGES[package]
    for module in modules:
        found = found if module == "inputs" else getattr(found, module)
    return getattr(found, name)


def properties(kind: Any) -> dict[str, Any]:
    """Return a class's properties by the names of the provider's schema, each with the class of what is inside."""
    getters = {name: item.fget for name, item in vars(kind).items() if isinstance(item, property)}
    return {getattr(getter, "_pulumi_name", None) or name: _inside(kind, getter) for name, getter in getters.items()}


def _inside(kind: Any, getter: Any) -> Any:
    named = re.findall(r"(\w+Args)\b", str(getter.__annotations__["return"]))
    package = __import__(kind.__module__.rpartition(".")[0], fromlist=["_"])
    return getattr(package, named[0], None) if named else None


def test_c_sharp_names_what_the_providers_know() -> None:
    seen = set()
    for made in nodes(parsed("Program.cs"), "object_creation_expression"):
        path = text(made.child_by_field_name("type")).split(".")
        initializer = made.child_by_field_name("initializer")
        if initializer is None or path[0].lower() not in PACKAGES:
            continue
        known = {name[:1].upper() + name[1:] for name in properties(arguments_class(path))}
        assigned = [item for item in initializer.named_children if item.type == "assignment_expression"]
        assert {text(item.child_by_field_name("left")) for item in assigned} <= known, path
        seen.add(path[-1])
    assert {"ImageArgs", "IndexArgs", "ExportRegistryArgs", "TaskDefinitionRuntimePlatformArgs"} <= seen


def test_c_sharp_names_platforms_that_the_builder_knows() -> None:
    named = {text(item) for item in nodes(parsed("Program.cs"), "member_access_expression")}
    platforms = {name.rpartition(".")[2] for name in named if name.startswith("Build.Platform.")}
    assert {name.lower().replace("_", "/") for name in platforms} == {"linux/amd64", "linux/arm64"}


def test_c_sharp_changes_arguments_that_the_providers_know() -> None:
    known = properties(aws.ecs.ServiceArgs).keys() | properties(aws.ecs.TaskDefinitionArgs).keys()
    lefts = [text(item.child_by_field_name("left")) for item in nodes(parsed("Program.cs"), "assignment_expression")]
    changed = {left.split(".")[1] for left in lefts if left.startswith(("service.", "arguments."))}
    assert {name[:1].lower() + name[1:] for name in changed} <= known
    assert "CapacityProviderStrategies" in changed


def test_typescript_names_what_the_providers_know() -> None:
    seen = set()
    for made in nodes(parsed("index.ts"), "new_expression"):
        path = text(made.child_by_field_name("constructor")).split(".")
        for given in made.child_by_field_name("arguments").named_children:  # type: ignore[union-attr]
            if given.type == "object":
                check_object(given, arguments_class([*path[:-1], f"{path[-1]}Args"]))
                seen.add(path[-1])
    assert seen == {"Image", "Index", "TaskDefinition", "Service"}


def check_object(given: Node, kind: Any) -> None:
    known = properties(kind)
    for pair in given.named_children:
        name = text(pair.child_by_field_name("key") if pair.type == "pair" else pair)
        if pair.type in {"comment", "spread_element"}:
            continue
        assert name in known, (kind, name)
        value = pair.child_by_field_name("value") if pair.type == "pair" else None
        values = value.named_children if value is not None and value.type == "array" else [value]
        for item in values:
            if item is not None and item.type == "object" and known[name] is not None:
                check_object(item, known[name])


@pytest.mark.parametrize("name", ["Program.cs", "index.ts"])
def test_every_program_reads_keys_of_the_contract_and_makes_what_the_components_make(name: str) -> None:
    parsed(name)
    program = (PROGRAMS / name).read_text(encoding="utf-8")
    read = re.findall(r"(?:config|Migrate)\.[Gg]et\w*(?:<.+?>)?\(\"(\w+)\"\)", program)
    assert set(read) == KEYS
    assert set(re.findall(r'"([\w-]+)"', program)) >= MADE


def test_the_contract_in_words_has_the_keys_that_the_tool_sets() -> None:
    assert set(re.findall(r"^\| `migrate:(\w+)`", CONTRACT, flags=re.MULTILINE)) == set(PROGRAM_KEYS)
