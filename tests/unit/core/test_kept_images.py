from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.facts import Architecture
from migrate.core.gate.gate import Verdict
from migrate.core.gate.kept_images import judge_gone, kept_images
from migrate.core.record import BuiltIndex
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from tests.fakes.facts import ARM64, ARM64_DIGEST, INDEX_DIGEST, OCI_INDEX, settings
from tests.fakes.records import a_record

AMD64 = Architecture.X86_64
RECORD = replace(a_record(), index=None)
ORIGINAL = RECORD.baseline.image.digest
INDEX = BuiltIndex(INDEX_DIGEST, OCI_INDEX, (("linux/amd64", ORIGINAL), ("linux/arm64", ARM64_DIGEST)))
BUILT = replace(RECORD, index=INDEX)
EXTERNAL: Settings = replace(settings(), image=replace(settings().image, mode=ImageMode.EXTERNAL))


def test_c30_a_stage_needs_what_its_tasks_run_and_what_the_tag_goes_back_to() -> None:
    at_arm64 = kept_images(BUILT, settings(), Stage.ARCHITECTURE, ARM64)
    assert at_arm64.running == (INDEX_DIGEST, ARM64_DIGEST)
    assert at_arm64.way_back == (ORIGINAL,)
    assert set(at_arm64.digests) == {INDEX_DIGEST, ARM64_DIGEST, ORIGINAL}
    assert kept_images(BUILT, settings(), Stage.BASELINE, AMD64).digests == (ORIGINAL,)
    assert kept_images(BUILT, settings(), Stage.IMAGE, AMD64).digests == (INDEX_DIGEST, ORIGINAL)


def test_what_the_teams_ci_pushes_over_is_theirs_to_keep() -> None:
    assert kept_images(RECORD, EXTERNAL, Stage.BASELINE, AMD64).digests == ()
    assert kept_images(BUILT, EXTERNAL, Stage.ARCHITECTURE, ARM64).digests == (INDEX_DIGEST, ARM64_DIGEST)


@pytest.mark.parametrize(
    ("gone", "verdict"),
    [
        ((), Verdict.PASS),
        ((ORIGINAL,), Verdict.INCONCLUSIVE),
        ((ARM64_DIGEST,), Verdict.FAIL),
        ((INDEX_DIGEST, ORIGINAL), Verdict.FAIL),
    ],
)
def test_c20_c30_a_lost_way_back_is_for_a_person_and_a_lost_image_a_failure(
    gone: tuple[str, ...], verdict: Verdict
) -> None:
    judged, reasons = judge_gone(kept_images(BUILT, settings(), Stage.ARCHITECTURE, ARM64), gone)
    assert judged is verdict
    assert len(reasons) == len(gone)
    assert all(any(digest in reason for reason in reasons) for digest in gone)


def test_an_image_is_asked_for_by_its_digest_alone() -> None:
    kept = kept_images(BUILT, settings(), Stage.ARCHITECTURE, ARM64)
    reference = kept.at(INDEX_DIGEST)
    assert (reference.tag, reference.digest) == (None, INDEX_DIGEST)
