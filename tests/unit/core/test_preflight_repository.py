from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.desired_state import shelf_tag
from migrate.core.findings import Finding, Grade
from migrate.core.image.index import ImageFacts
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.observation import ContainerImage
from migrate.core.preflight import findings
from migrate.core.repository.guarding import PullThroughCache, RepositoryContents, guard_tag, left_over
from migrate.core.repository.lifecycle_policy import StoredImage
from migrate.core.settings import ImageMode, Settings
from migrate.core.surroundings import Unread
from tests.fakes.facts import (
    ARM64_DIGEST,
    DOCKER_MANIFEST,
    IMAGE,
    INDEX_DIGEST,
    OCI_INDEX,
    ORIGINAL_DIGEST,
    child,
    multi_platform,
    observation,
    repository,
    settings,
    single_platform,
)
from tests.fakes.records import NOON

TAG = "tag1"
GUARD = guard_tag(TAG, ORIGINAL_DIGEST)
EXTEND = settings()
REBUILD = replace(EXTEND, image=replace(EXTEND.image, mode=ImageMode.REBUILD))
EXTERNAL = replace(EXTEND, image=replace(EXTEND.image, mode=ImageMode.EXTERNAL))
OTHER = f"sha256:{'e' * 64}"


def stored(digest: str, days: float, *tags: str, **more: Any) -> StoredImage:
    values = {"status": "ACTIVE", "media_type": DOCKER_MANIFEST} | more
    return StoredImage(digest, tags=tags, pushed_at=NOON - timedelta(days=days), **values)


def selecting(priority: int, status: str, count_type: str, count: int, **more: Any) -> dict[str, Any]:
    unit = {} if count_type == "imageCountMoreThan" else {"countUnit": "days"}
    selection = {"tagStatus": status, "countType": count_type, "countNumber": count, **unit}
    action = more.pop("action", {"type": "expire"})
    return {"rulePriority": priority, "selection": {**selection, **more}, "action": action}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


UNTAGGED_1_DAY = selecting(1, "untagged", "sinceImagePushed", 1)
UNTAGGED_MORE_THAN_1 = selecting(1, "untagged", "imageCountMoreThan", 1)


def held(*images: StoredImage, rules: tuple[dict[str, Any], ...] = (), **more: Any) -> RepositoryContents:
    made = images or (stored(ORIGINAL_DIGEST, 30, TAG),)
    return RepositoryContents(made, lifecycle_policy=policy(*rules) if rules else None, **more)


def found(
    contents: RepositoryContents | None,
    facts: ImageFacts | None = None,
    wanted: Settings = EXTEND,
    **more: Any,
) -> dict[str, Finding]:
    images = (ContainerImage("app", IMAGE, facts or single_platform()),)
    seen = findings(observation(images=images, contents=contents, **more), wanted)
    return {item.code: item for item in seen if item.code.partition(".")[0] in {"repository", "lifecycle"}}


def test_a_repository_without_a_policy_is_no_finding() -> None:
    assert found(held()) == {}
    assert found(None) == {}


@pytest.mark.parametrize("rule", [UNTAGGED_1_DAY, UNTAGGED_MORE_THAN_1])
def test_c20_an_old_digest_that_only_the_guard_tag_keeps_is_warned_of(rule: dict[str, Any]) -> None:
    images = (stored(ORIGINAL_DIGEST, 30, TAG), stored(OTHER, 20))
    seen = found(held(*images, rules=(rule,)), wanted=REBUILD)
    assert set(seen) == {"lifecycle.guard-protects"}
    finding = seen["lifecycle.guard-protects"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 1)
    assert "only the guard tag keeps the original image" in finding.text
    assert finding.evidence == (("the original image", f"{ORIGINAL_DIGEST}: {_shown(rule)}"),)


def _shown(rule: dict[str, Any]) -> str:
    if rule is UNTAGGED_1_DAY:
        since = f"{NOON - timedelta(days=29):%Y-%m-%d %H:%M} UTC"
        return f"rule 1 (untagged, sinceImagePushed 1 days, expire) expires it within 24 hours after {since}"
    return "rule 1 (untagged, imageCountMoreThan 1 images, expire) expires it within 24 hours"


