"""The builders that buildx has written down, and which one docker-build would take.

Sources: buildx 0.35 (store/store.go, store/nodegroup.go, store/storeutil), docker-build 0.0.22
(provider/internal/host.go): a name is an instance or a context; without one it is the current instance, or else the
current context with Docker's own driver. Instances are read, never locked or written.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from migrate.adapters.builder.docker_config import DockerConfiguration, read_object
from migrate.core.build.facts import Builder, BuilderNode
from migrate.core.image.names import Platform

DOCKER_DRIVER = "docker"
_HASH_DIGITS = 20


def find_builder(configuration: DockerConfiguration, name: str | None) -> Builder:
    """Return the builder by its name, or the current one; its driver is empty where there is none."""
    instances = _instances(configuration.buildx)
    chosen = (name or _current(configuration, instances) or configuration.current_context).lower()
    others = tuple(sorted(set(instances) - {chosen}))
    overlooked = configuration.environment.get("BUILDX_BUILDER", "")
    if chosen in instances:
        return _from_instance(chosen, instances[chosen], others, overlooked, named=name is not None)
    contexts = configuration.contexts
    asked = name or configuration.current_context
    if asked not in contexts:
        there = ", ".join([*sorted(instances), *contexts])
        problem = f"the builders there are: {there}." if name else f"the Docker context {asked} does not exist."
        return Builder(asked, "", name is not None, others=others, overlooked=overlooked, problem=problem)
    if asked != configuration.current_context:
        problem = f"it is a Docker context, and not the current one ({configuration.current_context})."
        return Builder(asked, "", named=True, others=others, overlooked=overlooked, problem=problem)
    node = BuilderNode(asked, contexts[asked])
    return Builder(asked, DOCKER_DRIVER, name is not None, (node,), others, overlooked=overlooked)


def driver_options(configuration: DockerConfiguration, name: str) -> dict[str, str]:
    """Return the driver's options of an instance's first node."""
    nodes = _instances(configuration.buildx).get(name, {}).get("Nodes")
    first = nodes[0] if isinstance(nodes, list) and nodes and isinstance(nodes[0], dict) else {}
    options = first.get("DriverOpts")
    return {str(key): str(value) for key, value in options.items()} if isinstance(options, dict) else {}


def _instances(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        paths = sorted((folder / "instances").iterdir())
    except OSError:
        paths = []
    return {path.name: value for path in paths if (value := read_object(path)).get("Driver")}


def _current(configuration: DockerConfiguration, instances: dict[str, dict[str, Any]]) -> str:
    folder, key = configuration.buildx, configuration.current_endpoint
    current = read_object(folder / "current")
    name = str(current.get("Name") or "").lower()
    if name and (current.get("Global") or current.get("Key") == key):
        if name in instances:
            return name
        if current.get("Key") == key:
            return ""
    hashed = hashlib.sha256(key.encode()).hexdigest()[:_HASH_DIGITS]
    try:
        name = (folder / "defaults" / hashed).read_text(encoding="utf-8").strip().lower()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if name in instances else ""


def _from_instance(
    name: str, value: dict[str, Any], others: tuple[str, ...], overlooked: str, *, named: bool
) -> Builder:
    nodes = value.get("Nodes")
    found = tuple(_node(item) for item in nodes if isinstance(item, dict)) if isinstance(nodes, list) else ()
    return Builder(name, str(value["Driver"]), named, found, others, overlooked=overlooked)


def _node(value: dict[str, Any]) -> BuilderNode:
    platforms = value.get("Platforms")
    written = [item for item in platforms if isinstance(item, dict)] if isinstance(platforms, list) else []
    return BuilderNode(
        str(value.get("Name", "")),
        str(value.get("Endpoint", "")),
        tuple(
            Platform(str(item.get("os", "")), str(item.get("architecture", "")), str(item.get("variant", ""))).canonical
            for item in written
        ),
    )
