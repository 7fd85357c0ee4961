"""Finding the service that is meant among those that there are, and asking only where there is a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from migrate.cli.answers import answered
from migrate.errors import SettingsError

if TYPE_CHECKING:
    from migrate.ports import ServiceReader

Ask = Callable[[str, Sequence[str]], str]
"""Shows a question and names to choose from, and returns one of them."""
_SHOWN = 20


def service_meant(reader: ServiceReader, cluster: str | None, service: str | None, ask: Ask | None) -> tuple[str, str]:
    """Return cluster and service: as given, the only ones that there are, or as chosen; ``ask`` None asks nobody.

    Raises SettingsError where it is open which one is meant, with what there is.
    """
    if service is not None and service.count("/") > 1 and cluster is None:
        # A long ARN says its cluster (ECS developer guide, "Amazon Resource Names (ARNs) and IDs").
        cluster = service.split("/")[-2]
    if cluster is not None and service is not None:
        return cluster, service
    clusters = (cluster,) if cluster is not None else reader.clusters()
    found = {
        f"{name}/{one}": (name, one)
        for name in clusters
        for one in reader.services(name)
        if service is None or one == service
    }
    return found[one_of(tuple(found), "service", "--cluster and --service", ask)]


def one_of(names: Sequence[str], what: str, options: str, ask: Ask | None) -> str:
    """Return the only name, or the one that is chosen. Raises SettingsError where nobody can be asked."""
    if len(names) == 1:
        return names[0]
    if names and ask is not None:
        return ask(what, names)
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise SettingsError(
        f"Which {what} is meant?" if names else f"No {what} was found.",
        why=f"There are: {', '.join(names[:_SHOWN])}{more}."
        if names
        else "There is none of that name in this account and region.",
        then=f"Name one with {options}." if names else "Check region and account: --region, --profile, AWS_PROFILE.",
    )


def asked_at_the_terminal(what: str, names: Sequence[str]) -> str:
    """List the names with numbers on stderr, and ask until one of them is named, by number or by name."""
    for number, name in enumerate(names, 1):
        click.echo(f"{number:>4}  {name}", err=True)

    while True:
        answer = answered(f"Which {what}?")
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer in names:
            return answer
        click.echo(f"Give a number from 1 to {len(names)}, or a name of the list.", err=True)
