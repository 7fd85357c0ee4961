"""The worked examples of ECR's own user guide ("Examples of lifecycle policies"), and what they leave open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.repository.lifecycle_policy import (
    CountType,
    Fate,
    LifecyclePolicy,
    StoredImage,
    evaluate,
    matches_wildcard,
    parse_lifecycle_policy,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def rule(priority: int, status: str, count_type: str, count: int, **more: Any) -> dict[str, Any]:
    selection = {"tagStatus": status, "countType": count_type, "countNumber": count}
    if count_type != "imageCountMoreThan":
        selection["countUnit"] = "days"
    action = more.pop("action", {"type": "expire"})
    return {"rulePriority": priority, "selection": {**selection, **more}, "action": action}


def policy(*rules: dict[str, Any]) -> LifecyclePolicy:
    read = parse_lifecycle_policy(json.dumps({"rules": list(rules)}))
    assert not read.unread
    return read


def image(name: str, days: float, *tags: str, **more: Any) -> StoredImage:
    return StoredImage(name, "ACTIVE", tags, NOW - timedelta(days=days), **more)


def fates(read: LifecyclePolicy, *images: StoredImage, **parents: str) -> dict[str, Fate]:
    listed = {child: tuple(named.split()) for child, named in parents.items()}
    return dict(evaluate(read, images, listed, NOW))


def taken(read: LifecyclePolicy, *images: StoredImage, **parents: str) -> str:
    """Return the names of the images that go within a day, in order."""
    found = fates(read, *images, **parents)
    return "".join(sorted(name for name, fate in found.items() if fate.due is not None and fate.due <= NOW))


BETA_PROD = (image("A", 10, "beta-1", "prod-1"), image("B", 9, "beta-2", "prod-2"), image("C", 8, "beta-3"))
ALPHA_BETA = (
    image("A", 12, "alpha-1"),
    image("B", 11, "beta-1"),
    image("C", 10, "alpha-2", "beta-2"),
    image("D", 4, "alpha-3"),
    image("E", 3, "beta-3"),
    image("F", 2, "alpha-4", "beta-4"),
)
NOT_EXCLUSIVE = (
    image("A", 10, "alpha-1", "beta-1", "gamma-1"),
    image("B", 9, "alpha-2", "beta-2"),
    image("C", 8, "alpha-3", "beta-3", "gamma-2"),
)
ALL = (image("A", 4, "alpha-1"), image("B", 3, "beta-1"), image("C", 2), image("D", 1, "alpha-2"))
COMBINED = (
    image("A", 4, "alpha-1", "beta-1"),
    image("B", 3),
    image("C", 2, "alpha-2"),
    image("D", 1, "git hash"),
    image("E", 0.9),
)
MORE_THAN = "imageCountMoreThan"


@pytest.mark.parametrize(
    ("rules", "images", "expected"),
    [
        (
            [
                rule(1, "tagged", MORE_THAN, 1, tagPrefixList=["prod"]),
                rule(2, "tagged", MORE_THAN, 1, tagPrefixList=["beta"]),
            ],
            BETA_PROD,
            "A",
        ),
        (
            [
                rule(1, "tagged", MORE_THAN, 1, tagPrefixList=["beta"]),
                rule(2, "tagged", MORE_THAN, 1, tagPrefixList=["prod"]),
            ],
            BETA_PROD,
            "AB",
        ),
        ([rule(1, "tagged", "sinceImagePushed", 5, tagPrefixList=["alpha", "beta"])], ALPHA_BETA, "C"),
        ([rule(1, "tagged", "sinceImagePushed", 5, tagPatternList=["alpha*", "*eta*"])], ALPHA_BETA, "C"),
        ([rule(1, "tagged", MORE_THAN, 1, tagPrefixList=["alpha", "beta"])], NOT_EXCLUSIVE, "AB"),
        ([rule(1, "any", MORE_THAN, 1)], ALL, "ABC"),
        (
            [
                rule(1, "tagged", MORE_THAN, 1, tagPrefixList=["alpha"]),
                rule(2, "untagged", "sinceImagePushed", 1),
                rule(3, "any", MORE_THAN, 1),
            ],
            COMBINED,
            "ABD",
        ),
    ],
)
def test_the_examples_of_the_user_guide_come_out_as_it_says(
    rules: list[dict[str, Any]], images: tuple[StoredImage, ...], expected: str
) -> None:
    assert taken(policy(*rules), *images) == expected
    assert taken(policy(*reversed(rules)), *reversed(images)) == expected


def test_a_rule_that_selects_an_image_shields_it_from_every_later_one() -> None:
    shield = rule(1, "tagged", MORE_THAN, 1000, tagPatternList=["migrate-guard-*"])
    images = (image("A", 90, "migrate-guard-a-tag1"), image("B", 90, "tag1"))
    assert taken(policy(shield, rule(2, "any", "sinceImagePushed", 1)), *images) == "B"
    assert taken(policy(rule(2, "any", "sinceImagePushed", 1)), *images) == "AB"


def test_an_image_on_an_index_goes_after_the_index_only() -> None:
    read = policy(rule(1, "untagged", "sinceImagePushed", 1))
    images = (image("index", 9, "tag1"), image("child", 9), image("orphan", 9))
    assert taken(read, *images, child="index") == "orphan"
    assert fates(read, *images, child="index")["child"].held_by == ("index",)
    assert taken(read, image("child", 9), child="index") == "child"
    bare = (image("index", 0.5), image("child", 9))
    assert fates(read, *bare, child="index")["child"].due == fates(read, *bare)["index"].due


def test_an_image_on_an_index_that_a_count_takes_goes_with_the_push_that_takes_the_index() -> None:
    read = policy(rule(1, "any", MORE_THAN, 2))
    images = (image("child", 9, "guard"), image("index", 1, "tag1"))
    fate = fates(read, *images, child="index")["child"]
    assert (fate.due, fate.pushes_left, fate.held_by) == (None, 2, ("index",))
    gone = (*images, image("one", 0.3, "one"), image("two", 0.2, "two"))
    assert taken(read, *gone, child="index") == "childindex"
    late = policy(rule(1, "tagged", "sinceImagePushed", 90, tagPatternList=["guard"]), rule(2, "any", MORE_THAN, 2))
    fate = fates(late, *images, child="index")["child"]
    assert (fate.due, fate.pushes_left) == (None, None)


def test_children_of_an_index_take_no_part_in_a_count() -> None:
    read = policy(rule(1, "any", MORE_THAN, 2))
    images = (image("old", 9, "v1"), image("amd64", 3), image("arm64", 2), image("index", 1, "v2"))
    assert taken(read, *images, amd64="index", arm64="index") == ""
    assert taken(read, *images) == "amd64old"


def test_a_count_says_how_many_more_pushes_an_image_lives() -> None:
    found = fates(policy(rule(1, "any", MORE_THAN, 3)), image("A", 3, "a"), image("B", 2, "b"))
    assert {name: (fate.due, fate.pushes_left) for name, fate in found.items()} == {"A": (None, 2), "B": (None, 3)}


def test_days_since_a_push_say_the_hour() -> None:
    fate = fates(policy(rule(1, "any", "sinceImagePushed", 14)), image("A", 4, "a"))["A"]
    assert fate.due == NOW + timedelta(days=10)
    assert str(fate.rule) == "rule 1 (any, sinceImagePushed 14 days, expire)"


ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 10),
        ({"pulled_at": NOW - timedelta(days=2)}, 28),
        ({"pulled_at": NOW - timedelta(days=9), "activated_at": NOW - timedelta(days=5)}, 25),
        ({"pulled_at": NOW - timedelta(days=2), "activated_at": NOW - timedelta(days=5)}, 28),
    ],
)
def test_days_since_a_pull_begin_with_the_last_use(more: dict[str, Any], expected: int) -> None:
    read = policy(rule(1, "any", "sinceImagePulled", 30, action=ARCHIVE))
    assert fates(read, image("A", 20, "a", **more))["A"].due == NOW + timedelta(days=expected)


def test_archived_images_are_taken_by_rules_for_the_archive_alone() -> None:
    read = policy(
        rule(1, "any", "sinceImagePushed", 1),
        rule(2, "any", "sinceImageTransitioned", 90, storageClass="archive"),
    )
    stored = StoredImage("A", "ARCHIVED", ("a",), NOW - timedelta(days=400), archived_at=NOW - timedelta(days=50))
    fate = fates(read, stored)["A"]
    assert fate.rule is not None
    assert (fate.rule.priority, fate.due) == (2, NOW + timedelta(days=40))


def test_a_time_that_ecr_does_not_tell_may_be_long_ago() -> None:
    assert fates(policy(rule(1, "any", "sinceImagePushed", 14)), StoredImage("A"))["A"].due == NOW


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="without end"),
        ("[]", "no list of rules"),
        ('{"rules": {}}', "no list of rules"),
        ('{"rules": [1]}', "rule ?"),
        (json.dumps({"rules": [rule(7, "any", "sinceImageAdmired", 3)]}), "rule 7"),
        (json.dumps({"rules": [rule(7, "tagged", "sinceImagePushed", 3)]}), "rule 7"),
        (json.dumps({"rules": [rule(7, "any", "sinceImagePushed", 3, countUnit="months")]}), "rule 7"),
        (json.dumps({"rules": [rule(7, "any", "sinceImagePushed", 3, action={"type": "frame"})]}), "rule 7"),
        (json.dumps({"rules": [rule(7, "any", "sinceImagePushed", 3, storageClass="attic")]}), "rule 7"),
        (json.dumps({"rules": [{"rulePriority": 7, "selection": [], "action": {}}]}), "rule 7"),
    ],
)
def test_what_this_version_cannot_read_is_named(text: str, said: str) -> None:
    read = parse_lifecycle_policy(text)
    assert read.rules == ()
    assert said in read.unread[0]


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        ("prod*", "prod", True),
        ("prod*", "Prod1", False),
        ("*prod*", "repo-production", True),
        ("v1.2", "v1x2", False),
        ("v?", "v1", False),
        ("*", "", True),
        ("a*b*c", "a--b--c", True),
        ("a*b*c", "a--c--b", False),
    ],
)
def test_only_the_star_is_special_in_a_pattern(pattern: str, tag: str, expected: bool) -> None:
    assert matches_wildcard(pattern, tag) is expected


RULES = st.builds(
    rule,
    st.just(1),
    st.sampled_from(["any", "untagged"]),
    st.sampled_from([CountType.IMAGES.value, CountType.SINCE_PUSHED.value]),
    st.integers(1, 6),
)
IMAGES = st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=8).map(
    lambda made: [image(str(n), days, *([f"t{n}"] if tagged else [])) for n, (days, tagged) in enumerate(made)]
)


@given(RULES, IMAGES)
def test_the_older_of_two_alike_never_outlives_the_younger(made: dict[str, Any], images: list[StoredImage]) -> None:
    found = fates(policy(made), *images)
    for older in images:
        for younger in images:
            alike = bool(older.tags) is bool(younger.tags) or made["selection"]["tagStatus"] == "any"
            if alike and older.pushed_at and younger.pushed_at and older.pushed_at < younger.pushed_at:
                gone = found[younger.digest].due
                if gone is not None and gone <= NOW:
                    own = found[older.digest].due
                    assert own is not None
                    assert own <= NOW


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    parse_lifecycle_policy(text)
