"""The image stack: what is built, the index made of it, and what the service's tag points at.

Three resources, whatever the mode, so that no step ever replaces or deletes one:

- ``image``: the build, pushed by digest without any tag. It holds no tag, so even a delete takes nothing away from
  the registry (docker-build 0.0.22, Image.Delete works through its tags).
- ``index``: the multi-platform index under a tag of our own. Its tag never changes, because a changed tag replaces an
  Index (docker-build 0.0.22, Index.Diff).
- ``published``: the service's own tag. Published, it is a byte-for-byte copy of ``index`` (buildx copies a single
  index as it is); otherwise it stands for the original manifest and pushes nothing.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

from migrate.core.desired_state import ImageStackInputs
from migrate.core.settings import ImageMode, ImageSettings
from migrate.errors import EngineError
from stacks.configuration import read_inputs
from stacks.image import PUBLISHED

IMAGE = "image"
INDEX = "index"
_KEPT = pulumi.ResourceOptions(retain_on_delete=True)

PLATFORMS = {
    ImageMode.EXTEND: (docker_build.Platform.LINUX_ARM64,),
    ImageMode.REBUILD: (docker_build.Platform.LINUX_AMD64, docker_build.Platform.LINUX_ARM64),
}


class BuildLostError(EngineError, pulumi.RunError):
    """A build that ended without a digest: an error of ours, which ends any program without a traceback."""


def main() -> None:
    """Declare the image stack as its configuration says."""
    declare_image_stack(read_inputs(ImageStackInputs))


def declare_image_stack(inputs: ImageStackInputs) -> None:
    """Declare all resources; outputs are ``repository_url`` and, once made, the index's and the build's digests."""
    # Looked up, not declared: the lookup runs in a preview too, and a tag has to be known there (facts F35, case C26).
    url = aws.ecr.get_repository_output(name=inputs.repository).repository_url
    pulumi.export("repository_url", url)
    if not inputs.present or inputs.build.mode is ImageMode.EXTERNAL:
        return
    image = _declare_image(inputs.build, url)
    index = declare_index(inputs, url, image)
    declare_published(inputs, url, index)
    digest = index.ref.apply(lambda ref: ref.partition("@")[2])
    pulumi.export("index_digest", digest)
    pulumi.export("index_ref", pulumi.Output.format("{0}@{1}", url, digest))
    if inputs.build.mode is ImageMode.EXTEND:
        pulumi.export("arm64_digest", image.digest)


def _declare_image(build: ImageSettings, url: pulumi.Output[str]) -> docker_build.Image:
    return docker_build.Image(
        IMAGE,
        platforms=list(PLATFORMS[build.mode]),
        context=docker_build.BuildContextArgs(location=build.context),
        dockerfile=docker_build.DockerfileArgs(location=build.dockerfile) if build.dockerfile is not None else None,
        target=build.target,
        build_args=dict(build.build_arguments) or None,
        builder=docker_build.BuilderConfigArgs(name=build.builder) if build.builder is not None else None,
        exports=[pushed_by_digest(url)],
        push=False,  # the export pushes; ``push`` would add one that needs a tag
        build_on_preview=False,  # a preview of a pushed image never builds anyway (facts F34)
        opts=_KEPT,
    )


def pushed_by_digest(url: pulumi.Input[str]) -> docker_build.ExportArgs:
    """Return the export of a build that takes no tag: nothing that a later delete could take from the registry."""
    return docker_build.ExportArgs(
        registry=docker_build.ExportRegistryArgs(names=[url], push_by_digest=True, oci_media_types=True)
    )


def declare_index(
    inputs: ImageStackInputs,
    url: pulumi.Output[str],
    image: docker_build.Image,
    *,
    name: str = INDEX,
    registry: pulumi.Input[docker_build.RegistryArgs] | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> docker_build.Index:
    """Declare the index of what was built, in mode extend beside the original manifest, under the tag of our own.

    Without ``registry`` the builder's own credentials are used. Raises BuildLostError when the build gave no digest.
    """
    built = pulumi.Output.all(url, image.digest).apply(lambda known: _built(inputs, *known))
    original = [_join(url, "@", inputs.original_digest)] if inputs.build.mode is ImageMode.EXTEND else []
    return docker_build.Index(
        name,
        tag=_join(url, ":", inputs.shelf_tag),
        sources=[*original, built],
        registry=registry,
        opts=pulumi.ResourceOptions.merge(opts, _KEPT),
    )


def _built(inputs: ImageStackInputs, url: str, digest: str) -> str:
    """Return what was built, by digest; in the preview of a rebuild, a source that differs from the one before.

    The preview of an Image's update says that its digest is empty, not unknown (docker-build 0.0.22, Image.Update).
    """
    if digest:
        return f"{url}@{digest}"
    if pulumi.runtime.is_dry_run():
        return f"{url}:{inputs.shelf_tag}"
    raise BuildLostError(
        "The build ended without a digest.",
        why="docker-build reported no digest for what it pushed.",
        then="Look at the builder's log, then run the same command again.",
    )


def declare_published(
    inputs: ImageStackInputs,
    url: pulumi.Output[str],
    index: docker_build.Index,
    *,
    name: str = PUBLISHED,
    registry: pulumi.Input[docker_build.RegistryArgs] | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> docker_build.Index:
    """Declare what the service's own tag points at: a copy of the index, or the original, to which nothing is pushed.

    Without ``registry`` the builder's own credentials are used.
    """
    original = _join(url, "@", inputs.original_digest)
    return docker_build.Index(
        name,
        tag=_join(url, ":", inputs.service_tag),
        sources=[index.ref if inputs.published else original],
        # Not published, nothing may be written: the original under its tag must stay byte for byte what it was.
        push=inputs.published,
        registry=registry,
        opts=pulumi.ResourceOptions.merge(opts, _KEPT),
    )


def _join(url: pulumi.Output[str], sign: str, end: str) -> pulumi.Output[str]:
    return url.apply(lambda known: f"{known}{sign}{end}")
