"""Where everything of one sandbox lies: one folder, so that one look or one ``rm -r`` is enough."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_DEFAULT = ".migrate/sandbox"


def default_directory() -> Path:
    """MIGRATE_SANDBOX_DIR, else ``.migrate/sandbox`` under the current folder; absolute."""
    return Path(os.environ.get("MIGRATE_SANDBOX_DIR") or _DEFAULT).expanduser().absolute()


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of the sandbox in ``root``."""

    root: Path

    @property
    def state(self) -> Path:
        """What was started, as JSON."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held while the sandbox is brought up or taken down."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.root / "logs"

    @property
    def certificates(self) -> Path:
        """The sandbox's own certificate authority, the server's certificate, and a bundle with the system's roots."""
        return self.root / "certificates"

    @property
    def bundle(self) -> Path:
        """The certificates that a client trusts: the system's and the sandbox's."""
        return self.certificates / "bundle.pem"

    @property
    def authority(self) -> Path:
        """The sandbox's certificate authority alone."""
        return self.certificates / "authority.pem"

    @property
    def server_certificate(self) -> Path:
        """The certificate chain of the AWS endpoint."""
        return self.certificates / "server.pem"

    @property
    def server_key(self) -> Path:
        """The private key of the AWS endpoint."""
        return self.certificates / "server.key"

    @property
    def buildkit(self) -> Path:
        """BuildKit's settings and content."""
        return self.root / "buildkit"

    @property
    def engine(self) -> Path:
        """What the Docker engine of the containers level keeps while it runs."""
        return self.root / "engine"

    @property
    def buildx(self) -> Path:
        """What BUILDX_CONFIG names: the builders that clients see."""
        return self.root / "buildx"

    @property
    def docker(self) -> Path:
        """What DOCKER_CONFIG names: a Docker client configuration without a person's credential helpers."""
        return self.root / "docker"

    @property
    def programs(self) -> Path:
        """In front of PATH: the stand-in plugin and what BuildKit looks up."""
        return self.root / "bin"

    @property
    def pulumi_home(self) -> Path:
        """What PULUMI_HOME names."""
        return self.root / "pulumi" / "home"

    @property
    def pulumi_state(self) -> Path:
        """The folder of Pulumi's file backend."""
        return self.root / "pulumi" / "state"

    @property
    def demo(self) -> Path:
        """The demo's sources and binaries."""
        return self.root / "demo"

    def make(self) -> None:
        """Create all folders, for this user alone where keys lie."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.buildkit, self.buildx / "instances", self.docker, self.programs, self.demo):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.pulumi_home, self.pulumi_state):
            folder.mkdir(parents=True, exist_ok=True)
        self.certificates.mkdir(mode=0o700, exist_ok=True)
