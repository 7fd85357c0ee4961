"""What every table of migrate.toml is made of: strict tables, texts, durations, limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from migrate.config.durations import parse_duration


def _duration(value: Any) -> timedelta:
    duration = parse_duration(value) if isinstance(value, str) else None
    if duration is None:
        raise ValueError
    return duration


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, Field(min_length=1)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Limit = Annotated[int, Field(ge=0)]
Number = Annotated[Decimal, BeforeValidator(_decimal)]


class Table(BaseModel):
    """A table of the file: no key that is not known, no value that had to be guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
