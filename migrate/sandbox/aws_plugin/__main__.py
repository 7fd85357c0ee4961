"""Started by the engine as ``pulumi-resource-aws``."""

from __future__ import annotations

from migrate.sandbox.aws_plugin.sdk_packages import register_bare_packages

register_bare_packages()

from migrate.sandbox.aws_plugin.serving import serve  # noqa: E402 - after the SDK's packages are registered

serve()
