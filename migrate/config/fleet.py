"""fleet.toml -> a core Fleet, and the settings of each service that its selections will find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.config.fleet_keys import MEMBER_TABLES
from migrate.config.fleet_rules import fleet_mistake, fleet_mistakes_in
from migrate.config.locate import KeyPath
from migrate.config.mistakes import Mistake, settings_error
from migrate.config.settings_file import absolute, read_settings
from migrate.config.toml_file import read_text, read_toml
from migrate.core.fleet.definition import Fleet, Selection, matches_service
from migrate.core.settings import Settings

FLEET_FILE = "fleet.toml"
_MISSING = "Write one (the README shows how), or name another with --fleet or MIGRATE_FLEET."
_ANY = "example"

Source = tuple[KeyPath, Mapping[str, Any]]
"""Where in the file tables of migrate.toml stand, and what they hold."""


@dataclass(frozen=True, slots=True)
class FleetDocument:
    """A fleet.toml that was read: the fleet, and the settings of whatever service its selections find."""

    fleet: Fleet
    path: Path
    text: str
    content: Mapping[str, Any]

    def settings(self, selection: Selection, cluster: str, service: str) -> Settings:
        """Return the settings of one service: [defaults], then its [[services]], then every [[overrides]] for it.

        Later ones win, key by key; ``{cluster}`` and ``{service}`` in a text stand for their names. Raises
        SettingsError with the line in fleet.toml.
        """
        sources = list(_sources(self.content, selection.position, cluster, service))
        settings, mistakes = _read(sources, selection, cluster, service)
        if settings is None:
            told = [Mistake(item.path, f"{item.text} (service {cluster}/{service})", item.blocks) for item in mistakes]
            raise settings_error(self.path, self.text, told)
        return absolute(settings, self.path.parent)


def load_fleet(path: Path) -> FleetDocument:
    """Read fleet.toml.

    Raises SettingsError that names file, line, key, what was found and what was expected, for all mistakes at once;
    the tables of migrate.toml are tried for every [[services]] with every one of [[overrides]].
    """
    from pydantic import ValidationError

    from migrate.config.fleet_model import FleetFile, to_fleet

    text = read_text(path, missing=_MISSING)
    content = read_toml(path, text)
    try:
        file = FleetFile.model_validate(content)
    except ValidationError as error:
        raise settings_error(path, text, [fleet_mistake(item) for item in error.errors(include_url=False)]) from error
    broken = list(fleet_mistakes_in(file))
    if broken:
        raise settings_error(path, text, broken)
    fleet = to_fleet(file)
    tried = dict.fromkeys(_tried(content, fleet))
    if tried:
        raise settings_error(path, text, list(tried))
    return FleetDocument(fleet, path, text, content)


def _tried(content: Mapping[str, Any], fleet: Fleet) -> Iterator[Mistake]:
    """Yield the mistakes that are there whichever services are found."""
    overrides = [(("overrides", place), table) for place, table in enumerate(content.get("overrides", ()))]
    for selection in fleet.selections:
        usual = [*_defaults(content), (("services", selection.position), content["services"][selection.position])]
        for sources in (usual, *([*usual, override] for override in overrides)):
            for mistake in _read(sources, selection, _ANY, _ANY)[1]:
                # What one of them lacks, another may bring for the services that there are.
                if not (overrides and "is missing" in mistake.text):
                    yield mistake


def _defaults(content: Mapping[str, Any]) -> list[Source]:
    return [(("defaults",), content["defaults"])] if "defaults" in content else []


def _sources(content: Mapping[str, Any], position: int, cluster: str, service: str) -> Iterator[Source]:
    yield from _defaults(content)
    yield ("services", position), content["services"][position]
    for place, table in enumerate(content.get("overrides", ())):
        if any(matches_service(pattern, cluster, service) for pattern in table["services"]):
            yield ("overrides", place), table


def _read(
    sources: list[Source], selection: Selection, cluster: str, service: str
) -> tuple[Settings | None, tuple[Mistake, ...]]:
    named = {"cluster": cluster, "name": service}
    region = selection.region or selection.account.region
    merged: dict[str, Any] = {"service": named | ({"region": region} if region else {})}
    for _, table in sources:
        merged = _merged(merged, {name: table[name] for name in MEMBER_TABLES if name in table})
    settings, mistakes = read_settings(_filled(merged, cluster, service))
    return settings, tuple(Mistake(_place(item.path, sources), item.text, item.blocks) for item in mistakes)


def _merged(under: Any, over: Any) -> Any:
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return under | {name: _merged(under.get(name), value) for name, value in over.items()}


def _filled(value: Any, cluster: str, service: str) -> Any:
    if isinstance(value, str):
        return value.replace("{cluster}", cluster).replace("{service}", service)
    if isinstance(value, list):
        return [_filled(item, cluster, service) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, cluster, service) for name, item in value.items()}
    return value


def _place(path: KeyPath, sources: list[Source]) -> KeyPath:
    """Return where in fleet.toml a key of migrate.toml stands: in the last source that has most of its path."""
    deepest, place = 0, sources[-1][0]
    for prefix, table in sources:
        depth = _depth(path, table)
        if depth and depth >= deepest:
            deepest, place = depth, prefix
    return (*place, *path)


def _depth(path: KeyPath, value: Any) -> int:
    for depth, step in enumerate(path):
        positions = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step not in positions:
            return depth
        value = value[step]
    return len(path)
