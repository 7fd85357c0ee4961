"""Preflight of how deployments of the service go: controller, strategy, hooks, and what stops a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service
from migrate.core.rollout.waits import PAUSE_BY_DEFAULT, added_minutes
from migrate.core.service_settings import child, children, deployment_configuration, deployment_strategy, number
from migrate.core.settings import Settings

_CONFIGURATION = "$.deploymentConfiguration"

_CONTROLLERS = {
    "CODE_DEPLOY": (
        "ECS refuses a new task definition or strategy on it, and its rollouts are task sets, not deployments.",
        "Deploy the ARM64 revision by CodeDeploy, or let UpdateService give the service the ECS controller first.",
    ),
    "EXTERNAL": (
        "Its task sets belong to that controller; ECS starts no deployment that could be watched.",
        "Let that controller make a task set of the ARM64 revision, or recreate the service on the ECS controller.",
    ),
}


def rollout_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield who deploys, what each deployment takes, and what would stop a bad one."""
    controller = observation.service.deployment_controller
    if controller != "ECS":
        # Nothing else said here holds for a rollout that ECS does not run.
        yield _foreign_controller(observation, controller)
        return
    yield from _strategy(observation, settings)
    yield from _hooks(observation, settings)
    yield from _protection(observation)


def _foreign_controller(observation: Observation, controller: str) -> Finding:
    why, advice = _CONTROLLERS.get(controller, ("This tool cannot follow it.", "Deploy by that controller."))
    return finding(
        "service.controller",
        Grade.BLOCK,
        0,
        f"The service is deployed by {controller}, not by ECS itself. {why}",
        advice,
        (
            *in_service("$.deploymentController.type", controller),
            ("deployments", str(len(observation.service.deployments))),
        ),
    )


def _strategy(observation: Observation, settings: Settings) -> Iterator[Finding]:
    document = observation.service.document
    strategy = deployment_strategy(document)
    if strategy == "ROLLING":
        return
    added = added_minutes(deployment_configuration(document))
    needed, deadline = timedelta(minutes=added) + settings.gate.soak, settings.gate.deadline
    evidence = in_service(f"{_CONFIGURATION}.strategy", strategy)
    if needed >= deadline:
        yield finding(
            "service.strategy-outlasts-gate",
            Grade.INFO,
            1,
            f"Each {strategy} deployment takes {added} min beside the start of its tasks; with the soak that is no "
            f"less than the gate's deadline of {_minutes(deadline)} min, to which the gate adds them.",
            "Nothing to do but to expect that long at each stage, or shorten the bake times.",
            (*evidence, ("bake and step times", f"{added} min"), ("gate.deadline", f"{_minutes(deadline)} min")),
        )
    else:
        yield finding(
            "service.strategy",
            Grade.INFO,
            1,
            f"The service deploys by {strategy}: both revisions run at once, and each deployment takes {added} min "
            "beside the start of its tasks.",
            "Nothing to do; expect twice the tasks while a stage rolls out.",
            evidence,
        )


def _hooks(observation: Observation, settings: Settings) -> Iterator[Finding]:
    for index, hook in enumerate(children(deployment_configuration(observation.service.document), "lifecycleHooks")):
        stages = hook.get("lifecycleStages")
        named = ", ".join(str(item) for item in stages) if isinstance(stages, list) else "a stage"
        evidence = in_service(f"{_CONFIGURATION}.lifecycleHooks[{index}]", hook)
        minutes = number(child(hook, "timeoutConfiguration"), "timeoutInMinutes", PAUSE_BY_DEFAULT)
        if hook.get("targetType") == "PAUSE" and timedelta(minutes=minutes) >= settings.gate.deadline:
            yield finding(
                "service.pause-hook",
                Grade.WARN,
                1,
                f"Every deployment pauses at {named} until somebody lets it go on, for up to {minutes} min: "
                "longer than gate.deadline, to which the gate adds it.",
                "Have somebody there who continues it at each stage, or give the hook a shorter time-out.",
                evidence,
            )
        else:
            yield finding(
                "service.lifecycle-hook",
                Grade.INFO,
                1,
                f"A lifecycle hook runs at {named} of every deployment, so once or more at each stage.",
                "See that it accepts an ARM64 revision, and tasks on Spot.",
                evidence,
            )


def _protection(observation: Observation) -> Iterator[Finding]:
    configuration = deployment_configuration(observation.service.document)
    if not configuration:
        return
    breaker, alarms = child(configuration, "deploymentCircuitBreaker"), child(configuration, "alarms")
    if deployment_strategy(observation.service.document) == "ROLLING" and not breaker.get("enable"):
        yield finding(
            "service.circuit-breaker-off",
            Grade.WARN,
            0,
            "The deployment circuit breaker is off: ECS starts tasks that fail for ever, until the gate's deadline.",
            "Turn it on with rollback where the service is defined, before stage 0.",
            in_service(f"{_CONFIGURATION}.deploymentCircuitBreaker.enable", value=False),
        )
    elif breaker.get("enable") and not breaker.get("rollback"):
        yield finding(
            "service.circuit-breaker-without-rollback",
            Grade.INFO,
            0,
            "The circuit breaker stops a bad deployment and leaves it; only this tool's own rollback brings it back.",
            "Consider rollback = true, so that the service comes back also when nobody runs this tool.",
            in_service(f"{_CONFIGURATION}.deploymentCircuitBreaker.rollback", value=False),
        )
    if alarms.get("enable") and alarms.get("alarmNames") and not alarms.get("rollback"):
        yield finding(
            "service.alarms-without-rollback",
            Grade.INFO,
            0,
            "The deployment alarms stop a bad deployment without rolling it back.",
            "Nothing to do: the gate watches the same alarms and rolls back itself.",
            in_service(f"{_CONFIGURATION}.alarms", alarms),
        )


def _minutes(duration: timedelta) -> int:
    return int(duration.total_seconds() // 60)
