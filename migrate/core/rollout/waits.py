"""What a deployment waits for on purpose where ECS itself moves traffic in steps: the gate has to wait for it as well.

Sources: ECS API reference, DeploymentConfiguration, LinearConfiguration, CanaryConfiguration, DeploymentLifecycleHook.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.documents import Document, Json
from migrate.core.service_settings import child, children, deployment_configuration, number
from migrate.core.settings import GateSettings

PAUSE_BY_DEFAULT = 1440
"""Minutes that a hook of type PAUSE waits for somebody where it says nothing."""


def with_rollout_waits(gate: GateSettings, document: Document) -> GateSettings:
    """Return the gate with its deadlines moved by all that a deployment of the service waits for on purpose."""
    configuration = deployment_configuration(document)
    waits = timedelta(minutes=added_minutes(configuration) + hook_minutes(configuration))
    return replace(gate, deadline=gate.deadline + waits, progress_deadline=gate.progress_deadline + waits)


def added_minutes(configuration: dict[str, Json]) -> int:
    """Return the minutes of bake and step times."""
    waits = number(configuration, "bakeTimeInMinutes", 0)
    strategy = configuration.get("strategy")
    if strategy == "CANARY":
        waits += number(child(configuration, "canaryConfiguration"), "canaryBakeTimeInMinutes", 10)
    if strategy == "LINEAR":
        linear = child(configuration, "linearConfiguration")
        step = max(number(linear, "stepPercent", 10), 1)
        # There is no wait after the step that reaches 100 percent.
        waits += (-(-100 // step) - 1) * number(linear, "stepBakeTimeInMinutes", 6)
    return waits


def hook_minutes(configuration: dict[str, Json]) -> int:
    """Return the minutes that lifecycle hooks may take at each of their stages: what they say, or a pause's default."""
    found = 0
    for hook in children(configuration, "lifecycleHooks"):
        stages = hook.get("lifecycleStages")
        default = PAUSE_BY_DEFAULT if hook.get("targetType") == "PAUSE" else 0
        minutes = number(child(hook, "timeoutConfiguration"), "timeoutInMinutes", default)
        found += minutes * max(1, len(stages) if isinstance(stages, list) else 1)
    return found
