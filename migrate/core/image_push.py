"""What a registry's refusal of a push means, from the text that builders pass on."""

from __future__ import annotations

import re

from migrate.core.findings import Grade
from migrate.core.image_facts import ImageProblem

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


def explain_push_failure(output: str) -> ImageProblem | None:
    """Return what a failed push or index creation means, with the line that says so; None where nothing is known.

    Sources: ECR API errors of PutImage (facts F30, F32); texts of docker/buildx issues 663 and 2955.
    """
    for code, pattern, text in _REFUSALS:
        for line in output.splitlines():
            if pattern.search(line):
                return ImageProblem(code, Grade.BLOCK, text, (("said", line.strip()[:_LONGEST_LINE]),))
    return None
