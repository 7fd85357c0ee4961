"""migrate.toml -> core settings, or one error that names every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from migrate.config.explain import mistake
from migrate.config.mistakes import Mistake, settings_error
from migrate.config.toml_file import read_text, read_toml
from migrate.core.settings import Settings

_MISSING = "Run `migrate init` to write one, or name another with --config or MIGRATE_CONFIG."


def load(path: Path) -> Settings:
    """Read the operator's settings.

    Raises SettingsError that names file, line, key, what was found and what was expected, for all mistakes at once.
    """
    text = read_text(path, missing=_MISSING)
    settings, mistakes = read_settings(read_toml(path, text))
    if settings is None:
        raise settings_error(path, text, mistakes)
    return settings


def read_settings(content: Mapping[str, Any]) -> tuple[Settings | None, tuple[Mistake, ...]]:
    """Return the settings that the tables of a migrate.toml stand for, or every mistake in them."""
    from pydantic import ValidationError

    from migrate.config.model import SettingsFile, to_settings
    from migrate.config.rules import mistakes_in

    try:
        file = SettingsFile.model_validate(content)
    except ValidationError as error:
        return None, tuple(mistake(item) for item in error.errors(include_url=False))
    broken = mistakes_in(file)
    return (None, broken) if broken else (to_settings(file), ())


def absolute(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the paths that stood relative to their file."""
    image = settings.image
    context = image.context if image.is_remote else str((folder / image.context).resolve())
    dockerfile = str((folder / image.dockerfile).resolve()) if image.dockerfile is not None else None
    program = settings.program
    if program is not None:
        program = replace(program, directory=str((folder / program.directory).resolve()))
    return replace(settings, image=replace(image, context=context, dockerfile=dockerfile), program=program)
