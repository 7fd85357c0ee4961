"""Reads ECR: whose repository an image is in, who may push to it, and what a tag points at."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from migrate.adapters.aws.errors import code_of, translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Repository
from migrate.core.images import ImageReference
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
)
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws", ".amazonwebservices.com.cn")


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """Account and region that the host name of an ECR registry says."""

    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What a tag points at; ``status`` is ACTIVE, ARCHIVED or ACTIVATING, empty where the endpoint says nothing."""

    digest: str
    status: str


def registry_host(host: str) -> RegistryHost | None:
    """Read an ECR host name, dual-stack and FIPS spellings included; None for any other.

    Source: ECR user guide, "Amazon ECR private registry", and general reference, "Amazon ECR endpoints".
    """
    match = _HOST.fullmatch(host.lower())
    return RegistryHost(match["account"], match["region"]) if match else None


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


def stored_image(client: ECRClient, repository_name: str, tag: str) -> StoredImage | None:
    """Return what a tag points at, without any conversion of media types; None when there is no such tag.

    To be called inside ``translated``.
    """
    try:
        answer = client.describe_images(repositoryName=repository_name, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if code_of(error) == "ImageNotFoundException":
            return None
        raise
    details = answer["imageDetails"]
    if not details:
        return None
    return StoredImage(details[0].get("imageDigest", ""), str(details[0].get("imageStatus", "")))


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
        with translated("ecr", client.meta.region_name):
            try:
                found = client.describe_repositories(repositoryNames=[image.repository])["repositories"]
            except ClientError as error:
                if code_of(error) == "RepositoryNotFoundException":
                    return None
                raise
        ours = (repository(item) for item in found)
        return next((item for item in ours if _is_home_of(item, image, host)), None)

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
