"""The provider plugins of a sandbox, laid into its PULUMI_HOME as the engine itself would install them.

A plugin on PATH would do too, but the engine warns about it at every command and takes it whatever its version.
"""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.sandbox.layout import Layout
    from migrate.sandbox.toolchain.parts import Toolchain


def install(tools: Toolchain, layout: Layout, *, real_aws: bool) -> None:
    """Install the docker-build plugin and an aws plugin for the installed SDKs.

    The aws plugin is the stand-in, unless ``real_aws`` asks for the real one and this machine has it.
    """
    _link(_place(layout, "docker-build"), tools.docker_build)
    aws = _place(layout, "aws")
    if real_aws and tools.aws_plugin is not None:
        _link(aws, tools.aws_plugin)
        return
    aws.unlink(missing_ok=True)
    aws.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m migrate.sandbox.aws_plugin "$@"\n')
    aws.chmod(0o755)


def _place(layout: Layout, name: str) -> Path:
    # The engine asks for the version that the program's SDK names, and that is the installed one.
    folder = layout.pulumi_home / "plugins" / f"resource-{name}-v{version(f'pulumi-{name}')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"pulumi-resource-{name}"


def _link(place: Path, plugin: Path) -> None:
    beside = place.with_name(f".{place.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(plugin)
    beside.replace(place)
