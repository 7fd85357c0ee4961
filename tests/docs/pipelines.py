"""The two pipelines that the runbook shows, as programs read them."""

from __future__ import annotations

import shlex
from typing import Any

import yaml

from tests.docs.markdown import RUNBOOKS, code_blocks

PATH = RUNBOOKS / "ci.md"


class _Yaml12(yaml.SafeLoader):
    """Reads ``on:`` as the word that it is: GitHub and GitLab take YAML 1.2, where it is no truth value."""


_Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if first not in "oO" or not tag.endswith("bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def texts() -> tuple[str, str]:
    """Return the workflow for GitHub and the file for GitLab, as they stand there."""
    github, gitlab_text = code_blocks(PATH, "yaml")
    return github, gitlab_text


def github() -> Any:
    """Return the workflow for GitHub."""
    return yaml.load(texts()[0], _Yaml12)  # noqa: S506 - a SafeLoader all the same


def gitlab() -> Any:
    """Return the file for GitLab."""
    return yaml.load(texts()[1], _Yaml12)  # noqa: S506 - a SafeLoader all the same


def words_of(line: str, stage: str) -> list[str]:
    """Return the arguments of a line that runs `migrate`, with the stage that the pipeline was started for."""
    words = shlex.split(line.replace("$WANTED_STAGE", stage).replace("$WANTED", stage))
    assert words[0] == "migrate", line
    return words[1 : words.index(">>")] if ">>" in words else words[1:]
