"""The front's lifecycle policies, caches, replication and storage classes refuse and answer as ECR's do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.front_account import Account, refused


@pytest.fixture
def account(account: Account) -> Account:
    account.ecr.create_repository(repositoryName=account.repository)
    return account


def rule(priority: int = 1, action: dict[str, str] | None = None, **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    kept = {name: value for name, value in (chosen | selection).items() if value is not None}
    described = "Expire what nobody needs any longer"
    return {
        "rulePriority": priority,
        "description": described,
        "selection": kept,
        "action": action or {"type": "expire"},
    }


def text(*rules: Any) -> str:
    return json.dumps({"rules": list(rules)})


ANY: dict[str, Any] = {"tagStatus": "any"}
COUNT: dict[str, Any] = {"countType": "imageCountMoreThan", "countUnit": None, "countNumber": 5}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
GOOD = [
    text(rule()),
    text(rule(1, **COUNT), rule(7, **ANY)),
    text(rule(1, tagStatus="tagged", tagPatternList=["*a*b*c*"]), rule(2, tagStatus="tagged", tagPrefixList=["a"])),
    text(
        rule(1, ARCHIVE, **ANY, countType="sinceImagePulled"),
        rule(2, **ANY, countType="sinceImageTransitioned", storageClass="archive", countNumber=90),
    ),
]


@pytest.mark.parametrize("policy", GOOD)
def test_a_lifecycle_policy_is_kept_as_it_was_written(account: Account, policy: str) -> None:
    name = account.repository
    code, _ = refused(account.ecr.get_lifecycle_policy, repositoryName=name)
    assert code == "LifecyclePolicyNotFoundException"
    account.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy)
    assert account.ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == policy
    account.ecr.delete_lifecycle_policy(repositoryName=name)
    assert refused(account.ecr.delete_lifecycle_policy, repositoryName=name)[0] == "LifecyclePolicyNotFoundException"


BAD = [
    ("x" * 200, "not JSON"),
    (json.dumps({"rules": [], "padding": "x" * 200}), "1 to 50 rules"),
    (text(rule(tagStatus="tagged")), "tagStatus tagged needs"),
    (text(rule(tagPrefixList=["a"])), "tagStatus tagged needs"),
    (text(rule(tagStatus="tagged", tagPrefixList=["a"], tagPatternList=["a*"])), "tagStatus tagged needs"),
    (text(rule(tagStatus="tagged", tagPatternList=["a*b*c*d*e*"])), "at most 4 wildcards"),
    (text(rule(countType="imageCountMoreThan")), "countUnit days"),
    (text(rule(countUnit=None)), "countUnit days"),
    (text(rule(countNumber=0)), "countNumber is a positive"),
    (text(rule(countType="sinceImagePulled")), "goes with transition only"),
    (text(rule(countType="sinceImageTransitioned")), "storageClass is archive"),
    (text(rule(countType="sinceImageTransitioned", storageClass="archive")), "kept for 90 days"),
    (text(rule(action={"type": "transition"})), "targetStorageClass archive"),
    (text(rule(1), rule(1, **ANY)), "each rulePriority stands once"),
    (text(rule(1, **ANY), rule(2)), "has the highest rulePriority"),
    (text(rule(1), rule(2)), "only one rule may select untagged"),
    (text(*(rule(n, tagStatus="tagged", tagPrefixList=["a"], **COUNT) for n in (1, 2))), "stands in one rule only"),
]


@pytest.mark.parametrize(("policy", "said"), BAD, ids=[said for _, said in BAD])
def test_a_policy_that_ecr_does_not_take_is_refused(account: Account, policy: str, said: str) -> None:
    code, message = refused(
        account.ecr.put_lifecycle_policy, repositoryName=account.repository, lifecyclePolicyText=policy
    )
    assert code == "InvalidParameterException"
    assert said in message


def test_pull_through_cache_rules_are_listed_by_prefix(account: Account) -> None:
    prefix = account.repository
    account.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl="public.ecr.aws")
    listed = account.ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert ("public.ecr.aws", prefix) in [(item["upstreamRegistryUrl"], item["ecrRepositoryPrefix"]) for item in listed]
    assert (
        refused(account.ecr.describe_pull_through_cache_rules, ecrRepositoryPrefixes=[prefix, f"{prefix}x"])[0]
        == "PullThroughCacheRuleNotFoundException"
    )
    assert (
        refused(
            account.ecr.create_pull_through_cache_rule,
            ecrRepositoryPrefix=prefix,
            upstreamRegistryUrl="public.ecr.aws",
        )[0]
        == "PullThroughCacheRuleAlreadyExistsException"
    )
    assert (
        refused(
            account.ecr.create_pull_through_cache_rule,
            ecrRepositoryPrefix=f"{prefix}x",
            upstreamRegistryUrl="registry.example",
        )[0]
        == "UnsupportedUpstreamRegistryException"
    )
    account.ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
    after = account.ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert prefix not in [item["ecrRepositoryPrefix"] for item in after]


def test_replication_is_of_the_whole_registry(account: Account) -> None:
    here = account.ecr.describe_registry()["registryId"]
    rules = [
        {
            "destinations": [{"region": "eu-west-1", "registryId": here}],
            "repositoryFilters": [{"filter": account.repository, "filterType": "PREFIX_MATCH"}],
        }
    ]
    account.ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert account.ecr.describe_registry()["replicationConfiguration"]["rules"] == rules
    own = {"rules": [{"destinations": [{"region": "us-east-1", "registryId": here}]}]}
    code, _ = refused(account.ecr.put_replication_configuration, replicationConfiguration=own)
    assert code == "ValidationException"
    account.ecr.put_replication_configuration(replicationConfiguration={"rules": []})


def test_an_archived_image_is_described_and_not_pulled_until_it_is_restored(account: Account) -> None:
    name = account.repository
    body = account.image_text("amd64")
    account.push(body, "v1")
    archive = {"repositoryName": name, "imageId": {"imageTag": "v1"}}
    answer = account.ecr.update_image_storage_class(**archive, targetStorageClass="ARCHIVE")
    assert answer["imageStatus"] == "ARCHIVED"
    assert account.host.http("GET", f"/v2/{name}/manifests/v1")[0] == 404
    assert account.ecr.describe_images(repositoryName=name)["imageDetails"] == []
    (seen,) = account.ecr.describe_images(repositoryName=name, filter={"imageStatus": "ANY"})["imageDetails"]
    assert (seen["imageStatus"], seen["imageTags"]) == ("ARCHIVED", ["v1"])
    assert "lastArchivedAt" in seen
    account.ecr.update_image_storage_class(**archive, targetStorageClass="STANDARD")
    assert account.host.http("GET", f"/v2/{name}/manifests/v1")[0] == 200
    account.ecr.update_image_storage_class(**archive, targetStorageClass="ARCHIVE")
    account.push(body, "v1")
    assert account.host.http("GET", f"/v2/{name}/manifests/v1")[0] == 200
    code, _ = refused(
        account.ecr.update_image_storage_class,
        repositoryName=name,
        imageId={"imageTag": "v2"},
        targetStorageClass="ARCHIVE",
    )
    assert code == "ImageNotFoundException"
