"""An image of a team's program whose tag comes to hold both platforms, as the configured stage says."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker_build as docker_build

from migrate.core.desired_state import ImageStackInputs, shelf_tag
from migrate.core.settings import ImageMode, ImageSettings
from stacks.components.configuration import NAMESPACE, ImageState, StageConfiguration, read_stage
from stacks.components.placing import at_the_root
from stacks.image.program import PLATFORMS, declare_index, declare_published, pushed_by_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiPlatformImageArgs:
    """What the team's program says of the image by itself.

    ``repository_url`` and ``tag`` are where the service finds it, known at preview (docker-build refuses a push whose
    tag is not: "at least one tag or export name is needed when pushing to a registry"). ``image`` are the arguments
    that the resource had; they are not needed in mode external, where nothing is built. ``built_elsewhere``: something
    else pushes the image of one platform (CI, ``pulumi_docker.Image``), and ``image`` only says how to build the other.
    ``image_name`` is the logical name that the resource had, the component's own where it is not given, and
    ``image_options`` its options; one that stood below another parent, or was called otherwise, is found through
    aliases in them. ``namespace`` is that of the configuration's keys.
    """

    repository_url: pulumi.Input[str]
    tag: str
    mode: ImageMode | str = ImageMode.EXTEND
    image: docker_build.ImageArgs | None = None
    built_elsewhere: bool = False
    image_name: str | None = None
    image_options: pulumi.ResourceOptions = field(default_factory=pulumi.ResourceOptions)
    namespace: str = NAMESPACE


class MultiPlatformImage(pulumi.ComponentResource):
    """An image whose tag goes from a manifest of one platform to an index of two, and back.

    Mode ``extend`` builds linux/arm64 alone and keeps the manifest that runs, bit for bit; ``rebuild`` builds both
    platforms; ``external`` builds nothing: the index comes from elsewhere, under the same tag.

    The team's own image stays the resource that it is. Beside it come, when the configuration first asks for them and
    then for good, ``<name>-build`` (pushed by digest), ``<name>-index`` (the index under a tag of its own,
    ``migrate-index-<tag>``) and ``<name>-published`` (the service's tag: a byte-for-byte copy of the index, or the
    original, to which nothing is pushed). All three are retained on delete.

    While the tag holds the index, a build of the team's own image would push one platform over it: the preview of one
    fails. Raises pulumi.RunError for that, and when configuration or arguments cannot be used.
    """

    image: docker_build.Image | None
    """The team's own image; None in mode external and where it is built elsewhere."""

    reference: pulumi.Output[str]
    """``<repository url>:<tag>``, for a container definition; the same at every stage."""

    index_digest: pulumi.Output[str] | None
    """The digest of the index, None until it is asked for and in mode external."""

    def __init__(self, name: str, args: MultiPlatformImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("migrate:components:MultiPlatformImage", name, None, opts)
        mode, stage = _mode(name, args.mode), read_stage(args.namespace)
        url = pulumi.Output.from_input(args.repository_url)
        self.reference = pulumi.Output.format("{0}:{1}", url, args.tag)
        self.image = None
        self.index_digest = None
        if mode is not ImageMode.EXTERNAL:
            if args.image is None:
                raise pulumi.RunError(f"The image of {name} is not given, and mode {mode} has to build it.")
            if not args.built_elsewhere:
                options = at_the_root(self, args.image_options)
                self.image = docker_build.Image(args.image_name or name, args.image, options)
            if stage.image is not ImageState.ORIGINAL:
                index = self._declare_index(name, args.image, _inputs(name, args.tag, mode, stage), url)
                self.index_digest = index.ref.apply(lambda ref: ref.partition("@")[2])
        self.register_outputs({"reference": self.reference, "index_digest": self.index_digest})

    def _declare_index(
        self, name: str, image: docker_build.ImageArgs, inputs: ImageStackInputs, url: pulumi.Output[str]
    ) -> docker_build.Index:
        below = pulumi.ResourceOptions(parent=self)
        arguments = copy.copy(image)
        arguments.platforms = list(PLATFORMS[inputs.build.mode])
        arguments.tags, arguments.load = None, None
        # As in stacks/image: the export pushes, and ``push`` would add one that needs a tag.
        arguments.exports, arguments.push, arguments.build_on_preview = [pushed_by_digest(url)], False, False
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        built = docker_build.Image(f"{name}-build", arguments, kept)
        registry = _registry(image)
        index = declare_index(inputs, url, built, name=f"{name}-index", registry=registry, opts=below)
        held = self._unless_overwritten(inputs, url) if inputs.published else url
        declare_published(inputs, held, index, name=f"{name}-published", registry=registry, opts=below)
        return index

    def _unless_overwritten(self, inputs: ImageStackInputs, url: pulumi.Output[str]) -> pulumi.Output[str]:
        """Return the repository's URL where the team's image is the one that the tag held before the index.

        The preview of an Image's update says that its digest is empty (docker-build 0.0.22, Image.Update).
        """
        if self.image is None:
            return url

        def checked(known: str, digest: str) -> str:
            if digest != inputs.original_digest:
                raise pulumi.RunError(
                    f"The tag {inputs.service_tag} holds the index of both platforms, and this would push one platform "
                    f"over it: the program's image is {digest or 'built anew'}, and was {inputs.original_digest}. Go "
                    "back to stage 0 and release there, or end the migration first (stacks/components/README.md, "
                    "Releases)."
                )
            return known

        return pulumi.Output.all(url, self.image.digest).apply(lambda pair: checked(*pair))


def _mode(name: str, mode: ImageMode | str) -> ImageMode:
    if mode not in set(ImageMode):
        raise pulumi.RunError(f"The image of {name} has the mode {mode!r}, which is none of {', '.join(ImageMode)}.")
    return ImageMode(mode)


def _inputs(name: str, tag: str, mode: ImageMode, stage: StageConfiguration) -> ImageStackInputs:
    if stage.original_digest is None:
        raise pulumi.RunError(
            f"The configuration has no originalDigest, so that {name} does not know what its tag held before the "
            "index. Set it to the digest of that manifest (sha256:...)."
        )
    shelf = shelf_tag(tag)
    return ImageStackInputs(
        repository="",
        present=True,
        tag=tag if stage.image is ImageState.INDEX else shelf,
        shelf_tag=shelf,
        original_digest=stage.original_digest,
        build=ImageSettings(name, mode),
        service_tag=tag,
    )


def _registry(image: docker_build.ImageArgs) -> pulumi.Input[docker_build.RegistryArgs] | None:
    """Return the credentials that the image is pushed with; None where they are the builder's own."""
    registries: Any = image.registries
    if isinstance(registries, pulumi.Output):
        return registries.apply(lambda known: known[0] if known else None)
    return registries[0] if registries else None
