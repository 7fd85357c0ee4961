"""What is wrong in fleet.toml outside the tables of migrate.toml, in words."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from migrate.config.explain import found, meant
from migrate.config.fleet_keys import FLEET_KEYS, FLEET_TABLES, MEMBER_TABLES
from migrate.config.mistakes import Mistake, quoted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from migrate.config.fleet_model import FleetFile
    from migrate.config.locate import KeyPath

_OWN_SERVICE = (
    "is not for a fleet, which finds its services itself; leave one that other code owns out of it (exclude), and move "
    "it with a migrate.toml of its own (service.owner)"
)
_WITH_SETTINGS = frozenset({"defaults", "services", "overrides"})


def fleet_mistake(error: ErrorDetails) -> Mistake:
    """Return what pydantic refused, in the words of fleet.toml."""
    path = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        if path[-1] == "service":
            return Mistake(path, _OWN_SERVICE)
        return Mistake(path, meant(str(path[-1]), _siblings(path)))
    if error["type"] == "missing":
        return Mistake(path, f"is missing; expected {_expected(path)}")
    return Mistake(path, f"is {found(path, error['input'])}; expected {_expected(path)}")


def fleet_mistakes_in(file: FleetFile) -> Iterator[Mistake]:
    """Yield every broken rule that spans several keys."""
    known = [account.name for account in file.accounts]
    for position, account in enumerate(file.accounts):
        if account.name in known[:position]:
            yield Mistake(("accounts", position, "name"), f"is {quoted(account.name)} a second time")
        if account.external_id is not None and account.role_arn is None:
            yield Mistake(("accounts", position, "external_id"), "is for a role; role_arn is missing")
    for position, services in enumerate(file.services):
        if not (services.clusters or services.names or services.tags):
            yield Mistake(
                ("services", position), 'selects nothing; expected clusters, names or tags (names = ["*"] for all)'
            )
        if services.account is not None and services.account not in known:
            near = get_close_matches(services.account, known, n=1)
            text = f"did you mean {quoted(near[0])}?" if near else "no [[accounts]] has that name"
            yield Mistake(("services", position, "account"), f"is {quoted(services.account)}; {text}")
    yield from _waves(file)


def _waves(file: FleetFile) -> Iterator[Mistake]:
    names = [wave.name for wave in file.waves]
    for position, wave in enumerate(file.waves):
        if wave.name in names[:position]:
            yield Mistake(("waves", position, "name"), f"is {quoted(wave.name)} a second time")
        if bool(wave.services) == (wave.share is not None):
            yield Mistake(("waves", position), "says who goes by services or by share; expected one of the two")


def _siblings(path: KeyPath) -> list[str]:
    if len(path) == 1:
        return list(FLEET_TABLES)
    own = [key.name for key in FLEET_KEYS if key.table == path[0]]
    return [*own, *(MEMBER_TABLES if path[0] in _WITH_SETTINGS else ())]


def _expected(path: KeyPath) -> str:
    if len(path) == 1:
        return FLEET_TABLES[str(path[0])]
    named = {key.name: key.expected for key in FLEET_KEYS if key.table == path[0]}
    named |= {table: f"a table of migrate.toml, [{table}]" for table in MEMBER_TABLES}
    return next((named[str(step)] for step in reversed(path) if step in named), FLEET_TABLES[str(path[0])])
