"""Which versions of what are at work: a report of a run says by what it was made."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from migrate import __version__

_PACKAGES = ("pulumi", "pulumi-aws", "pulumi-docker-build", "boto3", "dbos")


def versions() -> dict[str, str]:
    """Return names and versions of the program, of Python, and of the packages that its acts go through."""
    return {"migrate": __version__, "Python": platform.python_version(), **_installed()}


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            # Not every way to install a program keeps what tells the versions of its parts.
            continue
    return found
