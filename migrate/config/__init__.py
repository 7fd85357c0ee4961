"""migrate.toml and the environment, read once and turned into core records.

pydantic is imported when a file is loaded, not before: a bare ``migrate --help`` needs none of it.
"""

from __future__ import annotations

from migrate.config.environment import Environment, effective_region, read_environment
from migrate.config.settings_file import absolute, load
from migrate.config.template import render_settings

__all__ = ["Environment", "absolute", "effective_region", "load", "read_environment", "render_settings"]
