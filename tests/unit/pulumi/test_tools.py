"""What `migrate doctor` learns of Pulumi: version, plugins where Pulumi looks for them, and a backend that answers."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from migrate.adapters.pulumi import tools
from migrate.errors import AccessError, EngineError


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an environment with a Pulumi that answers, and nothing else."""
    said = (
        'case "$1" in version) echo v3.274.1;; whoami) echo "$PULUMI_BACKEND_URL is down" >&2; exit ${DOWN:-0};; esac'
    )
    program(tmp_path / "bin", "pulumi", said)
    return {"PATH": str(tmp_path / "bin"), "PULUMI_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}


def test_pulumi_says_its_version_and_place(environment: dict[str, str]) -> None:
    assert tools.pulumi(environment) == f"3.274.1, {environment['PATH']}/pulumi"
    with pytest.raises(EngineError, match="was not found"):
        tools.pulumi({"PATH": "/nowhere"})


def test_plugins_are_looked_for_where_pulumi_does(environment: dict[str, str], tmp_path: Path) -> None:
    wanted = {name: version(f"pulumi-{name}") for name in ("aws", "docker-build")}
    assert tools.plugins(environment) == tuple((name, number, "") for name, number in wanted.items())
    folder = tmp_path / "home" / "plugins"
    program(folder / "resource-aws-v0.0.1", "pulumi-resource-aws", "")
    assert tools.plugins(environment)[0][2] == ""
    installed = program(folder / f"resource-aws-v{wanted['aws']}", "pulumi-resource-aws", "")
    on_path = program(tmp_path / "bin", "pulumi-resource-docker-build", "")
    assert [place for _, _, place in tools.plugins(environment)] == [str(installed), str(on_path)]


def test_a_backend_is_reached_or_it_is_said_why_not(environment: dict[str, str], tmp_path: Path) -> None:
    assert tools.backend(tmp_path, environment).endswith("state, not made yet")
    url = {"PULUMI_BACKEND_URL": "s3://bucket"}
    with pytest.raises(AccessError, match="passphrase") as refused:
        tools.backend(tmp_path, {**environment, **url})
    assert refused.value.runbook == "errors#passphrase"
    shared = {**environment, **url, "PULUMI_CONFIG_PASSPHRASE": "x"}
    assert tools.backend(tmp_path, shared).startswith("s3://bucket, as")
    with pytest.raises(AccessError, match=r"s3://bucket is down\."):
        tools.backend(tmp_path, {**shared, "DOWN": "255"})
