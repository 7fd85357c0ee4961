"""What one look at many services has read already, so that nothing is asked for twice while it lasts.

Only a look at a fleet has one, and it ends with it: a gate's sample, and whatever decides about an act, is always read
afresh.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from migrate.errors import MigrateError

_T = TypeVar("_T")

MOST_OF_A_KIND = 600
OTHER_LIMITS = {"ecr:DescribeImages": 32, "ecs:ListTasks": 8, "iam:SimulatePrincipalPolicy": 4000}
"""Answers kept of each kind, those read last: a fleet of any size is looked at in the same memory.

One that is used does not get younger: what was read ahead must outlive what was used. A repository may hold thousands
of images and a cluster thousands of tasks, while IAM is asked about many resources of each service.
"""


class SharedReads:
    """Answers by kind and key, refusals included; several threads that want the same one wait for one read of it."""

    def __init__(self, most: int = MOST_OF_A_KIND, limits: Mapping[str, int] = OTHER_LIMITS) -> None:
        self._most = most
        self._limits = limits
        self._lock = threading.Lock()
        self._kinds: dict[str, OrderedDict[Hashable, Future[Any]]] = {}

    def once(self, kind: str, key: Hashable, read: Callable[[], _T]) -> _T:
        """Return what was read or put before, or read it now. Raises what that read raised, every time."""
        with self._lock:
            known = self._kinds.setdefault(kind, OrderedDict())
            answer = known.get(key)
            reads = answer is None
            if answer is None:
                answer = self._keep(kind, key)
        if reads:
            try:
                answer.set_result(read())
            except BaseException as error:
                answer.set_exception(error)
                if not isinstance(error, Exception):
                    self._forget(kind, key)
                raise
        return cast("_T", answer.result())

    def put(self, kind: str, key: Hashable, value: object) -> None:
        """Keep an answer that came with others; a MigrateError is raised to whoever asks for it."""
        with self._lock:
            answer = self._keep(kind, key)
        if isinstance(value, MigrateError):
            answer.set_exception(value)
        else:
            answer.set_result(value)

    def _keep(self, kind: str, key: Hashable) -> Future[Any]:
        known = self._kinds.setdefault(kind, OrderedDict())
        answer = known[key] = Future[Any]()
        known.move_to_end(key)
        while len(known) > self._limits.get(kind, self._most):
            known.popitem(last=False)
        return answer

    def _forget(self, kind: str, key: Hashable) -> None:
        with self._lock:
            self._kinds[kind].pop(key, None)


def once(shared: SharedReads | None, kind: str, key: Hashable, read: Callable[[], _T]) -> _T:
    """Return what is shared of it, or read it; without anything shared it is always read."""
    return read() if shared is None else shared.once(kind, key, read)
