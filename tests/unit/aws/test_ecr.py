from __future__ import annotations

import base64
from typing import Any

import pytest

from migrate.adapters.aws.ecr import EcrRepositoryReader, registry_host
from migrate.adapters.aws.session import AwsSession, Region
from migrate.core.facts import Repository
from migrate.core.image.names import ImageReference
from migrate.core.repository.guarding import RegistryHost
from migrate.errors import AccessError
from tests.unit.aws.recordings import ACCOUNT, REGION, REGISTRY, Recordings, made_up_core

TOKEN = base64.b64encode(b"AWS:made:up").decode()
IMAGE = ImageReference(REGISTRY, "team/web", tag="tag1")
OWN_ENDPOINT = "https://localhost:4566"


@pytest.fixture
def reader(aws: Recordings) -> EcrRepositoryReader:
    return EcrRepositoryReader(aws.session)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """Return recordings of a session whose endpoint is not AWS's own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", OWN_ENDPOINT)
    return Recordings(AwsSession(made_up_core(), Region(REGION, "the test")))


def a_repository(**more: Any) -> dict[str, Any]:
    return {
        "repositoryName": "team/web",
        "repositoryUri": f"{REGISTRY}/team/web",
        "registryId": ACCOUNT,
        "imageTagMutability": "MUTABLE",
        **more,
    }


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", RegistryHost(ACCOUNT, "us-east-1")),
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", RegistryHost(ACCOUNT, "us-gov-west-1")),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", RegistryHost(ACCOUNT, "cn-north-1")),
        (f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", RegistryHost(ACCOUNT, "eu-west-1")),
        (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", RegistryHost(ACCOUNT, "eusc-de-east-1")),
        (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", RegistryHost(ACCOUNT, "us-iso-east-1")),
        ("public.ecr.aws", None),
        ("docker.io", None),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.evil.example", None),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.example", None),
        ("localhost:4566", None),
    ],
)
def test_a_host_is_ecr_s_or_it_is_not(host: str, expected: RegistryHost | None) -> None:
    assert registry_host(host) == expected


def test_a_repository_of_the_account_is_found(aws: Recordings, reader: EcrRepositoryReader) -> None:
    answer = {"repositories": [a_repository()]}
    aws.answer("ecr", "describe_repositories", answer, repositoryNames=["team/web"])
    assert reader.repository(IMAGE) == Repository("team/web", f"{REGISTRY}/team/web", ACCOUNT, "MUTABLE")


@pytest.mark.parametrize("mutability", ["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"])
def test_c05_tag_mutability_is_told_with_its_filters(
    aws: Recordings, reader: EcrRepositoryReader, mutability: str
) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}] if "EXCLUSION" in mutability else []
    seen = a_repository(imageTagMutability=mutability, imageTagMutabilityExclusionFilters=filters)
    aws.answer(
        "ecr",
        "describe_repositories",
        {"repositories": [seen if filters else a_repository(imageTagMutability=mutability)]},
    )
    found = reader.repository(IMAGE)
    assert found is not None
    assert (found.tag_mutability, found.exclusion_filters) == (mutability, ("latest*",) if filters else ())


def test_a_repository_of_another_account_with_the_same_name_is_not_ours(
    aws: Recordings, reader: EcrRepositoryReader
) -> None:
    aws.answer("ecr", "describe_repositories", {"repositories": [a_repository()]})
    foreign = ImageReference(REGISTRY.replace(ACCOUNT, "999988887777"), "team/web", tag="tag1")
    assert reader.repository(foreign) is None


def test_a_missing_repository_is_none_and_a_denied_look_is_not(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "describe_repositories", "RepositoryNotFoundException")
    assert reader.repository(IMAGE) is None
    aws.refuse("ecr", "describe_repositories", "AccessDeniedException")
    with pytest.raises(AccessError, match="ecr:DescribeRepositories"):
        reader.repository(IMAGE)


def test_a_host_outside_ecr_is_none_without_a_call(aws: Recordings, reader: EcrRepositoryReader) -> None:
    assert reader.repository(ImageReference("docker.io", "library/nginx", tag="1")) is None
    assert reader.credentials("public.ecr.aws") is None
    assert aws.session.calls.total == 0


def test_a_registry_of_another_region_is_asked_there(session: AwsSession) -> None:
    there = Recordings(session)
    there._clients["ecr"] = lambda: session.ecr("us-east-1")
    host = REGISTRY.replace(REGION, "us-east-1")
    there.answer("ecr", "describe_repositories", {"repositories": [a_repository(repositoryUri=f"{host}/team/web")]})
    found = EcrRepositoryReader(session).repository(ImageReference(host, "team/web", tag="tag1"))
    assert found is not None
    assert found.uri == f"{host}/team/web"


def test_a_dual_stack_spelling_is_the_same_repository(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.answer("ecr", "describe_repositories", {"repositories": [a_repository()]})
    assert reader.repository(ImageReference(f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws", "team/web", tag="tag1")) is not None


def test_credentials_are_user_and_password_of_the_token(aws: Recordings, reader: EcrRepositoryReader) -> None:
    data = {"authorizationData": [{"authorizationToken": TOKEN, "proxyEndpoint": f"https://{REGISTRY}"}]}
    aws.answer("ecr", "get_authorization_token", data)
    assert reader.credentials(REGISTRY) == ("AWS", "made:up")


@pytest.mark.parametrize("account", [ACCOUNT, "999988887777"])
def test_an_image_of_another_account_and_region_gets_its_token_from_that_region(
    session: AwsSession, account: str
) -> None:
    there = Recordings(session)
    there._clients["ecr"] = lambda: session.ecr("ap-northeast-1")
    host = f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com"
    data = {"authorizationData": [{"authorizationToken": TOKEN, "proxyEndpoint": f"https://{host}"}]}
    there.answer("ecr", "get_authorization_token", data)
    assert EcrRepositoryReader(session).credentials(host) == ("AWS", "made:up")
    there.assert_all_asked()


def test_a_token_of_another_form_is_an_access_error(aws: Recordings, reader: EcrRepositoryReader) -> None:
    token = base64.b64encode(b"nonsense").decode()
    aws.answer("ecr", "get_authorization_token", {"authorizationData": [{"authorizationToken": token}]})
    with pytest.raises(AccessError, match="unknown form"):
        reader.credentials(REGISTRY)


def test_an_endpoint_of_one_s_own_names_its_registry_itself(elsewhere: Recordings) -> None:
    reader = EcrRepositoryReader(elsewhere.session)
    uri = "localhost:4566/team/web"
    elsewhere.answer("ecr", "describe_repositories", {"repositories": [a_repository(repositoryUri=uri)]})
    data = {"authorizationData": [{"authorizationToken": TOKEN, "proxyEndpoint": OWN_ENDPOINT}]}
    for _ in range(2):
        elsewhere.answer("ecr", "get_authorization_token", data)
    found = reader.repository(ImageReference("localhost:4566", "team/web", tag="tag1"))
    assert found is not None
    assert found.uri == uri
    assert reader.credentials("localhost:4566") == ("AWS", "made:up")
    assert reader.credentials("docker.io") is None
