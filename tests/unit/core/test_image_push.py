from __future__ import annotations

import pytest

from migrate.core.image.push import explain_push_failure, told_left_over

LOCKED = """\
error: failed to push r/app:tag1: unexpected status from PUT request to https://r/v2/app/manifests/tag1: 400 Bad Request
tag invalid: The image tag 'tag1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.
"""  # noqa: E501 (as it is written)


@pytest.mark.parametrize("output", [LOCKED, "An error occurred (ImageTagAlreadyExistsException) when calling PutImage"])
def test_c05_a_locked_tag_is_named_and_leftovers_are_mentioned(output: str) -> None:
    problem = explain_push_failure(output)
    assert problem is not None
    assert (problem.code, problem.grade) == ("image.tag-immutable", "block")
    assert "left manifests without a tag" in problem.text
    assert "400 Bad Request" not in problem.evidence[0][1]


@pytest.mark.parametrize(
    "output",
    [
        "failed to fetch: unexpected status code 403 Forbidden",
        '{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}',
        "no basic auth credentials",
    ],
)
def test_c28_a_refused_login_is_called_credentials(output: str) -> None:
    problem = explain_push_failure(output)
    assert problem is not None
    assert problem.code == "image.credentials"


def test_a_child_that_is_missing_is_named() -> None:
    problem = explain_push_failure("ReferencedImagesNotFoundException: images with digests 'sha256:..' not found")
    assert problem is not None
    assert problem.code == "image.referenced-missing"


def test_other_failures_are_left_alone() -> None:
    assert explain_push_failure("executor failed running [/bin/sh -c make]: exit code: 2") is None


def test_c05_what_a_refused_push_left_is_told_by_digest() -> None:
    assert told_left_over([]) == ""
    one = told_left_over([("sha256:a", "index")])
    assert one == " Left behind without a tag: sha256:a (index). Nothing runs them; this tool deletes no image."
    many = told_left_over([(f"sha256:{number}", "index") for number in range(9)])
    assert "sha256:5 (index) and 3 more." in many
    assert "sha256:6" not in many
