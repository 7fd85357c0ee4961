"""What to do about each problem of an image, in one sentence; the runbook section of the code says it at length."""

from __future__ import annotations

from collections.abc import Mapping

_REBUILD = "Build and push it again with current tools."
_IN_THE_STAGE = "Install it in the build stage that is made for arm64; do not copy it from an amd64 stage."

_ADVICE: Mapping[str, str] = {
    "image.archive-not-read": "Look into it by hand: unzip -l, then file on the .so files in it.",
    "image.attestations": "Nothing to do.",
    "image.binary-undecided": "Make the entry point a program, or a script whose #! line names one in the image.",
    "image.child-not-readable": "Push that platform again.",
    "image.docker-zstd": "Rebuild with OCI media types.",
    "image.entry-not-runnable": "Nothing to do.",
    "image.foreign-binary": "Install what the application runs for arm64, and leave the rest out of the image.",
    "image.foreign-binary-beside": "Nothing to do.",
    "image.foreign-layer": "Push the image with its layers in the registry.",
    "image.foreign-native-module": "Look up whether the versions in use support Linux on aarch64; update the others.",
    "image.foreign-wheel": "Run pip install in the build stage that is made for arm64.",
    "image.health-check-undecided": "Put the shell and the program of the check into the arm64 image.",
    "image.layer-mismatch": _REBUILD,
    "image.library-undecided": "Put the library where the loader looks, in the image and not on a volume.",
    "image.media-type": "Nothing to do.",
    "image.nested-index": "Build a flat index.",
    "image.not-readable": _REBUILD,
    "image.platform-mismatch": "Mend the build: usually FROM --platform names a fixed platform.",
    "image.platform-spelling": _REBUILD,
    "image.platform-twice": "Build the index anew.",
    "image.platform-undeclared": "Rebuild it with a tool that writes os and architecture into the config.",
    "image.schema-1": _REBUILD,
    "image.size-mismatch": "Push the image again.",
    "image.start-on-volume": "Check that the image which fills the volume has arm64: its own container is checked too.",
    "image.windows": "Leave it where it is, if it is for Windows alone.",
    "image.wrong-binary": "Declare ARG TARGETARCH without a default in the build stage, and build the program for it.",
    "image.wrong-health-check": _IN_THE_STAGE,
    "image.wrong-library": _IN_THE_STAGE,
    "image.wrong-native-module": "Run pip install, npm ci or bundle install in the build stage that is made for arm64.",
}


def advice_for(code: str) -> str:
    """Return what to do about a problem of an image."""
    return _ADVICE.get(code, "See the runbook section.")
