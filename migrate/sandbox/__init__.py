"""A whole AWS account, registry, builder and engine on loopback, for demos and tests.

``from migrate.sandbox import Sandbox`` is all that a test or the demo needs. It is loaded on first use, because the
set-up of the tool chain lives in this package too and runs before any dependency is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.sandbox.sandbox import Sandbox as Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> object:
    if name == "Sandbox":
        from migrate.sandbox.sandbox import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