def test_c20_an_index_of_ours_keeps_the_manifest_that_it_lists() -> None:
    seen = found(held(rules=(UNTAGGED_1_DAY,)))
    assert {code: item.grade for code, item in seen.items()} == {"lifecycle.harmless": Grade.INFO}
    assert ("the original image", f"{ORIGINAL_DIGEST}: stays, listed by the new index") in seen[
        "lifecycle.harmless"
    ].evidence


def test_c20_an_old_index_is_not_kept_by_the_new_one_that_takes_over_its_children() -> None:
    index = single_platform(
        digest=INDEX_DIGEST, media_type=OCI_INDEX, is_index=True, children=(child(LINUX_AMD64, ORIGINAL_DIGEST),)
    )
    images = (stored(INDEX_DIGEST, 30, TAG, media_type=OCI_INDEX), stored(ORIGINAL_DIGEST, 30))
    seen = found(held(*images, rules=(UNTAGGED_1_DAY,)), index)
    assert [role for role, _ in seen["lifecycle.guard-protects"].evidence] == ["the original image"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (selecting(1, "any", "sinceImagePushed", 14), "within 24 hours after"),
        (selecting(1, "any", "imageCountMoreThan", 1), "within 24 hours"),
        (selecting(1, "tagged", "sinceImagePushed", 14, tagPatternList=["migrate-*"]), "within 24 hours after"),
        (
            selecting(1, "any", "sinceImagePulled", 5, action={"type": "transition", "targetStorageClass": "archive"}),
            "archives it",
        ),
    ],
)
def test_c20_a_rule_that_reaches_past_the_guard_tag_blocks_the_switch(rule: dict[str, Any], said: str) -> None:
    finding = found(held(rules=(rule,)), wanted=REBUILD)["lifecycle.way-back-expires"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 1)
    assert said in finding.text
    assert "in spite of the guard tag" in finding.text
    assert "migrate-guard-*" in finding.advice
    assert finding.evidence[0][1].startswith(ORIGINAL_DIGEST)


def test_c20_a_rule_for_guard_tags_before_all_others_saves_the_way_back() -> None:
    keep = selecting(1, "tagged", "imageCountMoreThan", 1000, tagPatternList=["migrate-guard-*"])
    rules = (keep, selecting(2, "any", "sinceImagePushed", 14))
    seen = found(held(rules=rules), wanted=REBUILD)
    assert "lifecycle.way-back-expires" not in seen
    assert seen["lifecycle.guard-protects"].grade is Grade.WARN


def test_c20_a_rule_of_the_service_s_tag_does_not_shield_the_original_any_longer() -> None:
    rules = (
        selecting(1, "tagged", "imageCountMoreThan", 1000, tagPrefixList=["tag"]),
        selecting(2, "any", "sinceImagePushed", 14),
    )
    assert "lifecycle.way-back-expires" in found(held(rules=rules), wanted=REBUILD)


def test_what_goes_in_some_weeks_is_warned_of_with_its_day_and_later_is_told() -> None:
    soon = found(held(rules=(selecting(1, "any", "sinceImagePushed", 60),)), wanted=REBUILD)
    day = f"{NOON + timedelta(days=30):%Y-%m-%d}"
    assert day in soon["lifecycle.way-back-limited"].text
    assert soon["lifecycle.way-back-limited"].grade is Grade.WARN
    late = found(held(rules=(selecting(1, "any", "sinceImagePushed", 600),)), wanted=REBUILD)
    assert {code: item.grade for code, item in late.items()} == {"lifecycle.harmless": Grade.INFO}


def test_a_count_that_the_team_s_own_pushes_use_up_is_warned_of() -> None:
    rule = selecting(1, "any", "imageCountMoreThan", 4)
    busy = (stored(ORIGINAL_DIGEST, 3, TAG), stored(OTHER, 1, "tag2"))
    finding = found(held(*busy, rules=(rule,)), wanted=REBUILD)["lifecycle.way-back-limited"]
    assert "after 2 more images that it selects" in finding.text
    assert "lifecycle.harmless" in found(held(stored(ORIGINAL_DIGEST, 200, TAG), rules=(rule,)), wanted=REBUILD)


