"""A judgement as JUnit XML, as CI systems read it, and as JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, TestCase

from migrate.core.gate.gate import Measurement, Outcome, Verdict
from migrate.core.judgement import Judgement
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import AccessError, ExitCode
from migrate.render.judgement import gate_document, junit, junit_of_error
from migrate.render.structured import to_json

OUTCOME = RunOutcome(
    "run-1", ExitCode.HELD, Stage.ARCHITECTURE, "It fails.", ("tasks: no",), "Look.", "errors#gate-now"
)


def judgement(*checks: Measurement) -> Judgement:
    return Judgement(OUTCOME, Verdict.FAIL, checks)


def cases(document: bytes) -> list[TestCase]:
    parsed = JUnitXml.fromstring(document)
    return [case for suite in parsed for case in suite]


def test_every_check_is_a_case_and_only_a_pass_passes() -> None:
    checks = [Measurement(outcome.value, outcome, f"says {outcome}", "gates#tasks") for outcome in Outcome]
    document = junit(judgement(*checks), Stage.ARCHITECTURE)
    found = {case.name: [type(result) for result in case.result] for case in cases(document)}
    assert found == {"pass": [], "waiting": [Failure], "fail": [Failure], "inconclusive": [Failure], "error": [Error]}
    (suite,) = JUnitXml.fromstring(document)
    assert (suite.tests, suite.failures, suite.errors) == (5, 3, 1)
    assert suite.name == "migrate gate, stage 2 (architecture)"


def test_an_error_before_the_verdict_is_a_case_that_errs() -> None:
    error = AccessError("AWS refused.", why="ExpiredToken", then="Log in.")
    (case,) = cases(junit_of_error(error, Stage.IMAGE))
    assert [type(result) for result in case.result] == [Error]
    assert case.result[0].message == "AWS refused. ExpiredToken"


@given(st.text(max_size=40), st.text(max_size=60), st.sampled_from(Outcome))
def test_whatever_others_write_into_a_check_the_document_can_be_read(name: str, text: str, outcome: Outcome) -> None:
    hostile = Measurement(name, outcome, text, "gates#tasks", ((text, name),))
    (case,) = cases(junit(judgement(hostile), Stage.CAPACITY))
    assert case.name is not None
    assert len(case.result) == (outcome is not Outcome.PASS)


def test_markup_and_control_characters_are_text() -> None:
    text = "]]><failure/>&\x00\x1b[31m\ud800 </testcase>"
    (case,) = cases(junit(judgement(Measurement("<b>", Outcome.FAIL, text, "gates#tasks")), Stage.IMAGE))
    assert case.name == "<b>"
    assert case.result[0].message == "]]><failure/>&\ufffd\ufffd[31m\ufffd </testcase>"


def test_a_judgement_for_programs_has_the_verdict_and_every_check() -> None:
    shown = json.loads(to_json(gate_document(judgement(Measurement("tasks", Outcome.FAIL, "no", "gates#tasks")))))
    assert (shown["document"], shown["verdict"], shown["exit_code"]) == ("gate", "fail", 6)
    assert shown["checks"] == [{"check": "tasks", "outcome": "fail", "text": "no", "runbook": "gates#tasks"}]
