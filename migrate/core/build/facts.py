"""What is known before a build: the builder it would use, the files it would be made from, the images it stands on."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.image.names import Platform


@dataclass(frozen=True, slots=True)
class BuilderNode:
    """One BuildKit of a builder; ``platforms`` are those that it can execute, its own first.

    ``asked`` tells whether it said so itself; otherwise they were written down when the node was made, and none means
    that nobody knows. ``problem`` is set where it was asked and did not answer.
    """

    name: str
    endpoint: str
    platforms: tuple[Platform, ...] = ()
    asked: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """The buildx builder that docker-build would use.

    ``driver`` is buildx's word (docker, docker-container, kubernetes, remote), empty where there is no such builder;
    ``named`` tells whether the settings name it. ``others`` are the builders there are beside it. ``containerd_store``
    is the image store of a Docker engine, ``free_bytes`` the space where the build would put its files; None: unknown.
    ``overlooked`` is what BUILDX_BUILDER names: buildx heeds it, docker-build 0.0.22 does not. ``registered`` are the
    emulators that this machine's kernel was told of, which is not to say that they work.
    """

    name: str
    driver: str
    named: bool
    nodes: tuple[BuilderNode, ...] = ()
    others: tuple[str, ...] = ()
    containerd_store: bool | None = None
    free_bytes: int | None = None
    overlooked: str = ""
    registered: tuple[str, ...] = ()
    problem: str = ""

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """What it can execute, on any of its nodes that answers."""
        return tuple(dict.fromkeys(platform for node in self.nodes if not node.problem for platform in node.platforms))

    @property
    def native(self) -> Platform | None:
        """The platform of its first node itself; BuildKit lists it first."""
        return next((node.platforms[0] for node in self.nodes if node.platforms), None)

    @property
    def is_silent(self) -> bool:
        """Whether not one of its nodes answers."""
        return bool(self.nodes) and all(node.problem for node in self.nodes)


@dataclass(frozen=True, slots=True)
class ContextProgram:
    """An ELF file of the build context: its path below the context, and its e_machine."""

    path: str
    machine: int


@dataclass(frozen=True, slots=True)
class BuildSource:
    """The files that a build is made from. ``dockerfile`` is its text, None where ``problem`` says why.

    ``remote``: the context is fetched by the builder, and nothing of it was looked at. ``programs`` are the ELF files
    among what the Dockerfile copies; ``cut_short`` tells that there was too much to look at all of it.
    """

    context: str
    path: str
    dockerfile: str | None
    remote: bool = False
    context_problem: str = ""
    problem: str = ""
    programs: tuple[ContextProgram, ...] = ()
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that a Dockerfile names, as its registry has it; ``problem`` says why nothing is known of it."""

    image: str
    platforms: tuple[Platform, ...] = ()
    is_index: bool = False
    pinned: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """Everything that is read before a build."""

    builder: Builder
    source: BuildSource
    bases: tuple[BaseImage, ...] = ()
