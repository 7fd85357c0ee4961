"""What a registry's refusal of a push means, from the text that builders pass on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrate.core.findings import Grade
from migrate.core.image.facts import ImageProblem

_REFUSALS = (
    (
        "image.tag-immutable",
        re.compile(
            r"ImageTagAlreadyExistsException|cannot be overwritten[^\n]*repository is immutable|tag (?:is )?immutable",
            re.IGNORECASE,
        ),
        (
            "The repository does not let the tag move (tag immutability). A failed push may have left manifests "
            "without a tag, or the tag on one of them."
        ),
    ),
    (
        "image.credentials",
        re.compile(
            r"authorization token has expired|no basic auth credentials|\b40[13] (?:Unauthorized|Forbidden)\b"
            r"|unexpected status[^\n]*\b40[13]\b|\bDENIED\b|insufficient_scope|authentication required",
            re.IGNORECASE,
        ),
        "The registry refused the credentials; this says nothing about whether the image exists.",
    ),
    (
        "image.referenced-missing",
        re.compile(r"ReferencedImagesNotFoundException|MANIFEST_BLOB_UNKNOWN", re.IGNORECASE),
        "The index names a manifest that the repository does not hold.",
    ),
)
_LONGEST_LINE = 300
_MOST_TOLD = 6


def explain_push_failure(output: str) -> ImageProblem | None:
    """Return what a failed push or index creation means, with the line that says so; None where nothing is known.

    Sources: ECR API errors of PutImage (facts F30, F32); texts of docker/buildx issues 663 and 2955.
    """
    for code, pattern, text in _REFUSALS:
        for line in output.splitlines():
            if pattern.search(line):
                return ImageProblem(code, Grade.BLOCK, text, (("said", line.strip()[:_LONGEST_LINE]),))
    return None


def told_left_over(manifests: Sequence[tuple[str, str]]) -> str:
    """Say by digest and media type what a failed push has left without a tag; empty where there is nothing.

    Older pushers tag the first child and are then refused the index (docker/buildx issue 2955, case C05).
    """
    if not manifests:
        return ""
    told = ", ".join(f"{digest} ({media_type})" for digest, media_type in manifests[:_MOST_TOLD])
    more = len(manifests) - _MOST_TOLD
    rest = f" and {more} more" if more > 0 else ""
    return f" Left behind without a tag: {told}{rest}. Nothing runs them; this tool deletes no image."
