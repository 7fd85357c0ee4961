"""The packages of the Pulumi SDK without their code, for a process that needs its generated protocol only.

``import pulumi`` takes most of a second, and the engine starts a plugin for every operation. The generated modules
need nothing of it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_BELOW = (("pulumi", "."), ("pulumi.runtime", "runtime"), ("pulumi.runtime.proto", "runtime/proto"))


def register_bare_packages() -> None:
    """Make ``pulumi.runtime.proto`` importable alone; only for the plugin's own process, before any import of it."""
    spec = importlib.util.find_spec("pulumi")
    if "pulumi" in sys.modules or spec is None or spec.origin is None:
        return
    for name, below in _BELOW:
        module = ModuleType(name)
        module.__path__ = [str(Path(spec.origin).parent / below)]
        sys.modules[name] = module
