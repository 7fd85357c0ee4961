"""The programs in front of PATH through which the engine finds the aws provider."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.sandbox.layout import Layout
    from migrate.sandbox.toolchain.parts import Toolchain


def plugin_directories(tools: Toolchain, layout: Layout, *, real_aws: bool) -> tuple[Path, ...]:
    """Return the folders for PATH: the stand-in aws plugin, or the real one where it is installed and asked for."""
    stand_in = layout.programs / "pulumi-resource-aws"
    if real_aws and tools.aws_plugin is not None:
        stand_in.unlink(missing_ok=True)
        return (layout.programs, tools.aws_plugin.parent, *tools.path_directories)
    # The package's folder is named, since the engine starts plugins with a folder and environment of its choice.
    stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m migrate.sandbox.aws_plugin "$@"\n')
    stand_in.chmod(0o755)
    return (layout.programs, *tools.path_directories)
