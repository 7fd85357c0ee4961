"""All readers of the operator's own checks, made for one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migrate.adapters.checks.commands import Commands
from migrate.adapters.checks.probes import HttpProbes
from migrate.adapters.checks.prometheus import Prometheus
from migrate.adapters.checks.webhooks import Webhooks
from migrate.adapters.web import Web
from migrate.check_ports import CheckSources, MetricReader


def check_sources(environment: Mapping[str, str], directory: Path, metrics: MetricReader) -> CheckSources:
    """Return the readers; commands start in ``directory``, and secrets come out of ``environment``."""
    web = Web(environment)
    return CheckSources(metrics, HttpProbes(web), Commands(environment, directory), Webhooks(web), Prometheus(web))
