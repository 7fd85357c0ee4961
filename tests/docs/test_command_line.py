from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from migrate.cli.app import cli
from tests.docs.markdown import DOCUMENTS


def _verbs(command: click.Command, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if name:
        yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _verbs(found, (*name, child))


VERBS = dict(_verbs(cli))
SHOWN = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
LEAVES = [name for name, command in VERBS.items() if not isinstance(command, click.Group) and not command.hidden]


@pytest.mark.parametrize("name", VERBS, ids=" ".join)
def test_every_verb_and_every_option_says_what_it_is_for(name: tuple[str, ...]) -> None:
    command = VERBS[name]
    assert command.help
    assert command.get_short_help_str(limit=200)
    options = [item for item in command.params if isinstance(item, click.Option)]
    assert [item.name for item in options if not item.help] == []
    flags = [flag for item in options for flag in (*item.opts, *item.secondary_opts)]
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize("name", LEAVES, ids=" ".join)
def test_every_verb_is_shown_in_a_document(name: tuple[str, ...]) -> None:
    assert re.search(rf"migrate {' '.join(name)}\b", SHOWN)
