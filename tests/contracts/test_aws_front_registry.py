"""The front's registry refuses and answers as ECR does, through its API and through the registry protocol."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.fakes.front_account import Account, refused

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
TAGGED = [{"filter": "release-*", "filterType": "WILDCARD"}]


@pytest.mark.parametrize(
    ("mutability", "filters", "locked", "free"),
    [
        ("IMMUTABLE", [], "v1", None),
        ("IMMUTABLE_WITH_EXCLUSION", TAGGED, "v1", "release-1"),
        ("MUTABLE_WITH_EXCLUSION", TAGGED, "release-1", "v1"),
        ("MUTABLE", [], None, "v1"),
    ],
)
def test_c05_a_locked_tag_does_not_move(
    account: Account, mutability: str, filters: list[Any], locked: str | None, free: str | None
) -> None:
    more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    account.ecr.create_repository(repositoryName=account.repository, imageTagMutability=mutability, **more)
    first, second = account.image_text("amd64", "1"), account.image_text("amd64", "2")
    for tag in filter(None, (locked, free)):
        assert account.push(first, tag)[0] == 201
        assert account.push(first, tag)[0] == 201
    if free:
        assert account.push(second, free)[0] == 201
    if locked:
        status, _, body = account.push(second, locked)
        (error,) = json.loads(body)["errors"]
        assert (status, error["code"]) == (400, "TAG_INVALID")
        assert f"The image tag '{locked}' already exists in the '{account.repository}' repository" in error["message"]
        assert "cannot be overwritten because the" in error["message"]
        code, _ = refused(
            account.ecr.put_image,
            repositoryName=account.repository,
            imageManifest=second.decode(),
            imageManifestMediaType=DOCKER,
            imageTag=locked,
        )
        assert code == "ImageTagAlreadyExistsException"
    (described,) = account.ecr.describe_repositories(repositoryNames=[account.repository])["repositories"]
    assert described["imageTagMutability"] == mutability
    assert described.get("imageTagMutabilityExclusionFilters", []) == filters


def test_mutability_can_be_changed_and_round_trips(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    account.ecr.put_image_tag_mutability(
        repositoryName=account.repository,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=TAGGED,
    )
    (described,) = account.ecr.describe_repositories(repositoryNames=[account.repository])["repositories"]
    assert described["imageTagMutabilityExclusionFilters"] == TAGGED
    code, _ = refused(
        account.ecr.put_image_tag_mutability,
        repositoryName=account.repository,
        imageTagMutability="MUTABLE",
        imageTagMutabilityExclusionFilters=TAGGED,
    )
    assert code == "InvalidParameterException"


def test_the_repository_uri_and_the_token_name_this_registry(account: Account) -> None:
    made = account.ecr.create_repository(repositoryName=account.repository)["repository"]
    assert made["repositoryUri"] == f"{account.host.registry_host}/{account.repository}"
    (token,) = account.ecr.get_authorization_token()["authorizationData"]
    assert token["proxyEndpoint"] == f"https://{account.host.registry_host}"


def test_put_image_restores_a_tag_byte_for_byte(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    old, new = account.image_text("amd64", "old"), account.image_text("amd64", "new")
    digest = account.push(old, "tag1")[1]["docker-content-digest"]
    again = {"repositoryName": account.repository, "imageManifest": old.decode(), "imageManifestMediaType": DOCKER}
    assert refused(account.ecr.put_image, imageTag="tag1", **again)[0] == "ImageAlreadyExistsException"
    account.ecr.put_image(imageTag="guard", **again)
    account.push(new, "tag1")
    account.ecr.put_image(imageTag="tag1", **again)
    status, headers, body = account.host.http("GET", f"/v2/{account.repository}/manifests/tag1")
    assert (status, headers["docker-content-digest"], body) == (200, digest, old)
    details = account.ecr.describe_images(repositoryName=account.repository)["imageDetails"]
    by_digest = {item["imageDigest"]: item for item in details}
    assert by_digest[digest]["imageTags"] == ["guard", "tag1"]
    assert {item["imageStatus"] for item in details} == {"ACTIVE"}
    untagged = account.ecr.list_images(repositoryName=account.repository, filter={"tagStatus": "UNTAGGED"})
    assert len(untagged["imageIds"]) == 1
    changed = {**again, "imageManifest": old.decode() + "\n", "imageDigest": digest, "imageTag": "x"}
    assert refused(account.ecr.put_image, **changed)[0] == "ImageDigestDoesNotMatchException"


def test_an_index_needs_its_children(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    entry = {"mediaType": DOCKER, "digest": "sha256:" + "0" * 64, "size": 1}
    kind = "application/vnd.oci.image.index.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]})
    code, _ = refused(
        account.ecr.put_image,
        repositoryName=account.repository,
        imageManifest=body,
        imageManifestMediaType=kind,
        imageTag="v1",
    )
    assert code == "ReferencedImagesNotFoundException"
    assert account.push(body.encode(), "v1")[0] == 400


def test_a_manifest_needs_its_layers(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    manifest = json.loads(account.image_text("amd64"))
    manifest["layers"][0]["digest"] = "sha256:" + "0" * 64
    code, _ = refused(
        account.ecr.put_image,
        repositoryName=account.repository,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=DOCKER,
        imageTag="v1",
    )
    assert code == "LayersNotFoundException"


def test_a_child_of_an_index_cannot_be_deleted(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    child = account.image_text("amd64")
    account.push(account.index_text(("amd64", child)), "v1")
    digest = f"sha256:{hashlib.sha256(child).hexdigest()}"
    answered = account.ecr.batch_delete_image(repositoryName=account.repository, imageIds=[{"imageDigest": digest}])
    assert answered["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    assert account.host.http("DELETE", f"/v2/{account.repository}/manifests/{digest}")[0] == 400
    code, _ = refused(account.ecr.delete_repository, repositoryName=account.repository)
    assert code == "RepositoryNotEmptyException"
    account.ecr.delete_repository(repositoryName=account.repository, force=True)
    assert refused(account.ecr.describe_images, repositoryName=account.repository)[0] == "RepositoryNotFoundException"


def test_deleting_one_of_two_tags_keeps_the_image(account: Account) -> None:
    account.ecr.create_repository(repositoryName=account.repository)
    body = account.image_text("amd64")
    for tag in ("a", "b"):
        account.push(body, tag)
    account.ecr.batch_delete_image(repositoryName=account.repository, imageIds=[{"imageTag": "a"}])
    assert account.host.http("GET", f"/v2/{account.repository}/tags/list")[2] == (
        json.dumps({"name": account.repository, "tags": ["b"]}).encode()
    )
    got = account.ecr.batch_get_image(
        repositoryName=account.repository, imageIds=[{"imageTag": "b"}, {"imageTag": "a"}]
    )
    assert got["images"][0]["imageManifest"] == body.decode()
    assert got["failures"][0]["failureCode"] == "ImageNotFound"
    code, text = refused(account.ecr.describe_images, repositoryName=account.repository, imageIds=[{"imageTag": "a"}])
    assert code == "ImageNotFoundException"
    assert "imageTag:'a'" in text


def test_unknown_names_are_refused_by_the_registry_protocol(account: Account) -> None:
    status, _, body = account.host.http("GET", "/v2/nowhere/manifests/v1")
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    account.ecr.create_repository(repositoryName=account.repository)
    status, _, body = account.host.http("HEAD", f"/v2/{account.repository}/manifests/v1")
    assert status == 404
    assert account.host.http("GET", "/v2/")[0] == 200
