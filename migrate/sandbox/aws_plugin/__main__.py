"""Started by the engine as ``pulumi-resource-aws``."""

from __future__ import annotations

from migrate.sandbox.aws_plugin.serving import serve

serve()