def test_an_index_that_goes_like_every_image_of_the_team_is_no_block() -> None:
    seen = found(held(stored(ORIGINAL_DIGEST, 0, TAG), rules=(selecting(1, "any", "sinceImagePushed", 30),)))
    assert "lifecycle.way-back-expires" not in seen
    roles = [role for role, _ in seen["lifecycle.way-back-limited"].evidence]
    assert roles == ["the original image", "the index that the service will run"]


def test_c20_after_the_switch_the_repository_is_judged_as_it_is() -> None:
    images = (
        stored(ORIGINAL_DIGEST, 30, GUARD),
        stored(ARM64_DIGEST, 1),
        stored(INDEX_DIGEST, 1, TAG, shelf_tag(TAG), media_type=OCI_INDEX),
    )
    contents = held(
        *images,
        rules=(selecting(1, "any", "sinceImagePushed", 14),),
        children=((INDEX_DIGEST, (ORIGINAL_DIGEST, ARM64_DIGEST)),),
    )
    seen = found(contents, multi_platform())
    assert "repository.leftovers" not in seen
    assert set(seen) == {"lifecycle.way-back-limited"}
    alone = replace(contents, children=())
    without = replace(multi_platform(), children=(child(LINUX_AMD64, OTHER), child(LINUX_ARM64, ARM64_DIGEST)))
    assert found(alone, without)["lifecycle.way-back-expires"].evidence[0][1].startswith(ORIGINAL_DIGEST)


def test_in_mode_external_nothing_goes_back_to_the_original_and_its_end_is_no_block() -> None:
    seen = found(held(rules=(selecting(1, "any", "sinceImagePushed", 14),)), wanted=EXTERNAL)
    assert {code: item.grade for code, item in seen.items()} == {"lifecycle.way-back-limited": Grade.WARN}


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (held(rules=(selecting(1, "any", "sinceImageAdmired", 14),)), "rule 1 is of a kind"),
        (held(rules=(UNTAGGED_1_DAY,), complete=False), "only 1 of the repository's images"),
        (held(rules=(UNTAGGED_MORE_THAN_1,), opened_all=False), "not every index was opened"),
    ],
)
def test_what_could_not_be_evaluated_is_unknown_and_never_harmless(contents: RepositoryContents, said: str) -> None:
    finding = found(contents)["lifecycle.undecided"]
    assert finding.grade is Grade.UNKNOWN
    assert said in finding.text


def test_a_read_that_is_denied_names_its_permission() -> None:
    unread = (Unread("the lifecycle policy", "ecr:GetLifecyclePolicy", "AccessDeniedException"),)
    finding = found(held(unread=unread))["repository.unread"]
    assert (finding.grade, finding.evidence) == (
        Grade.UNKNOWN,
        (("ecr:GetLifecyclePolicy", "AccessDeniedException"),),
    )
    assert "ecr:GetLifecyclePolicy" in finding.advice


def test_a_repository_that_may_not_be_seen_is_unknown_and_not_somebody_else_s() -> None:
    unread = (Unread("the repository", "ecr:DescribeRepositories", "AccessDeniedException"),)
    seen = found(RepositoryContents(complete=False, unread=unread), repository=None)
    assert {code: item.grade for code, item in seen.items()} == {"repository.unread": Grade.UNKNOWN}


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING"])
def test_an_archived_image_blocks_everything(status: str) -> None:
    finding = found(held(stored(ORIGINAL_DIGEST, 30, TAG, status=status)))["repository.image-archived"]
    assert (finding.grade, finding.stage, finding.evidence) == (Grade.BLOCK, 0, ((ORIGINAL_DIGEST, status),))


CACHES = (
    PullThroughCache("ROOT", "registry.example"),
    PullThroughCache("hub", "registry-1.docker.io"),
    PullThroughCache("hub/library", "public.ecr.aws/docker"),
)


