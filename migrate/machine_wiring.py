"""The composition root of what needs no service: images and Dockerfiles, and the database whatever is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.adapters.aws.session import open_session
from migrate.adapters.builder.reader import LocalBuildReader
from migrate.adapters.rate_limits import PROCESS_LIMITS
from migrate.adapters.registry.client import RegistryClient
from migrate.adapters.registry.contents import RegistryContents
from migrate.adapters.registry.inspect import RegistryInspector
from migrate.adapters.state_file import StateFile
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.config import read_environment
from migrate.core.repository.guarding import registry_host
from migrate.stack_state_port import StackState
from migrate.store_port import RecordStore
from migrate.wiring import Place, registry_client


@dataclass(frozen=True, slots=True)
class ImageReaders:
    """What looking at images and Dockerfiles needs, without any service."""

    registry: RegistryClient
    images: RegistryInspector
    files: RegistryContents
    builds: LocalBuildReader


@contextmanager
def database(place: Place) -> Iterator[RecordStore]:
    """Give the store alone; neither settings nor AWS are asked."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    with SqlRecordStore(environment.database_url) as store:
        yield store


@contextmanager
def inspecting(place: Place) -> Iterator[ImageReaders]:
    """Give what reads images and Dockerfiles; AWS is asked for logins to ECR alone, and only where one is needed."""

    def ecr_login(registry: str) -> tuple[str, str] | None:
        host = registry_host(registry)
        if host is None and not (os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_ECR")):
            return None
        region = place.region or (host.region if host else None)
        session = open_session(region, environment=os.environ, profile=place.profile, limits=PROCESS_LIMITS)
        return EcrRepositoryReader(session).credentials(registry)

    with registry_client(ecr_login) as registry:
        yield ImageReaders(
            registry, RegistryInspector(registry), RegistryContents(registry), LocalBuildReader(os.environ)
        )


def stack_state(file: Path | None, directory: Path | None, stack: str | None) -> StackState:
    """Give the state of a team's own stack: that in a file, or that of a program, in the environment as it is."""
    if file is not None:
        return StateFile(file)
    from migrate.adapters.pulumi.program_state import ProgramState

    return ProgramState(directory or Path(), stack, os.environ)


def docker_build_version() -> str:
    """Return the version of docker-build's provider that a state without one is given: ours."""
    return version("pulumi-docker-build")
