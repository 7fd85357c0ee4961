"""The only writes outside Pulumi (design rule 2). Each looks first, so that repeating it does no harm.

They are repeated here and not by botocore, which would not look: a forced deployment whose answer got lost would be
started a second time.

Nothing here is meant to last: guard tag, tag restore, stop of a deployment, forced deployment, the way back to a
launch type. calls.py refuses everything else before it leaves the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from migrate.adapters.aws.ecr import StoredImage, registry_host, stored_image
from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.errors import code_of, translated
from migrate.adapters.aws.parse_ecs import service as parse_service
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Service
from migrate.core.record import OriginalImage
from migrate.errors import BlockedError, NotFoundError, ToolFaultError, TransientError, WorldChangedError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

T = TypeVar("T")

_LONGEST_PAUSE_SECONDS = 20
STOPPABLE = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED"})
"""States of a service deployment that is running and not on its way back yet (facts F17)."""


class AwsSafetyActions:
    """The port SafetyActions over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._reader = EcsServiceReader(session)

    def put_guard_tag(self, image: OriginalImage) -> None:
        """Give the original manifest a tag of ours, so that it does not expire (facts F31).

        Raises BlockedError when the tag already guards another manifest, or when the image is archived, and
        ToolFaultError when the recorded manifest is not the one of the recorded digest.
        """
        self._insisting(lambda: self._put_guard_tag(image))

    def _put_guard_tag(self, image: OriginalImage) -> None:
        client, region = self._registry(image)
        with translated("ecr", region):
            held = stored_image(client, image.repository, image.guard_tag)
        if held is not None and held.digest != image.digest:
            raise BlockedError(
                f"The guard tag {image.guard_tag} of {image.repository} already points at another image.",
                why=f"It points at {held.digest}, the original image is {image.digest}.",
                then="Find out who needs that image; when nobody does, remove the tag by hand and run again.",
                runbook="errors#guard-tag",
            )
        _check_active(held or self._put(client, region, image, image.guard_tag), image, image.guard_tag)

    def restore_tag(self, image: OriginalImage) -> None:
        """Let the service's tag point at the original manifest again, byte for byte (facts F32).

        An image pinned by digest has no tag to restore. Raises BlockedError when the registry refuses, for example
        because tags are immutable (case C05): mutability is never changed here; and ToolFaultError when the recorded
        manifest is not the one of the recorded digest.
        """
        self._insisting(lambda: self._restore_tag(image))

    def _restore_tag(self, image: OriginalImage) -> None:
        tag = image.reference.tag
        if not tag:
            return
        client, region = self._registry(image)
        with translated("ecr", region):
            held = stored_image(client, image.repository, tag)
        if held is None or held.digest != image.digest:
            held = self._put(client, region, image, tag)
        _check_active(held, image, tag)

    def stop_deployment(self, service_deployment_arn: str) -> None:
        """Stop a running service deployment with rollback (facts F17).

        One that has ended, or is on its way back already, is left alone. Raises NotFoundError, AccessError, and
        BlockedError where ECS does not let a running one be stopped.
        """
        self._insisting(lambda: self._stop_deployment(service_deployment_arn))

    def _stop_deployment(self, service_deployment_arn: str) -> None:
        if self._deployment_status(service_deployment_arn) not in STOPPABLE:
            return
        client = self._session.ecs_writer()
        with translated("ecs", self._session.region.name):
            try:
                client.stop_service_deployment(serviceDeploymentArn=service_deployment_arn, stopType="ROLLBACK")
            except ClientError as error:
                # It may have ended between the look and the call.
                if code_of(error) != "ConflictException":
                    raise
                conflict = error
            else:
                return
        if self._deployment_status(service_deployment_arn) in STOPPABLE:
            raise BlockedError(
                "The running deployment cannot be stopped now.",
                why=f"{conflict}",
                then="Look at the service's deployments in the ECS console, then run the command again.",
            ) from conflict

    def force_deployment(self, service: Service) -> str:
        """Start a deployment of the service as it is; return the id of its PRIMARY deployment.

        ``service`` is the service as it was seen last. When a newer deployment of the same task definition runs
        already, an earlier try of this act got through: its id is returned and nothing is started. So take that
        look after whatever the new tasks have to see, a moved tag for example.
        Raises WorldChangedError when the service runs another task definition by now, and BlockedError when it has no
        PRIMARY deployment.
        """
        return self._insisting(lambda: self._force_deployment(service))

    def _force_deployment(self, service: Service) -> str:
        seen, live = service.primary, self._live(service)
        if seen is not None and live.primary is not None and live.primary.id != seen.id:
            return live.primary.id
        with translated("ecs", self._session.region.name):
            answer = self._session.ecs_writer().update_service(
                cluster=service.cluster_arn, service=service.arn, forceNewDeployment=True
            )
        return _primary_id(parse_service(answer["service"]))

    def return_to_launch_type(self, service: Service) -> str:
        """Take the strategy away, so that the launch type decides again (facts F2); return the deployment's id.

        A service that has no strategy is left alone. Raises WorldChangedError when the service runs another task
        definition than it was seen with, and BlockedError when it has no PRIMARY deployment.
        """
        return self._insisting(lambda: self._return_to_launch_type(service))

    def _return_to_launch_type(self, service: Service) -> str:
        live = self._live(service)
        if not live.strategy:
            return _primary_id(live)
        with translated("ecs", self._session.region.name):
            answer = self._session.ecs_writer().update_service(
                cluster=service.cluster_arn, service=service.arn, capacityProviderStrategy=[], forceNewDeployment=True
            )
        return _primary_id(parse_service(answer["service"]))

    def _insisting(self, act: Callable[[], T]) -> T:
        """Do an act again while AWS does not answer as it should; every try looks what the one before has left."""
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential_jitter(initial=1, max=_LONGEST_PAUSE_SECONDS),
            stop=stop_after_attempt(self._session.attempts),
            sleep=self._session.sleep,
            reraise=True,
        )
        return retrying(act)

    def _live(self, service: Service) -> Service:
        live = self._reader.service(service.cluster_arn, service.arn)
        if live.task_definition_arn != service.task_definition_arn:
            raise WorldChangedError(
                f"The service {service.name} runs another task definition than a moment ago.",
                why=f"It was {service.task_definition_arn}, now it is {live.task_definition_arn}.",
                then="Somebody else deployed. Run `migrate plan` again and look at what changed.",
            )
        return live

    def _deployment_status(self, arn: str) -> str:
        with translated("ecs", self._session.region.name):
            found = self._session.ecs().describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
        if not found:
            raise NotFoundError(
                "The service deployment that should be stopped does not exist.",
                why=f"ECS does not show {arn}.",
                then="Look at the service's deployments in the ECS console; ECS forgets them after 90 days.",
            )
        return found[0].get("status", "")

    def _registry(self, image: OriginalImage) -> tuple[ECRClient, str]:
        host = registry_host(image.reference.registry)
        client = self._session.ecr_writer(host.region if host else None)
        return client, client.meta.region_name

    def _put(self, client: ECRClient, region: str, image: OriginalImage, tag: str) -> StoredImage:
        """Write the recorded body under a tag and return what the tag then points at."""
        actual = f"sha256:{hashlib.sha256(image.manifest.encode()).hexdigest()}"
        if actual != image.digest:
            raise ToolFaultError(
                "The recorded manifest is not the original one.",
                why=f"Its digest is {actual}, the recorded digest is {image.digest}.",
                then="Nothing was written. Restore the record from a backup, or tag the image by hand.",
                runbook="incident#record-damaged",
            )
        with translated("ecr", region):
            try:
                client.put_image(
                    repositoryName=image.repository,
                    imageManifest=image.manifest,
                    imageManifestMediaType=image.media_type,
                    imageTag=tag,
                    imageDigest=image.digest,
                )
            except ClientError as error:
                if code_of(error) != "ImageAlreadyExistsException":
                    raise _refused(error, image, tag) from error
            held = stored_image(client, image.repository, tag)
        return held or StoredImage("", "")


