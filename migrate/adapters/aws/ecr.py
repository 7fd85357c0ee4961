"""Reads ECR: whose repository an image is in, who may push to it, and what a tag points at."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from migrate.adapters.aws.ecr_contents import read_contents, stored_image
from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import code_of, translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Repository
from migrate.core.image.index import ImageReference
from migrate.core.repository.guarding import RegistryHost, RepositoryContents, registry_host
from migrate.core.repository.lifecycle_policy import StoredImage
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

__all__ = ["EcrRepositoryReader", "StoredImage", "has_own_endpoint", "registry_host", "repository", "stored_image"]

REPOSITORIES_PER_CALL = 100
"""DescribeRepositories reference, repositoryNames."""

_AWS_DOMAINS = (
    *(".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".on.aws"),
    *(".amazonwebservices.com.cn", ".amazonwebservices.eu"),
    *(".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk", ".csp.hci.ic.gov"),
)


def repository(answer: RepositoryTypeDef) -> Repository:
    """Return a repository of DescribeRepositories; tags are MUTABLE unless it says otherwise (API default)."""
    filters = answer.get("imageTagMutabilityExclusionFilters", [])
    return Repository(
        name=answer["repositoryName"],
        uri=answer["repositoryUri"],
        registry_id=answer.get("registryId", ""),
        tag_mutability=answer.get("imageTagMutability", "MUTABLE"),
        exclusion_filters=tuple(item["filter"] for item in filters),
    )


def repositories(session: AwsSession, images: Sequence[ImageReference]) -> dict[str, Repository | None]:
    """Return the repository of each image by the image's name without tag, a hundred a call.

    None stands for what is no repository of this account. Raises AccessError.
    """
    by_region: dict[str | None, list[ImageReference]] = {}
    for image in images:
        host = registry_host(image.registry)
        by_region.setdefault(host.region if host else None, []).append(image)
    found: dict[str, Repository | None] = {}
    for region, several in by_region.items():
        client = session.ecr(region)
        if region is None and not has_own_endpoint(client):
            continue
        for batch in batches(list(dict.fromkeys(image.repository for image in several)), REPOSITORIES_PER_CALL):
            with translated("ecr", client.meta.region_name):
                known = [repository(item) for item in _described(client, batch)]
            for image in several:
                home = registry_host(image.registry)
                if image.repository in batch:
                    found[image.name] = next((item for item in known if _is_home_of(item, image, home)), None)
    return found


def _described(client: ECRClient, names: list[str]) -> list[RepositoryTypeDef]:
    """Return those repositories that exist: a single one that does not takes the whole answer with it."""
    try:
        return client.describe_repositories(repositoryNames=names)["repositories"]
    except ClientError as error:
        if code_of(error) != "RepositoryNotFoundException":
            raise
    half = len(names) // 2
    return [*_described(client, names[:half]), *_described(client, names[half:])] if half else []


def has_own_endpoint(client: ECRClient) -> bool:
    """Tell whether the client talks to an endpoint outside AWS (AWS_ENDPOINT_URL), whose registry has any host name."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return not f".{host}".endswith(_AWS_DOMAINS)


class EcrRepositoryReader:
    """The port RepositoryReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def repository(self, image: ImageReference) -> Repository | None:
        """Return the ECR repository whose URI the image has; None when it is no repository of this account.

        Raises AccessError.
        """
        host = registry_host(image.registry)
        client = self._session.ecr(host.region if host else None)
        if host is None and not has_own_endpoint(client):
            return None
        return self._session.once("ecr:DescribeRepositories", image.name, lambda: self._repository(image))

    def _repository(self, image: ImageReference) -> Repository | None:
        host = registry_host(image.registry)
        client = self._session.ecr(host.region if host else None)
        with translated("ecr", client.meta.region_name):
            ours = [repository(item) for item in _described(client, [image.repository])]
        return next((item for item in ours if _is_home_of(item, image, host)), None)

    def contents(self, repository: Repository, wanted: Sequence[str]) -> RepositoryContents:
        """Return what is in a repository and what acts on it. Raises AccessError."""
        host = registry_host(repository.uri.partition("/")[0])
        client = self._session.ecr(host.region if host else None)
        return self._session.once(
            "ecr:DescribeImages",
            (repository.uri, tuple(wanted)),
            lambda: read_contents(client, repository.name, wanted, self._session.shared),
        )

    def credentials(self, registry: str) -> tuple[str, str] | None:
        """Return user and password for an ECR registry host (valid 12 hours, facts F32); None for other hosts.

        Raises AccessError.
        """
        host = registry_host(registry)
        client = self._session.ecr(host.region if host else None)
        if host is None and not has_own_endpoint(client):
            return None
        with translated("ecr", client.meta.region_name):
            data = client.get_authorization_token()["authorizationData"]
        if host is None:
            data = [item for item in data if urlsplit(item.get("proxyEndpoint", "")).netloc == registry]
        return _user_and_password(data[0].get("authorizationToken", "")) if data else None


def _is_home_of(repository: Repository, image: ImageReference, host: RegistryHost | None) -> bool:
    if host is not None and repository.registry_id:
        return repository.registry_id == host.account_id and repository.name == image.repository
    return repository.uri == image.name


def _user_and_password(token: str) -> tuple[str, str]:
    user, colon, password = base64.b64decode(token).decode().partition(":")
    if not colon:
        raise AccessError(
            "The authorization token of ECR has an unknown form.",
            why="It does not hold a user and a password (GetAuthorizationToken reference).",
            then="Check that AWS_ENDPOINT_URL, if set, names an endpoint that speaks the ECR API.",
        )
    return user, password
