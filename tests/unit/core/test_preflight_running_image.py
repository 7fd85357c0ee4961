"""A tag that moved since the service was deployed: what runs is not what the first deployment would bring."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.facts import TaskContainer
from migrate.core.findings import Finding, Grade
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight.running_image import running_image_findings
from migrate.core.settings import ImageSettings
from tests.fakes.facts import (
    ARM64_DIGEST,
    IMAGE,
    INDEX_DIGEST,
    ORIGINAL_DIGEST,
    multi_platform,
    observation,
    settings,
    single_platform,
    task,
)

OTHER = f"sha256:{'d' * 64}"
SETTINGS = replace(settings(), image=ImageSettings("app", context="app"))


def seen(*digests: str | None, **more: object) -> tuple[Finding, ...]:
    running = tuple(task(number, digest=digest) for number, digest in enumerate(digests))
    return tuple(running_image_findings(observation(tasks=running, **more), SETTINGS))


def test_a_push_that_was_never_deployed_stands_in_the_way_of_every_stage() -> None:
    found = seen(ORIGINAL_DIGEST, OTHER)
    assert [(item.code, item.grade, item.stage) for item in found] == [("service.tag-moved", Grade.BLOCK, 0)]
    assert f"1 of 2 running tasks run {OTHER}" in found[0].text
    assert ("running digest", OTHER) in found[0].evidence


INDEX = (ContainerImage("app", IMAGE, multi_platform()),)
PINNED = (ContainerImage("app", replace(IMAGE, digest=ORIGINAL_DIGEST), single_platform()),)
UNREAD = (ContainerImage("app", IMAGE, None, "no permission"),)


@pytest.mark.parametrize(
    ("digests", "images"),
    [
        ((ORIGINAL_DIGEST,), None),
        ((INDEX_DIGEST, ORIGINAL_DIGEST, ARM64_DIGEST), INDEX),
        ((None,), None),
        ((), None),
        ((OTHER,), PINNED),
        ((OTHER,), UNREAD),
    ],
    ids=["the manifest", "index or a child", "no digest reported", "nothing runs", "pinned", "unread"],
)
def test_what_the_tag_names_or_cannot_be_compared_is_no_finding(
    digests: tuple[str | None, ...], images: tuple[ContainerImage, ...] | None
) -> None:
    assert seen(*digests, **({"images": images} if images else {})) == ()


def test_a_sidecar_may_run_what_it_likes() -> None:
    beside = TaskContainer("sidecar", "public/sidecar:1", OTHER, "RUNNING")
    running = replace(task(), containers=(*task().containers, beside))
    look: Observation = observation(tasks=(running,))
    assert tuple(running_image_findings(look, SETTINGS)) == ()
