"""The ECR repository of the examples, in a stack of its own: the images' tags have to be known at preview.

Where repository and image are declared together, the first preview of docker-build fails with "at least one tag or
export name is needed when pushing to a registry" (facts F35, case C26). Turning ``push`` off in previews hides that and
makes every later preview show a change (facts F34); a repository that exists beforehand needs neither.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

TAG = "tag1"


def declare_repository(name: str) -> None:
    """Declare the repository; it may be deleted with images in it, as an example is."""
    repository = aws.ecr.Repository("repository", name=name, force_delete=True)
    pulumi.export("repository_url", repository.repository_url)
