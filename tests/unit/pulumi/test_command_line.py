"""Finding the Pulumi command line while something else is done; what it refuses is in test_engine.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from semver import VersionInfo

from migrate.adapters.pulumi.command_line import CommandLine, asked_for
from migrate.errors import EngineError


def test_the_version_is_asked_for_while_something_else_is_done(tmp_path: Path) -> None:
    program, answer = tmp_path / "pulumi", tmp_path / "answer"
    os.mkfifo(answer)
    program.write_text(f"#!/bin/sh\nread version < {answer}\necho $version\n")
    program.chmod(0o755)
    found = asked_for({"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"})
    # It answers only now, and a write into the pipe waits for whoever reads it: the question was under way already.
    answer.write_text("v3.274.1\n")
    assert found() == CommandLine(str(program), VersionInfo(3, 274, 1))


def test_what_is_wrong_is_told_when_the_command_line_is_needed(tmp_path: Path) -> None:
    found = asked_for({"PATH": str(tmp_path)})
    with pytest.raises(EngineError, match="not found"):
        found()
