"""A judgement of what runs now, for programs: JSON, and JUnit XML as CI systems show it."""

from __future__ import annotations

import re
from typing import Any

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.judgement import Judgement
from migrate.core.stages import Stage
from migrate.errors import MigrateError
from migrate.render.structured import head, plain

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no document of XML 1.0 may hold, escaped or not (section 2.2)."""


def gate_document(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement for programs: the outcome's keys, the verdict, and every check as it was last."""
    checks = [
        {"check": item.check, "outcome": item.outcome.value, "text": item.text, "runbook": item.runbook}
        for item in judgement.checks
    ]
    return {**head("gate"), **plain(judgement.outcome), "verdict": judgement.verdict.value, "checks": checks}


def junit(judgement: Judgement, stage: Stage) -> bytes:
    """Return a judgement as JUnit XML: a test case a check; whatever does not pass is a failure, or an error."""
    return _document(stage, [_case(item, stage) for item in judgement.checks])


def junit_of_error(error: MigrateError, stage: Stage) -> bytes:
    """Return an error that ended a judgement before its verdict as JUnit XML."""
    case = TestCase(_legal("gate"), classname=_class(stage))
    case.result = [Error(_legal(str(error)), error.runbook)]
    return _document(stage, [case])


def _document(stage: Stage, cases: list[TestCase]) -> bytes:
    suite = TestSuite(f"migrate gate, {stage.named}")
    suite.add_testcases(cases)
    suite.update_statistics()
    document = JUnitXml()
    document.add_testsuite(suite)
    document.update_statistics()
    written: bytes = document.tostring()
    return written


def _case(item: Measurement, stage: Stage) -> TestCase:
    case = TestCase(_legal(item.check), classname=_class(stage))
    if item.outcome is Outcome.ERROR:
        case.result = [Error(_legal(item.text), item.runbook)]
    elif item.outcome is not Outcome.PASS:
        case.result = [Failure(_legal(item.text), item.outcome.value)]
    case.system_out = _legal("\n".join([item.text, *(f"{name}: {value}" for name, value in item.evidence)]))
    return case


def _class(stage: Stage) -> str:
    return f"migrate.gate.stage-{stage.value}"


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
