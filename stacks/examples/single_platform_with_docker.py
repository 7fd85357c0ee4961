"""Program 1: the older ``docker`` package, which builds single-platform images only."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker

from stacks.examples.repository import TAG


def declare_image(context: str) -> None:
    """Declare repository and image: linux/amd64, pushed as ``<repository url>:tag1``."""
    repository = aws.ecr.Repository("repository", force_delete=True)
    token = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id)
    image = docker.Image(
        "image",
        image_name=pulumi.Output.format("{0}:{1}", repository.repository_url, TAG),
        build=docker.DockerBuildArgs(context=context, platform="linux/amd64"),
        registry=docker.RegistryArgs(
            server=repository.repository_url, username=token.user_name, password=pulumi.Output.secret(token.password)
        ),
        skip_push=False,
    )
    pulumi.export("digest", image.repo_digest)
