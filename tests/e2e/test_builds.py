"""The real BuildKit is asked and used: what is told before a build, and what a failing one leaves as it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

FAILING = """FROM --platform=$BUILDPLATFORM scratch AS check
ARG TARGETARCH
COPY bin/linux/${TARGETARCH}/app /app
RUN ["/app", "--no-such-check"]
FROM scratch
COPY --from=check /app /app
ENTRYPOINT ["/app"]
"""
"""Fails at RUN wherever it is built: the demo's service knows no such option, and the sandbox runs no containers."""


def _codes(operator: Operator) -> dict[str, str]:
    plan = operator.done("plan", "--output", "json").json
    families = ("build.", "dockerfile.", "crossing.")
    return {item["code"]: item["grade"] for item in plan["findings"] if item["code"].startswith(families)}


def _set(operator: Operator, key: str, value: str) -> None:
    path = operator.directory / "migrate.toml"
    text = re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def test_builds_on_the_real_engine(operator: Operator) -> None:
    operator.init()
    assert _codes(operator) == {"crossing.brought": "info"}
    operator.done("apply", "--stage", "0", "--yes")
    before = (operator.tag(), operator.service()["deployments"])
    _a_builder_that_is_none_is_refused_before_the_first_act(operator)
    _c27_a_failing_run_passes_the_preview_and_fails_in_the_build(operator, operator.seeded.context / "Dockerfile")
    after = (operator.tag(), operator.service()["deployments"])
    assert after[0] == before[0]
    assert [item["id"] for item in after[1]] == [item["id"] for item in before[1]]
    operator.done("apply", "--stage", "1", "--yes")
    assert _codes(operator) == {}


def _a_builder_that_is_none_is_refused_before_the_first_act(operator: Operator) -> None:
    right = operator.sandbox.builder
    _set(operator, "builder", "tpyo")
    acts = len(operator.events())
    refused = operator.run("apply", "--stage", "1", "--yes")
    _set(operator, "builder", right)
    assert refused.code == 3, refused.said
    assert "tpyo" in refused.said
    assert right in refused.said
    assert not [event for event in operator.events()[acts:] if event.kind.value == "intent"]


def _c27_a_failing_run_passes_the_preview_and_fails_in_the_build(operator: Operator, dockerfile: Path) -> None:
    good = dockerfile.read_text(encoding="utf-8")
    dockerfile.write_text(FAILING, encoding="utf-8")
    seen = len(operator.events())
    failed = operator.run("apply", "--stage", "1", "--yes")
    dockerfile.write_text(good, encoding="utf-8")
    assert failed.code == 4, failed.said
    assert "--no-such-check" in failed.said
    told = [event for event in operator.events()[seen:] if event.step.startswith("build index")]
    assert [event.text for event in told if event.step == "build index: preview"]
    assert "verified" not in failed.said
    assert not [event for event in operator.events()[seen:] if event.step.startswith(("prove", "publish"))]
