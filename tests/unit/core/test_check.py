"""What a check answers, whatever the codes of the findings are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.check import FailOn, Readiness, Subject, count, fails, group_of, grouped, report
from migrate.core.findings import Finding, Grade


def a_finding(code: str = "service.made-up", grade: Grade = Grade.BLOCK, stage: int = 0, **evidence: str) -> Finding:
    text = f"{code} stands in the way."
    return Finding(code, grade, stage, text, "Do something.", "findings#x", tuple(sorted(evidence.items())))


def answers(*findings: Finding, **more: bool) -> tuple[Readiness, Readiness]:
    made = report(Subject.SERVICE, "web", findings, **more)
    return made.arm64, made.spot


READY, BLOCKED, UNDECIDED = Readiness.READY, Readiness.BLOCKED, Readiness.UNDECIDED


@pytest.mark.parametrize(
    ("grade", "stage", "expected"),
    [
        (Grade.BLOCK, 0, (BLOCKED, READY)),
        (Grade.BLOCK, 2, (BLOCKED, READY)),
        (Grade.BLOCK, 3, (READY, BLOCKED)),
        (Grade.UNKNOWN, 1, (UNDECIDED, READY)),
        (Grade.UNKNOWN, 3, (READY, UNDECIDED)),
        (Grade.WARN, 2, (READY, READY)),
        (Grade.INFO, 3, (READY, READY)),
    ],
)
def test_a_stage_decides_which_question_a_finding_answers(
    grade: Grade, stage: int, expected: tuple[Readiness, Readiness]
) -> None:
    assert answers(a_finding(grade=grade, stage=stage)) == expected


def test_what_nobody_knows_of_the_caller_says_nothing_about_the_service() -> None:
    assert answers(a_finding("permissions.x", Grade.UNKNOWN)) == (READY, READY)
    assert answers(a_finding("permissions.x", Grade.BLOCK))[0] is BLOCKED


def test_a_block_outweighs_what_is_undecided() -> None:
    assert answers(a_finding(grade=Grade.UNKNOWN), a_finding(grade=Grade.BLOCK, stage=1))[0] is BLOCKED


def test_what_is_so_already_stays_so_and_what_is_not_asked_is_not_answered() -> None:
    assert answers(a_finding(), on_arm64=True, on_spot=True) == (Readiness.ALREADY, Readiness.ALREADY)
    assert answers(a_finding(stage=3), asks_spot=False)[1] is Readiness.NOT_ASKED


@pytest.mark.parametrize(
    ("findings", "summary"),
    [
        ((), "nothing found: ready for ARM64; ready for Spot"),
        (
            (a_finding("image.a", stage=2), a_finding("service.b", stage=0), a_finding("capacity.c", Grade.WARN)),
            (
                "2 block, 1 warn: cannot go to ARM64 yet because: service.b stands in the way; "
                "nothing else is in the way of Spot"
            ),
        ),
        (
            (a_finding("capacity.c", stage=3),),
            "1 block: ready for ARM64; cannot go to Spot yet because: capacity.c stands in the way",
        ),
        (
            (a_finding("image.u", Grade.UNKNOWN, 2), a_finding("image.i", Grade.INFO)),
            (
                "1 unknown, 1 info: it is undecided whether it can go to ARM64: image.u stands in the way; "
                "nothing else is in the way of Spot"
            ),
        ),
    ],
)
def test_the_answer_in_one_line(findings: tuple[Finding, ...], summary: str) -> None:
    assert report(Subject.SERVICE, "web", findings).summary == summary


def test_images_are_asked_about_arm64_alone() -> None:
    assert report(Subject.IMAGES, "app:1", (), asks_spot=False).summary == "nothing found: ready for ARM64"


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        (FailOn.BLOCK, {Grade.BLOCK}),
        (FailOn.WARN, {Grade.BLOCK, Grade.WARN}),
        (FailOn.UNKNOWN, {Grade.BLOCK, Grade.WARN, Grade.UNKNOWN}),
        (FailOn.NEVER, set()),
    ],
)
def test_fail_on_holds_what_is_heavier(fail_on: FailOn, failing: set[Grade]) -> None:
    assert {grade for grade in Grade if fails([a_finding(grade=grade)], fail_on)} == failing
    assert not fails([], fail_on)


@pytest.mark.parametrize(
    ("finding", "group"),
    [
        (a_finding("image.x", container="envoy", image="envoy:1"), "container envoy"),
        (a_finding("service.x", container="envoy"), "container envoy"),
        (a_finding("image.x", image="envoy:1"), "image envoy:1"),
        (a_finding("image.x"), "images"),
        (a_finding("repository.x", image="envoy:1"), "repository"),
        (a_finding("task-definition.x"), "task definition"),
        (a_finding("cluster.x"), "capacity"),
        (a_finding("capacity.x"), "capacity"),
        (a_finding("dockerfile.x"), "build"),
        (a_finding("permissions.x"), "permissions"),
        (a_finding("future.x"), "future"),
    ],
)
def test_what_a_finding_is_about(finding: Finding, group: str) -> None:
    assert group_of(finding) == group


def test_groups_stand_with_the_heaviest_first_and_in_them_the_heaviest_first() -> None:
    found = grouped(
        [
            a_finding("alarms.i", Grade.INFO),
            a_finding("service.w", Grade.WARN),
            a_finding("image.u", Grade.UNKNOWN, container="envoy"),
            a_finding("image.b", Grade.BLOCK, 2, container="envoy"),
            a_finding("service.b", Grade.BLOCK),
        ]
    )
    assert [(name, [item.code for item in items]) for name, items in found] == [
        ("container envoy", ["image.b", "image.u"]),
        ("service", ["service.b", "service.w"]),
        ("alarms", ["alarms.i"]),
    ]


FINDINGS = st.lists(
    st.builds(
        a_finding,
        st.sampled_from(["image.a", "service.b", "new-family.c", "capacity.d"]),
        st.sampled_from(list(Grade)),
        st.integers(0, 3),
    )
)


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_of_findings_decides_nothing_and_none_is_lost(findings: list[Finding], random: object) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    one, other = (report(Subject.SERVICE, "web", items) for items in (findings, shuffled))
    assert (one.arm64, one.spot, one.counts, one.summary) == (other.arm64, other.spot, other.counts, other.summary)
    assert {item for _, items in grouped(one.findings) for item in items} == set(findings)
    assert sum(count(findings).values()) == len(findings)
