"""The port BuildReader over buildx's files, BuildKit's socket, Docker's command line, and the build context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from migrate.adapters.builder.buildkit import UnreachableBuilderError, asks_directly, executable_platforms
from migrate.adapters.builder.docker_command import (
    Engine,
    RunCommand,
    command_runner,
    inspect_builder,
    inspect_engine,
)
from migrate.adapters.builder.docker_config import DockerConfiguration
from migrate.adapters.builder.local_disk import free_bytes_behind
from migrate.adapters.builder.source import read_source
from migrate.adapters.builder.store import DOCKER_DRIVER, driver_options, find_builder
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.facts import Builder, BuilderNode, BuildSource
from migrate.core.settings import ImageSettings

_ON_THE_ENGINE = frozenset({DOCKER_DRIVER, "docker-container"})
_EMULATORS = Path("/proc/sys/fs/binfmt_misc")


class LocalBuildReader:
    """Reads what a build of this machine's user would be made with. ``environment`` is what Pulumi's plugins get."""

    def __init__(
        self, environment: Mapping[str, str], run: RunCommand | None = None, emulators: Path = _EMULATORS
    ) -> None:
        self._configuration = DockerConfiguration.of(environment)
        self._run = run or command_runner(environment)
        self._emulators = emulators

    def builder(self, name: str | None) -> Builder:
        """Return the builder that docker-build would use, with what it said it can execute."""
        found = find_builder(self._configuration, name)
        if not found.driver:
            return found
        if found.driver == "remote" and all(asks_directly(node.endpoint) for node in found.nodes):
            room = [free_bytes_behind(node.endpoint) for node in found.nodes]
            free = min((count for count in room if count is not None), default=None) if None not in room else None
            nodes = tuple(self._dialled(found.name, node) for node in found.nodes)
            found = replace(found, nodes=nodes, free_bytes=free)
        else:
            found = self._inspected(found)
        if found.driver in _ON_THE_ENGINE:
            found = _with_sockets(_on_engine(found, inspect_engine(self._run)))
        return replace(found, registered=self._registered())

    def source(self, build: ImageSettings, targets: tuple[BuildTarget, ...]) -> BuildSource:
        """Return the Dockerfile and the programs that it copies for any of the targets."""
        return read_source(build, targets)

    def _dialled(self, name: str, node: BuilderNode) -> BuilderNode:
        try:
            platforms = executable_platforms(node.endpoint, driver_options(self._configuration, name))
        except UnreachableBuilderError as error:
            return replace(node, problem=_sentence(str(error)))
        return replace(node, platforms=platforms or node.platforms, asked=bool(platforms))

    def _inspected(self, found: Builder) -> Builder:
        """Ask buildx; it lists what was written down for a node even where that is not running."""
        inspected = inspect_builder(self._run, found.name)
        if inspected is None:
            return found
        if inspected.problem:
            nodes = tuple(replace(node, problem=_sentence(inspected.problem)) for node in found.nodes)
            return replace(found, nodes=nodes)
        return replace(found, nodes=inspected.nodes or found.nodes)

    def _registered(self) -> tuple[str, ...]:
        try:
            return tuple(sorted(path.name for path in self._emulators.glob("qemu-*")))
        except OSError:
            return ()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _with_sockets(found: Builder) -> Builder:
    """Say of nodes on an engine of this machine that is not there; without Docker's command line nobody else would."""
    nodes = []
    for node in found.nodes:
        path = node.endpoint.removeprefix("unix://")
        unheard = not node.problem and not node.asked
        gone = unheard and path != node.endpoint and _is_gone(Path(path))
        nodes.append(replace(node, problem=f"there is no socket {path}.") if gone else node)
    return replace(found, nodes=tuple(nodes))


def _is_gone(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:
        return False


def _on_engine(found: Builder, engine: Engine) -> Builder:
    nodes = found.nodes
    if engine.problem and found.driver == DOCKER_DRIVER:
        nodes = tuple(node if node.problem else replace(node, problem=_sentence(engine.problem)) for node in nodes)
    return replace(found, nodes=nodes, containerd_store=engine.containerd_store, free_bytes=engine.free_bytes)
