"""One pass over the world, reading only what a plan needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.core.desired_state import shelf_tag
from migrate.core.facts import Repository, Service, Task, TaskDefinition
from migrate.core.image.index import LINUX_ARM64, ImageReference, IndexDocument
from migrate.core.observation import ContainerImage, Observation
from migrate.core.record import Record, still_open
from migrate.core.repository.guarding import RepositoryContents, guard_tag
from migrate.core.service_settings import watched_alarms
from migrate.core.surroundings import NOTHING_READ, Unread
from migrate.core.task_definition import containers, process_overrides
from migrate.errors import AccessError, MigrateError, NotFoundError
from migrate.workflows.readiness import has_stage_one_ahead, read_build, read_crossing
from migrate.workflows.runtime import Readers


def observe(
    runtime: Readers,
    *,
    readiness: bool = True,
    guarding: bool = True,
    record_of: Callable[[str], Record | None] | None = None,
) -> Observation:
    """Return the service and everything around it as it is now.

    Raises NotFoundError when the service, its cluster or revision is missing, AccessError when AWS does not answer.
    An image that cannot be read is part of the observation, not an error. ``readiness`` reads what stage 1 would be
    built from too, and the files of the amd64 image, while that stage lies ahead; ``guarding`` reads what is in the
    repository and what lies around the service, which a look that judges nothing, or a way back, can do without.
    ``record_of`` gives a service's record where it was read already.
    """
    settings = runtime.settings
    account = runtime.services.account()
    service = runtime.services.service(settings.service.cluster, settings.service.name)
    definition = runtime.services.task_definition(service.task_definition_arn)
    images = tuple(_images(runtime, definition))
    cluster = runtime.services.cluster(service.cluster_arn)
    wanted = tuple(item.provider for item in settings.capacity)
    main = next((image for image in images if image.container == settings.image.container), None)
    repository, contents = _repository(runtime, main, guarding=guarding) if main else (None, None)
    twin, twin_tasks = _twin(runtime, service, record_of or runtime.store.record)
    ahead = readiness and has_stage_one_ahead(runtime, service.arn)
    return Observation(
        taken_at=runtime.clock.now(),
        account=account,
        service=service,
        task_definition=definition,
        cluster=cluster,
        tasks=runtime.services.tasks(service),
        alarms=runtime.health.alarms(watched_alarms(service, settings.gate.alarms)),
        images=images,
        repository=repository,
        contents=contents,
        surroundings=runtime.surroundings.read(service, definition, cluster, wanted) if guarding else NOTHING_READ,
        build=read_build(runtime) if ahead else None,
        crossing=read_crossing(runtime, main) if ahead else None,
        twin=twin,
        twin_tasks=twin_tasks,
    )


def _twin(
    runtime: Readers, service: Service, record_of: Callable[[str], Record | None]
) -> tuple[Service | None, tuple[Task, ...]]:
    record = still_open(record_of(service.arn))
    if record is None or record.twin is None:
        return None, ()
    try:
        twin = runtime.services.service(service.cluster_arn, record.twin.arn or record.twin.name)
    except NotFoundError:
        return None, ()
    return twin, runtime.services.tasks(twin)


def _repository(
    runtime: Readers, image: ContainerImage, *, guarding: bool
) -> tuple[Repository | None, RepositoryContents | None]:
    """Return the repository and what is in it; the tags that a migration writes are looked for in any case.

    What may not be read is part of the observation, not an error.
    """
    try:
        repository = runtime.repositories.repository(image.reference)
    except AccessError as error:
        if error.runbook != "errors#permission":
            raise
        unread = Unread("the repository", "ecr:DescribeRepositories", str(error))
        return None, RepositoryContents(complete=False, unread=(unread,))
    if repository is None or not guarding:
        return repository, None
    tag, digest = image.reference.tag, image.facts.digest if image.facts else image.reference.digest
    ours = (tag, guard_tag(tag, digest or ""), shelf_tag(tag)) if tag else ()
    return repository, runtime.repositories.contents(repository, (*ours, *((digest,) if digest else ())))


def _images(runtime: Readers, definition: TaskDefinition) -> Iterator[ContainerImage]:
    for container in containers(definition.document):
        reference = ImageReference.parse(str(container.get("image", "")))
        try:
            facts = runtime.images.inspect(reference, process_overrides(container))
            tag_index = _index_behind_tag(runtime, reference)
            yield ContainerImage(str(container.get("name")), reference, facts, tag_index=tag_index)
        except AccessError as error:
            yield ContainerImage(str(container.get("name")), reference, None, str(error))
        except MigrateError as error:
            yield ContainerImage(str(container.get("name")), reference, None, error.what)


def _index_behind_tag(runtime: Readers, reference: ImageReference) -> str:
    """Return the digest of the index that a pinned image's tag holds, if it lists arm64: what the pin could be."""
    if reference.digest is None or reference.tag is None:
        return ""
    try:
        found = runtime.registry.manifest(reference.tagged(reference.tag))
    except MigrateError:
        return ""
    document = found.document
    entries = document.entries if isinstance(document, IndexDocument) else ()
    lists_arm64 = any(entry.platform is not None and entry.platform.matches(LINUX_ARM64) for entry in entries)
    return found.digest if lists_arm64 else ""
