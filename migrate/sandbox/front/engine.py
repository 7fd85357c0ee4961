"""The Docker engine that runs tasks as containers, through its own client library; every call here blocks."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json

_CALL_SECONDS = 120
_CONNECTIONS = 32
# As DescribeTasks spells them (facts F24).
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the engine is, the network to make in it, and the label (``name=value``) of all that is ours there."""

    address: str
    network: str
    label: str


@dataclass(frozen=True, slots=True)
class Started:
    """One running container: what the engine itself says of it."""

    id: str
    address: str
    architecture: str
    child: str


class ContainerError(Exception):
    """The engine could not pull, make or start a container; ``code`` is ECS's name of that failure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")


class ContainerEngine(Protocol):
    """What a task needs of an engine; the methods are those of :class:`Engine`."""

    def prepare(self) -> None:
        """Make ready what all containers share."""

    def start(self, name: str, image: str, platform: str, container: Json, beside: str = "") -> Started:
        """Start a container, or raise ContainerError."""

    def exit_code(self, container: str) -> int | None:
        """Return how it ended, None while it runs."""

    def stop(self, container: str, patience_seconds: int) -> None:
        """Ask it to end, and end it."""

    def last_words(self, container: str) -> str:
        """Return its last line."""

    def remove(self, container: str) -> None:
        """Forget it."""


class Engine:
    """Containers in one network of their own, run by the Docker engine."""

    def __init__(self, settings: EngineSettings) -> None:
        # Imported by name: it is installed in MiniStack's environment only.
        self._docker: Any = importlib.import_module("docker")
        self._settings = settings
        self._client: Any = self._docker.DockerClient(
            base_url=settings.address, timeout=_CALL_SECONDS, max_pool_size=_CONNECTIONS
        )

    def prepare(self) -> None:
        """Make the network, from which nothing outside can be reached and which this machine can reach into."""
        if not self._client.networks.list(names=[self._settings.network]):
            self._client.networks.create(
                self._settings.network,
                internal=True,
                labels=self._labels(),
                options={"com.docker.network.bridge.name": self._settings.network},
            )

    def start(self, name: str, image: str, platform: str, container: Json, beside: str = "") -> Started:
        """Pull ``image`` (by digest) for ``platform`` and start a container of it as ``container`` defines.

        ``beside`` is the container whose network this one shares, as all containers of a task do. Raises
        ContainerError.
        """
        try:
            repository, _, digest = image.partition("@")
            self._client.api.pull(repository, tag=digest, platform=platform)
        except self._docker.errors.DockerException as error:
            raise ContainerError("CannotPullContainerError", str(error)) from error
        try:
            made = self._client.containers.create(
                image,
                name=name,
                platform=platform,
                labels=self._labels(),
                network=None if beside else self._settings.network,
                network_mode=f"container:{beside}" if beside else None,
                **_options(container),
            )
        except self._docker.errors.DockerException as error:
            raise ContainerError("CannotCreateContainerError", str(error)) from error
        try:
            made.start()
            made.reload()
        except self._docker.errors.DockerException as error:
            self.remove(made.id)
            raise ContainerError("CannotStartContainerError", str(error)) from error
        return self._started(made)

    def exit_code(self, container: str) -> int | None:
        """Return the exit code of a container that has ended, None while it runs; a lost one counts as killed."""
        try:
            state = self._client.api.inspect_container(container)["State"]
        except self._docker.errors.NotFound:
            return 137
        except self._docker.errors.DockerException:
            return None
        return None if state["Running"] else int(state["ExitCode"])

    def stop(self, container: str, patience_seconds: int) -> None:
        """Send SIGTERM, and SIGKILL after ``patience_seconds``."""
        with contextlib.suppress(self._docker.errors.DockerException):
            self._client.api.stop(container, timeout=patience_seconds)

    def last_words(self, container: str) -> str:
        """Return the last line that a container wrote."""
        with contextlib.suppress(self._docker.errors.DockerException):
            text: bytes = self._client.api.logs(container, tail=1)
            return text.decode(errors="replace").strip()
        return ""

    def remove(self, container: str) -> None:
        """Forget a container, running or not."""
        with contextlib.suppress(self._docker.errors.DockerException):
            self._client.api.remove_container(container, force=True, v=True)

    def _labels(self) -> dict[str, str]:
        name, _, value = self._settings.label.partition("=")
        return {name: value}

    def _started(self, made: Any) -> Started:
        networks = made.attrs["NetworkSettings"]["Networks"]
        address = next((item["IPAddress"] for item in networks.values()), "")
        ran = made.attrs.get("ImageManifestDescriptor") or {}
        architecture = (ran.get("platform") or {}).get("architecture", "")
        return Started(made.id, address, _ARCHITECTURES.get(architecture, architecture), ran.get("digest", ""))


def _options(container: Json) -> Json:
    """Return what a container definition says, in the words of the engine's client."""
    given = {
        "command": container.get("command"),
        "entrypoint": container.get("entryPoint"),
        "working_dir": container.get("workingDirectory"),
        "user": container.get("user"),
        "environment": {item["name"]: item["value"] for item in container.get("environment") or []},
    }
    return {name: value for name, value in given.items() if value}
