"""The answer of a check as people read it."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.check import CheckReport, Subject, report
from migrate.core.findings import Finding, Grade
from migrate.render import findings
from migrate.render.text import shown

SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web"


def a_finding(code: str, grade: Grade, stage: int, text: str, *evidence: tuple[str, str]) -> Finding:
    return Finding(code, grade, stage, text, "Do this about it.", f"findings#{code.replace('.', '-')}", evidence)


ENVOY = a_finding(
    *("image.sidecar-without-arm64", Grade.BLOCK, 2, "Container envoy: envoy:1.12 has no linux/arm64."),
    ("container", "envoy"),
    ("digest", f"sha256:{'a' * 64}"),
)
BINARY = a_finding(
    *("image.wrong-binary", Grade.BLOCK, 2, "The arm64 image starts /app, an ELF file for x86-64."),
    ("container", "web"),
    ("file", "/app"),
)
SPOT = a_finding("capacity.spot-alone", Grade.BLOCK, 3, "The strategy names FARGATE_SPOT alone.")
ALARM = a_finding("alarms.no-data", Grade.WARN, 0, "web-errors has no data.")
UNREAD = a_finding("service.unread", Grade.UNKNOWN, 0, "The subnets could not be read.")

REPORTS = {
    "ready": report(Subject.SERVICE, SERVICE, ()),
    "there already": report(Subject.SERVICE, SERVICE, (ALARM,), on_arm64=True, on_spot=True),
    "blocked": report(Subject.SERVICE, SERVICE, (ALARM, SPOT, BINARY, ENVOY)),
    "undecided": report(Subject.TASK_DEFINITION, "web:1", (UNREAD, ALARM)),
    "an image": report(Subject.IMAGES, "envoy:1.12", (ENVOY,), asks_spot=False),
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [72, 110])
def test_what_people_read(name: str, width: int, snapshot: SnapshotAssertion) -> None:
    told = shown(findings.check(REPORTS[name]), width=width, colour=False)
    assert max(map(len, told.splitlines())) <= width
    assert told == snapshot


def test_the_answers_stand_on_top_and_the_one_line_at_the_end() -> None:
    told = shown(findings.check(REPORTS["blocked"]), width=200, colour=False)
    lines = told.splitlines()
    assert lines[3].startswith("ARM64  not yet")
    assert {line.strip() for line in lines[4:6]} == {ENVOY.text, f"container web: {BINARY.text}"}
    assert lines[6].startswith("Spot   not yet")
    assert lines[-1].startswith("3 block, 1 warn: cannot go to ARM64 yet because: ")


def test_many_reasons_are_cut_short_and_counted() -> None:
    many = tuple(a_finding(f"service.n{number}", Grade.BLOCK, 0, f"Reason {number}.") for number in range(9))
    told = shown(findings.check(report(Subject.SERVICE, SERVICE, many)), width=100, colour=False)
    assert "and 4 more" in told.split("\n\n")[1]
    assert all(item.text in told for item in many)


def test_colour_is_added_only_where_it_is_wanted() -> None:
    made: CheckReport = REPORTS["blocked"]
    assert "\x1b[" not in shown(findings.check(made), width=100, colour=False)
    assert "\x1b[" in shown(findings.check(made), width=100, colour=True)