@pytest.mark.parametrize(
    ("name", "rules", "upstream"),
    [
        ("hub/library/nginx", CACHES, "public.ecr.aws/docker"),
        ("hub/web", CACHES, "registry-1.docker.io"),
        ("hubble/web", CACHES, "registry.example"),
        ("hubble/web", CACHES[1:], None),
        ("web", (), None),
    ],
)
def test_a_tag_that_is_fetched_from_upstream_would_be_overwritten(
    name: str, rules: tuple[PullThroughCache, ...], upstream: str | None
) -> None:
    named = replace(repository(), name=name)
    finding = found(held(pull_through=rules), repository=named).get("repository.pull-through-cache")
    assert (finding is not None) is (upstream is not None)
    if finding is not None and upstream is not None:
        assert (finding.grade, finding.stage) == (Grade.BLOCK, 1)
        assert upstream in finding.text
    external = found(held(pull_through=rules), wanted=EXTERNAL, repository=named)
    assert "repository.pull-through-cache" not in external


def test_replication_is_told() -> None:
    seen = found(held(replicated_to=("111122223333 in eu-west-1",)))
    assert seen["repository.replicated"].grade is Grade.INFO


def test_an_image_of_another_account_is_told_as_that() -> None:
    theirs = replace(IMAGE, registry=IMAGE.registry.replace("111122223333", "999988887777"))
    images = (ContainerImage("app", theirs, single_platform(reference=theirs)),)
    seen = {item.code: item for item in findings(observation(images=images, repository=None), EXTEND)}
    assert seen["repository.other-account"].grade is Grade.BLOCK
    assert "999988887777" in seen["repository.other-account"].text
    assert "repository.not-ecr" not in seen


@pytest.mark.parametrize(
    ("mode", "filters", "warned"),
    [
        ("IMMUTABLE_WITH_EXCLUSION", ("tag*",), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("tag*", "migrate-*"), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("migrate-*",), True),
        ("MUTABLE", (), False),
    ],
)
def test_c05_the_tag_of_our_own_that_can_be_written_once_is_warned_of(
    mode: str, filters: tuple[str, ...], warned: bool
) -> None:
    for contents in (None, held(), held(stored(ORIGINAL_DIGEST, 3, TAG), stored(OTHER, 1, shelf_tag(TAG)))):
        seen = found(contents, repository=repository(mode, *filters))
        assert ("repository.index-tag-locked" in seen) is warned
        assert "repository.immutable-tag" not in seen
    if warned:
        assert f"it names {OTHER} already" in seen["repository.index-tag-locked"].text


def test_c05_what_a_failed_push_left_is_told_by_digest() -> None:
    since = NOON - timedelta(hours=1)
    images = (
        stored(ORIGINAL_DIGEST, 30, TAG),
        stored(ARM64_DIGEST, 0.01),
        stored(INDEX_DIGEST, 0.01, media_type=OCI_INDEX),
        stored(OTHER, 2),
    )
    contents = held(*images, children=((INDEX_DIGEST, (ARM64_DIGEST,)),))
    assert left_over(contents, since) == ((INDEX_DIGEST, OCI_INDEX),)
    assert left_over(replace(contents, children=()), since) == (
        (INDEX_DIGEST, OCI_INDEX),
        (ARM64_DIGEST, DOCKER_MANIFEST),
    )
    assert found(contents)["repository.leftovers"].evidence == ((INDEX_DIGEST, OCI_INDEX),)


def test_tags_of_an_earlier_migration_are_told() -> None:
    earlier = guard_tag(TAG, OTHER)
    images = (
        stored(ORIGINAL_DIGEST, 30, TAG, GUARD),
        stored(OTHER, 60, earlier, guard_tag("another", OTHER), "migrate-guard-something"),
        stored(INDEX_DIGEST, 60, shelf_tag(TAG)),
    )
    finding = found(held(*images))["repository.leftovers"]
    assert (finding.grade, finding.evidence) == (Grade.INFO, ((earlier, OTHER), (shelf_tag(TAG), INDEX_DIGEST)))