def _check_active(held: StoredImage, image: OriginalImage, tag: str) -> None:
    """Make sure that the tag points at the original, and that the original can be pulled."""
    if held.digest != image.digest:
        raise BlockedError(
            f"The tag {tag} of {image.repository} does not point at the original image.",
            why=f"After writing it, ECR shows {held.digest or 'no image'} instead of {image.digest}.",
            then="Another push may have come in between: look who pushes this tag, stop it, and run again.",
            runbook="errors#tag-moved",
        )
    if held.status not in {"", "ACTIVE"}:
        raise BlockedError(
            f"The original image of {image.repository} is {held.status}: it cannot be pulled.",
            why=f"ECR shows imageStatus {held.status} for {image.digest}.",
            then="Restore it from the archive (`aws ecr update-image-storage-class`), then run the command again.",
            runbook="errors#image-archived",
        )


def _refused(error: ClientError, image: OriginalImage, tag: str) -> Exception:
    """Return what to raise for a PutImage that ECR refused."""
    reasons = {
        "ImageTagAlreadyExistsException": (
            "Tags of this repository are immutable, which this tool never changes.",
            "Have the tag excluded from immutability, or deploy under a new tag.",
        ),
        "ReferencedImagesNotFoundException": (
            "An image that the index refers to is gone.",
            "Push the missing image again, or deploy from another revision.",
        ),
        "LayersNotFoundException": (
            "A layer of the image is gone.",
            "Push the original image again from where it was built, or deploy from another revision.",
        ),
    }
    code = code_of(error)
    if code not in reasons:
        return error
    why, then = reasons[code]
    return BlockedError(
        f"ECR refuses the tag {tag} for the original image of {image.repository}.",
        why=f"{why} {code}: {error.response.get('Error', {}).get('Message', '')}",
        then=then,
        runbook="errors#tag-refused",
    )


def _primary_id(service: Service) -> str:
    if service.primary is None:
        raise BlockedError(
            f"The service {service.name} has no PRIMARY deployment to follow.",
            why=f"Its deployment controller is {service.deployment_controller}.",
            then="Only services under the ECS deployment controller can be migrated.",
            runbook="errors#deployment-controller",
        )
    return service.primary.id
