"""ECR's policies on images: lifecycle policies, pull-through cache rules, replication, and the storage class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate.sandbox.front import lifecycle_policies
from migrate.sandbox.front.http import AwsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.images import ImageStore, Manifest, Repository

    Find = Callable[[Repository, Json], Manifest | None]

_PREFIX = re.compile(r"([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*/?|ROOT)")
_UPSTREAMS = ("public.ecr.aws", "registry-1.docker.io", "quay.io", "registry.k8s.io", "ghcr.io", "cgr.dev")
_MOST_CACHES = 50


class Policies:
    """The operations; what they keep is in the image store. ``clock`` gives seconds since the epoch."""

    def __init__(self, store: ImageStore, clock: Callable[[], float], find: Find) -> None:
        self._store = store
        self._clock = clock
        self._find = find
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "PutLifecyclePolicy": self._put_lifecycle_policy,
            "GetLifecyclePolicy": self._get_lifecycle_policy,
            "DeleteLifecyclePolicy": self._delete_lifecycle_policy,
            "CreatePullThroughCacheRule": self._create_pull_through_cache_rule,
            "DeletePullThroughCacheRule": self._delete_pull_through_cache_rule,
            "DescribePullThroughCacheRules": self._describe_pull_through_cache_rules,
            "DescribeRegistry": self._describe_registry,
            "PutReplicationConfiguration": self._put_replication_configuration,
            "UpdateImageStorageClass": self._update_image_storage_class,
        }

    async def _put_lifecycle_policy(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        text = request.get("lifecyclePolicyText", "")
        lifecycle_policies.check(text)
        repository.lifecycle_policy = text
        return _policy(repository)

    async def _get_lifecycle_policy(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        if repository.lifecycle_policy is None:
            message = f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the "
            message += f"registry with id '{scope.account}'"
            raise AwsError("LifecyclePolicyNotFoundException", message)
        return {**_policy(repository), "lastEvaluatedAt": self._clock()}

    async def _delete_lifecycle_policy(self, scope: Scope, request: Json) -> Json:
        answered = await self._get_lifecycle_policy(scope, request)
        self._store.get(scope, request["repositoryName"]).lifecycle_policy = None
        return answered

    async def _create_pull_through_cache_rule(self, scope: Scope, request: Json) -> Json:
        prefix, upstream = request.get("ecrRepositoryPrefix", ""), request.get("upstreamRegistryUrl", "")
        caches = self._store.caches.setdefault(scope, {})
        if _PREFIX.fullmatch(prefix) is None:
            raise AwsError("InvalidParameterException", f"Invalid parameter at 'ecrRepositoryPrefix': '{prefix}'")
        if upstream not in _UPSTREAMS and ".dkr.ecr." not in upstream:
            message = f"The specified upstream registry '{upstream}' is not supported"
            raise AwsError("UnsupportedUpstreamRegistryException", message)
        if prefix in caches:
            message = f"A pull through cache rule with the prefix '{prefix}' already exists"
            raise AwsError("PullThroughCacheRuleAlreadyExistsException", message)
        if len(caches) >= _MOST_CACHES:
            raise AwsError("LimitExceededException", f"A registry has at most {_MOST_CACHES} pull through cache rules")
        caches[prefix] = {
            "ecrRepositoryPrefix": prefix,
            "upstreamRegistryUrl": upstream,
            "upstreamRepositoryPrefix": request.get("upstreamRepositoryPrefix", "ROOT"),
            "createdAt": self._clock(),
            "registryId": scope.account,
        }
        return caches[prefix]

    async def _delete_pull_through_cache_rule(self, scope: Scope, request: Json) -> Json:
        return self._caches_of(scope, [request.get("ecrRepositoryPrefix", "")], forget=True)[0]

    async def _describe_pull_through_cache_rules(self, scope: Scope, request: Json) -> Json:
        return {"pullThroughCacheRules": self._caches_of(scope, request.get("ecrRepositoryPrefixes"))}

    def _caches_of(self, scope: Scope, prefixes: list[str] | None, *, forget: bool = False) -> list[Json]:
        known = self._store.caches.setdefault(scope, {})
        missing = [prefix for prefix in prefixes or [] if prefix not in known]
        if missing:
            message = f"The pull through cache rule with the prefix '{missing[0]}' does not exist in the registry with "
            raise AwsError("PullThroughCacheRuleNotFoundException", f"{message}id '{scope.account}'")
        wanted = list(known) if prefixes is None else prefixes
        return [known.pop(prefix) if forget else known[prefix] for prefix in wanted]

    async def _describe_registry(self, scope: Scope, _request: Json) -> Json:
        rules = self._store.replication.get(scope, [])
        return {"registryId": scope.account, "replicationConfiguration": {"rules": rules}}

    async def _put_replication_configuration(self, scope: Scope, request: Json) -> Json:
        configuration = request.get("replicationConfiguration", {})
        for rule in configuration.get("rules", []):
            for destination in rule.get("destinations", []):
                if (destination.get("registryId"), destination.get("region")) == (scope.account, scope.region):
                    message = "Invalid replication configuration: the destination is the registry itself"
                    raise AwsError("ValidationException", message)
        self._store.replication[scope] = list(configuration.get("rules", []))
        return {"replicationConfiguration": configuration}

    async def _update_image_storage_class(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        manifest = self._find(repository, request.get("imageId", {}))
        if manifest is None:
            raise AwsError("ImageNotFoundException", "The image requested does not exist in the specified repository")
        target = request.get("targetStorageClass")
        if target not in ("STANDARD", "ARCHIVE"):
            raise AwsError("InvalidParameterException", f"Invalid parameter at 'targetStorageClass': '{target}'")
        if target == "ARCHIVE":
            repository.archived[manifest.digest] = self._clock()
        else:
            repository.archived.pop(manifest.digest, None)
        return {
            "registryId": scope.account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": manifest.digest},
            "imageStatus": repository.status(manifest.digest),
        }


def _policy(repository: Repository) -> Json:
    return {
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "lifecyclePolicyText": repository.lifecycle_policy,
    }
