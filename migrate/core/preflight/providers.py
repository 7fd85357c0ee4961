"""Preflight of capacity providers: whether they exist and work, what stands behind them, and what cannot be mixed."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.facts import Strategy
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.placement.provider_machines import ProviderUse, provider_uses
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings
from migrate.core.surroundings import CapacityProvider, ProviderKind, Surroundings, kind_of

_GONE = ("INACTIVE", "DEPROVISIONING")
_CHANGING = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def provider_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the capacity providers of the service now and of the target say."""
    yield from _mixed(observation.surroundings, settings.capacity)
    yield from _default_strategy(observation)
    for use in provider_uses(observation, settings):
        provider = observation.surroundings.provider(use.name)
        if provider is None:
            continue
        yield from _status(provider, use)
        yield from _update(provider, use)
        if provider.kind is ProviderKind.MANAGED_INSTANCES:
            yield _managed_instances(provider, use)


def _status(provider: CapacityProvider, use: ProviderUse) -> Iterator[Finding]:
    evidence = ((provider.name, provider.status),)
    # One that is MISSING is named by cluster.provider-unknown.
    if provider.status in _GONE:
        yield finding(
            "capacity-provider.inactive",
            Grade.BLOCK,
            use.stage,
            f"The capacity provider {provider.name} is {provider.status}: no task can be placed on it.",
            "Create it anew, or name another one in capacity.strategy.",
            evidence,
        )
    elif provider.status == "PROVISIONING":
        yield finding(
            "capacity-provider.provisioning",
            Grade.WARN,
            use.stage,
            f"The capacity provider {provider.name} is being made; until it is ACTIVE no strategy may name it.",
            "Wait until it is ACTIVE before you apply the stage.",
            evidence,
        )


def _update(provider: CapacityProvider, use: ProviderUse) -> Iterator[Finding]:
    state = provider.update_status
    if provider.status not in {"ACTIVE", ""} or not (
        state.endswith("_FAILED") or state in _CHANGING or "DELETE" in state
    ):
        return
    leaving = state in {"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}
    why = f": {provider.update_reason}" if provider.update_reason else ""
    yield finding(
        "capacity-provider.update",
        Grade.BLOCK if leaving else Grade.WARN,
        use.stage,
        f"The capacity provider {provider.name} says {state}{why}.",
        "Name another one in capacity.strategy." if leaving else "Let the change end well before you apply the stage.",
        ((provider.name, state),),
    )


def _managed_instances(provider: CapacityProvider, use: ProviderUse) -> Finding:
    return finding(
        "capacity-provider.managed-instances",
        Grade.UNKNOWN,
        use.stage,
        f"{provider.name} is a provider of {ProviderKind.MANAGED_INSTANCES.value}, whose machines ECS picks itself; "
        "whether its requirements allow ARM64 was not judged.",
        "Look that its instance requirements allow amazon-web-services as CPU manufacturer and Graviton types.",
        ((provider.name, provider.kind.value),),
    )


def _mixed(around: Surroundings, strategy: Strategy) -> Iterator[Finding]:
    """Yield that one strategy names several kinds of provider, which ECS refuses (facts F13)."""
    kinds = {item.provider: _kind(around, item.provider) for item in strategy}
    if ProviderKind.FARGATE in kinds.values() and set(kinds.values()) != {ProviderKind.FARGATE}:
        several = True
    else:
        several = len(set(kinds.values()) - {ProviderKind.UNKNOWN}) > 1
    if several:
        yield finding(
            "capacity-provider.mixed-kinds",
            Grade.BLOCK,
            3,
            f"capacity.strategy mixes kinds of capacity provider ({', '.join(kinds)}), which ECS refuses.",
            "Name Fargate's providers only, or those of Auto Scaling groups only.",
            tuple((name, kind.value) for name, kind in kinds.items()),
        )


def _kind(around: Surroundings, name: str) -> ProviderKind:
    provider = around.provider(name)
    return provider.kind if provider else kind_of(name)


def _default_strategy(observation: Observation) -> Iterator[Finding]:
    default, service = observation.cluster.default_strategy, observation.service
    if not default:
        return
    shown = ", ".join(f"{item.provider} weight {item.weight} base {item.base}" for item in default)
    same = sorted(service.strategy, key=lambda item: item.provider) == sorted(default, key=lambda item: item.provider)
    yield finding(
        "cluster.default-strategy",
        Grade.INFO,
        0,
        f"The cluster's default strategy is {shown}"
        + ("; the service has the same one, so that its own code may state none." if same else "."),
        "Stages write the strategy out, so that the default does not act on the service. Where other code describes "
        "it, state the strategy there too; tasks that are run by hand without one follow the default.",
        tuple((item.provider, f"weight {item.weight} base {item.base}") for item in default),
    )
