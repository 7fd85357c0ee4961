"""A load generator: asks a URL again and again from several connections, and counts what was not answered well."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import httpx

_CONNECTIONS = 4
_PAUSE_SECONDS = 0.08
_ANSWER_SECONDS = 30.0
_OK = 200


@dataclass(slots=True, eq=False)
class Asked:
    """What happened in one span of time: requests, architecture of whoever answered, and every failure in words."""

    requests: int = 0
    architectures: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Load:
    """Asks ``url`` until the block ends."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._spans: list[Asked] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(_CONNECTIONS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def span(self) -> Iterator[Asked]:
        """Count what is asked while the block runs."""
        asked = Asked()
        with self._lock:
            self._spans.append(asked)
        try:
            yield asked
        finally:
            with self._lock:
                self._spans.remove(asked)

    def _ask(self) -> None:
        with httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False) as client:
            while not self._ending.wait(_PAUSE_SECONDS):
                architecture, failure = "", ""
                try:
                    answer = client.get(self._url)
                    if answer.status_code == _OK:
                        architecture = str(answer.json()["architecture"])
                    else:
                        failure = f"{answer.status_code}: {answer.text}"
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    failure = repr(error)
                self._count(architecture, failure)

    def _count(self, architecture: str, failure: str) -> None:
        with self._lock:
            for span in self._spans:
                span.requests += 1
                if failure:
                    span.failures.append(failure)
                else:
                    span.architectures[architecture] += 1
