"""What a month of a service costs at each stage."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.cost.cost import Price, UnknownPrice, added, planned_price, task_size
from migrate.core.cost.prices import HourlyRates
from migrate.core.desired_state import desired_state
from migrate.core.facts import Architecture, StrategyItem
from migrate.core.record import Record
from migrate.core.settings import Settings
from migrate.core.stages import Stage


@dataclass(frozen=True, slots=True)
class PriceView:
    """What prices are worked out from: ``count`` tasks, and ``rates`` that were read (none where nobody could)."""

    record: Record
    settings: Settings
    count: int
    rates: tuple[HourlyRates, ...] = ()


def price_at(view: PriceView, stage: Stage) -> Price:
    """Return what a month costs when ``stage`` is done; the operator's rates win over those that were read."""
    record, settings = view.record, view.settings
    state = desired_state(record, settings, stage)
    size = task_size(record.baseline.task_definition)
    if size is None:
        return UnknownPrice("The task definition reserves no CPU and memory for the whole task.")
    strategy = state.strategy or (StrategyItem(state.launch_type or "", weight=1),)
    region, rates = record.baseline.account.region, (*settings.prices, *view.rates)
    main = planned_price(size, view.count, strategy, state.architecture, region, rates)
    twin = state.service.twin
    if twin is None:
        return main
    return added(main, planned_price(size, twin.count, strategy, Architecture.ARM64, region, rates))
