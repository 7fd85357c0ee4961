"""Parses a command as the real command line would, without running it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from migrate.cli.app import cli

PLACEHOLDERS = {"N": "1", "M": "1"}
"""Words of running text that stand for a stage."""


def mistake_in(arguments: Sequence[str]) -> str | None:
    """Return what is wrong with ``migrate ARGUMENTS``, None where it parses."""
    words = [PLACEHOLDERS.get(word, word) for word in arguments]
    try:
        _parse(cli, words, None)
    except click.exceptions.Exit:
        return None
    except click.ClickException as error:
        return error.format_message()
    return None


def is_verb(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments are one verb and nothing else, as running text speaks of it."""
    return len(arguments) == 1 and arguments[0] in cli.list_commands(click.Context(cli))


def _parse(command: click.Command, arguments: list[str], parent: click.Context | None) -> None:
    if not isinstance(command, click.Group):
        command.make_context(command.name, arguments, parent=parent)
        return
    context = click.Context(command, info_name=command.name, parent=parent, allow_interspersed_args=False)
    _, rest, _ = command.make_parser(context).parse_args(list(arguments))
    if not rest:
        return
    name, found, left = command.resolve_command(context, rest)
    if found is None:
        context.fail(f"No such command {name!r}.")
    _parse(found, left, context)
