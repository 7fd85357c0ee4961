"""The generated protocol of the Pulumi SDK, without the SDK around it.

``import pulumi`` takes most of a second, and the engine starts a plugin for every operation. The generated modules
need none of it, so their packages are registered bare when nobody has imported the SDK before.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def _register_bare_packages() -> None:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        return
    path = Path(spec.origin).parent
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        module = ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module
        path /= {"pulumi": "runtime", "pulumi.runtime": "proto"}.get(name, "")


if "pulumi" not in sys.modules:
    _register_bare_packages()

from pulumi.runtime.proto import (  # noqa: E402 - after the packages are registered
    errors_pb2,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

__all__ = ["errors_pb2", "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "status_pb2"]
