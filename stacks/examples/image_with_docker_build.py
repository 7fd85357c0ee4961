"""Programs 2 and 3: the ``docker-build`` package, for one platform and for two, under the same tag.

Going from 2 to 3 is an update of ``platforms`` in place: what the tag points at turns from a manifest into an index.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

from stacks.examples.repository import TAG

AMD64 = docker_build.Platform.LINUX_AMD64
ARM64 = docker_build.Platform.LINUX_ARM64


def declare_single_platform_image(repository: str, context: str, builder: str | None = None) -> None:
    """Program 2: linux/amd64 only."""
    _declare(repository, context, builder, (AMD64,))


def declare_multi_platform_image(repository: str, context: str, builder: str | None = None) -> None:
    """Program 3: linux/amd64 and linux/arm64."""
    _declare(repository, context, builder, (AMD64, ARM64))


def _declare(repository: str, context: str, builder: str | None, platforms: Sequence[docker_build.Platform]) -> None:
    found = aws.ecr.get_repository_output(name=repository)
    token = aws.ecr.get_authorization_token_output()
    image = docker_build.Image(
        "image",
        tags=[pulumi.Output.format("{0}:{1}", found.repository_url, TAG)],
        context=docker_build.BuildContextArgs(location=context),
        platforms=list(platforms),
        builder=docker_build.BuilderConfigArgs(name=builder) if builder is not None else None,
        registries=[
            docker_build.RegistryArgs(
                # A new token in every run is no change: docker-build compares address and user name only.
                address=found.repository_url,
                username=token.user_name,
                password=pulumi.Output.secret(token.password),
            )
        ],
        push=True,
        # With push a preview never builds, whatever this says; True would only warn of "unknown inputs" (facts F34).
        build_on_preview=False,
    )
    pulumi.export("digest", image.digest)
    pulumi.export("ref", image.ref)
