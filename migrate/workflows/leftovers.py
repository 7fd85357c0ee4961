"""What a push that failed has left in the repository (case C05)."""

from __future__ import annotations

from datetime import datetime, timedelta

from migrate.core.image.index import ImageReference
from migrate.core.image.push import told_left_over
from migrate.core.repository.guarding import left_over
from migrate.errors import MigrateError
from migrate.workflows.runtime import Readers

_CLOCKS_APART = timedelta(minutes=1)
"""How far the clock of this machine may be ahead of ECR's."""


def left_by_push(runtime: Readers, reference: ImageReference, since: datetime) -> str:
    """Say which manifests without a tag came into the repository since a push began; empty where there are none.

    Never raises: it goes with a failure that must be told whatever else is wrong.
    """
    try:
        repository = runtime.repositories.repository(reference)
        if repository is None:
            return ""
        contents = runtime.repositories.contents(repository, (reference.wanted,))
    except MigrateError as error:
        return f" What the push left behind could not be read: {error.what}"
    return told_left_over(left_over(contents, since - _CLOCKS_APART))
