"""How images and platforms are named: references, and the many spellings of one platform."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from migrate.errors import SettingsError

_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64", "x86-64": "amd64", "i386": "386", "i686": "386", "x86": "386"}
_OLD_ARM = {"armhf": "v7", "armv7": "v7", "armv7l": "v7", "armel": "v6", "armv6": "v6", "armv6l": "v6"}
_AMD64_LEVELS = frozenset({"", "v1", "v2", "v3", "v4"})
_PLATFORM_PARTS = (2, 3)


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, a CPU architecture and its variant, as written or (``canonical``) as runtimes match it."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @staticmethod
    def parse(text: str) -> Platform:
        """Read ``os/architecture[/variant]``. Raises SettingsError on any other shape."""
        parts = text.strip().split("/")
        if len(parts) not in _PLATFORM_PARTS or not all(parts):
            raise SettingsError(
                f"{text!r} is not a platform.",
                why="A platform is written os/architecture or os/architecture/variant.",
                then="Write for example linux/arm64.",
            )
        return Platform(*parts)

    @property
    def canonical(self) -> Platform:
        """The one spelling that stands for all equal ones.

        arm64 is arm64/v8; arm without variant is arm/v7; arm/v8 is the 32-bit userland and stays arm; every variant
        of amd64 is still amd64 (containerd's platforms package, Normalize; case of bogus variants seen in the field).
        """
        os, architecture, variant = self.os.lower(), self.architecture.lower(), self.variant.lower()
        if architecture in _OLD_ARM:
            architecture, variant = "arm", variant or _OLD_ARM[architecture]
        architecture = _ARCHITECTURES.get(architecture, architecture)
        if architecture == "amd64" or (architecture == "arm64" and variant in {"v8", "8"}):
            variant = ""
        elif architecture == "arm":
            variant = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}.get(variant, variant)
        return Platform(os, architecture, variant, self.os_version)

    @property
    def is_odd(self) -> bool:
        """True where the spelling is not what the image specification writes, though its meaning is clear."""
        lowered = (self.os.lower(), self.architecture.lower())
        if lowered != (self.os, self.architecture) or lowered[1] in _ARCHITECTURES or lowered[1] in _OLD_ARM:
            return True
        return self.architecture == "amd64" and self.variant.lower() not in _AMD64_LEVELS

    @property
    def is_declared(self) -> bool:
        """False for ``unknown/unknown`` and for platforms with a part missing."""
        return self.os not in {"", "unknown"} and self.architecture not in {"", "unknown"}

    def matches(self, other: Platform) -> bool:
        """Whether both name the same platform, whatever their spelling; versions of the system are not compared."""
        ours, theirs = self.canonical, other.canonical
        return (ours.os, ours.architecture, ours.variant) == (theirs.os, theirs.architecture, theirs.variant)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os or "?", self.architecture or "?", self.variant) if part)


LINUX_AMD64 = Platform("linux", "amd64")
LINUX_ARM64 = Platform("linux", "arm64")

DOCKER_HUB = "docker.io"
_HUB_SPELLINGS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_REGISTRY = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST_NAME = 255


def is_digest(text: str) -> bool:
    """Whether ``text`` is a sha256 or sha512 digest that can be verified."""
    return _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ImageReference:
    """``registry/repository[:tag][@digest]``; None means that none is given (at least one is)."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @staticmethod
    def parse(text: str) -> ImageReference:
        """Read a reference as Docker does: no registry means Docker Hub, neither tag nor digest means ``latest``.

        Source: the distribution project's reference grammar. Raises SettingsError.
        """
        name, _, digest = text.strip().partition("@")
        head, slash, last = name.rpartition("/")
        last, colon, tag = last.partition(":")
        registry, repository = _split_registry(f"{head}{slash}{last}")
        fault = _fault(registry, repository, tag, digest)
        if fault or (colon and not tag) or ("@" in text and not digest):
            raise SettingsError(
                f"{text!r} is not an image reference.",
                why=fault or "A part of it is empty.",
                then="Write registry/repository:tag or registry/repository@sha256:digest.",
                runbook="errors#settings",
            )
        return ImageReference(registry, repository, tag or (None if digest else "latest"), digest or None)

    @property
    def name(self) -> str:
        """``registry/repository``, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def wanted(self) -> str:
        """What a registry is asked for: the digest where there is one, since it wins over the tag."""
        return self.digest or self.tag or "latest"

    @property
    def is_pinned(self) -> bool:
        """Whether a digest decides, so that moving the tag changes nothing."""
        return self.digest is not None

    def at(self, digest: str) -> ImageReference:
        """Return the same repository at a digest, without a tag."""
        return replace(self, tag=None, digest=digest)

    def tagged(self, tag: str) -> ImageReference:
        """Return the same repository at a tag, without a digest."""
        return replace(self, tag=tag, digest=None)

    def __str__(self) -> str:
        return f"{self.name}{f':{self.tag}' if self.tag else ''}{f'@{self.digest}' if self.digest else ''}"


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or any(sign in first for sign in ".:") or first != first.lower()):
        registry, repository = first, rest
    else:
        registry, repository = DOCKER_HUB, name
    if registry in _HUB_SPELLINGS:
        return DOCKER_HUB, repository if "/" in repository else f"library/{repository}"
    return registry, repository


def _fault(registry: str, repository: str, tag: str, digest: str) -> str:
    if _REGISTRY.fullmatch(registry) is None:
        return f"The registry {registry!r} is not a host name."
    if _REPOSITORY.fullmatch(repository) is None or len(repository) > _LONGEST_NAME:
        return f"The repository {repository!r} may hold lower-case letters, digits and separators only."
    if tag and _TAG.fullmatch(tag) is None:
        return f"The tag {tag!r} has characters that tags cannot have, or is too long."
    if digest and not is_digest(digest):
        return f"The digest {digest!r} is neither sha256: with 64 digits nor sha512: with 128."
    return ""
